"""Pictures that are held to their end, judged by a program of the school's own, and passed on or stopped.

Only where the policy has texts judged by what they say: a picture of a category meets the same rule.
"""

from collections.abc import Awaitable, Callable

from mitmproxy import http
from prometheus_client import Counter

from schoolgate.core.content import Score
from schoolgate.core.policy.decision import FILTER_ERROR
from schoolgate.proxy import enforce
from schoolgate.proxy.answer_head import AnswerHead
from schoolgate.proxy.holding import Outcome
from schoolgate.proxy.picture_hook import PictureHook, Shown
from schoolgate.proxy.texts import Texts
from schoolgate.proxy.transactions import Transaction

# Signs and counting pixels are less.
LEAST_BYTES = 2048
# Of these there is text to read, or they are icons.
_OTHERS = frozenset({"image/svg+xml", "image/x-icon", "image/vnd.microsoft.icon"})
_KEPT = "schoolgate_picture"
# In the place of the ids of phrases.
EVIDENCE = "picture/hook"

type Look = Callable[[bytes | None], Outcome]


class Pictures:
    """Judges pictures.

    Args:
        hook: asks what a picture shows; None where nobody is asked.
        texts: what becomes of a verdict.
        asked: counts, by outcome.
    """

    def __init__(self, hook: PictureHook | None, texts: Texts, asked: Counter) -> None:
        self._hook = hook
        self._texts = texts
        self._asked = asked

    def holder(
        self, flow: http.HTTPFlow, head: AnswerHead, *, for_texts: bool
    ) -> "PictureHolder | None":
        """Give what holds a picture to its end; None for what is passed on as it comes.

        Args:
            flow: with the head of the answer.
            head: the same, read.
            for_texts: a rule minds what texts of the site say.
        """
        if self._hook is None or not for_texts or not _is_picture(flow, head):
            return None
        most = self._hook.rules.most_bytes
        if head.total is not None and head.total > most:
            self._count("large")
            return None
        return PictureHolder(flow, most, self._count)

    def judge(self, flow: http.HTTPFlow, transaction: Transaction) -> Awaitable[None] | None:
        """Ask about a picture that was held and is whole, and put another answer in its place.

        Returns:
            What is to be awaited; None for any other answer.
        """
        hook, answer = self._hook, flow.response
        if hook is None or answer is None or not getattr(flow, _KEPT, False):
            return None
        picture, encoded = answer.raw_content or b"", _is_encoded(answer)
        # What is packed may be large.
        if len(picture) < LEAST_BYTES and not encoded:
            return None
        return self._judge(hook, b"" if encoded else picture, flow, transaction)

    async def _judge(
        self, hook: PictureHook, picture: bytes, flow: http.HTTPFlow, transaction: Transaction
    ) -> None:
        assert flow.response is not None
        headers, rules = flow.response.headers, hook.rules
        kind = headers.get("content-type", "").partition(";")[0].strip()
        shown = await hook.ask(picture, kind) if picture else None
        if shown is None:
            self._count("unanswered")
            if rules.blocks_unanswered:
                transaction.decision = FILTER_ERROR
                enforce.answer(flow, self._texts.answer(flow, transaction))
        elif not shown.category or shown.score < rules.least_score:
            self._count("clean")
        else:
            self._found(shown, rules.least_score, flow, transaction)

    def _found(
        self, shown: Shown, least: float, flow: http.HTTPFlow, transaction: Transaction
    ) -> None:
        score = Score(shown.category, shown.score * 100, least * 100, 0, (EVIDENCE,))
        decision = self._texts.decision(transaction, score)
        self._count("passed" if decision is None else "stopped")
        if decision is not None:
            self._texts.stop(flow, transaction, decision, score)
            enforce.answer(flow, self._texts.answer(flow, transaction))

    def _count(self, outcome: str) -> None:
        self._asked.labels(outcome=outcome).inc()


class PictureHolder:
    """Holds one picture.

    Args:
        flow: with its head.
        most: bytes; what is longer is passed on.
        count: counts outcomes.
    """

    def __init__(self, flow: http.HTTPFlow, most: int, count: Callable[[str], None]) -> None:
        self._flow = flow
        self._left = most
        self._count = count

    def around(self, look: Look) -> Look:
        """Give what looks at an answer as at any other, and holds it to its end besides."""

        def both(chunk: bytes | None) -> Outcome:
            seen, held = look(chunk), self._look(chunk)
            return seen if seen is Outcome.REPLACED or held is Outcome.PASS else held

        return both

    def _look(self, chunk: bytes | None) -> Outcome:
        if self._left < 0:
            return Outcome.PASS
        if chunk is None:
            setattr(self._flow, _KEPT, True)
            return Outcome.WHOLE
        self._left -= len(chunk)
        if self._left < 0:
            self._count("large")
        return Outcome.PASS if self._left < 0 else Outcome.WAIT


def _is_encoded(answer: http.Response) -> bool:
    """Ask for an encoding, which no picture needs; undoing one costs what its author likes."""
    return answer.headers.get("content-encoding", "").strip().lower() not in ("", "identity")


def _is_picture(flow: http.HTTPFlow, head: AnswerHead) -> bool:
    assert flow.response is not None
    kind = head.head.plain_type
    return kind.startswith("image/") and kind not in _OTHERS and flow.response.status_code == 200
