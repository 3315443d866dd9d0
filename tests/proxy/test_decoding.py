"""What comes out of a body is what went in, in bounded pieces, and no more than is asked for."""

import gzip
import zlib
from itertools import islice

import brotli
import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from schoolgate.proxy.decoding import (
    FIRST_BYTES,
    PIECE_BYTES,
    BrokenBodyError,
    Decoder,
    decoder_for,
)


def raw_deflate(data: bytes) -> bytes:
    made = zlib.compressobj(wbits=-15)
    return made.compress(data) + made.flush()


ENCODED = {
    "": bytes,
    "identity": bytes,
    "gzip": gzip.compress,
    "X-GZIP": gzip.compress,
    "deflate": zlib.compress,
    "br": brotli.compress,
    "zstd": zstandard.compress,
    "gzip, br": lambda data: brotli.compress(gzip.compress(data)),
}


def decoder(encoding: str) -> Decoder:
    found = decoder_for(encoding)
    assert found is not None
    return found


def decoded(encoding: str, data: bytes, size: int) -> bytes:
    made = decoder(encoding)
    return b"".join(
        piece for at in range(0, len(data), size) for piece in made.decode(data[at : at + size])
    )


@pytest.mark.parametrize("encoding", ENCODED)
@given(data=st.binary(max_size=2000), times=st.integers(1, 100), size=st.integers(1, 500))
def test_a_body_however_cut_comes_out_whole(
    encoding: str, data: bytes, times: int, size: int
) -> None:
    assert decoded(encoding, ENCODED[encoding](data * times), size) == data * times


def test_deflate_without_its_header() -> None:
    assert decoded("deflate", raw_deflate(b"words " * 99), 50) == b"words " * 99


def test_several_members_of_gzip() -> None:
    assert decoded("gzip", gzip.compress(b"one ") + gzip.compress(b"two"), 7) == b"one two"


@pytest.mark.parametrize("encoding", ["gzip", "br", "zstd"])
def test_of_a_bomb_no_more_is_made_than_is_asked_for(encoding: str) -> None:
    bomb = ENCODED[encoding](bytes(100 << 20))
    pieces = list(islice(decoder(encoding).decode(bomb), 3))
    assert max(map(len, pieces)) <= 2 * PIECE_BYTES


@pytest.mark.parametrize("encoding", ["gzip", "br", "zstd"])
def test_what_is_not_encoded_so_is_broken(encoding: str) -> None:
    with pytest.raises(BrokenBodyError):
        list(decoder(encoding).decode(b"no such thing at all, but words " * 20))


@pytest.mark.parametrize("encoding", ["compress", "gzip, rot13", "gzip, gzip, gzip, gzip"])
def test_what_no_browser_undoes(encoding: str) -> None:
    assert decoder_for(encoding) is None


@pytest.mark.parametrize("quality", [1, 5, 11])
def test_all_that_brotli_holds_back_comes_out(quality: int) -> None:
    """It says that it takes more while some of what it has is still to come."""
    body = b"<p>" + b"]]>" * 50_000 + b"casino" * 5_000
    decoder = decoder_for("br")
    assert decoder is not None
    assert b"".join(decoder.decode(brotli.compress(body, quality=quality))) == body


@pytest.mark.parametrize("encoding", ["gzip", "deflate"])
def test_the_first_piece_is_short_as_most_are_known_by_it(encoding: str) -> None:
    data = bytes(range(256)) * 1000
    sizes = [len(piece) for piece in decoder(encoding).decode(ENCODED[encoding](data))]
    assert sizes[0] == FIRST_BYTES
    assert (sum(sizes), max(sizes)) == (len(data), PIECE_BYTES)


@pytest.mark.parametrize("padding", ["", " ", " " * 300])
def test_an_encoding_is_known_however_much_stands_around_it(padding: str) -> None:
    assert decoded(f"{padding}gzip{padding}", gzip.compress(b"words"), 9) == b"words"
