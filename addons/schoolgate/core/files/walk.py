"""What all that is looked into in one body shares: its limits, and the way to say what was found."""

from collections.abc import Callable
from typing import Protocol

from schoolgate.core.files.finding import Finding, Kind, Limits
from schoolgate.core.files.formats import TITLES


class Found(Exception):  # noqa: N818 - no error: it ends the search
    """Something was recognised.

    Args:
        finding: what.
    """

    def __init__(self, finding: Finding) -> None:
        super().__init__(finding.format)
        self.finding = finding


class UnreadableError(ValueError):
    """An archive is not as its form says."""


class Walk:
    """One body on its way through everything that is in it.

    Args:
        limits: how far archives are looked into.
    """

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.fed = 0
        self._unpacked = 0
        self._members = 0

    def member(self, inside: tuple[str, ...]) -> None:
        """Count one more file or layer.

        Raises:
            Found: when there are too many, or too deep.
        """
        self._members += 1
        if self._members > self.limits.members or len(inside) > self.limits.depth:
            raise found(Kind.BOMB, "bomb", inside)

    def unpacked(self, count: int, inside: tuple[str, ...]) -> None:
        """Count bytes that came out of a decompressor.

        Raises:
            Found: when they are out of all proportion.
        """
        self._unpacked += count
        limits = self.limits
        most = min(limits.unpacked_bytes, limits.grace_bytes + limits.ratio * self.fed)
        if self._unpacked > most:
            raise found(Kind.BOMB, "bomb", inside)


def found(kind: Kind, form: str, inside: tuple[str, ...]) -> Found:
    """Make what is raised to end the search."""
    return Found(Finding(kind, form, TITLES[form], " > ".join(inside)))


class Content(Protocol):
    """Something that takes bytes as they come.

    Attributes:
        done: nothing that is still to come matters.
    """

    done: bool

    def feed(self, data: bytes) -> None:
        """Take the next bytes.

        Raises:
            Found: when something is recognised.
        """

    def end(self) -> None:
        """Note that there are no more.

        Raises:
            Found: when something is recognised.
        """


class Opened(Protocol):
    """An archive as what is in it knows it.

    Attributes:
        walk: what everything in one body shares.
        inside: the names that lead to it.
        name: its own; empty where there is none.
    """

    walk: Walk
    inside: tuple[str, ...]
    name: str

    @property
    def open(self) -> Callable[[str], Content]:
        """Makes what takes the bytes of a member, by its name."""
