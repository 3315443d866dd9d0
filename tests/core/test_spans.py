"""Stretches that are there, held to a set of numbers."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from schoolgate.core.spans import Spans, are_new, with_span

PIECES = st.lists(st.tuples(st.integers(0, 40), st.integers(0, 40)), max_size=20)


@given(PIECES)
def test_they_are_the_numbers_of_all_pieces_and_never_touch(pieces: list[tuple[int, int]]) -> None:
    spans: Spans = ()
    for start, after in pieces:
        spans = with_span(spans, start, after)
    want = {number for start, after in pieces for number in range(start, after)}
    assert [number for start, after in spans for number in range(start, after)] == sorted(want)
    assert all(one[1] < other[0] for one, other in pairwise(spans))


@given(PIECES, st.lists(st.integers(1, 45), unique=True).map(sorted))
def test_a_line_is_new_whose_last_byte_is_in_none(
    pieces: list[tuple[int, int]], ends: list[int]
) -> None:
    spans: Spans = ()
    for start, after in pieces:
        spans = with_span(spans, start, after)
    there = {number for start, after in pieces for number in range(start, after)}
    assert are_new(spans, ends) == [end - 1 not in there for end in ends]
