"""Whose requests are looked at for signs of harm, and who is told (K-1-prevent, T-8-concern)."""

from collections.abc import Iterable
from dataclasses import dataclass

from schoolgate.core.approvals import Role
from schoolgate.core.safeguarding import Concern, Severity, Theme


@dataclass(frozen=True, slots=True)
class Safeguard:
    """What raises an alert.

    Attributes:
        clause: id of the clause that asks for it.
        groups: only of these, with those within them; empty for all.
        themes: only these; empty for all.
        least: the mildest that is told.
        keeps_search: whether an alert holds the words that were searched for.
    """

    clause: str
    groups: frozenset[str] = frozenset()
    themes: frozenset[Theme] = frozenset()
    least: Severity = Severity.CAUTION
    keeps_search: bool = False

    def concerns(self, groups: frozenset[str]) -> bool:
        """Ask whether it is about somebody in these groups."""
        return not self.groups or not self.groups.isdisjoint(groups)

    def asks_for(self, concern: Concern) -> bool:
        """Ask whether a sign is one that it wants told."""
        return concern.severity.rank >= self.least.rank and (
            not self.themes or concern.theme in self.themes
        )


def safeguard_for(
    safeguards: Iterable[Safeguard], groups: frozenset[str], concern: Concern
) -> Safeguard | None:
    """Give the first that wants a sign of somebody told; None where none does."""
    wanting = (each for each in safeguards if each.concerns(groups) and each.asks_for(concern))
    return next(wanting, None)


@dataclass(frozen=True, slots=True)
class ConcernRoutes:
    """Who is told of whom (T-8-concern); whoever is concerned is never told.

    Attributes:
        pupils: of pupils, and of people that nobody knows.
        staff: of staff.
        headteacher: of the headteacher.
    """

    pupils: tuple[Role, ...] = (Role.DSL,)
    staff: tuple[Role, ...] = (Role.HEADTEACHER,)
    headteacher: tuple[Role, ...] = (Role.CHAIR_OF_GOVERNORS,)
