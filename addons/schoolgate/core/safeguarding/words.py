"""The words of a search or an address, as they are meant: without disguise, bounded."""

import re
from collections.abc import Container
from urllib.parse import unquote

from schoolgate.core.content.folding import fold
from schoolgate.core.urls import Url

# Of a longer text the beginning counts: nobody searches with more, and whole pages are pasted.
MOST_CHARS = 400
MOST_WORDS = 48
_LONGEST_WORD = 40

_STANDING_FOR = str.maketrans("01345789", "oieastbg")
_SIGNS = re.compile(r"(?<=[^\W_])[@$!*€](?=[^\W_])")
_SIGN_FOR = {"@": "a", "$": "s", "!": "i", "€": "e", "*": ""}
_APOSTROPHE = re.compile(r"(?<=\w)['\u2019\u02bc`](?=\w)")
_RUN = re.compile(r"([^\W\d])\1{2,}")
_SPELT_LEAST = 4
_BETWEEN_WORDS = re.compile(r"[^\w%]|_")
_WEB = frozenset({"www", "com", "org", "net", "co", "uk", "html", "htm", "php", "index", "wiki"})


def folded(text: str) -> list[str]:
    """Give the words of a text without case, marks and signs; `don't` is one word, as many type it."""
    return fold(_APOSTROPHE.sub("", text)).decode().split()


def words_of(text: str, known: Container[str]) -> list[str]:
    """Give the words of a text in one form.

    Args:
        text: as it was typed.
        known: words that phrases look for; a disguise is only lifted where one of them is under it, so
            that ``h3`` and ``b2b`` stay what they are.
    """
    signs = _SIGNS.sub(lambda found: _SIGN_FOR[found[0]], text[:MOST_CHARS])
    words = folded(signs)
    return [_plain(word[:_LONGEST_WORD], known) for word in _joined(words)[:MOST_WORDS]]


def text_of(url: Url) -> str:
    """Give what an address says in words: its host without the endings, and its path."""
    parts = [*url.host.split(".")[:-1], *unquote(url.path[: 2 * MOST_CHARS]).split("/")]
    words = [word for part in parts for word in _BETWEEN_WORDS.split(part)]
    return " ".join(word for word in words if word and word.lower() not in _WEB)


def _plain(word: str, known: Container[str]) -> str:
    if word in known:
        return word
    letters = word.translate(_STANDING_FOR) if not word.isdigit() else word
    for shorter in (letters, _RUN.sub(r"\1\1", letters), _RUN.sub(r"\1", letters)):
        if shorter in known:
            return shorter
    # As many type and speak: `killin`.
    return word + "g" if word.endswith("in") and word + "g" in known else word


def _joined(words: list[str]) -> list[str]:
    """Put words together that are spelt letter by letter."""
    found: list[str] = []
    letters: list[str] = []
    for word in [*words, ""]:
        if len(word) == 1 and word.isalpha():
            letters.append(word)
            continue
        found.extend(["".join(letters)] if len(letters) >= _SPELT_LEAST else letters)
        letters.clear()
        if word:
            found.append(word)
    return found
