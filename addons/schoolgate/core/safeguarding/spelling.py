"""Words with one letter wrong: the way of deletions, by which each word is one look into a table."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping


def table_of(words: Iterable[str]) -> Mapping[str, tuple[str, ...]]:
    """Give the words by each form of theirs with at most one letter less."""
    table: defaultdict[str, list[str]] = defaultdict(list)
    for word in words:
        for form in _forms(word):
            table[form].append(word)
    return {form: tuple(found) for form, found in table.items()}


def meant(word: str, table: Mapping[str, tuple[str, ...]]) -> set[str]:
    """Give the words of a table that a word is but for one letter: wrong, missing, more or swapped."""
    near = {each for form in _forms(word) for each in table.get(form, ())}
    return {each for each in near if is_near(word, each)}


def is_near(one: str, other: str) -> bool:
    """Ask whether at most one change leads from one word to the other, its first letter kept."""
    if one == other:
        return True
    if not one or not other or one[0] != other[0] or abs(len(one) - len(other)) > 1:
        return False
    at = next(
        (i for i, (a, b) in enumerate(zip(one, other, strict=False)) if a != b),
        min(len(one), len(other)),
    )
    if len(one) != len(other):
        longer, shorter = sorted((one, other), key=len, reverse=True)
        return longer[at + 1 :] == shorter[at:]
    swapped = one[at : at + 2] == other[at : at + 2][::-1] and one[at + 2 :] == other[at + 2 :]
    return swapped or one[at + 1 :] == other[at + 1 :]


def _forms(word: str) -> Iterator[str]:
    yield word
    for at in range(len(word)):
        yield word[:at] + word[at + 1 :]
