"""The first inputs of the fuzzers: small sound indexes, lists and lengths, of made-up names only.

Examples, from the repository's folder:

    python -m tests.fuzz.seeds                              # of all fuzzers, to build/fuzz/corpus
    python -m tests.fuzz.seeds reader --to /tmp/seeds       # of one, to a directory
"""

import struct
import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from schoolgate.core.categories import ListEntry
from schoolgate.core.index.building import build_index
from schoolgate.core.index.layout import (
    BUCKET,
    ESCAPE,
    HEADER_BYTES,
    ROW_ESCAPED,
    SECTIONS,
    SLOTS,
    TAG_BITS,
    read_header,
)
from tests.fuzz import command

HOSTS = ["example.com", "=www.example.com", "*.shop.example.com", "example.net/games/chess"]
ADDRESSES = ["192.0.2.7", "192.0.2.8/private", "[2001:db8::1]", "[2001:db8::2]/a/b"]
LONG_LABELS = ["a-label-of-many-letters.example", "sixteen-letters-.nine-char.example", "x.example"]
# More nodes with paths on one way than a trail notes.
DEEP = [
    "=" * (depth % 2) + "a." * depth + "example/p" + "/q" * (depth % 3) for depth in range(1, 19)
]
CROWD = [f"n{number}.example.org" for number in range(100)]
ALL = HOSTS + ADDRESSES + LONG_LABELS

LOOKED_UP = [
    ("www.example.com", "/"),
    ("WWW.Example.COM.", "/games"),
    ("cheap.shop.example.com", ""),
    ("shop.example.com", "/a/b/"),
    ("example.net", "/games/chess/board"),
    ("sub.example.net", "/games"),
    ("192.0.2.8", "/private/room"),
    ("1.192.0.2.7", "/"),
    ("[2001:db8::2]", "/a/b"),
    ("sub.sixteen-letters-.nine-char.example", "/%2e/"),
    ("a." * 18 + "example", "/p/q/q/r"),
    ("a." * 9 + "example", "/p/q/"),
    ("n77.example.org", "/"),
    (".", "//"),
    ("", ""),
]


def reader() -> Iterator[bytes]:
    """Give images with a host and a path each, in the form that fuzz_reader.c reads."""
    for number, lines in enumerate((HOSTS, ADDRESSES, LONG_LABELS, DEEP, CROWD, ALL + DEEP, [])):
        for tag_bits in (TAG_BITS, 24):
            image = _image(lines, 77 + number, tag_bits)
            escaped = _compact(image, escapes=True)
            for place, (host, path) in enumerate(LOOKED_UP):
                chosen = escaped if place % 3 == 1 else _compact(image, escapes=False)
                yield chosen + _trailer(host, path, place)


def builder() -> Iterator[bytes]:
    """Give lists, in the form that fuzz_builder.c reads."""
    text, deep, crowd = ("\n".join(lines).encode() + b"\n" for lines in (ALL, DEEP, CROWD))
    refused = (
        b"# example\n\n \n=\n*.\nUpper.example\n.example\nexample..com\nexample.7\n[::g]\n[1\n"
        b"example.com/\nexample.com//x\nexample.com/./x\nexample.com/X\nexample.com/a b\n  x.example\n"
        b"y.example\r\n0300.1.1.1\n256.1.1.1\n1.2.3\n1.2.3.4.\n"
        + b"a" * 254
        + b"\n"
        + b"a." * 126
        + b"b\n"
    )
    blocks = [
        text,
        deep,
        crowd,
        refused,
        text + b"\xff\x04" + text + b"\xff\x08" + deep,
        b"\xff\x06" + text + b"\xff\x0a" + refused + b"\xff\x0c" + text,
        b"\xff\x03\xffexample.com\nexample.net/a",
        b"\xff\x03\x90example.com\n\xff\x07\x60example.com\n\xff\x53\xa0example.com\n\xff\xb1"
        + text,
    ]
    for number, block in enumerate(blocks):
        for first, failing in ((0xFF, 0), (0x80 + number, 7 * number + 3), (20 + number, 0)):
            yield bytes([first, failing, 63, number * 3]) + struct.pack("=Q", 1000 + number) + block


def crc() -> Iterator[bytes]:
    """Give bytes of the lengths at which the computation changes its way."""
    for size in (0, 1, 15, 16, 63, 64, 65, 79, 127, 128, 129, 191, 192, 255, 256, 257, 384, 1000):
        yield bytes([size % 64]) + bytes(i * 37 % 251 for i in range(size))


def _image(lines: Sequence[str], seed: int, tag_bits: int) -> memoryview:
    categories = ["games", "shopping", "news"]
    entries = [
        ListEntry.parse(line, categories[number % 3], "own" if number % 5 else "other")
        for number, line in enumerate(lines)
    ]
    return memoryview(b"".join(build_index(entries, seed=seed, tag_bits=tag_bits).pieces))


def _compact(image: memoryview, *, escapes: bool) -> bytes:
    """Leave out checksums, padding and the JSON, which the C reader does not read; escape the rows."""
    header = read_header(image)
    texts = {
        name: bytes(image[start : start + size])
        for name, (start, size) in header.sections.items()
        if name not in {"checksums", "about"}
    }
    if escapes:
        texts["buckets"], texts["escapes"] = _escaped(texts["buckets"])
    sections, at = {}, HEADER_BYTES
    for name in SECTIONS:
        sections[name] = (at, len(texts.get(name, b"")))
        at += sections[name][1]
    packed = replace(header, sections=sections).pack(at, b"")
    return packed + b"".join(texts.values())


def _escaped(buckets: bytes) -> tuple[bytes, bytes]:
    """Give the same buckets with the row of each slot in an escape."""
    changed, escapes = bytearray(buckets), bytearray()
    for bucket in range(len(buckets) // BUCKET.size):
        numbers = list(BUCKET.unpack_from(buckets, bucket * BUCKET.size))
        for slot in range(SLOTS):
            if numbers[slot]:
                escapes += ESCAPE.pack(bucket * SLOTS + slot, numbers[SLOTS + slot])
                numbers[SLOTS + slot] = ROW_ESCAPED
        BUCKET.pack_into(changed, bucket * BUCKET.size, *numbers)
    return bytes(changed), bytes(escapes)


def _trailer(host: str, path: str, shift: int) -> bytes:
    return host.encode() + path.encode() + bytes([len(host), len(path), shift])


INPUTS = {"reader": reader, "builder": builder, "crc": crc}


def write(directory: Path, name: str) -> None:
    """Write the inputs of a fuzzer to the directory of its name, each under its number."""
    (directory / name).mkdir(parents=True, exist_ok=True)
    for number, data in enumerate(INPUTS[name]()):
        (directory / name / f"seed-{number:03}").write_bytes(data)


def main(arguments: Sequence[str] | None = None) -> int:
    """Write inputs as the command line says."""
    parser = command.parser_of("tests.fuzz.seeds", __doc__)
    parser.add_argument("fuzzer", nargs="*", metavar="FUZZER", help=f"of {', '.join(INPUTS)}; all")
    parser.add_argument(
        "--to", type=Path, default=command.BUILD / "corpus", help="directory of a folder for each"
    )
    asked = parser.parse_args(arguments)
    if unknown := set(asked.fuzzer) - set(INPUTS):
        parser.error(f"there is no fuzzer {', '.join(sorted(unknown))}: {', '.join(INPUTS)}")
    for name in asked.fuzzer or INPUTS:
        write(asked.to, name)
        print(f"{name}: {len(list((asked.to / name).iterdir()))} inputs in {asked.to / name}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
