"""One text, judged by what it says as it streams by: what is known of it, and what becomes of that."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from schoolgate.core.content import (
    LookAround,
    PageScorer,
    PhraseModel,
    Score,
    Signal,
    is_text,
    label_of_header,
)
from schoolgate.core.policy import Decision
from schoolgate.proxy.answer_head import AnswerHead

MARKUP = frozenset({"text/html", "application/xhtml+xml"})
_CHARSET = re.compile(r"charset\s*=\s*[\"']?\s*([^\s;\"']{1,40})", re.IGNORECASE)

# Before the first character of markup: byte order marks, zeros of UTF-16, space.
_BLANK = b"\xef\xbb\xbf\xff\xfe\0 \t\r\n\x0c"

# Gives what the rules say of a verdict; None where they do not mind.
type Decide = Callable[[Score], Decision | None]


@dataclass(frozen=True, slots=True)
class Around:
    """What is known of a page from around it.

    Attributes:
        signals: of other sites that it has to do with.
        is_new: the school has not seen its site before today.
        look_around: what its own tags say of it, at its end.
    """

    signals: tuple[Signal, ...] = ()
    is_new: bool = False
    look_around: LookAround | None = None


class TextJudge:
    """Scores a text on its way.

    What is given is scored when the next bytes come, so that the first ones reach the browser before
    anything is computed.

    Args:
        scorer: of its text.
        decide: what the rules say of a verdict.
        is_bare: the head does not say what it is, so that its first bytes do.

    Attributes:
        score: the verdict that was decided on.
        done: nothing of it is looked at any more.
    """

    def __init__(self, scorer: PageScorer, decide: Decide, *, is_bare: bool = False) -> None:
        self.score: Score | None = None
        self.done = scorer.done
        self._scorer = scorer
        self._decide = decide
        self._is_bare = is_bare
        self._waiting = b""

    def take(self, piece: bytes) -> Decision | None:
        """Take the next bytes, decoded; give what stops the text, as far as it was scored."""
        if self._is_bare:
            beginning = piece.lstrip(_BLANK)
            if beginning:
                self._is_bare, self.done = False, not beginning.startswith(b"<")
        if self.done:
            return None
        waiting, self._waiting = self._waiting, piece
        self._scorer.feed(waiting)
        return self._decided() if self._scorer.done else None

    def end(self) -> Decision | None:
        """Judge the whole, as nothing more comes."""
        if self.done:
            return None
        self._scorer.feed(self._waiting)
        self._scorer.close()
        return self._decided()

    def _decided(self) -> Decision | None:
        self.done, self._waiting = True, b""
        score = self._scorer.verdict
        decision = self._decide(score) if score is not None else None
        if decision is not None:
            self.score = score
        return decision


def judge_of(
    head: AnswerHead,
    labels: Iterator[tuple[str, str]],
    phrases: PhraseModel,
    decide: Decide,
    look: Callable[[], Around] = Around,
) -> TextJudge | None:
    """Make what judges a body; None for one that is no text, or begins in its middle.

    Args:
        head: of the answer.
        labels: its header fields, name and value, among which a site may label itself.
        phrases: in force.
        decide: what the rules say of a verdict.
        look: gives what is known of it besides.
    """
    about = head.head
    kind = about.plain_type
    if not (is_text(kind) or not kind) or head.start or about.for_player:
        return None
    around = look()
    hints = (*phrases.hosts.signals(about.url.host), *around.signals)
    charset = _CHARSET.search(about.content_type)
    scorer = PageScorer(
        phrases,
        kind or "text/html",
        charset[1] if charset else None,
        (*phrases.relations.weighed(hints, is_new=around.is_new), *_signals(labels, phrases)),
        around.look_around,
    )
    return TextJudge(scorer, decide, is_bare=not kind)


def _signals(fields: Iterator[tuple[str, str]], phrases: PhraseModel) -> Iterator[Signal]:
    for name, value in fields:
        signal = label_of_header(phrases.labels, name, value)
        if signal is not None:
            yield signal
