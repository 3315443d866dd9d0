"""The language of phrases: words, choices, gaps and orders, taken apart into plain sequences.

==============  ==================================================================================
``kill myself``   these words, one after the other (fillers such as *the* and *really* are skipped)
``cut/slit``      one of these; ``end_it/die`` joins words that belong together
``razor*``        any word that begins so
``suicide~``      also with one letter wrong, missing, too many or swapped
``my?``           may be there
``<self>``        one of the words or groups of words that the file lists under this name
``a .. b``        up to three other words between
``a + b``         in either order, up to four other words between
``a & b``         both, wherever in the text
``= self harm``   the whole text, nothing else
==============  ==================================================================================
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from itertools import permutations, product

from schoolgate.core.safeguarding.words import folded

GAP_WORDS = 3
LOOSE_WORDS = 4
# Longer ones take too many orders.
MOST_LOOSE = 3
MOST_APART = 5
# Instead of a gap: this place stands wherever, before or after the others.
ANYWHERE = -1
MOST_SLOTS = 8
_LEAST_STEM = 3
_LEAST_FUZZY = 5


class PhraseError(ValueError):
    """A phrase is written wrongly; the message says how."""


# One word as phrases write it: `kill`, `razor*`, `suicide~`; and one choice of a place: words in a row.
type Choice = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Place:
    """One place of a sequence.

    Attributes:
        choices: any of these stands there.
        gap: so many other words at most between the place before and this one; `ANYWHERE` where a
            part begins that '&' joins to the ones before.
    """

    choices: frozenset[Choice]
    gap: int = 0


@dataclass(frozen=True, slots=True)
class Sequence:
    """Places in their order.

    Attributes:
        places: at least one.
        whole: whether nothing else may stand in the text.
    """

    places: tuple[Place, ...]
    whole: bool = False


def sequences(phrase: str, concepts: Mapping[str, tuple[str, ...]]) -> Iterator[Sequence]:
    """Take a phrase apart.

    Args:
        phrase: in the language of this module.
        concepts: words or groups of words by the name in angle brackets; one of them may name another.

    Raises:
        PhraseError: when it is written wrongly.
    """
    tokens = phrase.split()
    whole = tokens[:1] == ["="]
    parts = _split(tokens[whole:], "&")
    if len(parts) > MOST_APART:
        raise PhraseError(f"joins more than {MOST_APART} parts by '&'")
    for chosen in product(*(tuple(_orders(part, concepts)) for part in parts)):
        places = tuple(_apart(chosen))
        if len(places) > MOST_SLOTS:
            raise PhraseError(f"has more than {MOST_SLOTS} places")
        if not all(chosen):
            raise PhraseError("has no word that must be there")
        yield Sequence(places, whole)


def _orders(
    tokens: list[str], concepts: Mapping[str, tuple[str, ...]]
) -> Iterator[tuple[Place, ...]]:
    """Give a part in each order that '+' allows, with and without what may be left out."""
    parts = _split(tokens, "+")
    if len(parts) > MOST_LOOSE:
        raise PhraseError(f"joins more than {MOST_LOOSE} parts by '+'")
    if not all(parts):
        raise PhraseError("has nothing at one side of a sign, or no word in it")
    for order in permutations(parts):
        for chosen in product(*(tuple(_variants(part, concepts)) for part in order)):
            yield tuple(_joined(chosen))


def _apart(parts: tuple[tuple[Place, ...], ...]) -> Iterator[Place]:
    for number, part in enumerate(parts):
        for at, place in enumerate(part):
            yield Place(place.choices, ANYWHERE) if number > 0 and at == 0 else place


def _split(tokens: list[str], sign: str) -> list[list[str]]:
    parts: list[list[str]] = [[]]
    for token in tokens:
        if token == sign:
            parts.append([])
        else:
            parts[-1].append(token)
    return parts


def _variants(
    tokens: list[str], concepts: Mapping[str, tuple[str, ...]]
) -> Iterator[tuple[Place, ...]]:
    """Give a part with and without what may be left out."""
    choices: list[tuple[tuple[Place, ...], ...]] = []
    gap = 0
    for word in tokens:
        if word == "..":
            gap = GAP_WORDS
            continue
        place = Place(_choices(word.removesuffix("?"), concepts), gap)
        choices.append(((place,), ()) if word.endswith("?") else ((place,),))
        gap = 0
    if gap:
        raise PhraseError("ends with a gap")
    for chosen in product(*choices):
        yield tuple(place for each in chosen for place in each)


def _joined(parts: tuple[tuple[Place, ...], ...]) -> Iterator[Place]:
    for number, part in enumerate(parts):
        for at, place in enumerate(part):
            is_seam = number > 0 and at == 0
            yield Place(place.choices, LOOSE_WORDS) if is_seam else place


def _choices(token: str, concepts: Mapping[str, tuple[str, ...]]) -> frozenset[Choice]:
    found: set[Choice] = set()
    for part in token.split("/"):
        if part.startswith("<"):
            found.update(_listed(part.strip("<>"), concepts, ()))
        else:
            found.add(_choice(part))
    return frozenset(found)


def _listed(
    name: str, concepts: Mapping[str, tuple[str, ...]], within: tuple[str, ...]
) -> Iterator[Choice]:
    if name not in concepts:
        raise PhraseError(f"names '{name}', which is no list of this file or of all themes")
    if name in within:
        raise PhraseError(f"names '{name}', which names itself")
    for each in concepts[name]:
        if each.startswith("<"):
            yield from _listed(each.strip("<>"), concepts, (*within, name))
        else:
            yield _choice(each)


# Lists are named by many phrases.
@lru_cache(maxsize=20_000)
def _choice(text: str) -> Choice:
    tokens = text.replace("_", " ").split()
    words = tuple(word for token in tokens for word in _words(token))
    if not words:
        raise PhraseError(f"has no word in '{text}'")
    return words


def _words(token: str) -> list[str]:
    mark = token[-1] if token[-1] in "*~" else ""
    words = folded(token.removesuffix(mark) if mark else token)
    if not words:
        raise PhraseError(f"has no word in '{token}'")
    if mark == "*" and words[-1].isalpha() and words[-1].isascii() and len(words[-1]) < _LEAST_STEM:
        raise PhraseError(f"has a star after too few letters in '{token}'")
    if mark == "~" and len(words[-1]) < _LEAST_FUZZY:
        raise PhraseError(f"is too short for a letter to be wrong in '{token}'")
    return [*words[:-1], words[-1] + mark]
