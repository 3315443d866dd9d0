"""Words in the name of a host: `best-casino-bonus.example` says what it is.

A name is cut into known words by the fewest words; one of a category counts only where no cutting with as few
words does without it: `essexpert` is Essex, not the other word, and `penisland` may be an island.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from schoolgate.core.content.signals import Signal

_PARTS = re.compile(r"[a-z]+")
# Longer labels are no words but codes (a label has 63 at most, RFC 1035).
_LONGEST = 40


@dataclass(frozen=True, slots=True)
class HostWord:
    """A word of a category.

    Attributes:
        word: ASCII letters, as it stands in names.
        category: that it speaks for.
        points: as `Signal.points`.
    """

    word: str
    category: str
    points: float


class HostWords:
    """Cuts the names of hosts into words.

    Args of the constructor:
        words: those of categories.
        neutral: words that say nothing, without which no name could be cut.
    """

    def __init__(self, words: Iterable[HostWord], neutral: Iterable[str]) -> None:
        self._words = {each.word: each for each in words}
        self._neutral = frozenset(neutral) - self._words.keys()
        self._longest = max(map(len, [*self._words, *self._neutral, ""]))
        self.signals = lru_cache(maxsize=8192)(self._signals)

    def _signals(self, host: str) -> tuple[Signal, ...]:
        """Give a signal for each word of a category that a name cannot be read without.

        Args:
            host: normalised; the last label, the top-level domain, is not read.
        """
        found: dict[str, HostWord] = {}
        for label in host.split(".")[:-1]:
            if label.startswith("xn--"):
                continue
            for part in _PARTS.findall(label[:_LONGEST]):
                for word in self.cut(part):
                    if word in self._words:
                        found[word] = self._words[word]
        return tuple(Signal(f"host:{w.word}", w.category, w.points) for w in found.values())

    def cut(self, part: str) -> tuple[str, ...]:
        """Cut letters into the fewest known words, innocent ones where there is a choice.

        Returns:
            the words; empty where it cannot be cut without a rest.
        """
        # The best cutting of each beginning: number of words, how many are of a category, the words.
        best: list[tuple[int, int, tuple[str, ...]] | None] = [(0, 0, ())]
        for end in range(1, len(part) + 1):
            best.append(
                min(
                    (
                        (before[0] + 1, before[1] + (word in self._words), (*before[2], word))
                        for start in range(max(0, end - self._longest), end)
                        if (before := best[start]) is not None
                        and ((word := part[start:end]) in self._words or word in self._neutral)
                    ),
                    default=None,
                )
            )
        last = best[-1]
        return last[2] if last else ()
