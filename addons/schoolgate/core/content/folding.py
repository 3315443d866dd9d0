"""Words in one form: without case, marks, punctuation and the many forms of a letter."""

import re
import unicodedata
from functools import lru_cache

_LETTERS = "abcdefghijklmnopqrstuvwxyz"
# Of ASCII only letters, digits and the marks of zones (1 to 8) remain; the rest is space.
_KEPT = {*map(ord, _LETTERS), *range(ord("0"), ord("9") + 1), *range(1, 9), *range(128, 256)}
_ASCII = bytes(
    byte + 32 if ord("A") <= byte <= ord("Z") else byte if byte in _KEPT else 32
    for byte in range(256)
)
_FOREIGN = re.compile(r"[^\x00-\x7f]+")
_SIGNS = (
    "\N{NO-BREAK SPACE}",
    "\N{POUND SIGN}",
    "\N{MIDDLE DOT}",
    "\N{COPYRIGHT SIGN}",
    "\N{EN DASH}",
    "\N{EM DASH}",
    "\N{HORIZONTAL ELLIPSIS}",
    "\N{LEFT SINGLE QUOTATION MARK}",
    "\N{RIGHT SINGLE QUOTATION MARK}",
    "\N{LEFT DOUBLE QUOTATION MARK}",
    "\N{RIGHT DOUBLE QUOTATION MARK}",
)
# Longer runs are not remembered: the memory for them would have no bound.
_SHORT = 24

# What NFKD does not take apart, and letters that keyboards of Urdu and Persian type for Arabic ones.
_SAME = str.maketrans(
    {
        "\N{LATIN SMALL LETTER L WITH STROKE}": "l",
        "\N{LATIN SMALL LETTER D WITH STROKE}": "d",
        "\N{LATIN SMALL LETTER O WITH STROKE}": "o",
        "\N{LATIN SMALL LETTER DOTLESS I}": "i",
        "\N{LATIN SMALL LETTER AE}": "ae",
        "\N{LATIN SMALL LIGATURE OE}": "oe",
        "\N{LATIN SMALL LETTER THORN}": "th",
        "\N{ARABIC LETTER KEHEH}": "\N{ARABIC LETTER KAF}",
        "\N{ARABIC LETTER FARSI YEH}": "\N{ARABIC LETTER YEH}",
        "\N{ARABIC LETTER ALEF MAKSURA}": "\N{ARABIC LETTER YEH}",
        "\N{ARABIC LETTER YEH BARREE}": "\N{ARABIC LETTER YEH}",
        "\N{ARABIC LETTER HEH GOAL}": "\N{ARABIC LETTER HEH}",
        "\N{ARABIC LETTER HEH DOACHASHMEE}": "\N{ARABIC LETTER HEH}",
        "\N{ARABIC LETTER TEH MARBUTA}": "\N{ARABIC LETTER HEH}",
        "\N{ARABIC LETTER TEH MARBUTA GOAL}": "\N{ARABIC LETTER HEH}",
        "\N{ARABIC LETTER NOON GHUNNA}": "\N{ARABIC LETTER NOON}",
        "\N{ARABIC TATWEEL}": None,
        "\N{RIGHT SINGLE QUOTATION MARK}": "'",
        "\N{LEFT SINGLE QUOTATION MARK}": "'",
        "\N{MODIFIER LETTER APOSTROPHE}": "'",
    }
)


def fold(text: str) -> bytes:
    """Give the words of a text, each between spaces of its own.

    Two spaces stand between two words, and one at either end, so that `` word `` finds whole words and
    neighbours do not share a space.

    Args:
        text: any text; the characters 1 to 8 mark zones and remain, as words of their own.

    Returns:
        UTF-8.
    """
    if not text.isascii():
        # In most English texts that is all there is, and replacing is cheaper than looking for runs.
        for sign in _SIGNS:
            text = text.replace(sign, " ")
        if not text.isascii():
            text = _FOREIGN.sub(_foreign, text)
    words = text.encode("utf-8", "replace").translate(_ASCII).split()
    return b" " + b"  ".join(words) + b" "


def _foreign(match: re.Match[str]) -> str:
    run = match[0]
    return _remembered(run) if len(run) <= _SHORT else _plain(run)


def _plain(run: str) -> str:
    """Fold a run of characters outside ASCII."""
    spread = unicodedata.normalize("NFKD", run.casefold()).translate(_SAME)
    return "".join(map(_letter, spread))


@lru_cache(maxsize=1024)
def _letter(char: str) -> str:
    """Give a letter as it is, nothing for marks and what has no width, a space for the rest."""
    if char.isascii():
        return char
    kind = unicodedata.category(char)
    if kind[0] == "M" or kind == "Cf":
        return ""
    return char if kind[0] in "LN" else " "


_remembered = lru_cache(maxsize=4096)(_plain)
