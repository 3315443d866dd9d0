"""The characters of a page, whatever charset it claims, bit by bit.

The order is that of the WHATWG's encoding sniffing: byte order mark, header, ``meta``, windows-1252. But
what a page claims is checked against its beginning: a wrong charset must not hide a text that people
can read.
"""

import codecs
import re

import webencodings

# Bytes that are looked at before the charset is chosen: browsers look at 1,024 for the `meta`.
WINDOW_BYTES = 4096

# Ruled out by the time a label is asked, and two that Python has no codec for.
_NOT_SO = frozenset({"utf-8", "utf-16le", "utf-16be", "x-user-defined", "replacement"})
# Without `<meta` in it, and with bounds: together they would try each with each.
_CHARSET = re.compile(rb"charset\s{0,9}=\s{0,9}[\"']?\s{0,9}([\w:.-]{1,40})")
_ESCAPED = "iso2022_jp"
# What is no escape of its; and how much of one may still be incomplete.
_NO_ESCAPE, _MOST_OF_ESCAPE = re.compile(rb"\x1b(?!\([BJ]|\$[@B])"), 2
_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)


class Decoder:
    """Turns the bytes of a page into text; never raises, whatever the bytes are."""

    def __init__(self, charset: str | None = None) -> None:
        """Begin a page.

        Args:
            charset: what the header says, if it says anything.
        """
        self._claimed = charset
        self._held = b""
        self._decoder: codecs.IncrementalDecoder | _Escapes | None = None

    def feed(self, data: bytes) -> str:
        """Give the text of what came; nothing while the beginning is still short."""
        if self._decoder is not None:
            return _without_zeros(self._decoder.decode(data))
        self._held += data
        return self._begin() if len(self._held) >= WINDOW_BYTES else ""

    def close(self) -> str:
        """Give what is left at the end of the page."""
        text = self._begin() if self._decoder is None else ""
        assert self._decoder is not None
        return text + _without_zeros(self._decoder.decode(b"", final=True))

    def _begin(self) -> str:
        held, self._held = self._held, b""
        name, skipped = chosen(held[:WINDOW_BYTES], self._claimed)
        self._decoder = codecs.getincrementaldecoder(name)("replace")
        if name == _ESCAPED:
            self._decoder = _Escapes(self._decoder)
        return _without_zeros(self._decoder.decode(held[skipped:]))


class _Escapes:
    """Drops what is no escape of ISO-2022-JP: Python's decoder fails where a broken one comes in pieces."""

    def __init__(self, decoder: codecs.IncrementalDecoder) -> None:
        self._decoder = decoder
        self._held = b""

    def decode(self, data: bytes, final: bool = False) -> str:
        data = self._held + data
        # No escape holds the beginning of another.
        begun = -1 if final else data.rfind(b"\x1b", max(0, len(data) - _MOST_OF_ESCAPE))
        end = begun if begun >= 0 else len(data)
        self._held = data[end:]
        return self._decoder.decode(_NO_ESCAPE.sub(b"", data[:end]), final)


def _without_zeros(text: str) -> str:
    """Drop what browsers drop within words (HTML, 13.2.6.4.7)."""
    return text.replace("\0", "") if "\0" in text else text


def chosen(beginning: bytes, claimed: str | None) -> tuple[str, int]:
    """Choose the codec of a page.

    Args:
        beginning: its first bytes, at most `WINDOW_BYTES`.
        claimed: the charset of its header.

    Returns:
        the name of a codec of Python, and how many bytes of a byte order mark to skip.
    """
    for mark, codec in _MARKS:
        if beginning.startswith(mark):
            return codec, len(mark)
    wide = _wide(beginning)
    if wide:
        return wide, 0
    # What is ASCII so far is in any charset.
    plain = beginning.isascii()
    if not plain and _is_utf8(beginning):
        return "utf-8", 0
    names = (claimed, _in_meta(beginning.lower()))
    codecs_named = (_codec(name) for name in names if name)
    return next((codec for codec in codecs_named if codec), "utf-8" if plain else "cp1252"), 0


def _in_meta(beginning: bytes) -> str | None:
    """Give the charset that the first `meta` element with one names."""
    for found in _CHARSET.finditer(beginning):
        start = beginning.rfind(b"<meta", max(0, found.start() - 512), found.start())
        if start >= 0 and b">" not in beginning[start : found.start()]:
            return found[1].decode("ascii")
    return None


def _wide(beginning: bytes) -> str:
    """Tell UTF-16 by its zeros: every second byte of markup is one."""
    even, odd = beginning[::2].count(0), beginning[1::2].count(0)
    # Zeros in both places are none of a charset, and browsers drop them.
    if (
        max(even, odd) * 4 < len(beginning)
        or len(beginning) < 4
        or min(even, odd) * 8 > max(even, odd)
    ):
        return ""
    return "utf-16-le" if odd > even else "utf-16-be"


def _is_utf8(beginning: bytes) -> bool:
    """Say whether it is UTF-8, which nothing else is by chance; a whole window may end in a character."""
    whole = len(beginning) < WINDOW_BYTES
    try:
        codecs.getincrementaldecoder("utf-8")().decode(beginning, final=whole)
    except UnicodeDecodeError:
        return False
    return True


def _codec(label: str) -> str:
    """Give the codec of a label of the WHATWG; none for what the bytes have shown not to be so."""
    found = webencodings.lookup(label)
    if found is None or found.name in _NOT_SO:
        return ""
    return str(found.codec_info.name)
