"""The words of searches and addresses."""

import pytest

from schoolgate.core.safeguarding.words import MOST_WORDS, text_of, words_of
from schoolgate.core.urls import parse_url

KNOWN = frozenset({"kill", "killing", "bomb", "suicide", "ass"})


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("How do I  make it?", ["how", "do", "i", "make", "it"]),
        ("I'm don't", ["im", "dont"]),
        ("k1ll k!ll", ["kill", "kill"]),
        ("killl", ["kill"]),
        ("@ss a$$", ["ss", "a"]),
        ("killin singin in", ["killing", "singin", "in"]),
        ("s u i c i d e note", ["suicide", "note"]),
        ("a b c", ["a", "b", "c"]),
        ("b2b h3 2nd", ["b2b", "h3", "2nd"]),
        ("Żółć ÉTÉ", ["zołc", "ete"]),
        ("", []),
    ],
)
def test_words_are_in_one_form(text: str, words: list[str]) -> None:
    folded = [word.replace("ł", "l") for word in words]
    assert words_of(text, KNOWN) == folded


def test_they_are_bounded() -> None:
    assert len(words_of("ab " * 500, KNOWN)) <= MOST_WORDS


@pytest.mark.parametrize(
    ("url", "text"),
    [
        ("https://www.pro-ana.example/tips/day_one.html", "pro ana tips day one"),
        ("https://example.org/wiki/Pipe%20bomb?q=secret", "example Pipe bomb"),
        ("https://192.0.2.1/", "192 0 2"),
    ],
)
def test_an_address_says_its_host_and_path_and_nothing_of_its_query(url: str, text: str) -> None:
    assert text_of(parse_url(url)) == text
