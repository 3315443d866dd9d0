"""The language of phrases."""

import pytest

from schoolgate.core.safeguarding.phrases import (
    ANYWHERE,
    GAP_WORDS,
    LOOSE_WORDS,
    PhraseError,
    sequences,
)

LISTS = {"self": ("myself", "my self"), "round": ("<trip>",), "trip": ("<round>",)}


def plain(phrase: str) -> list[list[tuple[set[str], int]]]:
    """Give the words of each place and the gap before it, of each sequence."""
    return [
        [({" ".join(choice) for choice in place.choices}, place.gap) for place in each.places]
        for each in sequences(phrase, LISTS)
    ]


@pytest.mark.parametrize(
    ("phrase", "found"),
    [
        ("kill", [[({"kill"}, 0)]]),
        ("kill/end_it <self>", [[({"kill", "end it"}, 0), ({"myself", "my self"}, 0)]]),
        ("a .. b", [[({"a"}, 0), ({"b"}, GAP_WORDS)]]),
        ("a b? c", [[({"a"}, 0), ({"b"}, 0), ({"c"}, 0)], [({"a"}, 0), ({"c"}, 0)]]),
        ("a + b", [[({"a"}, 0), ({"b"}, LOOSE_WORDS)], [({"b"}, 0), ({"a"}, LOOSE_WORDS)]]),
        ("a b & c", [[({"a"}, 0), ({"b"}, 0), ({"c"}, ANYWHERE)]]),
        (
            "a & b + c",
            [
                [({"a"}, 0), ({"b"}, ANYWHERE), ({"c"}, LOOSE_WORDS)],
                [({"a"}, 0), ({"c"}, ANYWHERE), ({"b"}, LOOSE_WORDS)],
            ],
        ),
    ],
)
def test_phrases_become_sequences(phrase: str, found: list[list[tuple[set[str], int]]]) -> None:
    assert plain(phrase) == found


@pytest.mark.parametrize(
    ("phrase", "says"),
    [
        ("", "no word"),
        ("a +", "at one side"),
        ("a ..", "ends with a gap"),
        ("a + b + c + d", "more than 3"),
        ("a & b & c & d & e & f", "more than 5"),
        ("a &", "at one side"),
        ("a? & b", "must be there"),
        ("a b c d e f g h i", "more than 8"),
        ("<other>", "is no list"),
        ("<round>", "names itself"),
        ("ab*", "too few letters"),
        ("kill~", "too short"),
        ("!!", "no word in"),
        ("a?", "must be there"),
    ],
)
def test_wrong_ones_are_named(phrase: str, says: str) -> None:
    with pytest.raises(PhraseError, match=says):
        plain(phrase)
