"""What is known of a page before it is read: a hint for one category, with its weight."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Signal:
    """A hint that a page is of a category.

    Attributes:
        id: what gave it, for the journal: ``label:rta``, ``host:casino``.
        category: id of the category that it speaks for.
        points: how much it adds to the phrases of that category.
        sufficient: whether it is a verdict by itself: the page says so of itself.
        yields: whether it counts less the more a page is of an innocent register: help lines and news have
            to do with the same sites, too.
    """

    id: str
    category: str
    points: float
    sufficient: bool = False
    yields: bool = False
