"""Reads the copy of a list: its format decides how, and what is no list is refused."""

import io
import tarfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path

from schoolgate.lists.feeds_file import FeedList
from schoolgate.lists.formats import (
    LINE_FORMATS,
    Batch,
    Limits,
    LineFault,
    NoListError,
    read_ranks,
    read_tarball,
    read_universities,
    read_v2fly,
    unpack,
)
from schoolgate.lists.formats.lines import refuse_what_is_no_text, united

_PIECE = 1 << 20
# Room for the longest of lines: an address of malware with its table around it.
_BYTES_AN_ENTRY = 400
_LEAST_ROOM = 16 << 20
_KEPT_FAULTS = 1000


@dataclass(slots=True)
class Read:
    """What a copy says.

    Attributes:
        entries: of it, each once.
        faults: the first lines that are no entries.
        fault_count: how many there are.
    """

    entries: set[bytes]
    faults: list[LineFault] = field(default_factory=list)
    fault_count: int = 0


def limits_of(listed: FeedList) -> Limits:
    """Say how large a list may be, unpacked."""
    return Limits(max(_LEAST_ROOM, listed.greatest * _BYTES_AN_ENTRY))


def most_bytes_of(listed: FeedList) -> int:
    """Say how many bytes of a list are fetched at most."""
    return limits_of(listed).most_bytes


def read_copy(listed: FeedList, path: Path) -> Read:
    """Read a list's copy.

    Raises:
        NoListError: when it is none.
        OSError: when it cannot be read.
    """
    found: Read = Read(set())
    excepted: set[bytes] = set()
    for batch in _batches(listed, path):
        found.entries.update(batch.entries)
        excepted.update(batch.excepted)
        found.fault_count += len(batch.faults)
        found.faults += batch.faults[: _KEPT_FAULTS - len(found.faults)]
    if found.fault_count > len(found.entries):
        raise NoListError(
            f"is no list: {found.fault_count:,} of its lines are no host, {len(found.entries):,} are"
        )
    found.entries -= excepted
    if listed.format in ("rpz", "v2fly"):
        found.entries = united(found.entries)
    return found


def pack_files(path: Path, files: Iterable[tuple[str, bytes]]) -> None:
    """Keep several files as the one copy of a list.

    Raises:
        OSError: when it cannot be written.
    """
    with tarfile.open(path, "w") as archive:
        for name, content in files:
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))


def unpack_files(path: Path) -> dict[str, bytes]:
    """Give the files of a copy that was made by `pack_files`; none where it cannot be read."""
    try:
        with tarfile.open(path) as archive:
            return {
                member.name: content.read()
                for member in archive
                if (content := archive.extractfile(member)) is not None
            }
    except (OSError, tarfile.TarError):
        return {}


def _batches(listed: FeedList, path: Path) -> Iterator[Batch]:
    match listed.format:
        case "v2fly":
            files = unpack_files(path)
            yield from read_v2fly(_last(listed.address), lambda name: _file(files, name))
        case "universities":
            yield from read_universities(_whole(path, limits_of(listed)))
        case "ranks":
            yield from read_ranks(_whole(path, limits_of(listed)), listed.greatest)
        case "ut1":
            yield from _tarball(unpack(_pieces(path), limits_of(listed)))
        case name:
            yield from LINE_FORMATS[name].parse(unpack(_pieces(path), limits_of(listed)))


def _tarball(pieces: Iterator[bytes]) -> Iterator[Batch]:
    """Read a tarball; a page in its place is told as such."""
    first = next(pieces, b"")
    if not _is_tar(first):
        refuse_what_is_no_text(first)
    yield from read_tarball(chain([first], pieces))


def _is_tar(block: bytes) -> bool:
    return block[257:262] == b"ustar"


def _file(files: dict[str, bytes], name: str) -> bytes:
    try:
        return files[name]
    except KeyError:
        raise NoListError(f"includes '{name}', which did not come") from None


def _last(address: str) -> str:
    return address.rpartition("/")[2]


def _whole(path: Path, limits: Limits) -> bytes:
    return b"".join(unpack(_pieces(path), limits))


def _pieces(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while piece := file.read(_PIECE):
            yield piece
