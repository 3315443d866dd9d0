"""What becomes of texts that are judged by what they say, and what a browser shows in their place.

A short answer is held to its end as any other, and has the block page in its place. A long one, or one that
does not say how long it is, passes on while it is judged. When the verdict falls, what the browser has is
ended with an element that has it ask again, and it is answered without the site then. Where that cannot be
(the text is encoded, or no page in a window), the connection is cut.
"""

from functools import partial

from mitmproxy import http

from schoolgate.core.content import Score
from schoolgate.core.policy import ContentRules, Decision, Verdict, WebRequest
from schoolgate.proxy.answer_head import AnswerHead
from schoolgate.proxy.interstitial import Warnings
from schoolgate.proxy.judging import MARKUP, TextJudge, judge_of
from schoolgate.proxy.pages import Pages, is_for_people
from schoolgate.proxy.recorder import Recorder
from schoolgate.proxy.stopped import StoppedStreams
from schoolgate.proxy.surroundings import Surroundings
from schoolgate.proxy.transactions import Transaction

# Ends whatever the page was in the middle of, and has it asked for again (HTML, 4.2.5.3).
RELOAD = (
    b"'\">--></script></style></title></textarea></noscript></iframe></select></template></svg></math>"
    b'<meta http-equiv="refresh" content="0">'
)


class Texts:
    """Judges texts for the response side.

    Args:
        pages: what people see in their place.
        recorder: journal and metrics.
        warnings: who clicked through which warning.
        surroundings: what is known of pages from around them.
    """

    def __init__(
        self, pages: Pages, recorder: Recorder, warnings: Warnings, surroundings: Surroundings
    ) -> None:
        self._pages = pages
        self._recorder = recorder
        self._warnings = warnings
        self._stopped = StoppedStreams(_page_of)
        self._surroundings = surroundings

    def judge(
        self, flow: http.HTTPFlow, transaction: Transaction, head: AnswerHead, rules: ContentRules
    ) -> TextJudge | None:
        """Give what judges a body; None for one whose text nobody minds."""
        phrases = transaction.engine.phrases
        if phrases is None or not rules.for_texts:
            return None
        assert flow.response is not None
        fields = flow.response.headers.items()

        def decide(score: Score) -> Decision | None:
            return self.decision(transaction, score)

        look = partial(self._surroundings.around, flow, transaction)
        return judge_of(head, iter(fields), phrases, decide, look)

    def decision(self, transaction: Transaction, score: Score) -> Decision | None:
        """Give what the rules make of a verdict; None where nothing comes of it."""
        request, engine = transaction.request, transaction.engine
        decision = engine.on_text(request, transaction.decision, score.category, transaction.at)
        if decision is None:
            return None
        if decision.verdict is Verdict.MONITOR:
            transaction.decision = decision
            self._recorder.judged(transaction, score)
            return None
        accepted = decision.verdict is Verdict.WARN and self._warnings.is_accepted(
            engine, request, decision, transaction.at
        )
        return None if accepted else decision

    def recall(self, transaction: Transaction) -> Decision | None:
        """Give the decision on a page that was stopped a moment ago and is asked for again."""
        found = self._stopped.find(transaction.request, transaction.engine)
        return found.decision if found else None

    def stop(
        self, flow: http.HTTPFlow, transaction: Transaction, decision: Decision, score: Score
    ) -> None:
        """Put a decision in force, and remember it for whoever asks for a page again."""
        transaction.decision = decision
        if is_for_people(flow.request.headers):
            # What a script asks for by one address may be another answer each time.
            self._stopped.add(transaction.request, decision, None, transaction.engine)
        self._recorder.judged(transaction, score)

    def answer(self, flow: http.HTTPFlow, transaction: Transaction) -> http.Response:
        """Make what whoever asked gets in its place."""
        request, decision = transaction.request, transaction.decision
        if decision.verdict is Verdict.WARN:
            link = self._warnings.link(request, decision, transaction.at)
            return self._pages.warned(flow.request, decision, link, request)
        return self._pages.blocked(flow.request, decision, request)


def make_endable(flow: http.HTTPFlow, head: AnswerHead) -> bool:
    """Say whether `RELOAD` can be written into an answer that streams; its length is then left open."""
    assert flow.response is not None
    if (
        head.encoding.strip().lower() not in ("", "identity")
        or head.head.plain_type not in MARKUP
        or not is_for_people(flow.request.headers)
        or flow.request.http_version == "HTTP/1.0"
    ):
        return False
    headers = flow.response.headers
    # What is ended so looks whole, and must not be taken for the page later. Browsers wait with
    # reloading until it has come to its end, so that it cannot be cut instead.
    for name in ("etag", "last-modified", "expires"):
        headers.pop(name, None)
    if "no-store" not in headers.get("cache-control", ""):
        headers["cache-control"] = "private, no-cache"
    if "content-length" in headers:
        del headers["content-length"]
        if not flow.response.is_http2:
            headers["transfer-encoding"] = "chunked"
    return True


def ask_plainly(flow: http.HTTPFlow) -> None:
    """Ask for a page in a window without an encoding, so that its end can be written."""
    request = flow.request
    if request.method == "GET" and is_for_people(request.headers):
        request.headers["accept-encoding"] = "identity"


def _page_of(request: WebRequest) -> str:
    """Give what is the same for all requests for a page; another query is another page."""
    return f"{request.method} {request.url}"
