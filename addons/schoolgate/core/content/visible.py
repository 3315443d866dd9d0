"""What of a page people see, in the order of the page, with a mark wherever another zone begins."""

from collections.abc import Iterator
from enum import IntEnum

from turbohtml import Token, Tokenizer, TokenType

from schoolgate.core.content.beside import Beside


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


# Stand within words: po<b>ker</b> is one.
_WITHIN_WORDS = (
    *("abbr", "acronym", "b", "bdi", "bdo", "big", "cite", "code", "em", "font", "i", "ins", "kbd"),
    *("label", "mark", "q", "s", "samp", "small", "span", "strike", "strong", "sub", "sup", "tt"),
    *("u", "var", "wbr"),
)
_HEADINGS = ("h1", "h2", "h3", "h4", "h5", "h6")
# What these hold is not seen.
_HIDDEN = frozenset({"script", "style", "template"})
_MARKS = {zone: f" {MARK}{chr(zone)} " for zone in Zone}
_LINK_MARK, _BODY_MARK = _MARKS[Zone.LINK], _MARKS[Zone.BODY]
_META_MARK, _ALT_MARK = _MARKS[Zone.META], _MARKS[Zone.ALT]
# What is fetched for the page; these hold no text of their own.
_BESIDE = frozenset({"embed", "frame", "iframe", "link"})
_FETCHED = frozenset({*_BESIDE, *_HIDDEN, "img"})
_ABOVE = {**dict.fromkeys(_HEADINGS, _MARKS[Zone.HEADING]), "title": _MARKS[Zone.TITLE]}
# What a tag is in the text; none where it is more than that. All others part words.
_IN_TEXT: dict[str | None, str | None] = {
    **dict.fromkeys(_WITHIN_WORDS, ""),
    **dict.fromkeys([*_ABOVE, *_FETCHED, "a", "meta"]),
}
_TEXT, _START = TokenType.TEXT, TokenType.START_TAG
_DESCRIPTIONS = frozenset({"description", "keywords", "og:title", "og:description"})


class VisibleText:
    """Reads markup as it comes and gives text; nothing of it grows with the depth of a page.

    Attributes:
        labels: what `meta` elements claim of the page itself: name or property, and content.
        beside: the hosts that its tags name.
        exhausted: whether more markup was seen than is looked at.
    """

    def __init__(self) -> None:
        self.labels: list[tuple[str, str]] = []
        self.beside = Beside()
        self.exhausted = False
        self._tokens = Tokenizer()
        self._tags = 0
        self._hidden = self._in_link = False
        # The mark of the heading or title that is open.
        self._above = ""

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
        add, in_text, hidden = pieces.append, _IN_TEXT.get, self._hidden
        tags, most, text = self._tags, MOST_TAGS, _TEXT
        for token in tokens:
            tag = token.tag
            if tag is None:
                if not hidden and token.type is text:
                    add(token.data or "")
                continue
            tags += 1
            piece = in_text(tag, " ")
            if piece:
                add(piece)
            elif tag == "a":
                self._in_link = starts = token.type is _START
                if starts:
                    self.beside.link(token)
                # A heading that is a link is a heading.
                if not self._above:
                    add(_LINK_MARK if starts else _BODY_MARK)
            elif piece is None:
                self._turn(token, tag, pieces)
                hidden = self._hidden
            if tags >= most:
                self.exhausted = True
                break
        self._tags = tags
        return pieces

    def _turn(self, token: Token, tag: str, pieces: list[str]) -> None:
        """Take a tag with which another zone begins or ends, or that holds a text of its own."""
        starts = token.type is _START
        above = _ABOVE.get(tag)
        if above:
            self._above = above if starts else ""
            pieces.append(self._mark)
            return
        pieces.append(" ")
        if starts and tag in _FETCHED:
            self.beside.asset(token)
        if tag in _HIDDEN:
            self._hidden = starts
        elif starts and tag == "img":
            self._aside(_ALT_MARK, token.attr("alt"), pieces)
        elif starts and tag == "meta":
            self._meta(token, pieces)

    @property
    def _mark(self) -> str:
        return self._above or (_LINK_MARK if self._in_link else _BODY_MARK)

    def _meta(self, token: Token, pieces: list[str]) -> None:
        name = token.attr("name") or token.attr("property") or token.attr("http-equiv") or ""
        name, content = name.strip().lower(), token.attr("content") or ""
        if name in _DESCRIPTIONS:
            self._aside(_META_MARK, content, pieces)
        elif name and len(self.labels) < 64:
            self.labels.append((name, content[:512]))

    def _aside(self, mark: str, text: str | None, pieces: list[str]) -> None:
        if text and not self._hidden:
            pieces.extend((mark, text, self._mark))
