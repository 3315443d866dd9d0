"""Labels by which sites of adults say so themselves: RTA, ICRA and SafeSurf, and `rating`."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from schoolgate.core.content.signals import Signal


@dataclass(frozen=True, slots=True)
class Label:
    """How a self-label is read.

    Attributes:
        id: for the journal: ``rta``.
        names: of `meta` elements and headers, in small letters.
        value: matched by the whole content, without case and spaces around.
        category: that it speaks for.
        points: as `Signal.points`.
        sufficient: as `Signal.sufficient`.
    """

    id: str
    names: frozenset[str]
    value: re.Pattern[str]
    category: str
    points: float
    sufficient: bool = False

    def signal(self) -> Signal:
        """Give the hint that the label is."""
        return Signal(f"label:{self.id}", self.category, self.points, self.sufficient)


def labels_of_page(known: Iterable[Label], said: Iterable[tuple[str, str]]) -> Iterator[Signal]:
    """Give a signal for each label that a page's `meta` elements carry.

    Args:
        known: the labels of the model.
        said: name in small letters and content.
    """
    said = [(name, content.strip().lower()) for name, content in said]
    for label in known:
        if any(name in label.names and label.value.fullmatch(text) for name, text in said):
            yield label.signal()


def label_of_header(known: Iterable[Label], name: str, value: str) -> Signal | None:
    """Give the signal of a header such as ``Rating: RTA-5042-1996-1400-1577-RTA``, if it is one."""
    return next(labels_of_page(known, [(name.lower(), value)]), None)
