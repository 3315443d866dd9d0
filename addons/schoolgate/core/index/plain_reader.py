"""The reader of the site index in plain Python: what the native one is measured against."""

from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Sequence

from schoolgate.core.errors import DamagedIndexError
from schoolgate.core.index.hashing import HOST_FACTOR, PATH_FACTOR, host_labels, place_of, step
from schoolgate.core.index.layout import (
    BUCKET,
    EMPTY_SET,
    HAS_BELOW,
    PATHS_MARK,
    ROW_ESCAPED,
    ROW_HAS_PATHS,
    SLOTS,
    Header,
    section,
)
from schoolgate.core.urls import has_one_reading

type Row = tuple[int, int, int, int]


class Reader:
    """Answers from the image of an index; reads it where it lies.

    Args:
        image: the file.
        header: its header, already judged.

    Raises:
        DamagedIndexError: when its tables contradict each other.
    """

    # What answers where path entries cover a path; the index that reads gives both.
    _get_path: Callable[[str, str], int]
    _unite: Callable[[int, tuple[int, ...]], int]

    def __init__(self, image: memoryview, header: Header) -> None:
        self._header = header
        self._buckets = section(image, header, "buckets")
        self._rows = _numbers(image, header, "rows")
        self._escapes = _numbers(image, header, "escapes")
        n_sets = _count(image, header, "set_ends", "set_members")
        n_claims = _count(image, header, "claim_ends", "claim_members")
        rows = self._rows
        if len(rows) % 4 or len(self._escapes) % 2:
            raise DamagedIndexError("has tables of no whole length")
        limits = ((rows[0::4], n_sets), (rows[1::4], n_sets), (rows[2::4], n_claims))
        if any(max(column, default=0) >= limit for column, limit in limits if len(column)):
            raise DamagedIndexError("has a row that names a set that does not exist")
        self._n_rows = len(rows) // 4

    def get(self, host: str, path: str = "/") -> int:
        """Give the id of the set of categories that a host (and path) is in; 0 for none."""
        found, trail = self._trail(host)
        if not trail:
            return found
        if not has_one_reading(path):
            return self._get_path(host, path)
        segments = _segments(path.removesuffix("/").casefold().encode())
        matches = tuple(self._matches(trail, segments))
        return self._unite(found, matches) if matches else found

    def get_with_paths(self, host: str) -> int:
        """Give the id of the set of categories that a host or anything listed of it is in."""
        found, trail = self._trail(host)
        matches = tuple(self._matches(trail, _segments(PATHS_MARK)))
        return self._unite(found, matches) if matches else found

    def _trail(self, host: str) -> tuple[int, list[tuple[int, bool]]]:
        """Give the set of a host, and each node on its way with paths and whether it is the host."""
        found = EMPTY_SET
        trail = []
        labels = host_labels(host.encode().lower())
        for number, (state, row) in enumerate(
            self._present(self._header.seed, labels, HOST_FACTOR)
        ):
            here, below, _, flags = row
            found = here if number + 1 == len(labels) else below
            if flags & ROW_HAS_PATHS:
                trail.append((state, number + 1 == len(labels)))
        return found, trail

    def get_many(self, hosts: Iterable[str]) -> list[int]:
        """Give the set id of each host."""
        return [self.get(host) for host in hosts]

    def walk(self, host: bytes, path: bytes) -> list[tuple[int, int, int]]:
        """Find every node with claims that covers a host and a path.

        Args:
            host: in lower case.
            path: one reading of it, comparable.

        Returns:
            for each node where its name begins in the host, where it ends in the path (0 for the
            whole site) and its claim set; from the right of the host, then down the path.
        """
        found = []
        start = len(host) - (1 if len(host) > 1 and host.endswith(b".") else 0) + 1
        labels = host_labels(host)
        nodes = self._present(self._header.seed, labels, HOST_FACTOR)
        for label, (state, row) in zip(labels, nodes, strict=False):
            start -= len(label) + 1
            _, _, claims, flags = row
            if claims:
                found.append((start, 0, claims))
            if flags & ROW_HAS_PATHS:
                end = 0
                segments = _segments(path)
                below = self._present(state, segments, PATH_FACTOR)
                for segment, (_, (_, _, path_claims, _)) in zip(segments, below, strict=False):
                    end += 1 + len(segment)
                    if path_claims:
                        found.append((start, end, path_claims))
        return found

    def _matches(self, trail: list[tuple[int, bool]], segments: list[bytes]) -> Iterator[int]:
        """Find the path entries that cover a path; as `_unite` takes them."""
        for above, itself in trail:
            for _, (_, _, claims, _) in self._present(above, segments, PATH_FACTOR):
                if claims:
                    yield claims * 2 + itself

    def _present(
        self, state: int, parts: Sequence[bytes], factor: int
    ) -> Iterator[tuple[int, Row]]:
        """Walk down from a state as far as there are nodes."""
        for part in parts:
            state = step(state, part, factor)
            found = self._find(state)
            if found is None:
                return
            row, has_below = found
            yield state, row
            if not has_below:
                return

    def _find(self, state: int) -> tuple[Row, bool] | None:
        header = self._header
        bucket, tag, high, kind = place_of(state, header.buckets, header.tag_bits)
        for _ in range(header.max_probes):
            slots = BUCKET.unpack_from(self._buckets, bucket * BUCKET.size)
            for i in range(SLOTS):
                if slots[i] == tag and slots[2 * SLOTS + i] & ~HAS_BELOW == high:
                    row = self._row(slots[SLOTS + i], bucket * SLOTS + i)
                    return None if row is None else (row, bool(slots[2 * SLOTS + i] & HAS_BELOW))
            if not slots[3 * SLOTS] & kind:
                return None
            bucket = (bucket + 1) % header.buckets
        return None

    def _row(self, number: int, slot: int) -> Row | None:
        if number == ROW_ESCAPED:
            slots = self._escapes[0::2]
            place = bisect_left(slots, slot)
            if place == len(slots) or slots[place] != slot:
                return None
            number = self._escapes[2 * place + 1]
        # A row that does not exist is an absent node: the checksums have refused such a file.
        if number >= self._n_rows:
            return None
        here, below, claims, flags = self._rows[4 * number : 4 * number + 4]
        return here, below, claims, flags


def _segments(path: bytes) -> list[bytes]:
    return path[1:].split(b"/") if path else []


def _numbers(image: memoryview, header: Header, name: str) -> memoryview:
    part = section(image, header, name)
    if len(part) % 4:
        raise DamagedIndexError("has tables of no whole length")
    return part.cast("I")


def _count(image: memoryview, header: Header, ends: str, members: str) -> int:
    """Give the number of sets of a table after judging it."""
    numbers = _numbers(image, header, ends).tolist()
    if not numbers or numbers != sorted(numbers):
        raise DamagedIndexError("has a table of sets that goes backwards")
    if numbers[-1] != len(_numbers(image, header, members)):
        raise DamagedIndexError("has a table of sets that does not end where its members do")
    return len(numbers)
