"""Finds the phrases of all themes in a short text: whole words, with exceptions and surroundings.

Made once, before the workers are forked, which then share its memory; it never changes.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

from schoolgate.core.safeguarding.lexicon import Lexicon, Meaning, Rule, Sort, rules_of
from schoolgate.core.safeguarding.phrases import Choice
from schoolgate.core.safeguarding.spelling import meant, table_of
from schoolgate.core.safeguarding.themes import Hit, Theme
from schoolgate.core.safeguarding.words import words_of

MOST_EVIDENCE = 8
# From word to word, the second one not included.
type Span = tuple[int, int]


class Matcher:
    """All phrases, compiled.

    Args:
        lexicons: of every theme and language, and the shared ones.
    """

    def __init__(self, lexicons: Iterable[Lexicon]) -> None:
        lexicons = list(lexicons)
        self._fillers = frozenset(word for each in lexicons for word in each.fillers)
        rules = [rule for each in lexicons for rule in rules_of(each, self._fillers)]
        self._phrases = sum(each.size for each in lexicons)
        places = {choices: at for at, choices in enumerate(_places(rules))}
        self._rules = _by_rarest(rules, places)
        self._choices = _by_first_word(places)
        words = {word for choices in places for choice in choices for word in choice}
        self._known = {word.rstrip("*~") for word in words} - {""}
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
        words = [word for word in words_of(text, self._known) if word not in self._fillers]
        spans = self._spans(words)
        rules = [each for place in spans for each in self._rules.get(place, ())]
        innocent, around = _innocence(rules, spans, len(words))
        found = {
            rule.meaning
            for rule, places in rules
            if rule.meaning.sort is Sort.SIGN
            and (rule.meaning.firm or not _is_for(around, rule.meaning))
            and any(_chains(rule, places, _left(spans, innocent, rule.meaning), len(words)))
        }
        return _hits(found)

    def _spans(self, words: Sequence[str]) -> Mapping[int, list[Span]]:
        """Find where each place of any phrase could stand."""
        found: defaultdict[int, list[Span]] = defaultdict(list)
        forms = [self._forms(word) for word in words]
        for at, here in enumerate(forms):
            for form in here:
                for choice, place in self._choices.get(form, ()):
                    end = at + len(choice)
                    rest = zip(choice[1:], forms[at + 1 : end], strict=False)
                    if end <= len(words) and all(word in there for word, there in rest):
                        found[place].append((at, end))
        return found

    def _forms(self, word: str) -> Collection[str]:
        """Give all ways in which phrases could write a word."""
        stems = (word[:length] + "*" for length in range(1, min(len(word), self._longest) + 1))
        return {word, *stems, *(each + "~" for each in meant(word, self._spelling))}


def _places(rules: Iterable[Rule]) -> Iterator[frozenset[Choice]]:
    yield from dict.fromkeys(choices for rule in rules for choices in rule.choices)


def _by_rarest(
    rules: Sequence[Rule], places: Mapping[frozenset[Choice], int]
) -> Mapping[int, list[tuple[Rule, tuple[int, ...]]]]:
    """Put each rule where the place stands that the fewest rules share: the others are looked at after it."""
    used: defaultdict[int, int] = defaultdict(int)
    placed = [(rule, tuple(places[choices] for choices in rule.choices)) for rule in rules]
    for _, its in placed:
        for place in set(its):
            used[place] += 1
    found: defaultdict[int, list[tuple[Rule, tuple[int, ...]]]] = defaultdict(list)
    for rule, its in placed:
        found[min(its, key=lambda place: used[place])].append((rule, its))
    return dict(found)


def _by_first_word(
    places: Mapping[frozenset[Choice], int],
) -> Mapping[str, list[tuple[Choice, int]]]:
    found: defaultdict[str, list[tuple[Choice, int]]] = defaultdict(list)
    for choices, place in places.items():
        for choice in sorted(choices):
            found[choice[0]].append((choice, place))
    return dict(found)


# Words that count for nothing, or surroundings, of one theme; None stands for all of them.
type _Covered = Mapping[Theme | None, set[int]]


def _innocence(
    rules: Iterable[tuple[Rule, tuple[int, ...]]], spans: Mapping[int, list[Span]], words: int
) -> tuple[_Covered, set[Theme | None]]:
    """Give the words that count for nothing, and the themes whose surroundings were found."""
    innocent: defaultdict[Theme | None, set[int]] = defaultdict(set)
    around: set[Theme | None] = set()
    for rule, places in rules:
        if rule.meaning.sort is Sort.SIGN:
            continue
        for chain in _chains(rule, places, spans, words):
            if rule.meaning.sort is Sort.SURROUNDING:
                around.add(rule.meaning.theme)
            else:
                covered = (at for start, end in chain for at in range(start, end))
                innocent[rule.meaning.theme].update(covered)
    return innocent, around


def _is_for(around: set[Theme | None], meaning: Meaning) -> bool:
    return None in around or meaning.theme in around


def _left(
    spans: Mapping[int, list[Span]], innocent: _Covered, meaning: Meaning
) -> Mapping[int, list[Span]]:
    """Give the spans that touch no innocent word."""
    covered = innocent.get(None, set()) | innocent.get(meaning.theme, set())
    if not covered:
        return spans
    return {
        place: [span for span in its if covered.isdisjoint(range(*span))]
        for place, its in spans.items()
    }


def _chains(
    rule: Rule, places: Sequence[int], spans: Mapping[int, list[Span]], words: int
) -> Iterable[tuple[Span, ...]]:
    """Give a way to fill the places of a rule for each word that it can end with."""
    first = spans.get(places[0], ())
    ends: dict[int, tuple[Span, ...]] = {
        end: ((start, end),) for start, end in first if not rule.whole or start == 0
    }
    for place, gap in zip(places[1:], rule.gaps[1:], strict=True):
        if not ends:
            return ()
        ends = {
            end: (*chain, (start, end))
            for start, end in spans.get(place, ())
            for before, chain in ends.items()
            if before <= start <= before + gap
        }
    return [chain for end, chain in ends.items() if not rule.whole or end == words]


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
