"""When devices were last heard of, in a file that the process of the tunnel writes and commands read."""

import json
from dataclasses import dataclass
from pathlib import Path

from schoolgate.wireguard.files import write_whole

_SEEN = "seen.json"
_MOST_BYTES = 16_000_000


@dataclass(frozen=True, slots=True)
class Sight:
    """What is known of a device's tunnel; times are seconds since 1970, 0 for never.

    Attributes:
        handshake: when it last proved its key.
        packet: when it last sent anything under it.
        received: bytes from it, encrypted, since the tunnel's process began.
        sent: bytes to it.
    """

    handshake: float = 0.0
    packet: float = 0.0
    received: int = 0
    sent: int = 0


@dataclass(frozen=True, slots=True)
class Seen:
    """The file.

    Attributes:
        at: when it was written, seconds since 1970; 0 where it never was.
        devices: public key → what is known.
    """

    at: float
    devices: dict[str, Sight]


def read_seen(directory: Path) -> Seen:
    """Read it; what is not there or damaged says nothing."""
    try:
        with (directory / _SEEN).open("rb") as stream:
            read = json.loads(stream.read(_MOST_BYTES))
        devices = {str(key): Sight(*row) for key, row in read["devices"].items()}
        return Seen(float(read["at"]), devices)
    except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return Seen(0.0, {})


def write_seen(directory: Path, seen: Seen) -> None:
    """Write it.

    Raises:
        OSError: when it cannot be written.
    """
    rows = {
        key: [one.handshake, one.packet, one.received, one.sent]
        for key, one in seen.devices.items()
    }
    content = json.dumps({"at": seen.at, "devices": rows}).encode()
    write_whole(directory / _SEEN, content, is_lasting=False)
