"""Lines of a journal on their way to the centre of a trust: one message, and names of streams and subjects.

A message is JSON lines, compressed (Zstandard): first where they stand in the journal, then each of them.
"""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import zstandard

PREFIX = "journal"
STREAM = "JOURNAL"
# Of a message, uncompressed: a gateway sends 256 KB of its journal at once, or one longer line.
MOST_BYTES = 16 * 1024 * 1024
_NAME = re.compile(r"journal\.([a-z0-9-]{1,40})\.([a-z0-9-]{1,40})")
_LEVEL = 3


class NoShipmentError(ValueError):
    """What came is no message of lines."""


@dataclass(frozen=True, slots=True)
class Shipment:
    """Lines and where they stand.

    Attributes:
        source: file of the gateway's journal, unlike any other of it.
        start: byte in it at which they begin.
        after: byte after them.
        ends: byte after each of them.
        lines: JSON.
        names: of every field in them, so that who takes them need not read them one by one; None where who
            sent them did not say.
    """

    source: str
    start: int
    after: int
    ends: Sequence[int]
    lines: Sequence[bytes]
    names: frozenset[str] | None = None


def packed(shipment: Shipment) -> bytes:
    """Give it as a message."""
    said: dict[str, Any] = {
        "source": shipment.source,
        "start": shipment.start,
        "after": shipment.after,
        "ends": list(shipment.ends),
    }
    if shipment.names is not None:
        said["names"] = sorted(shipment.names)
    head = json.dumps(said, separators=(",", ":"))
    return zstandard.compress(b"\n".join((head.encode(), *shipment.lines)), _LEVEL)


def unpacked(data: bytes) -> Shipment:
    """Read a message.

    Raises:
        NoShipmentError: when it is none, or a hostile one.
    """
    try:
        if not 0 <= zstandard.frame_content_size(data) <= MOST_BYTES:
            raise NoShipmentError("it is too large, or does not say how large it is")
        head, *lines = zstandard.decompress(data).split(b"\n")
        said = json.loads(head)
        names = frozenset(said["names"]) if "names" in said else None
        places = said["source"], said["start"], said["after"], said["ends"]
        found = Shipment(*places, lines, names)
    except (zstandard.ZstdError, ValueError, TypeError, KeyError, RecursionError) as error:
        raise NoShipmentError(str(error)) from error
    if not _is_whole(found):
        raise NoShipmentError("its places are none")
    return found


def message_id(school: str, gateway: str, shipment: Shipment) -> str:
    """Give the ``Nats-Msg-Id``: of the same lines the same, of more or fewer another."""
    return f"{school}/{gateway}/{shipment.source}/{shipment.start}-{shipment.after}"


def subject(school: str, gateway: str) -> str:
    """Give the subject on which a gateway publishes."""
    return f"{PREFIX}.{school}.{gateway}"


def named(text: str) -> tuple[str, str] | None:
    """Give school and gateway of a subject; None where it is another."""
    found = _NAME.fullmatch(text)
    return (found[1], found[2]) if found else None


def stream(school: str, gateway: str) -> str:
    """Give the stream in which a leaf keeps what its gateway publishes, and the leaf's JetStream domain.

    A name has no underscore: of two gateways it is never the same.
    """
    return f"{STREAM}_{school}_{gateway}"


def _is_whole(one: Shipment) -> bool:
    numbers = (one.start, one.after, *one.ends) if isinstance(one.ends, list) else (None,)
    return (
        isinstance(one.source, str)
        and 0 < len(one.source) <= 100
        and all(type(number) is int for number in numbers)
        and len(one.ends) == len(one.lines)
        and 0 <= one.start <= one.after < 1 << 62
        and all(a < b for a, b in zip((one.start, *one.ends), one.ends, strict=False))
        and (not one.ends or one.ends[-1] <= one.after)
    )
