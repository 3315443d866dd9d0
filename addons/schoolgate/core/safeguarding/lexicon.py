"""What one theme looks for in one language, and the rules that this becomes."""

import hashlib
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum

from schoolgate.core.safeguarding.phrases import ANYWHERE, Choice, Sequence, sequences
from schoolgate.core.safeguarding.themes import Severity, Theme


@dataclass(frozen=True, slots=True)
class Phrases:
    """Phrases of one weight.

    Attributes:
        severity: what finding one of them is.
        phrases: in the language of `core.safeguarding.phrases`.
        firm: whether they hold in whatever surroundings: nobody says *I want to kill myself* for an essay.
    """

    severity: Severity
    phrases: tuple[str, ...]
    firm: bool = False


@dataclass(frozen=True, slots=True)
class Lexicon:
    """What one theme looks for in one language; without a theme, what holds for all of them.

    Attributes:
        theme: None for what all themes share.
        language: its code (BCP 47).
        phrases: by weight.
        concepts: words by the name that phrases use.
        innocent: titles and turns of phrase whose words count for nothing: ``suicide squad``.
        surroundings: words beside which only firm phrases hold: ``essay``.
        fillers: words that are skipped, in all texts and phrases.
        spellings: words by how else they are typed, in all texts and phrases: ``ppl`` is ``people``.
    """

    theme: Theme | None
    language: str
    phrases: tuple[Phrases, ...] = ()
    concepts: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    innocent: tuple[str, ...] = ()
    surroundings: tuple[str, ...] = ()
    fillers: tuple[str, ...] = ()
    spellings: Mapping[str, str] = field(default_factory=dict)

    @property
    def size(self) -> int:
        """How many phrases there are, innocent ones and surroundings among them."""
        signs = sum(len(each.phrases) for each in self.phrases)
        return signs + len(self.innocent) + len(self.surroundings)


class Sort(Enum):
    """What it means that a phrase is found."""

    SIGN = "sign"
    INNOCENT = "innocent"
    SURROUNDING = "surrounding"


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a phrase stands for.

    Attributes:
        id: for the journal.
        theme: None for all.
        sort: sign or innocence.
        severity: of a sign.
        firm: as `Phrases.firm`.
    """

    id: str
    theme: Theme | None
    sort: Sort
    severity: Severity = Severity.ADVISORY
    firm: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Rule:
    """One sequence of a phrase.

    Attributes:
        choices: what may stand at each of its places.
        gaps: how many other words may stand before each; `ANYWHERE` where a part begins.
        whole: whether nothing else may stand in the text.
        meaning: what it stands for.
    """

    choices: tuple[frozenset[Choice], ...]
    gaps: tuple[int, ...]
    whole: bool
    meaning: Meaning


def rules_of(
    lexicon: Lexicon, fillers: Collection[str], spellings: Mapping[str, str]
) -> Iterator[Rule]:
    """Compile a lexicon.

    Args:
        lexicon: of a theme, or shared.
        fillers: words that texts come without.
        spellings: how words of texts are written here, by how they are typed.

    Raises:
        PhraseError: when a phrase is written wrongly.
    """
    # Families name the same lists over and over: each is read once, and kept once.
    bare: dict[frozenset[Choice], frozenset[Choice]] = {}
    for meaning, phrase in _meanings(lexicon):
        for sequence in sequences(phrase, lexicon.concepts):
            for place in sequence.places:
                if place.choices not in bare:
                    each = (_bare(choice, fillers, spellings) for choice in place.choices)
                    bare[place.choices] = frozenset(filter(None, each))
            rule = _rule(sequence, meaning, bare)
            if rule is not None:
                yield rule


def id_of(theme: Theme | None, language: str, phrase: str) -> str:
    """Give the name of a phrase that the journal may have: ``self-harm/en/3fa2c1``."""
    name = hashlib.blake2s(phrase.encode(), digest_size=3).hexdigest()
    return f"{theme or 'all'}/{language}/{name}"


def _meanings(lexicon: Lexicon) -> Iterator[tuple[Meaning, str]]:
    theme = lexicon.theme
    for group in lexicon.phrases:
        for phrase in group.phrases:
            id_ = id_of(theme, lexicon.language, phrase)
            yield Meaning(id_, theme, Sort.SIGN, group.severity, group.firm), phrase
    for phrase in lexicon.innocent:
        yield Meaning("", theme, Sort.INNOCENT), phrase
    for phrase in lexicon.surroundings:
        yield Meaning("", theme, Sort.SURROUNDING), phrase


def _rule(
    sequence: Sequence, meaning: Meaning, bare: Mapping[frozenset[Choice], frozenset[Choice]]
) -> Rule | None:
    """Leave out what texts come without; nothing where that is all there is."""
    places: list[tuple[frozenset[Choice], int]] = []
    begins = False
    for place in sequence.places:
        begins = begins or place.gap == ANYWHERE
        if choices := bare[place.choices]:
            places.append((choices, ANYWHERE if begins else place.gap))
            begins = False
    if not places:
        return None
    return Rule(
        tuple(choices for choices, _ in places),
        tuple(gap for _, gap in places),
        sequence.whole,
        meaning,
    )


def _bare(choice: Choice, fillers: Collection[str], spellings: Mapping[str, str]) -> Choice:
    words = tuple(spellings.get(word, word) for word in choice if word not in fillers)
    return choice if words == choice else words
