"""What comes out of ``Content-Encoding``, in pieces of bounded size, and no more than is asked for."""

import zlib
from collections.abc import Iterator
from functools import lru_cache
from typing import Protocol

import brotli
import zstandard

# Brotli gives up to twice as much.
PIECE_BYTES = 64 * 1024
FIRST_BYTES = 4 * 1024
# A few bytes of zstd can stand for very many, and its decompressor gives all that they stand for at once:
# 128 bytes are 4 MB at most.
_ZSTD_BYTES = 128
# The largest window that a browser takes (RFC 9659).
_ZSTD_WINDOW_BYTES = 8 << 20


class BrokenBodyError(Exception):
    """A body is not encoded as it says."""


class Decoder(Protocol):
    """Undoes one encoding."""

    def decode(self, data: bytes) -> Iterator[bytes]:
        """Give what comes out of some more bytes; what nobody asks for is not made.

        Raises:
            BrokenBodyError: when it is not encoded so.
        """


class _Plain:
    def decode(self, data: bytes) -> Iterator[bytes]:
        yield data


class _Zlib:
    """Gzip, and deflate with or without the header that it should have."""

    def __init__(self) -> None:
        self._stream = zlib.decompressobj(wbits=47)
        self._is_first = True

    def decode(self, data: bytes) -> Iterator[bytes]:
        while data:
            # The beginning alone tells of most that nothing more of them is read.
            most = FIRST_BYTES if self._is_first else PIECE_BYTES
            try:
                made = self._stream.decompress(data, most)
            except zlib.error as error:
                if not self._is_first:
                    raise BrokenBodyError(str(error)) from error
                self._is_first = False
                self._stream = zlib.decompressobj(wbits=-15)
                continue
            self._is_first = False
            data = self._stream.unconsumed_tail
            if made:
                yield made
            if self._stream.eof:
                # Another member may follow (RFC 1952, 2.2).
                data = self._stream.unused_data
                self._stream = zlib.decompressobj(wbits=47)


class _Brotli:
    def __init__(self) -> None:
        self._stream = brotli.Decompressor()

    def decode(self, data: bytes) -> Iterator[bytes]:
        try:
            while True:
                made = self._stream.process(data, output_buffer_limit=PIECE_BYTES)
                if made:
                    yield made
                # It takes more although some is still to come out: only where nothing does is that all.
                is_all = not made and self._stream.can_accept_more_data()
                if is_all or self._stream.is_finished():
                    return
                data = b""
        except brotli.error as error:
            raise BrokenBodyError(str(error)) from error


class _Zstandard:
    def __init__(self) -> None:
        made = zstandard.ZstdDecompressor(max_window_size=_ZSTD_WINDOW_BYTES)
        self._stream = made.decompressobj(read_across_frames=True)

    def decode(self, data: bytes) -> Iterator[bytes]:
        try:
            for at in range(0, len(data), _ZSTD_BYTES):
                made = self._stream.decompress(data[at : at + _ZSTD_BYTES])
                for place in range(0, len(made), PIECE_BYTES):
                    yield made[place : place + PIECE_BYTES]
        except zstandard.ZstdError as error:
            raise BrokenBodyError(str(error)) from error


class _Both:
    def __init__(self, outer: Decoder, inner: Decoder) -> None:
        self._outer, self._inner = outer, inner

    def decode(self, data: bytes) -> Iterator[bytes]:
        for piece in self._outer.decode(data):
            yield from self._inner.decode(piece)


type _Layer = type[_Plain] | type[_Zlib] | type[_Brotli] | type[_Zstandard]

_DECODERS: dict[str, _Layer] = {
    "identity": _Plain,
    "gzip": _Zlib,
    "x-gzip": _Zlib,
    "deflate": _Zlib,
    "br": _Brotli,
    "zstd": _Zstandard,
}
_MOST_ENCODINGS = 3
# What is longer is not remembered.
_USUAL_LENGTH = 100


def decoder_for(encoding: str) -> Decoder | None:
    """Give what undoes ``Content-Encoding``; None for one that no browser undoes."""
    layers_of = _layers if len(encoding) <= _USUAL_LENGTH else _layers.__wrapped__
    layers = layers_of(encoding)
    if not layers:
        return None
    decoder: Decoder = layers[0]()
    for layer in layers[1:]:
        # The last that was put on comes off first.
        decoder = _Both(layer(), decoder)
    return decoder


@lru_cache(maxsize=256)
def _layers(encoding: str) -> tuple[_Layer, ...]:
    """Give what undoes each encoding; nothing for one that no browser undoes."""
    names = [name.strip().lower() for name in encoding.split(",") if name.strip()] or ["identity"]
    if len(names) > _MOST_ENCODINGS or any(name not in _DECODERS for name in names):
        return ()
    return tuple(_DECODERS[name] for name in names)
