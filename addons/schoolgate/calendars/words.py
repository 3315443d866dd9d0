"""What an event is about: words that mean an INSET day, a closure, a term and so on."""

import re
from collections.abc import Iterable, Mapping

from schoolgate.core.timetable import Meaning

# Where several fit, the first meaning holds.
DEFAULT_WORDS: Mapping[Meaning, tuple[str, ...]] = {
    Meaning.EARLY_CLOSING: (
        "early closing", "early closure", "early finish", "early dismissal",
        "closes early", "finishes early", "closes at", "finishes at",
    ),
    Meaning.INSET: (
        "inset", "staff training", "teacher training", "training day",
        "staff development", "non-pupil day", "baker day",
    ),
    Meaning.CLOSED: ("school closed", "school closure", "bank holiday", "public holiday"),
    Meaning.HOLIDAY: ("half term", "holiday", "holidays"),
    Meaning.TERM_START: (
        "term starts", "term start", "term begins", "start of term", "first day of term",
    ),
    Meaning.TERM_END: ("term ends", "term end", "end of term", "last day of term"),
    Meaning.TERM: ("term",),
    # Any event may be called "lessons"; that it is a period of the timetable its category says.
    Meaning.PERIOD: (),
}  # fmt: skip
_CATEGORIES: Mapping[Meaning, tuple[str, ...]] = {Meaning.PERIOD: ("timetable", "lesson")}

_WORD = re.compile(r"[^\W\d_]+")
# Words that change nothing. Any other makes a "library closed" of a "school closed".
_FILLERS = frozenset(
    _WORD.findall(
        """
        a the of for and to at on is in from no all am pm p m noon midday st nd rd th
        school schools pupils students children staff day days week weeks break closed closure
        one two three four five six half
        autumn winter spring summer michaelmas hilary lent trinity christmas easter whitsun may
        early late january february march april june july august september october november
        december jan feb mar apr jun jul aug sep sept oct nov dec
        monday tuesday wednesday thursday friday saturday sunday
        mon tue tues wed thu thur thurs fri sat sun
        """
    )
)
# A title of more words is prose.
_MOST_WORDS = 24


class Words:
    """Which phrases stand for which meaning."""

    def __init__(self, own: Mapping[Meaning, tuple[str, ...]]) -> None:
        self._phrases = [
            (meaning, words)
            for meaning in Meaning
            for phrase in own.get(meaning, DEFAULT_WORDS[meaning])
            if (words := _words(phrase))
        ]
        self._names = {
            meaning: {
                _words(meaning),
                *map(_words, own.get(meaning, DEFAULT_WORDS[meaning])),
                *map(_words, _CATEGORIES.get(meaning, ())),
            }
            for meaning in Meaning
        }
        last = {words[-1] for names in self._names.values() for words in names}
        self._hint = re.compile(
            r"(?<![^\W\d_])(?:" + "|".join(map(re.escape, sorted(last))) + r")(?![^\W\d_])",
            re.IGNORECASE,
        )

    def may_matter(self, line: str) -> bool:
        """Whether a line may hold one of the phrases; quick, and true too often."""
        return self._hint.search(line) is not None

    def meaning(self, summary: str, categories: Iterable[str]) -> Meaning | None:
        """Give what an event of this title and these categories means, or nothing."""
        named = {_words(category) for category in categories}
        for meaning, names in self._names.items():
            if names & named:
                return meaning
        words = _words(summary)
        if len(words) > _MOST_WORDS:
            return None
        for meaning, phrase in self._phrases:
            rest = _without(words, phrase)
            if rest is not None and _FILLERS.issuperset(rest):
                return meaning
        return None

    def sounds_like(self, summary: str) -> Meaning | None:
        """Give what an event without a meaning might mean, had its title fewer words."""
        words = _words(summary)[:_MOST_WORDS]
        for meaning, phrase in self._phrases:
            if _without(words, phrase) is not None:
                return meaning
        return None


def _words(text: str) -> tuple[str, ...]:
    return tuple(_WORD.findall(text.casefold().replace("_", " ")))


def _without(words: tuple[str, ...], phrase: tuple[str, ...]) -> list[str] | None:
    """Give the words that are left when a phrase is taken out, in its order; None if it is not in."""
    rest: list[str] = []
    found = 0
    for word in words:
        if found < len(phrase) and word == phrase[found]:
            found += 1
        else:
            rest.append(word)
    return rest if found == len(phrase) else None
