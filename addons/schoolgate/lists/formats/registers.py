"""Registers of hosts that lists must not close by mistake: universities, and the most visited hosts."""

import io
import json
import re
import zipfile
from collections.abc import Iterable, Iterator

from schoolgate.core.errors import BadAddressError
from schoolgate.lists.formats.lines import (
    HOST,
    Batch,
    LineFault,
    LineFormat,
    NoListError,
    shown,
    site,
    usual,
)

_MOST_UNPACKED = 200_000_000
_ROW = re.compile(r"\d+,(?P<host>\S+)$")


def read_universities(text: bytes) -> Iterator[Batch]:
    """Read the register of the world's universities: JSON, an object with ``domains`` for each.

    Raises:
        NoListError: when it is something else.
    """
    try:
        hosts = [str(host) for entry in json.loads(text) for host in entry["domains"]]
    except (ValueError, KeyError, TypeError) as error:
        raise NoListError("is no register of universities") from error
    batch = Batch()
    for number, host in enumerate(hosts, start=1):
        try:
            batch.entries.append(site(host).encode())
        except BadAddressError as error:
            batch.faults.append(LineFault(number, shown(host.encode()), str(error)))
    yield batch


def read_ranks(text: bytes, most: int) -> Iterator[Batch]:
    """Read a table of ranks and hosts, the most visited first: ``1,example.com``; may be zipped.

    Args:
        text: the whole table.
        most: so many hosts are read.

    Raises:
        NoListError: when it is something else.
    """
    plain = _unzipped(text) if text.startswith(b"PK") else text
    first = b"\n".join(plain.split(b"\n", most)[:most])
    yield from RANKS.parse([first])


def _row(line: str) -> Iterable[str]:
    found = _ROW.match(line)
    if found is None:
        raise BadAddressError(f"{line[:80]!r} is no rank with a host")
    return (site(found["host"]),)


def _unzipped(text: bytes) -> bytes:
    try:
        with zipfile.ZipFile(io.BytesIO(text)) as archive:
            first = archive.infolist()[0]
            if first.file_size > _MOST_UNPACKED:
                raise NoListError("is refused: it unpacks to more than a table of ranks can be")
            with archive.open(first) as member:
                # What is said of the size may be a lie.
                return member.read(_MOST_UNPACKED)
    except (zipfile.BadZipFile, IndexError, EOFError) as error:
        raise NoListError("is damaged: it cannot be unpacked") from error


RANKS = LineFormat(usual(rb"[0-9]++,(" + HOST + rb")"), _row)
