"""Finds the phrases of all themes in a short text: whole words, with exceptions and surroundings.

Made once, before the workers are forked, which then share its memory; it never changes.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from itertools import pairwise

from schoolgate.core.safeguarding.lexicon import Lexicon, Meaning, Rule, Sort, rules_of
from schoolgate.core.safeguarding.phrases import ANYWHERE, Choice
from schoolgate.core.safeguarding.spelling import meant, table_of
from schoolgate.core.safeguarding.themes import Hit, Theme
from schoolgate.core.safeguarding.words import words_of

MOST_EVIDENCE = 8
# From word to word, the second one not included.
type Span = tuple[int, int]
# A rule, and where each of its places could stand.
type _Candidate = tuple[Rule, Sequence[list[Span]]]


class Matcher:
    """All phrases, compiled.

    Args:
        lexicons: of every theme and language, and the shared ones.
    """

    def __init__(self, lexicons: Iterable[Lexicon]) -> None:
        lexicons = list(lexicons)
        self._fillers = frozenset(word for each in lexicons for word in each.fillers)
        self._spellings = {
            typed: word for each in lexicons for typed, word in each.spellings.items()
        }
        rules = [
            rule for each in lexicons for rule in rules_of(each, self._fillers, self._spellings)
        ]
        self._phrases = sum(each.size for each in lexicons)
        self._places = tuple(dict.fromkeys(each for rule in rules for each in rule.choices))
        self._rules = _by_rarest(rules, self._places)
        self._looked_at = _by_choice(self._rules, self._places)
        choices = {choice for place in self._places for choice in place}
        self._single = {choice[0]: choice for choice in choices if len(choice) == 1}
        self._groups = _by_first_words(choices)
        words = {word for choice in choices for word in choice}
        self._known = {word.rstrip("*~") for word in words} | self._spellings.keys()
        self._known -= {""}
        self._spelling = table_of(word[:-1] for word in words if word.endswith("~"))
        self._longest = max((len(word) for word in words if word.endswith("*")), default=1) - 1

    def __len__(self) -> int:
        """How many phrases, innocent ones and surroundings among them, are looked for."""
        return self._phrases

    def hits(self, text: str) -> list[Hit]:
        """Give what a text says, the worst of each theme, the worst theme first.

        Args:
            text: of a search or an address; `words.MOST_CHARS` of it are looked at.
        """
        words = [self._spellings.get(word, word) for word in words_of(text, self._known)]
        words = [word for word in words if word not in self._fillers]
        rules = list(self._possible(self._said(words)))
        innocent, around = _innocence(rules, len(words))
        found = {
            rule.meaning
            for rule, spans in rules
            if rule.meaning.sort is Sort.SIGN
            and (rule.meaning.firm or not _is_for(around, rule.meaning))
            and any(_chains(rule, _left(spans, innocent, rule.meaning), len(words)))
        }
        return _hits(found)

    def _said(self, words: Sequence[str]) -> Mapping[Choice, list[Span]]:
        """Find what phrases could mean in a text, and where it stands."""
        found: defaultdict[Choice, list[Span]] = defaultdict(list)
        forms = [self._forms(word) for word in words]
        for at, here in enumerate(forms):
            for form in here:
                if form in self._single:
                    found[self._single[form]].append((at, at + 1))
                for choice in self._beginning(form, forms[at + 1 : at + 2]):
                    end = at + len(choice)
                    rest = zip(choice[2:], forms[at + 2 : end], strict=False)
                    if end <= len(words) and all(word in there for word, there in rest):
                        found[choice].append((at, end))
        return found

    def _beginning(self, form: str, following: Sequence[Collection[str]]) -> Iterator[Choice]:
        seconds = self._groups.get(form)
        if seconds and following:
            for second in following[0]:
                yield from seconds.get(second, ())

    def _possible(self, said: Mapping[Choice, list[Span]]) -> Iterator[_Candidate]:
        """Give the rules of which every place could stand somewhere, with where that is."""
        choices = frozenset(said)
        known: dict[int, list[Span]] = {}
        rarest = dict.fromkeys(each for choice in said for each in self._looked_at.get(choice, ()))
        for rule, places in (each for place in rarest for each in self._rules[place]):
            spans: list[list[Span]] = []
            for place in places:
                if place not in known:
                    here = self._places[place] & choices
                    known[place] = sorted(span for choice in here for span in said[choice])
                if not known[place]:
                    break
                spans.append(known[place])
            else:
                yield rule, spans

    def _forms(self, word: str) -> Collection[str]:
        """Give all ways in which phrases could write a word."""
        stems = (word[:length] + "*" for length in range(1, min(len(word), self._longest) + 1))
        return {word, *stems, *(each + "~" for each in meant(word, self._spelling))}


def _by_rarest(
    rules: Sequence[Rule], places: Sequence[frozenset[Choice]]
) -> Mapping[int, list[tuple[Rule, tuple[int, ...]]]]:
    """Put each rule where its place with the least used words stands: the others are looked at after it."""
    used = Counter(choice for place in places for choice in place)
    common = [sum(used[choice] for choice in place) for place in places]
    numbers = {place: number for number, place in enumerate(places)}
    found: defaultdict[int, list[tuple[Rule, tuple[int, ...]]]] = defaultdict(list)
    for rule in rules:
        its = tuple(numbers[choices] for choices in rule.choices)
        found[min(its, key=lambda place: common[place])].append((rule, its))
    return dict(found)


def _by_choice(
    rarest: Iterable[int], places: Sequence[frozenset[Choice]]
) -> Mapping[Choice, tuple[int, ...]]:
    """Give the places to look at by what may stand there."""
    found: defaultdict[Choice, list[int]] = defaultdict(list)
    for place in rarest:
        for choice in places[place]:
            found[choice].append(place)
    return {choice: tuple(its) for choice, its in found.items()}


def _by_first_words(choices: Iterable[Choice]) -> Mapping[str, Mapping[str, list[Choice]]]:
    found: defaultdict[str, defaultdict[str, list[Choice]]] = defaultdict(lambda: defaultdict(list))
    for choice in sorted(choices):
        if len(choice) > 1:
            found[choice[0]][choice[1]].append(choice)
    return {first: dict(seconds) for first, seconds in found.items()}


# Words that count for nothing, or surroundings, of one theme; None stands for all of them.
type _Covered = Mapping[Theme | None, set[int]]


def _innocence(rules: Iterable[_Candidate], words: int) -> tuple[_Covered, set[Theme | None]]:
    """Give the words that count for nothing, and the themes whose surroundings were found."""
    innocent: defaultdict[Theme | None, set[int]] = defaultdict(set)
    around: set[Theme | None] = set()
    for rule, spans in rules:
        if rule.meaning.sort is Sort.SIGN:
            continue
        for chain in _chains(rule, spans, words):
            if rule.meaning.sort is Sort.SURROUNDING:
                around.add(rule.meaning.theme)
            else:
                covered = (at for start, end in chain for at in range(start, end))
                innocent[rule.meaning.theme].update(covered)
    return innocent, around


def _is_for(around: set[Theme | None], meaning: Meaning) -> bool:
    return None in around or meaning.theme in around


def _left(
    spans: Sequence[list[Span]], innocent: _Covered, meaning: Meaning
) -> Sequence[list[Span]]:
    """Give the spans that touch no innocent word."""
    covered = innocent.get(None, set()) | innocent.get(meaning.theme, set())
    if not covered:
        return spans
    return [[span for span in its if covered.isdisjoint(range(*span))] for its in spans]


def _chains(rule: Rule, spans: Sequence[list[Span]], words: int) -> Iterable[tuple[Span, ...]]:
    """Give a way to fill the places of a rule for each word that it can end with; of parts one way."""
    begins = [0, *(at for at, gap in enumerate(rule.gaps) if at and gap == ANYWHERE), len(spans)]
    parts = [_ways(spans[start:end], rule.gaps[start:end]) for start, end in pairwise(begins)]
    if len(parts) > 1:
        return _beside(parts, ())
    return [way for way in parts[0] if not rule.whole or (way[0][0] == 0 and way[-1][1] == words)]


def _ways(spans: Sequence[list[Span]], gaps: Sequence[int]) -> list[tuple[Span, ...]]:
    """Give a way to fill places, one after the other, for each word that they can end with."""
    ends: dict[int, tuple[Span, ...]] = {span[1]: (span,) for span in spans[0]}
    for its, gap in zip(spans[1:], gaps[1:], strict=True):
        if not ends:
            return []
        ends = {
            end: (*chain, (start, end))
            for start, end in its
            for before, chain in ends.items()
            if before <= start <= before + gap
        }
    return list(ends.values())


def _beside(
    parts: Sequence[Sequence[tuple[Span, ...]]], taken: tuple[Span, ...]
) -> list[tuple[Span, ...]]:
    """Give a way in which no two parts share a word; none where there is none."""
    if not parts:
        return [taken]
    for way in parts[0]:
        if all(end <= a or b <= start for start, end in way for a, b in taken):
            found = _beside(parts[1:], (*taken, *way))
            if found:
                return found
    return []


def _hits(found: Iterable[Meaning]) -> list[Hit]:
    by_theme: defaultdict[Theme, list[Meaning]] = defaultdict(list)
    for meaning in sorted(found, key=lambda each: (-each.severity.rank, each.id)):
        if meaning.theme is not None:
            by_theme[meaning.theme].append(meaning)
    hits = [
        Hit(theme, each[0].severity, tuple(dict.fromkeys(m.id for m in each))[:MOST_EVIDENCE])
        for theme, each in by_theme.items()
    ]
    return sorted(hits, key=lambda hit: (-hit.severity.rank, hit.theme))
