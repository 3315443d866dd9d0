"""What is no sound index is refused with a sentence, by both readers, and never read past its end."""

import json
import random
import struct
import zlib
from typing import Any

import pytest

from schoolgate.core.categories import ListEntry
from schoolgate.core.errors import DamagedIndexError
from schoolgate.core.index import build_index, read_index
from schoolgate.core.index.layout import (
    HEADER_BYTES,
    SECTIONS,
    Header,
    read_about,
    read_header,
)
from schoolgate.core.index.native import native_module

ENTRIES = [
    ListEntry.parse(f"n{number}.example{path}", category, "one")
    for number in range(60)
    for category, path in [("games", ""), ("news", "/a/b")]
]
IMAGE = b"".join(build_index(ENTRIES, seed=5, catalogue={"room": "x" * 200}).pieces)
ABOUT: dict[str, Any] = read_about(memoryview(IMAGE), read_header(memoryview(IMAGE)))


def refusal(image: bytes, native: bool) -> str:
    with pytest.raises(DamagedIndexError) as caught:
        read_index(image, native=native)
    return str(caught.value)


def with_header(**changes: object) -> bytes:
    """Give the image with a header in which something is other than it was, its checksum right."""
    header = read_header(memoryview(IMAGE))
    fields = {name: getattr(header, name) for name in Header.__slots__} | changes
    packed = Header(**fields).pack(len(IMAGE), IMAGE[HEADER_BYTES : header.body_start])
    return packed + IMAGE[HEADER_BYTES:]


def patched(offset: int, data: bytes) -> bytes:
    return IMAGE[:offset] + data + IMAGE[offset + len(data) :]


def with_section(name: str, data: bytes) -> bytes:
    """Give the image with a section of other content, all checksums right."""
    header = read_header(memoryview(IMAGE))
    start, size = header.sections[name]
    assert len(data) == size
    body = patched(start, data)
    rest = struct.pack("=I", zlib.crc32(body[header.body_start :])).ljust(
        header.body_start - HEADER_BYTES, b"\0"
    )
    return header.pack(len(IMAGE), rest) + rest + body[header.body_start :]


@pytest.mark.parametrize("native", [False, True])
@pytest.mark.parametrize(
    ("image", "want"),
    [
        (b"", "is empty"),
        (b"#!/bin/sh\n" * 100, "is not an index of schoolgate"),
        (IMAGE[:5], "ends after 5 bytes, within its header"),
        (IMAGE[:200], "ends after 200 bytes, within its header"),
        (IMAGE[:-1], f"has {len(IMAGE) - 1} bytes where {len(IMAGE)} were written"),
        (IMAGE + b"\0", f"has {len(IMAGE) + 1} bytes where {len(IMAGE)} were written"),
        (patched(8, IMAGE[8:12][::-1]), "was built on a machine that is not"),
        (patched(12, struct.pack("=I", 2)), "has format 2, written by another version"),
        (patched(16, b"\0\0\0\0"), "has a damaged header"),
        (patched(HEADER_BYTES, b"\0\0\0\0"), "has a damaged header"),
        (patched(5000, b"\xff\xff\xff\xff"), "is damaged within the MiB from byte 4096 on"),
        (with_header(tag_bits=0), "contradicts itself"),
        (with_header(tag_bits=40), "contradicts itself"),
        (with_header(max_probes=256), "contradicts itself"),
        (with_header(buckets=0), "contradicts itself"),
        (with_header(buckets=2**60), "contradicts itself"),

    ],
)  # fmt: skip
def test_a_file_that_is_no_sound_index_is_refused_and_says_why(
    native: bool, image: bytes, want: str
) -> None:
    assert want in refusal(image, native)


@pytest.mark.parametrize("native", [False, True])
@pytest.mark.parametrize("name", SECTIONS)
@pytest.mark.parametrize("place", [(2**63, 64), (0, 2**63), (0, 0), (2**64 - 64, 64)])
def test_a_section_outside_the_file_is_refused(
    native: bool, name: str, place: tuple[int, int]
) -> None:
    header = read_header(memoryview(IMAGE))
    image = with_header(sections=header.sections | {name: place})
    assert "sections that do not fill it" in refusal(image, native)


@pytest.mark.parametrize("native", [False, True])
@pytest.mark.parametrize("name", ["rows", "set_ends", "set_members", "claim_ends", "claim_members"])
def test_numbers_that_lead_nowhere_are_refused_even_with_right_checksums(
    native: bool, name: str
) -> None:
    size = read_header(memoryview(IMAGE)).sections[name][1]
    assert refusal(with_section(name, b"\xee" * size), native)


@pytest.mark.parametrize("native", [False, True])
def test_slots_that_lead_nowhere_are_absent_nodes(native: bool) -> None:
    size = read_header(memoryview(IMAGE)).sections["buckets"][1]
    rng = random.Random(3)
    for _ in range(20):
        sites = read_index(with_section("buckets", rng.randbytes(size)), native=native)
        for number in range(60):
            assert 0 <= sites.get(f"n{number}.example", "/a/b") < 1000
            sites.entries(f"n{number}.example", "/a/b")


@pytest.mark.parametrize("native", [False, True])
def test_every_byte_counts(native: bool) -> None:
    """Whatever single bit of the file turns over, the file is refused."""
    rng = random.Random(4)
    for offset in range(len(IMAGE)):
        turned = IMAGE[offset] ^ 1 << rng.randrange(8)
        assert refusal(patched(offset, bytes([turned])), native)


def test_the_native_reader_judges_the_image_by_itself() -> None:
    """Even without the Python around it, it never leaves the image: the fuzzers start here."""
    assert native_module is not None
    rng = random.Random(5)
    for _ in range(2000):
        image = bytearray(IMAGE)
        for _ in range(rng.randrange(1, 6)):
            image[rng.randrange(HEADER_BYTES)] = rng.randrange(256)
        try:
            reader = native_module.Reader(bytes(image[: rng.randrange(len(image) + 1)]))
        except ValueError:
            continue
        reader.walk(b"n1.example", b"/a/b")
        reader.get("n1.example")


@pytest.mark.parametrize("native", [False, True])
@pytest.mark.parametrize(
    ("about", "want"),
    [
        (b"not JSON", "does not say what it is about"),
        (b"[]", "does not say what it is about"),
        (b"{}", "does not say what it is about"),
        (b'{"categories": 5}', "does not say what it is about"),
        (ABOUT | {"categories": 5}, "does not say what it is about"),
        (ABOUT | {"pairs": [[1] for _ in ABOUT["pairs"]]}, "does not say what it is about"),
        (ABOUT | {"opening": 5}, "does not say what it is about"),
        (
            {key: value for key, value in ABOUT.items() if key != "marks_paths"},
            "does not say what it is about",
        ),
        (ABOUT | {"categories": ["games"]}, "names a category or a feed that it does not know"),
        (ABOUT | {"feeds": []}, "names a category or a feed that it does not know"),
        (ABOUT | {"pairs": []}, "names a category or a feed that it does not know"),
    ],
)
def test_an_index_says_what_it_is_about(
    native: bool, about: bytes | dict[str, Any], want: str
) -> None:
    text = about if isinstance(about, bytes) else json.dumps(about).encode()
    size = read_header(memoryview(IMAGE)).sections["about"][1]
    assert refusal(with_section("about", text.ljust(size)), native) == want
