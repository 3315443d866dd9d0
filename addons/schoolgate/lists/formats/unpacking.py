"""Takes compression off as it comes, up to a limit: what unpacks without an end is refused."""

import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from schoolgate.lists.formats.lines import NoListError

_GZIP = b"\x1f\x8b"
_PIECE = 1 << 18
# Lists of names unpack to three to eight times their size; zeros to a thousand times.
_MOST_TIMES = 100
_WITHOUT_LOOKING = 8 << 20


@dataclass(frozen=True, slots=True)
class Limits:
    """What a feed may be.

    Attributes:
        most_bytes: unpacked.
    """

    most_bytes: int


def unpack(pieces: Iterable[bytes], limits: Limits) -> Iterator[bytes]:
    """Give the bytes that gzip has packed (RFC 1952), or those that are not packed at all.

    Raises:
        NoListError: when there are more than the limit, or far more than came; when it is damaged or cut off.
    """
    source = iter(pieces)
    first = b""
    for piece in source:
        first += piece
        if len(first) >= len(_GZIP):
            break
    whole = _chain(first, source)
    packed = first.startswith(_GZIP)
    yield from _limited(_gunzip(whole) if packed else whole, limits)


def _chain(first: bytes, rest: Iterator[bytes]) -> Iterator[bytes]:
    yield first
    yield from rest


def _limited(pieces: Iterable[bytes], limits: Limits) -> Iterator[bytes]:
    size = 0
    for piece in pieces:
        size += len(piece)
        if size > limits.most_bytes:
            raise NoListError(
                f"is refused: it is larger than {limits.most_bytes // 1_000_000} MB, the most it can be"
            )
        yield piece


def _gunzip(pieces: Iterable[bytes]) -> Iterator[bytes]:
    unpacker = zlib.decompressobj(wbits=31)
    came = given = 0
    for arrived in pieces:
        came += len(arrived)
        waiting = arrived
        while waiting:
            if unpacker.eof:
                # Several members one after the other are one file (RFC 1952, 2.2).
                unpacker = zlib.decompressobj(wbits=31)
            try:
                piece = unpacker.decompress(waiting, _PIECE)
            except zlib.error as error:
                raise NoListError("is damaged: it cannot be unpacked") from error
            waiting = unpacker.unconsumed_tail or unpacker.unused_data
            given += len(piece)
            if given > _WITHOUT_LOOKING and given > _MOST_TIMES * came:
                raise NoListError(
                    f"is refused: it unpacks to more than {_MOST_TIMES} times its size"
                )
            yield piece
    if not unpacker.eof:
        raise NoListError("is cut off: its end did not come")
