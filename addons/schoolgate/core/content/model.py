"""The phrases of all categories and languages, compiled into one automaton.

A model is made once, before the workers are forked, which then share its memory; it never changes.
"""

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum

import ahocorasick_rs

from schoolgate.core.content.folding import fold
from schoolgate.core.content.hostnames import HostWords
from schoolgate.core.content.labels import Label
from schoolgate.core.content.relations import Relations
from schoolgate.core.content.visible import Zone


class Role(Enum):
    """What a phrase speaks for."""

    CATEGORY = "category"
    REGISTER = "register"


@dataclass(frozen=True, slots=True)
class Language:
    """The phrases of a subject in one language.

    Attributes:
        phrases: each with its weight, 1 (a hint) to 10; a star at the end stands for any ending of the word.
        exculpations: words that make what stands near them innocent: ``addiction`` beside ``casino``.
    """

    phrases: Mapping[str, float]
    exculpations: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Subject:
    """What a page may be about.

    Attributes:
        id: of the category, or of the register.
        languages: by language code (BCP 47).
        threshold: points that a page needs; none for a register.
    """

    id: str
    languages: Mapping[str, Language]
    threshold: float | None = None


@dataclass(frozen=True, slots=True)
class Weights:
    """How phrases become a verdict.

    Attributes:
        zones: what a phrase counts for in each part of a page; 1 in its body.
        near_words: how near an exculpating word must stand, in words.
        near_factor: what is left of a phrase then.
        least_words: a page with fewer has no verdict.
        least_phrases: independent phrases that a verdict needs.
        least_strong: how many of the phrases must weigh `strong_weight`: innocent pages hardly use them.
        many_phrases: so many independent phrases do without strong ones,
        many_factor: where the points are so many times what is needed.
        strong_weight: from which weight on a phrase is strong.
        dense_words: words of a page from which on the points are thinned out.
        register_factor: so many times the points of the best register are needed beyond the threshold.
        clearing_points: so many more for each different exculpation on the page, wherever it stands,
        most_clearing: and for so many of them.
    """

    zones: Mapping[Zone, float]
    near_words: int = 12
    near_factor: float = 0.2
    least_words: int = 40
    least_phrases: int = 4
    least_strong: int = 2
    many_phrases: int = 8
    many_factor: float = 1.5
    strong_weight: float = 6
    dense_words: int = 250
    register_factor: float = 1.0
    clearing_points: float = 8.0
    most_clearing: int = 3


# Told apart by which it is: an entry is a key for each phrase that is found.
@dataclass(frozen=True, slots=True, eq=False)
class Entry:
    """What one phrase means for one subject.

    Attributes:
        id: for the journal; it says nothing of the phrase: ``gambling/en/3fa2c1``.
        subject: id of the category or register.
        weight: of the phrase.
        words: the phrase's own words, by which phrases that repeat one another are found.
    """

    id: str
    subject: str
    role: Role
    weight: float
    words: frozenset[bytes]


# Of a phrase: the entries that it counts for, and the categories that it clears nearby.
type Meaning = tuple[tuple[Entry, ...], tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Found:
    """What was found in a text.

    Attributes:
        placed: where each phrase begins, in bytes, and what it means; in the order of the text.
        innocent: phrases that are of registers alone, and how often each was found.
    """

    placed: list[tuple[int, Meaning]]
    innocent: list[tuple[Meaning, int]]


@dataclass(frozen=True)
class PhraseModel:
    """All that judging a page needs.

    Attributes:
        thresholds: points that a page needs, by category.
        weights: how phrases become a verdict.
        labels: self-labels that are known.
        hosts: words in names of hosts.
        relations: what sites that a page has to do with say of it.
        phrases: how many there are.
    """

    thresholds: Mapping[str, float]
    weights: Weights
    labels: tuple[Label, ...]
    hosts: HostWords
    _meanings: tuple[Meaning, ...] = field(repr=False)
    _first_innocent: int = field(repr=False)
    _automaton: ahocorasick_rs.BytesAhoCorasick = field(repr=False)
    relations: Relations = field(default_factory=Relations)

    @classmethod
    def compiled(
        cls,
        categories: Iterable[Subject],
        registers: Iterable[Subject],
        weights: Weights,
        labels: Iterable[Label],
        hosts: HostWords,
        relations: Relations | None = None,
    ) -> "PhraseModel":
        """Compile the phrases; the same ones give the same model in whatever order they come."""
        categories, registers = list(categories), list(registers)
        patterns: dict[bytes, tuple[list[Entry], list[str]]] = {}
        for subjects, role in ((categories, Role.CATEGORY), (registers, Role.REGISTER)):
            for subject in subjects:
                _gather(subject, role, patterns)
        innocent = {
            pattern: not clears and all(entry.role is Role.REGISTER for entry in entries)
            for pattern, (entries, clears) in patterns.items()
        }
        ordered = sorted(patterns, key=lambda pattern: (innocent[pattern], pattern))
        return cls(
            {each.id: each.threshold or 0.0 for each in categories},
            weights,
            tuple(labels),
            hosts,
            tuple((tuple(patterns[p][0]), tuple(patterns[p][1])) for p in ordered),
            len(ordered) - sum(innocent.values()),
            ahocorasick_rs.BytesAhoCorasick(
                ordered,
                matchkind=ahocorasick_rs.MatchKind.LeftmostLongest,
                # A tenth of a DFA's memory for a twentieth more of a page's time.
                implementation=ahocorasick_rs.Implementation.ContiguousNFA,
            ),
            relations or Relations(),
        )

    @property
    def phrases(self) -> int:
        """How many phrases, exculpations among them, are looked for."""
        return len(self._meanings)

    def found(self, folded: bytes) -> "Found":
        """Find phrases; where one holds another, the longer one: ``breast cancer``, not ``breast``.

        Args:
            folded: as `fold` gives it.
        """
        meanings, first = self._meanings, self._first_innocent
        matches = self._automaton.find_matches_as_indexes(folded)
        # Most of a page's phrases are those of registers, of which only the number counts.
        innocent = Counter([which for which, _, _ in matches if which >= first])
        return Found(
            [(start, meanings[which]) for which, start, _ in matches if which < first],
            [(meanings[which], count) for which, count in innocent.items()],
        )


def pattern_of(phrase: str) -> bytes:
    """Give what is searched for: whole words, or with a star the beginning of the last one."""
    folded = fold(phrase)
    return folded[:-1] if phrase.endswith("*") else folded


def _gather(
    subject: Subject, role: Role, patterns: dict[bytes, tuple[list[Entry], list[str]]]
) -> None:
    for code, language in subject.languages.items():
        for phrase, weight in language.phrases.items():
            pattern = pattern_of(phrase)
            name = hashlib.blake2s(pattern, digest_size=3).hexdigest()
            words = frozenset(word for word in pattern.split() if len(word) > 2)
            entry = Entry(f"{subject.id}/{code}/{name}", subject.id, role, weight, words)
            patterns.setdefault(pattern, ([], []))[0].append(entry)
        for phrase in language.exculpations:
            patterns.setdefault(pattern_of(phrase), ([], []))[1].append(subject.id)
