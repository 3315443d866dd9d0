"""One letter wrong."""

from string import ascii_lowercase

from hypothesis import given
from hypothesis import strategies as st

from schoolgate.core.safeguarding.spelling import is_near, meant, table_of

WORDS = st.text("abcd", min_size=1, max_size=7)


def changed(word: str) -> set[str]:
    """Give every form of a word after one change, its first letter kept."""
    forms = {word}
    for at in range(1, len(word) + 1):
        forms |= {word[:at] + letter + word[at:] for letter in ascii_lowercase}
        if at < len(word):
            forms |= {word[:at] + letter + word[at + 1 :] for letter in ascii_lowercase}
            forms.add(word[:at] + word[at + 1 :])
            forms.add(word[:at] + word[at : at + 2][::-1] + word[at + 2 :])
    return forms


@given(WORDS, WORDS)
def test_near_is_what_one_change_makes(one: str, other: str) -> None:
    assert is_near(one, other) is (other in changed(one))


@given(st.sets(WORDS, max_size=8), WORDS)
def test_the_table_finds_all_that_are_near(words: set[str], word: str) -> None:
    assert meant(word, table_of(words)) == {each for each in words if is_near(word, each)}
