"""What of a page people see, in the order of the page, with a mark wherever another zone begins."""

from collections.abc import Iterator
from enum import Enum, IntEnum

from turbohtml import Token, Tokenizer, TokenType


class Zone(IntEnum):
    """Where a text stands; its value is the character that says so after a `MARK`."""

    BODY = 1
    TITLE = 2
    META = 3
    HEADING = 4
    LINK = 5
    ALT = 6


MARK = "\x07"
# Tags counted, not milliseconds: a page must have the same verdict on a slow day.
MOST_TAGS = 60_000


class _Sort(Enum):
    """What a tag does to the text around it."""

    WORD = "stands within words: po<b>ker</b> is one"
    BLOCK = "parts words"
    LINK = "link"
    HEADING = "heading"
    TITLE = "title"
    HIDDEN = "what it holds is not seen"
    PICTURE = "picture"
    META = "meta"


_WORD, _BLOCK, _LINK = _Sort.WORD, _Sort.BLOCK, _Sort.LINK
_SORTS = {
    **dict.fromkeys(
        [
            "abbr",
            "acronym",
            "b",
            "bdi",
            "bdo",
            "big",
            "cite",
            "code",
            "em",
            "font",
            "i",
            "ins",
            "kbd",
            "label",
            "mark",
            "q",
            "s",
            "samp",
            "small",
            "span",
            "strike",
            "strong",
            "sub",
            "sup",
            "tt",
            "u",
            "var",
            "wbr",
        ],
        _Sort.WORD,
    ),
    **dict.fromkeys(["h1", "h2", "h3", "h4", "h5", "h6"], _Sort.HEADING),
    **dict.fromkeys(["script", "style", "template"], _Sort.HIDDEN),
    "a": _Sort.LINK,
    "title": _Sort.TITLE,
    "img": _Sort.PICTURE,
    "meta": _Sort.META,
}
_TEXT, _START, _END = TokenType.TEXT, TokenType.START_TAG, TokenType.END_TAG
_MARKS = {zone: f" {MARK}{chr(zone)} " for zone in Zone}
_LINK_MARK, _BODY_MARK = _MARKS[Zone.LINK], _MARKS[Zone.BODY]
_DESCRIPTIONS = frozenset({"description", "keywords", "og:title", "og:description"})


class VisibleText:
    """Reads markup as it comes and gives text; nothing of it grows with the depth of a page.

    Attributes:
        labels: what `meta` elements claim of the page itself: name or property, and content.
        exhausted: whether more markup was seen than is looked at.
    """

    def __init__(self) -> None:
        self.labels: list[tuple[str, str]] = []
        self.exhausted = False
        self._tokens = Tokenizer()
        self._tags = 0
        self._hidden = self._in_link = False
        self._above: Zone | None = None

    def feed(self, markup: str) -> list[str]:
        """Give pieces of text; joined they are what is seen, with the marks of zones."""
        return self._read(self._tokens.feed(markup))

    def close(self) -> list[str]:
        """Give the pieces that the end of the page settles."""
        return self._read(self._tokens.close())

    def _read(self, tokens: Iterator[Token]) -> list[str]:
        pieces: list[str] = []
        if self.exhausted:
            return pieces
        add, sort_of, hidden, tags = pieces.append, _SORTS.get, self._hidden, self._tags
        for token in tokens:
            kind = token.type
            if kind is _TEXT:
                if not hidden:
                    add(token.data or "")
            elif kind is _START or kind is _END:
                tags += 1
                sort = sort_of(token.tag or "", _BLOCK)
                if sort is _BLOCK:
                    add(" ")
                elif sort is _LINK:
                    self._in_link = kind is _START
                    # A heading that is a link is a heading.
                    if not self._above:
                        add(_LINK_MARK if self._in_link else _BODY_MARK)
                elif sort is not _WORD:
                    self._turn(token, sort, kind is _START, pieces)
                    hidden = self._hidden
                if tags >= MOST_TAGS:
                    self.exhausted = True
                    break
        self._tags = tags
        return pieces

    def _turn(self, token: Token, sort: "_Sort", starts: bool, pieces: list[str]) -> None:
        """Take a tag with which another zone begins or ends, or that holds a text of its own."""
        pieces.append(" ")
        if sort is _Sort.HIDDEN:
            self._hidden = starts
        elif sort is _Sort.HEADING or sort is _Sort.TITLE:
            zone = Zone.TITLE if sort is _Sort.TITLE else Zone.HEADING
            self._above = zone if starts else None
            pieces.append(_MARKS[self._zone])
        elif starts and sort is _Sort.PICTURE:
            self._aside(Zone.ALT, token.attr("alt") or "", pieces)
        elif starts:
            self._meta(token, pieces)

    @property
    def _zone(self) -> Zone:
        return self._above or (Zone.LINK if self._in_link else Zone.BODY)

    def _meta(self, token: Token, pieces: list[str]) -> None:
        name = token.attr("name") or token.attr("property") or token.attr("http-equiv") or ""
        name, content = name.strip().lower(), token.attr("content") or ""
        if name in _DESCRIPTIONS:
            self._aside(Zone.META, content, pieces)
        elif name and len(self.labels) < 64:
            self.labels.append((name, content[:512]))

    def _aside(self, zone: Zone, text: str, pieces: list[str]) -> None:
        if text and not self._hidden:
            pieces.extend((_MARKS[zone], text, _MARKS[self._zone]))
