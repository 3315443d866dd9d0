"""Each second of media time that was delivered counts once, in whatever pieces it was asked for."""

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schoolgate.core.media import viewing
from schoolgate.core.media.viewing import Covered, File, Piece, Viewing


def piece(start: float | None, seconds: float, rendition: str = "v1", stream: str = "a") -> Piece:
    return Piece(stream, rendition, start, seconds, 1000)


def film(*pieces: tuple[float | None, float]) -> list[Piece]:
    return [piece(*each) for each in pieces]


@pytest.mark.parametrize(
    ("what", "pieces", "seconds"),
    [
        ("nothing", [], 0),
        ("three segments in order", film((0, 6), (6, 6), (12, 6)), 18),
        ("one of them asked for again", film((0, 6), (6, 6), (0, 6)), 12),
        ("a seek ahead leaves a gap", film((0, 6), (60, 6)), 12),
        ("a seek back", film((0, 6), (6, 6), (12, 6), (3, 6), (9, 6)), 18),
        ("a jump into the middle of what is known", film((0, 10), (20, 10), (5, 20)), 30),
        ("another quality of the same seconds", [piece(0, 6), piece(0, 6, "v2")], 6),
        ("picture and sound", [piece(0, 6), piece(0, 6.01, "a1")], 6.01),
        ("two streams", [piece(0, 6), piece(0, 6, stream="b")], 12),
        ("of unknown place, one after the other", film((None, 2), (None, 2)), 4),
        (
            "of unknown place, picture and sound",
            [piece(None, 2), piece(None, 2, "a1"), piece(None, 2), piece(None, 3, "a1")],
            5,
        ),
        ("nonsense of a manifest", film((math.nan, 5), (0, math.inf), (1, -3), (-5, 2)), 7),
        ("longer than a day", film((0, 1e12)), viewing.LONGEST_SECONDS),
    ],
)
def test_seconds_count_once(what: str, pieces: list[Piece], seconds: float) -> None:
    seen = Viewing()
    new = sum(seen.deliver(each) for each in pieces)
    assert seen.seconds == pytest.approx(seconds), what
    assert new == pytest.approx(seconds), what
    assert seen.size == 1000 * len(pieces)


tenths = st.integers(0, 400).map(lambda n: n / 10)
pieces = st.builds(
    Piece,
    st.sampled_from("ab"),
    st.sampled_from(["v1", "v2", "a1"]),
    st.none() | tenths,
    st.integers(0, 120).map(lambda n: n / 10),
    st.integers(0, 10_000),
)


def naive(delivered: list[Piece]) -> float:
    """A bitmap of tenths of seconds for each stream; of unknown places the longest rendition."""
    placed = {
        (each.stream, tenth)
        for each in delivered
        if each.start is not None
        for tenth in range(
            round(each.start * 10), round(each.start * 10) + round(each.seconds * 10)
        )
    }
    sums: dict[tuple[str, str], float] = {}
    for each in delivered:
        if each.start is None:
            key = each.stream, each.rendition
            sums[key] = sums.get(key, 0.0) + each.seconds
    longest = {
        stream: max(total for (s, _), total in sums.items() if s == stream) for stream, _ in sums
    }
    return len(placed) / 10 + sum(longest.values())


@given(st.lists(pieces, max_size=60))
def test_it_is_a_bitmap_of_seconds(delivered: list[Piece]) -> None:
    seen = Viewing()
    new = sum(seen.deliver(each) for each in delivered)
    assert seen.seconds == pytest.approx(naive(delivered), abs=1e-3)
    assert new == pytest.approx(seen.seconds, abs=1e-6)


@given(st.lists(st.tuples(pieces, st.booleans())))
def test_what_two_gateways_count_is_what_one_would_count(
    delivered: list[tuple[Piece, bool]],
) -> None:
    """The same pieces, some of them delivered elsewhere, in whatever order they come together."""
    one, here, there = Viewing(), Viewing(), Viewing()
    for each, is_here in delivered:
        one.deliver(each)
        (here if is_here else there).deliver(each)
    here.join(there)
    assert (here.milliseconds, here.size) == (one.milliseconds, one.size)


@given(st.lists(pieces, max_size=40), st.lists(pieces, max_size=40))
def test_what_was_kept_goes_on_where_it_was(before: list[Piece], after: list[Piece]) -> None:
    straight = Viewing()
    for each in before:
        straight.deliver(each)
    kept = json.loads(json.dumps(straight.state()))
    again = Viewing.of_state(straight.milliseconds, straight.size, kept)
    assert [again.deliver(each) for each in after] == [straight.deliver(each) for each in after]
    assert again.seconds == straight.seconds


@given(st.lists(st.tuples(st.integers(0, 300), st.integers(0, 40)), max_size=60))
def test_intervals_are_in_order_and_apart(given: list[tuple[int, int]]) -> None:
    covered = Covered()
    for begin, length in given:
        covered.add(begin, begin + length)
    flat = [moment for interval in covered.intervals for moment in interval]
    assert flat == sorted(set(flat))


def test_gaps_have_a_bound_and_the_smallest_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(viewing, "MOST_GAPS", 3)
    covered = Covered()
    counted = [covered.add(at, at + 10) for at in (0, 100, 115, 200)]
    assert counted == [10] * 4
    assert covered.intervals == [[0, 10], [100, 125], [200, 210]]


def test_streams_have_a_bound_and_what_counted_stays_counted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(viewing, "MOST_STREAMS", 2)
    seen = Viewing()
    for stream in "abc":
        seen.deliver(piece(0, 5, stream=stream))
    assert list(seen.state()) == ["b", "c"]
    assert seen.seconds == 15
    assert seen.deliver(piece(0, 5, stream="b")) == 0


def test_renditions_of_unknown_place_have_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(viewing, "MOST_RENDITIONS", 2)
    seen = Viewing()
    for rendition in ("v1", "v2", "v3", "v4"):
        seen.deliver(piece(None, 5, rendition))
    assert seen.seconds == 10


@pytest.mark.parametrize(
    ("what", "file", "offset", "size", "want"),
    [
        ("its share of a known length", File("a", "", 1000, 100.0), 500, 100, (50.0, 10.0)),
        ("a length without seconds", File("a", "", 10**9), 312_500, 312_500, (1.0, 1.0)),
        ("nothing known of sound", File("a", bits_per_second=128_000), 32_000, 16_000, (2.0, 1.0)),
        ("an empty file", File("a", "", 0, 10.0), 0, 0, (0.0, 0.0)),
    ],
)
def test_parts_of_a_file(
    what: str, file: File, offset: int, size: int, want: tuple[float | None, float]
) -> None:
    found = file.piece(offset, size)
    assert (found.start, found.seconds, found.size) == (*want, size), what


@given(
    st.lists(st.tuples(st.integers(0, 99_999), st.integers(1, 50_000)), max_size=20),
    st.integers(1, 7200),
)
def test_ranges_of_a_file_count_the_share_of_the_bytes_that_came(
    ranges: list[tuple[int, int]], seconds: int
) -> None:
    length = 100_000
    file, seen, came = File("a", "", length, float(seconds)), Viewing(), set[int]()
    for offset, size in ranges:
        size = min(size, length - offset)  # noqa: PLW2901
        came.update(range(offset, offset + size))
        seen.deliver(file.piece(offset, size))
    # Milliseconds are rounded once for each range.
    assert seen.seconds == pytest.approx(
        len(came) / length * seconds, abs=0.002 * (len(ranges) + 1)
    )
