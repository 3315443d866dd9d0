"""Tarballs of UT1: a folder for each category with ``domains``, ``urls`` and ``expressions``."""

import io
import tarfile
from collections.abc import Iterable, Iterator
from pathlib import PurePosixPath

from schoolgate.lists.formats.expressions import EXPRESSIONS
from schoolgate.lists.formats.lines import Batch, LineFormat, NoListError
from schoolgate.lists.formats.plain import PLAIN

_FORMATS: dict[str, LineFormat] = {"domains": PLAIN, "urls": PLAIN, "expressions": EXPRESSIONS}
_PIECE = 1 << 20
_MOST_MEMBERS = 200


def read_tarball(pieces: Iterable[bytes]) -> Iterator[Batch]:
    """Read the lists of a tarball whose compression has been taken off.

    Raises:
        NoListError: when it is no tarball, or holds no list.
    """
    found = False
    try:
        with tarfile.open(fileobj=_Reader(pieces), mode="r|") as archive:
            for number, member in enumerate(archive):
                if number > _MOST_MEMBERS:
                    raise NoListError(f"is refused: it has more than {_MOST_MEMBERS} files")
                lines = _FORMATS.get(PurePosixPath(member.name).name)
                if lines is None or not member.isreg():
                    continue
                content = archive.extractfile(member)
                if content is not None:
                    found = True
                    yield from lines.parse(iter(lambda: content.read(_PIECE), b""))  # noqa: B023
    except tarfile.TarError as error:
        raise NoListError("is no tarball, or damaged") from error
    if not found:
        raise NoListError("is refused: the tarball holds no list")


class _Reader(io.RawIOBase):
    """Bytes that come in pieces, as the file that `tarfile` wants."""

    def __init__(self, pieces: Iterable[bytes]) -> None:
        self._pieces = iter(pieces)
        self._left = b""

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        """Give so many bytes; fewer at the end."""
        kept = [self._left]
        length = len(self._left)
        while length < size and (piece := next(self._pieces, None)) is not None:
            kept.append(piece)
            length += len(piece)
        joined = b"".join(kept)
        self._left = joined[size:]
        return joined[:size]
