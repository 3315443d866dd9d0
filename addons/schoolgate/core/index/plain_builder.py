"""The builder of the site index in plain Python; it writes the same bytes as the native one."""

import re
from array import array
from collections.abc import Iterator
from itertools import accumulate

from schoolgate.core.index.hashing import (
    HOST_FACTOR,
    PATH_FACTOR,
    host_labels,
    is_address,
    place_of,
    step,
)
from schoolgate.core.index.layout import (
    BUCKET,
    EMPTY_SET,
    HAS_BELOW,
    LONGEST_PROBE,
    REACH_BELOW,
    REACH_HOST,
    REACHES,
    ROW_ESCAPED,
    ROW_HAS_PATHS,
    SLOTS,
    Parts,
)
from schoolgate.core.urls import has_one_reading

PERCENT_FULL = 88
LONGEST_HOST = 253
LONGEST_PATH = 65_535

_NAME = re.compile(rb"[a-z0-9_-]+(?:\.[a-z0-9_-]+)+")
_PATH = re.compile(rb"(?:/[!-.0-@\[-`a-~]+)+")
_ROOT = -1

type Numbers = tuple[int, ...]


class CollisionError(ValueError):
    """Two names share a fingerprint: another seed is needed."""


class Builder:
    """Collects entries and lays out an index.

    Nodes, sets and rows are numbered in the order of their first use.

    Args:
        seed: the hash state above the first label.
        tag_bits: how many bits of a state a slot keeps.
    """

    def __init__(self, seed: int, tag_bits: int) -> None:
        self._seed = seed
        self._tag_bits = tag_bits
        self._numbers: dict[tuple[int, bool, bytes], int] = {}
        self._states: list[int] = []
        self._parents: list[int] = []
        self._is_path: list[bool] = []
        self._has_paths: set[int] = set()
        self._has_below: set[int] = set()
        self._claims: list[set[int]] = []
        self._known_states: set[int] = set()

    def add(self, text: bytes, pair: int) -> list[tuple[int, int]]:
        """Take every plain line of a text; give (start, end) of the others.

        Plain is ``host``, ``host/path``, ``=host`` or ``*.host`` of more than one label, in the form
        that `core.hosts` and `core.urls` give them. Empty lines and comments are passed over.
        """
        refused = []
        for start, line in _lines(text):
            rest, reach = line, 0
            if line.startswith(b"="):
                rest, reach = line[1:], REACH_HOST
            elif line.startswith(b"*.") and len(line) > 2:
                rest, reach = line[2:], REACH_BELOW
            host, slash, path = rest.partition(b"/")
            if _host_is_plain(host) and (not slash or _path_is_plain(slash + path)):
                self.add_one(host, slash + path, pair * REACHES + reach)
            else:
                refused.append((start, start + len(line)))
        return refused

    def add_one(self, host: bytes, path: bytes, claim: int) -> None:
        """Take one host and path, in lower case; an empty path is the whole site."""
        if len(host) > LONGEST_PATH or len(path) > LONGEST_PATH:
            raise OverflowError("more than the index can hold")
        node, state = _ROOT, self._seed
        for label in host_labels(host):
            node, state = self._node(node, state, label, is_path=False)
        for segment in path[1:].split(b"/") if path else ():
            node, state = self._node(node, state, segment, is_path=True)
        self._claims[node].add(claim)

    def finish(self, categories: bytes) -> Parts:
        """Lay everything out.

        Args:
            categories: the number of the category of each pair, two bytes each.

        Raises:
            CollisionError: when two names share a fingerprint.
        """
        sets, claim_sets, rows, row_of = self._settle(array("H", categories))
        counts = [0] * len(rows)
        for row in row_of:
            counts[row] += 1
        order = sorted(range(len(rows)), key=lambda row: (-counts[row], row))
        place_in_order = {row: place for place, row in enumerate(order)}
        buckets, escapes, max_probes = self._place([place_in_order[row] for row in row_of])
        all_rows = list(rows)
        return Parts(
            nodes=len(self._states),
            max_probes=max_probes,
            buckets=bytes(buckets),
            rows=_bytes(number for row in order for number in all_rows[row]),
            escapes=_bytes(number for escape in sorted(escapes) for number in escape),
            set_ends=_ends(sets),
            set_members=_bytes(number for members in sets for number in members),
            claim_ends=_ends(claim_sets),
            claim_members=_bytes(number for members in claim_sets for number in members),
            row_counts=_bytes(counts[row] for row in order),
        )

    def _node(self, parent: int, above: int, part: bytes, *, is_path: bool) -> tuple[int, int]:
        key = (parent, is_path, part)
        number = self._numbers.get(key)
        if number is not None:
            return number, self._states[number]
        state = step(above, part, PATH_FACTOR if is_path else HOST_FACTOR)
        if state in self._known_states:
            raise CollisionError("two names share a fingerprint")
        number = self._numbers[key] = len(self._states)
        self._known_states.add(state)
        self._states.append(state)
        self._parents.append(parent)
        self._is_path.append(is_path)
        self._claims.append(set())
        if parent != _ROOT:
            first_of_path = is_path and not self._is_path[parent]
            (self._has_paths if first_of_path else self._has_below).add(parent)
        return number, state

    def _settle(
        self, categories: "array[int]"
    ) -> tuple[dict[Numbers, int], dict[Numbers, int], dict[Numbers, int], list[int]]:
        """Number the sets and rows; give them, and the row of each node."""
        sets: dict[Numbers, int] = {(): EMPTY_SET}
        members: list[Numbers] = [()]
        claim_sets: dict[Numbers, int] = {(): 0}
        adds: list[tuple[int, int]] = [(EMPTY_SET, EMPTY_SET)]
        rows: dict[Numbers, int] = {}
        row_of: list[int] = []
        below_of: list[int] = []
        unions: dict[tuple[int, int], int] = {}

        def set_of(numbers: set[int]) -> int:
            key = tuple(sorted(numbers))
            if key not in sets:
                sets[key] = len(sets)
                members.append(key)
            return sets[key]

        def union(a: int, b: int) -> int:
            if (a, b) not in unions:
                unions[a, b] = set_of({*members[a], *members[b]})
            return unions[a, b]

        def given(claims: Numbers, but: int) -> int:
            return set_of({categories[c // REACHES] for c in claims if c % REACHES != but})

        for node, claimed in enumerate(self._claims):
            claims = tuple(sorted(claimed))
            if claims not in claim_sets:
                claim_sets[claims] = len(claim_sets)
                adds.append((given(claims, REACH_BELOW), given(claims, REACH_HOST)))
            number = claim_sets[claims]
            here = below = EMPTY_SET
            if not self._is_path[node]:
                parent = self._parents[node]
                above = EMPTY_SET if parent == _ROOT else below_of[parent]
                here, below = union(above, adds[number][0]), union(above, adds[number][1])
            below_of.append(below)
            flags = ROW_HAS_PATHS if node in self._has_paths else 0
            row_of.append(rows.setdefault((here, below, number, flags), len(rows)))
        return sets, claim_sets, rows, row_of

    def _place(self, row_of: list[int]) -> tuple[bytearray, list[tuple[int, int]], int]:
        n = -(-len(self._states) * 100 // (SLOTS * PERCENT_FULL)) or 1
        slots: list[list[tuple[int, int, int]]] = [[] for _ in range(n)]
        passed = bytearray(n)
        escapes = []
        max_probes = 0
        for node, state in enumerate(self._states):
            bucket, tag, high, kind = place_of(state, n, self._tag_bits)
            row = row_of[node]
            probes = 0
            while True:
                probes += 1
                held = slots[bucket]
                if any(other[0] == tag and other[2] & ~HAS_BELOW == high for other in held):
                    raise CollisionError("two names share a fingerprint")
                if len(held) < SLOTS:
                    break
                if probes == LONGEST_PROBE:
                    raise CollisionError("a name would be looked for in too many buckets")
                passed[bucket] |= kind
                bucket = (bucket + 1) % n
            if row >= ROW_ESCAPED:
                escapes.append((bucket * SLOTS + len(held), row))
            flag = HAS_BELOW if node in self._has_below else 0
            held.append((tag, min(row, ROW_ESCAPED), high | flag))
            max_probes = max(max_probes, probes)
        image = bytearray(n * BUCKET.size)
        free = (0, 0, 0)
        for bucket, held in enumerate(slots):
            full = [*held, *[free] * (SLOTS - len(held))]
            columns = [slot[i] for i in range(3) for slot in full]
            BUCKET.pack_into(image, bucket * BUCKET.size, *columns, passed[bucket])
        return image, escapes, max_probes


def _lines(text: bytes) -> Iterator[tuple[int, bytes]]:
    """Give each line that says something and where it begins."""
    start = 0
    for raw in text.split(b"\n"):
        line = raw.rstrip(_BLANKS)
        if line and not line.startswith(b"#"):
            yield start, line
        start += len(raw) + 1


_BLANKS = bytes(range(ord(" ") + 1))


def _host_is_plain(host: bytes) -> bool:
    if not 0 < len(host) <= LONGEST_HOST:
        return False
    if not _NAME.fullmatch(host):
        return False
    # A last label that begins with a digit may be a number, and the name then an address.
    return not host.rpartition(b".")[2][:1].isdigit() or is_address(host)


def _path_is_plain(path: bytes) -> bool:
    return (
        len(path) <= LONGEST_PATH
        and _PATH.fullmatch(path) is not None
        and has_one_reading(path.decode("ascii"))
    )


def _bytes(numbers: Iterator[int]) -> bytes:
    return array("I", numbers).tobytes()


def _ends(sets: dict[Numbers, int]) -> bytes:
    return _bytes(accumulate(len(members) for members in sets))
