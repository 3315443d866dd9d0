"""From phrases to a verdict: added up, thinned out by length, and held against innocent registers."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from schoolgate.core.content.model import Entry, Meaning, PhraseModel, Role
from schoolgate.core.content.signals import Signal
from schoolgate.core.content.visible import MARK, Zone

_MARK = MARK.encode()
# Bytes of a word and the two spaces after it, in the languages of schools.
_WORD_BYTES = 8
# A phrase counts once, and each time after that half, up to this.
_MOST_OF_ONE = 2.0
# What surrounds a page says nothing where a register has half the points that a verdict needs.
_YIELDING = 2.0


@dataclass(frozen=True, slots=True)
class Score:
    """A verdict on a page.

    Attributes:
        category: what it is about.
        points: of the category, after thinning.
        threshold: what was needed, with what speaks for an innocent page.
        words: of the page that were read.
        evidence: ids of signals and phrases, the heaviest first; never the phrases themselves.
    """

    category: str
    points: float
    threshold: float
    words: int
    evidence: tuple[str, ...]


@dataclass(slots=True)
class Tally:
    """What has been found on a page so far."""

    model: PhraseModel
    signals: dict[str, Signal] = field(default_factory=dict)
    words: int = 0
    _counts: dict[Entry, float] = field(default_factory=dict)
    # Of each category the different exculpations, by which meaning of the model's each is.
    _clears: dict[str, set[int]] = field(default_factory=dict)

    def add(self, folded: bytes) -> None:
        """Look through the next part of a page.

        Args:
            folded: as `fold` gives it, beginning with the mark of its zone.
        """
        self.words += folded.count(b"  ")
        found, counts = self.model.found(folded), self._counts
        for (entries, _), times in found.innocent:
            for entry in entries:
                counts[entry] = counts.get(entry, 0.0) + times
        if found.placed:
            self._add_placed(found.placed, _Zones(folded, self.model.weights.zones))

    def _add_placed(self, found: Sequence[tuple[int, Meaning]], zones: "_Zones") -> None:
        weights, near, counts = self.model.weights, _exculpations(found), self._counts
        reach, factor_at = weights.near_words * _WORD_BYTES, zones.factor
        for place, meaning in found:
            entries, clears = meaning
            for subject in clears:
                self._clears.setdefault(subject, set()).add(id(meaning))
            if not entries:
                continue
            factor = factor_at(place)
            for entry in entries:
                count, clearing = factor, near.get(entry.subject)
                if clearing and _is_near(clearing, place, reach):
                    count *= weights.near_factor
                counts[entry] = counts.get(entry, 0.0) + count

    def verdict(self) -> Score | None:
        """Judge what has been found; nothing where it is too little, too thin or outweighed."""
        label = next((each for each in self.signals.values() if each.sufficient), None)
        if label is not None:
            return Score(label.category, label.points, 0.0, self.words, (label.id,))
        weights = self.model.weights
        if self.words < weights.least_words:
            return None
        points, innocent = self._points()
        dense = max(1.0, (self.words / weights.dense_words) ** 0.5)
        for category in sorted(points, key=lambda each: (-points[each], each)):
            needed = self._needed(category, innocent / dense)
            if points[category] < needed * dense:
                continue
            evidence = self._evidence(category)
            strong = sum(entry.weight >= weights.strong_weight for entry in evidence)
            independent = _independent(evidence)
            # Shops have no strong word, and very many weak ones; innocent pages have a few.
            many = (
                independent >= weights.many_phrases
                and points[category] >= needed * dense * weights.many_factor
            )
            if many or (strong >= weights.least_strong and independent >= weights.least_phrases):
                hints = [s.id for s in self.signals.values() if s.category == category]
                ids = (*hints, *(entry.id for entry in evidence))
                return Score(category, points[category] / dense, needed, self.words, ids)
        return None

    def _needed(self, category: str, innocent: float) -> float:
        """Give the points that a page needs: more with all that speaks for an innocent one."""
        weights = self.model.weights
        # Bounded: whoever writes a museum into each corner of a casino hides it no better for it.
        clearing = min(len(self._clears.get(category, ())), weights.most_clearing)
        return (
            self.model.thresholds[category]
            + weights.clearing_points * clearing
            + weights.register_factor * innocent
        )

    def _points(self) -> tuple[dict[str, float], float]:
        """Give the points of each category, and those of the best register."""
        points: dict[str, float] = {}
        registers: dict[str, float] = {}
        for entry, count in self._counts.items():
            sums = points if entry.role is Role.CATEGORY else registers
            sums[entry.subject] = sums.get(entry.subject, 0.0) + _worth(entry, count)
        innocent = max(registers.values(), default=0.0)
        for signal in self.signals.values():
            worth = signal.points
            if signal.yields:
                worth *= max(0.0, 1 - _YIELDING * innocent / self.model.thresholds[signal.category])
            points[signal.category] = points.get(signal.category, 0.0) + worth
        return points, innocent

    def _evidence(self, category: str) -> list[Entry]:
        """Give the phrases that speak for a category, the heaviest first."""
        mine = [
            entry
            for entry, count in self._counts.items()
            if entry.subject == category and entry.role is Role.CATEGORY and count >= 0.5
        ]
        return sorted(mine, key=lambda entry: (-_worth(entry, self._counts[entry]), entry.id))


def _worth(entry: Entry, count: float) -> float:
    return entry.weight * (count if count <= 1 else min(1 + (count - 1) / 2, _MOST_OF_ONE))


def _independent(evidence: Iterable[Entry]) -> int:
    """Count phrases that share no word: ``free spins`` and ``bonus spins`` say one thing."""
    seen: set[bytes] = set()
    count = 0
    for entry in evidence:
        if seen.isdisjoint(entry.words):
            seen |= entry.words
            count += 1
    return count


def _exculpations(found: Iterable[tuple[int, Meaning]]) -> dict[str, list[int]]:
    """Give the places of exculpating words by the category that they clear."""
    near: dict[str, list[int]] = {}
    for place, (_, clears) in found:
        for subject in clears:
            near.setdefault(subject, []).append(place)
    return near


def _is_near(places: list[int], place: int, reach: int) -> bool:
    return bisect_left(places, place - reach) < bisect_right(places, place + reach)


class _Zones:
    """Says what a phrase counts for by the zone that it stands in, for places in the order of the text."""

    def __init__(self, folded: bytes, weights: Mapping[Zone, float]) -> None:
        self._folded = folded
        self._factors = {int(zone): factor for zone, factor in weights.items()}
        self._place, self._factor = 0, 1.0

    def factor(self, place: int) -> float:
        """Give the factor at a place, which must not be before the last one asked for."""
        found = self._folded.rfind(_MARK, self._place, place)
        if found >= 0:
            self._factor = self._factors.get(self._folded[found + 1], 1.0)
        self._place = place
        return self._factor
