"""A compressed file is one file, however many streams it is written in."""

import bz2
import gzip
import io
import lzma
import struct
from collections.abc import Callable

import pytest
import zstandard

from tests.core.files.samples import HARMLESS, PE, recognised, told

# A zstd frame that decoders pass over (RFC 8878, 3.1.2).
SKIPPABLE = b"\x50\x2a\x4d\x18" + struct.pack("<I", 5) + b"01234"


@pytest.mark.parametrize(
    "pack",
    [gzip.compress, bz2.compress, lzma.compress, zstandard.compress],
    ids=lambda x: x.__module__,
)
def test_streams_one_after_the_other_are_one_file(pack: Callable[[bytes], bytes]) -> None:
    assert told(recognised(pack(PE[:40]) + pack(PE[40:]))) == "software/pe"
    assert recognised(pack(HARMLESS) + pack(PE)) is None


def test_what_stands_behind_a_whole_stream_is_passed_over() -> None:
    assert recognised(gzip.compress(b"short") + bytes(600)) is None
    assert recognised(gzip.compress(b"short") + b"no stream of gzip at all") is None


def test_frames_that_are_skipped_hide_nothing() -> None:
    assert told(recognised(SKIPPABLE * 5000 + zstandard.compress(PE))) == "software/pe"


def test_a_name_in_the_header_of_gzip_is_passed_over() -> None:
    out = io.BytesIO()
    with gzip.GzipFile("setup-of-something.bin", "wb", fileobj=out) as packed:
        packed.write(PE)
    assert told(recognised(out.getvalue())) == "software/pe"


@pytest.mark.parametrize(
    ("name", "want"),
    [("a.tgz", "a.tar"), ("a.txz", "a.tar"), ("song.gz", "song"), ("plain", "plain"), ("", "get")],
)
def test_names_what_is_packed(name: str, want: str) -> None:
    finding = recognised(gzip.compress(PE), name)
    assert finding is not None
    assert finding.name_inside == want
