"""What a sign may be of, and how bad it is."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class Theme(StrEnum):
    """What may be wrong, as the Department for Education's standards and Prevent name it."""

    SELF_HARM = "self-harm"
    RADICALISATION = "radicalisation"
    EXPLOITATION = "exploitation"
    BULLYING = "bullying"
    VIOLENCE = "violence"
    DRUGS = "drugs"
    EATING_DISORDERS = "eating-disorders"
    SEXUAL = "sexual"


class Severity(StrEnum):
    """How soon somebody should look.

    Attributes:
        DANGER: at once; somebody says or asks what only those in danger, or dangerous, do.
        CAUTION: today.
        ADVISORY: when there is more of it.
    """

    DANGER = "danger"
    CAUTION = "caution"
    ADVISORY = "advisory"

    @property
    def rank(self) -> int:
        """The higher the worse."""
        return _RANKS[self]

    def at_most(self, other: "Severity") -> "Severity":
        """Give the milder of the two."""
        return min(self, other, key=lambda each: each.rank)


_RANKS = {Severity.ADVISORY: 0, Severity.CAUTION: 1, Severity.DANGER: 2}


class Source(StrEnum):
    """Where the sign was."""

    SEARCH = "search"
    ADDRESS = "address"
    CATEGORY = "category"


@dataclass(frozen=True, slots=True)
class Hit:
    """What a text says.

    Attributes:
        theme: of what.
        severity: of the worst phrase.
        phrase_ids: for the journal, the worst first; they say nothing of the phrase: ``self-harm/en/3fa2c1``.
    """

    theme: Theme
    severity: Severity
    phrase_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Concern:
    """A sign, and where it was.

    Attributes:
        theme: of what.
        severity: how bad.
        source: what showed it.
        phrase_ids: of phrases, as `Hit`; none for a category.
        category: that showed it; empty for phrases.
    """

    theme: Theme
    severity: Severity
    source: Source
    phrase_ids: tuple[str, ...] = ()
    category: str = ""


def strongest(concerns: Iterable[Concern]) -> list[Concern]:
    """Give the worst of each theme, the worst theme first; of equals the one that comes first."""
    kept: dict[Theme, Concern] = {}
    for each in concerns:
        known = kept.get(each.theme)
        if known is None or each.severity.rank > known.severity.rank:
            kept[each.theme] = each
    return sorted(kept.values(), key=lambda each: (-each.severity.rank, each.theme))
