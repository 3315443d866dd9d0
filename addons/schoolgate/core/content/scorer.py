"""The judge of one page: bytes in as they come, a verdict out as soon as there is one."""

from collections.abc import Callable, Iterable

from schoolgate.core.content.beside import Beside, host_of_refresh
from schoolgate.core.content.charset import Decoder
from schoolgate.core.content.folding import fold
from schoolgate.core.content.json_text import JsonText
from schoolgate.core.content.labels import labels_of_page
from schoolgate.core.content.model import PhraseModel
from schoolgate.core.content.scoring import Score, Tally
from schoolgate.core.content.signals import Signal
from schoolgate.core.content.visible import MARK, VisibleText

# After so many characters of text a page is judged; then once more at its end or the last of these.
CHECKPOINTS = (8 * 1024, 32 * 1024, 128 * 1024, 256 * 1024)
# An answer of a chat is read as it is written.
EVENT_CHECKPOINTS = (1024, 2048, 4096, *CHECKPOINTS)
# Of markup: a page without text has an end, too.
MOST_BYTES = 2 * 1024 * 1024

# Gives what the hosts that a page names say of it: those that its tags name, and those that it leads on to.
type LookAround = Callable[[Beside, list[str]], Iterable[Signal]]

_MARKUP = frozenset({"text/html", "application/xhtml+xml"})
_PLAIN = frozenset({"text/plain"})
_EVENTS = frozenset(
    {"text/event-stream", "application/x-ndjson", "application/jsonl", "application/stream+json"}
)


def is_text(kind: str) -> bool:
    """Ask whether a media type, in small letters and without parameters, is one whose text is judged."""
    return kind in _MARKUP | _PLAIN | _EVENTS or _is_json(kind)


def _is_json(kind: str) -> bool:
    return kind == "application/json" or kind.endswith("+json")


class PageScorer:
    """Judges one page; the same bytes give the same verdict in whatever chunks they come.

    Attributes:
        verdict: what the page is, once that is certain; it does not change any more.
        done: whether nothing that comes can change the verdict; it may then stream unseen.
    """

    def __init__(
        self,
        model: PhraseModel,
        content_type: str,
        charset: str | None = None,
        signals: Iterable[Signal] = (),
        look_around: LookAround | None = None,
    ) -> None:
        """Begin a page.

        Args:
            model: the phrases.
            content_type: of the header, without parameters; what is no text is done at once.
            charset: of the header.
            signals: what is known before the page comes.
            look_around: asked once, at the end of a page of markup: what it names until then depends on the
                chunks in which it comes.
        """
        kind = content_type.strip().lower()
        self.verdict: Score | None = None
        self.done = not is_text(kind)
        self._checkpoints = EVENT_CHECKPOINTS if kind in _EVENTS else CHECKPOINTS
        self._markup: VisibleText | JsonText | None = None
        if kind in _MARKUP:
            self._markup = VisibleText()
        elif kind in _EVENTS or _is_json(kind):
            self._markup = JsonText(in_events=kind in _EVENTS)
        self._look_around = look_around
        self._decoder = Decoder(charset)
        self._tally = Tally(model, {each.id: each for each in signals})
        self._bytes = self._chars = self._checked = 0
        self._pieces: list[str] = []

    def feed(self, data: bytes) -> None:
        """Take the next bytes, decoded from whatever coding the body had (RFC 9110, 8.4)."""
        if self.done:
            return
        data = data[: MOST_BYTES - self._bytes]
        self._bytes += len(data)
        self._take(self._decoder.feed(data))
        if self._bytes >= MOST_BYTES or (self._markup and self._markup.exhausted):
            self.close()

    def close(self) -> Score | None:
        """Say that the page has ended, and give the verdict."""
        if not self.done:
            self._take(self._decoder.close())
        if not self.done and self._markup:
            self._hold("".join(self._markup.close()))
        if not self.done:
            self._add_surroundings()
            self._judge("".join(self._pieces))
            self._pieces.clear()
            self.done = True
        return self.verdict

    def _add_surroundings(self) -> None:
        markup = self._markup
        if self._look_around and isinstance(markup, VisibleText):
            said = (text for name, text in markup.labels if name == "refresh")
            leads_to = [host for host in map(host_of_refresh, said) if host]
            for signal in self._look_around(markup.beside, leads_to):
                self._tally.signals[signal.id] = signal

    def _take(self, text: str) -> None:
        if text and not self.done:
            self._hold("".join(self._markup.feed(text)) if self._markup else text)

    def _hold(self, text: str) -> None:
        """Keep text until a checkpoint, which is at a character of the page and not at a chunk's end."""
        while self._chars + len(text) >= self._checkpoints[self._checked]:
            here = self._checkpoints[self._checked] - self._chars
            self._pieces.append(text[:here])
            self._chars += here
            text = text[here:]
            self._judge(self._cut())
            self._checked += 1
            if self.verdict or self._checked == len(self._checkpoints):
                self.done = True
                self._pieces.clear()
                return
        self._pieces.append(text)
        self._chars += len(text)

    def _cut(self) -> str:
        """Give the text up to its last whole word; the rest waits, under the mark of its zone."""
        text = "".join(self._pieces)
        cut = text.rfind(" ") + 1 or len(text)
        mark = text.rfind(MARK, 0, cut)
        self._pieces = [f"{text[mark : mark + 2]} " if mark >= 0 else "", text[cut:]]
        return text[:cut]

    def _judge(self, text: str) -> None:
        tally = self._tally
        tally.add(fold(text))
        if self._markup:
            for signal in labels_of_page(tally.model.labels, self._markup.labels):
                tally.signals.setdefault(signal.id, signal)
        self.verdict = tally.verdict()
