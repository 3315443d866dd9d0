"""Stretches of whole numbers that never touch: what of a file is there, in whatever order it came."""

from bisect import bisect_left
from collections.abc import Sequence

# From, and up to without it; sorted.
type Spans = tuple[tuple[int, int], ...]


def with_span(spans: Spans, start: int, after: int) -> Spans:
    """Give them with one more.

    Args:
        spans: that never touch.
        start: of the new one.
        after: its end, which is not in it.
    """
    if start >= after:
        return spans
    first = bisect_left(spans, start, key=lambda one: one[1])
    last = first
    while last < len(spans) and spans[last][0] <= after:
        start, after = min(start, spans[last][0]), max(after, spans[last][1])
        last += 1
    return (*spans[:first], (start, after), *spans[last:])


def are_new(spans: Spans, ends: Sequence[int]) -> list[bool]:
    """Say of each line whether it is in none of them.

    Args:
        spans: that are there.
        ends: of lines, ascending; a line is in the span that its last byte is in.
    """
    found, number = [], 0
    for end in ends:
        while number < len(spans) and spans[number][1] < end:
            number += 1
        found.append(number == len(spans) or end <= spans[number][0])
    return found
