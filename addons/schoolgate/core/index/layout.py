"""The file format of the site index: what stands where, and what a sound file is.

One file, mapped into memory and shared by all workers, answers in which categories a host or a path
of it is. All numbers are in the byte order of the machine that built it.

    header          224 bytes, see `Header`
    checksums       4 bytes each: CRC-32 of each 1 MiB of what follows from ``body_start``
    (zeros to the next multiple of 4096: ``body_start``)
    buckets         64 bytes each, a hash table of nodes; its neighbours share a cache line
    rows            16 bytes each: set here, set below, claim set, flags; the commonest first
    escapes         8 bytes each: slot, row; sorted
    set ends        4 bytes each: where in set members the categories of a set end
    set members     4 bytes each: number of a category, ascending
    claim ends      4 bytes each: where in claim members a claim set ends
    claim members   4 bytes each: 3 x number of a (category, feed) pair + reach, ascending
    about           JSON: categories and their titles, feeds, pairs, counts, sources

**Nodes.** Each label of a listed host is a node below the label to its right: ``www.example.com``
goes through ``com`` and ``example.com``; an address is one label. A listed path hangs below its host,
a node for each segment. A node's *state* comes from its parent's state and its own label
(`hashing.step`), the state above the first is the seed. A look-up computes states from the right and
stops at the first absent node, however deep the name is.

**Buckets.** A bucket has nine slots: nine low words of tags (4 bytes each, 0 is a free slot), nine
row numbers (2 bytes), nine high bytes (7 bits of the tag; 0x80: something is listed below), and one
byte of flags, ``passed``. The bucket of a node is ``state * buckets >> 64``, its tag the low 39 bits
of the state. A node that finds its bucket full goes to the next one and sets bit
``state >> 39 & 7`` of ``passed``, so that the search for an absent node nearly always ends in its
own bucket, one cache line. Row number 0xFFFF is an escape: the row stands in ``escapes`` under
``bucket * 9 + slot``.

**Fingerprints.** A name that is not listed is taken for one that is, when bucket and tag agree by
chance. An absent node is compared with some twenty others, overflow included, so that this happens
with 20 x 2^-39 = 3.6e-11 for each absent node that is looked for. Two listed names never share one:
a build in which they would starts again with another seed.

**Sets.** The categories of a host are interned: equal sets share one number, 0 is the empty set.
Row "here" holds for a host that ends at the node, "below" for one that goes on; both include what
the nodes above give, so that the deepest present node has the whole answer.

**Claims.** Who lists a node and as what: pairs of category and feed, and how far the entry reaches:
0 the host and what is below it, 1 the host alone (``=example.com``), 2 only what is below it
(``*.example.com``). Nothing but `walk` reads them; they are the evidence.

**The mark of paths.** What may be said about parts of a host is found by its name alone: beside each
entry with a path stands one of the same category and reach at the path ``//`` of its host. No path
has two empty segments in any reading, so that no request meets it. Its feed is called ``/``, as none
is; it counts as no entry.
"""

import json
import struct
import sys
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from schoolgate.core.errors import DamagedIndexError

MAGIC = b"\x89SGIDX\r\n"
VERSION = 1
BYTE_ORDER = 0x0A0B0C0D
CHUNK_BYTES = 1 << 20
PAGE_BYTES = 4096
SLOTS = 9
TAG_BITS = 39
LONGEST_PROBE = 255
ROW_ESCAPED = 0xFFFF
ROW_HAS_PATHS = 1
HAS_BELOW = 0x80
EMPTY_SET = 0
# The remainder of a claim number: the host with what is below it, the host alone, only below.
REACHES = 3
REACH_HOST = 1
REACH_BELOW = 2
PATHS_MARK = b"//"
PATHS_FEED = "/"

SECTIONS = (
    "checksums",
    "buckets",
    "rows",
    "escapes",
    "set_ends",
    "set_members",
    "claim_ends",
    "claim_members",
    "about",
)
_HEADER = struct.Struct(f"=8s4I6Q2I{2 * len(SECTIONS)}Q")
_CRC_AT = 16
HEADER_BYTES = _HEADER.size
BUCKET = struct.Struct("=9I9H9BB")
ROW = struct.Struct("=4I")
ESCAPE = struct.Struct("=2I")

type Crc32 = Callable[[Any], int]


@dataclass(frozen=True, slots=True)
class Header:
    """What the file begins with.

    Attributes:
        seed: the hash state above the first label; another for every build.
        tag_bits: how many bits of a state a slot keeps; fewer only in tests of collisions.
        buckets: number of buckets.
        nodes: number of nodes.
        entries: number of distinct entries: host or path, category, feed and reach.
        max_probes: in how many buckets at most a node is looked for.
        body_start: where the buckets begin.
        sections: name → (start, size), in bytes.
    """

    seed: int
    tag_bits: int
    buckets: int
    nodes: int
    entries: int
    max_probes: int
    body_start: int
    sections: dict[str, tuple[int, int]]

    def pack(self, file_bytes: int, rest: bytes) -> bytes:
        """Give its bytes, with the checksum over itself and the rest in front of the body."""

        def packed(crc: int) -> bytes:
            return _HEADER.pack(
                MAGIC,
                BYTE_ORDER,
                VERSION,
                crc,
                self.tag_bits,
                file_bytes,
                self.body_start,
                self.seed,
                self.buckets,
                self.nodes,
                self.entries,
                self.max_probes,
                CHUNK_BYTES,
                *(number for name in SECTIONS for number in self.sections[name]),
            )

        return packed(zlib.crc32(packed(0) + rest))


@dataclass(frozen=True, slots=True)
class Parts:
    """What a builder laid out, ready to be written; each part as the bytes of its section."""

    nodes: int
    max_probes: int
    buckets: bytes
    rows: bytes
    escapes: bytes
    set_ends: bytes
    set_members: bytes
    claim_ends: bytes
    claim_members: bytes
    row_counts: bytes


def assemble(
    parts: Parts, seed: int, tag_bits: int, entries: int, about: dict[str, Any], crc32: Crc32
) -> list[bytes]:
    """Give the file as pieces to be written one after the other."""
    texts = {name: getattr(parts, name) for name in SECTIONS[1:-1]}
    texts["about"] = json.dumps(about, ensure_ascii=False, sort_keys=True).encode()
    body_bytes = sum(map(len, texts.values()))
    checksum_bytes = 4 * -(-body_bytes // CHUNK_BYTES)
    body_start = _next_page(HEADER_BYTES + checksum_bytes)
    sections = {"checksums": (HEADER_BYTES, checksum_bytes)}
    at = body_start
    for name, text in texts.items():
        sections[name] = (at, len(text))
        at += len(text)
    checksums = b"".join(struct.pack("=I", crc32(chunk)) for chunk in _chunks(list(texts.values())))
    rest = checksums.ljust(body_start - HEADER_BYTES, b"\0")
    header = Header(
        seed,
        tag_bits,
        len(parts.buckets) // BUCKET.size,
        parts.nodes,
        entries,
        parts.max_probes,
        body_start,
        sections,
    )
    return [header.pack(at, rest), rest, *texts.values()]


def read_header(image: memoryview) -> Header:
    """Read the header and judge whether the file is one that can be read here, all of it.

    Raises:
        DamagedIndexError: with what is wrong, in one sentence.
    """
    if not image:
        raise DamagedIndexError("is empty")
    if bytes(image[: len(MAGIC)]) != MAGIC[: len(image)]:
        raise DamagedIndexError("is not an index of schoolgate")
    if len(image) < HEADER_BYTES:
        raise DamagedIndexError(f"ends after {len(image)} bytes, within its header")
    fields = _HEADER.unpack_from(image)
    _, order, version, crc, tag_bits, file_bytes, body_start, *numbers = fields
    seed, buckets, nodes, entries, max_probes, chunk_bytes, *places = numbers
    if order != BYTE_ORDER:
        raise DamagedIndexError(f"was built on a machine that is not {sys.byteorder}-endian")
    if version != VERSION:
        raise DamagedIndexError(
            f"has format {version}, written by another version of schoolgate; this one reads {VERSION}"
        )
    if len(image) != file_bytes:
        raise DamagedIndexError(f"has {len(image)} bytes where {file_bytes} were written")
    sections = dict(zip(SECTIONS, zip(places[::2], places[1::2], strict=True), strict=True))
    _check_places(sections, body_start, file_bytes)
    plain = bytearray(image[:HEADER_BYTES])
    plain[_CRC_AT : _CRC_AT + 4] = bytes(4)
    if zlib.crc32(bytes(plain) + image[HEADER_BYTES:body_start]) != crc:
        raise DamagedIndexError("has a damaged header")
    sound = (
        1 <= tag_bits <= TAG_BITS
        and chunk_bytes == CHUNK_BYTES
        and 0 <= max_probes <= LONGEST_PROBE
        and buckets > 0
        and sections["buckets"][1] == buckets * BUCKET.size
    )
    if not sound:
        raise DamagedIndexError("has a header that contradicts itself")
    return Header(seed, tag_bits, buckets, nodes, entries, max_probes, body_start, sections)


def verify(image: memoryview, header: Header, crc32: Crc32) -> None:
    """Compare all chunks with their checksums.

    One thread does it: whoever looks up meanwhile needs the other processors.

    Raises:
        DamagedIndexError: when one differs.
    """
    wanted = _section(image, header.sections["checksums"]).cast("I")
    for start, checksum in zip(
        range(header.body_start, len(image), CHUNK_BYTES), wanted, strict=True
    ):
        if crc32(image[start : start + CHUNK_BYTES]) != checksum:
            raise DamagedIndexError(f"is damaged within the MiB from byte {start} on")


def read_about(image: memoryview, header: Header) -> dict[str, Any]:
    """Read the section that says what the index is about.

    Raises:
        DamagedIndexError: when it is no JSON object.
    """
    try:
        about = json.loads(bytes(_section(image, header.sections["about"])))
    except ValueError as error:
        raise DamagedIndexError("does not say what it is about") from error
    if not isinstance(about, dict):
        raise DamagedIndexError("does not say what it is about")
    return about


def section(image: memoryview, header: Header, name: str) -> memoryview:
    """Give the bytes of a section."""
    return _section(image, header.sections[name])


def _section(image: memoryview, place: tuple[int, int]) -> memoryview:
    start, size = place
    return image[start : start + size]


def _next_page(size: int) -> int:
    return -(-size // PAGE_BYTES) * PAGE_BYTES


def _check_places(sections: dict[str, tuple[int, int]], body_start: int, file_bytes: int) -> None:
    """Every section follows the one before without a gap, so that every byte is checked."""
    start, size = sections["checksums"]
    chunks = -(-(file_bytes - body_start) // CHUNK_BYTES)
    fits = start == HEADER_BYTES and size == 4 * chunks and body_start == _next_page(start + size)
    at = body_start
    for name in SECTIONS[1:]:
        start, size = sections[name]
        fits = fits and start == at
        at += size
    if not fits or at != file_bytes:
        raise DamagedIndexError("has sections that do not fill it")


def _chunks(texts: Sequence[bytes]) -> Iterator[bytes | memoryview]:
    """Cut the sections, taken as one, into chunks."""
    pending = bytearray()
    for text in texts:
        view = memoryview(text)
        while view:
            if not pending and len(view) >= CHUNK_BYTES:
                yield view[:CHUNK_BYTES]
                view = view[CHUNK_BYTES:]
                continue
            taken = CHUNK_BYTES - len(pending)
            pending += view[:taken]
            view = view[taken:]
            if len(pending) == CHUNK_BYTES:
                yield bytes(pending)
                pending.clear()
    if pending:
        yield bytes(pending)
