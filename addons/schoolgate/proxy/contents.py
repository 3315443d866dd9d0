"""The response side of the policy: what an answer is, whatever site it is from.

An answer is looked at as it comes. Where its head speaks of media, or of nothing, its beginning is held
back until it is clear what it is, and a manifest until its end; anything else passes on while it is looked
at. What is stopped before it began is answered in the site's place, what was under way is cut off, and
whoever asks for it again is answered without the site (`stopped`).
"""

from collections import OrderedDict
from collections.abc import Awaitable, Callable, Iterable
from functools import partial

from mitmproxy import http
from mitmproxy.connection import Client as ClientConnection

from schoolgate.core.approvals import first
from schoolgate.core.files import TITLES, Recogniser, form_of_address, is_magnet
from schoolgate.core.media import LIVE, Format, Head, LengthReader, hinted, playback_of
from schoolgate.core.media.metering import Word
from schoolgate.core.media.streams import Streams
from schoolgate.core.policy import Content, ContentRules, Decision
from schoolgate.proxy import enforce, holding, transactions
from schoolgate.proxy.answer_head import AnswerHead, answer_head
from schoolgate.proxy.decoding import decoder_for
from schoolgate.proxy.guard import Guard, StreamFunction
from schoolgate.proxy.holding import Held, Outcome
from schoolgate.proxy.looking import Looking
from schoolgate.proxy.media_answers import answer_for_player
from schoolgate.proxy.metering import Account, Flowing, Metering, Whose
from schoolgate.proxy.pages import Pages, is_for_people
from schoolgate.proxy.pictures import PictureHolder, Pictures
from schoolgate.proxy.pieces import Pieces
from schoolgate.proxy.recorder import Recorder
from schoolgate.proxy.stopped import StoppedStreams, stream_of
from schoolgate.proxy.texts import RELOAD, Texts, make_endable
from schoolgate.proxy.transactions import Transaction
from schoolgate.proxy.watching import Watch

# Files of which parts come in answers of their own.
_MOST_READERS = 500
_OK = (200, 201, 202, 203, 206)
_EMPTY = (204, 205, 304)
# The event of audio or video that is not let through, or no further.
STOPPED = "stream.stopped"


class Contents:
    """Judges what answers are.

    Args:
        guard: the boundary around all that handles traffic.
        pages: what people see in the place of an answer.
        recorder: journal and metrics.
        cut: closes a client's connection at once.
        metering: the budgets of what plays.
        texts: judges what texts say.
        pictures: judges what pictures show.
    """

    def __init__(
        self,
        guard: Guard,
        pages: Pages,
        recorder: Recorder,
        cut: Callable[[ClientConnection], None],
        metering: Metering,
        texts: Texts,
        pictures: Pictures,
    ) -> None:
        self._pictures = pictures
        self._texts = texts
        self._guard = guard
        self._pages = pages
        self._recorder = recorder
        self._cut = cut
        self._metering = metering
        self._streams = Streams()
        self._stopped = StoppedStreams()
        self._readers: OrderedDict[tuple[str, str], LengthReader] = OrderedDict()

    def refuse_again(self, flow: http.HTTPFlow, transaction: Transaction) -> bool:
        """Answer a request for a stream that was stopped a moment ago, which asks no origin."""
        found = self._stopped.find(transaction.request, transaction.engine)
        if found is None:
            return False
        transaction.decision = found.decision
        enforce.answer(flow, self._answer(flow, transaction, found.found))
        return True

    def refuse_address(self, flow: http.HTTPFlow, transaction: Transaction) -> bool:
        """Answer what an address alone tells, such as a question to a tracker, which then is never asked."""
        url = transaction.request.url
        form = form_of_address(url.path, url.query) if url.query else None
        if form is None:
            return False
        decision = self._rules(transaction).on(Content.FILESHARING, f"It is {TITLES[form]}.")
        if decision is None:
            return False
        self._stop(transaction, decision, None, "")
        enforce.answer(flow, self._answer(flow, transaction, None))
        return True

    def begin(
        self, flow: http.HTTPFlow, transaction: Transaction, stream: Callable[[], StreamFunction]
    ) -> Awaitable[None] | None:
        """Pass an answer on whose head has come, and look at it on the way.

        Args:
            flow: with the head.
            transaction: of the request.
            stream: gives through what a body passes.

        Returns:
            What is to be awaited where it must be asked whether there is something left of a budget.
        """
        assert flow.response is not None
        request, rules = transaction.request, self._rules(transaction)
        decision = _by_way(flow.response, rules)
        if decision is not None:
            self._replace(flow, transaction, decision, None)
            holding.replace(flow)
            return None
        metering, status = self._metering, flow.response.status_code
        whose = metering.whose(transaction.engine, request, transaction.decision)
        if status not in _OK:
            # Browsers show the text of an error as any other; nothing else of it is looked at.
            rules, whose = rules.of_texts, None
        if not rules and whose is not None and whose() is None:
            whose = None
        has_body = status not in _EMPTY and flow.request.method != "HEAD"
        if not has_body or not (rules or whose):
            enforce.stream_response(flow, stream)
            return None
        head = answer_head(flow, request.url)
        speaks = whose is not None and self._speaks_of_media(head.head)
        account = whose() if whose is not None and speaks else None
        if account is not None:
            word = metering.word(account)
            if word is Word.ASK:
                return self._ask_and_begin(flow, transaction, stream, account, head, rules)
            if word is Word.STOP:
                self._refuse(flow, transaction, account, word, head.head)
                return None
        self._begin(flow, transaction, stream, head, rules, whose, speaks_of_media=speaks)
        return None

    async def _ask_and_begin(
        self,
        flow: http.HTTPFlow,
        transaction: Transaction,
        stream: Callable[[], StreamFunction],
        account: Account,
        head: AnswerHead,
        rules: ContentRules,
    ) -> None:
        word = await self._metering.ask(account)
        if word is Word.GO:
            self._begin(
                flow, transaction, stream, head, rules, lambda: account, speaks_of_media=True
            )
        else:
            self._refuse(flow, transaction, account, word, head.head)

    def _speaks_of_media(self, head: Head) -> bool:
        """Ask whether the head of an answer, or a list before it, says that it plays."""
        return self._streams.find(head.url) is not None or hinted(head) is not None

    def _refuse(
        self,
        flow: http.HTTPFlow,
        transaction: Transaction,
        account: Account,
        word: Word,
        head: Head,
    ) -> None:
        """Put the budget's answer in the place of one that plays."""
        metering, at = self._metering, transaction.at
        transaction.decision = metering.decision(account, word, transaction.decision, at)
        if metering.is_first_stop(account, at):
            self._recorder.stopped(transaction, STOPPED)
        enforce.answer(flow, self._answer(flow, transaction, hinted(head)))
        assert flow.response is not None
        self._recorder.ended(transaction, flow.response.status_code, transaction.elapsed_ms)
        holding.replace(flow)

    def of_budget(self, flow: http.HTTPFlow, transaction: Transaction) -> http.Response:
        """Make the answer to a request that is not let through as a budget is spent."""
        head = Head(transaction.request.url, "", False, False)
        return self._answer(flow, transaction, hinted(head))

    def _begin(
        self,
        flow: http.HTTPFlow,
        transaction: Transaction,
        stream: Callable[[], StreamFunction],
        head: AnswerHead,
        rules: ContentRules,
        whose: Whose | None,
        *,
        speaks_of_media: bool,
    ) -> None:
        assert flow.response is not None
        decision = _by_head(head, rules)
        if decision is not None:
            self._replace(flow, transaction, decision, None)
            holding.replace(flow)
            return
        watch = self._watch(flow, head, transaction, rules)
        if whose is not None:
            named, url = self._metering.stream, transaction.request.url
            pieces = Pieces(url, flow.response, watch, self._streams, named, speaks_of_media)
            transaction.flowing = Flowing(self._metering, whose, pieces)
        enforce.stream_response(flow, stream)
        if watch is not None:
            holder = self._pictures.holder(flow, head, for_texts=rules.for_texts)
            self._begin_to_look(flow, transaction, watch, head, holder)

    def judges_text(self, transaction: Transaction) -> bool:
        """Ask whether a page of the site is judged by what it says."""
        return transaction.engine.phrases is not None and self._rules(transaction).for_texts

    def _rules(self, transaction: Transaction) -> ContentRules:
        return transaction.engine.contents_of(
            transaction.request, transaction.decision, transaction.at
        )

    def _watch(
        self, flow: http.HTTPFlow, head: AnswerHead, transaction: Transaction, rules: ContentRules
    ) -> Watch | None:
        """Give what looks at a body; None for one that nobody reads."""
        decoder = decoder_for(head.encoding)
        if decoder is None:
            return None
        about = head.head
        files = None
        if rules.for_files and not head.start:
            files = partial(Recogniser, about.url, about.content_type, head.disposition)
        reader = None
        if head.start:
            # Its beginning came in another answer.
            key = transaction.request.client.address, stream_of(about.url)
            reader = self._readers.get(key)
        return Watch(
            rules, about, head.start, head.total, decoder,
            files=files, is_shown=not head.is_held, reader=reader,
            text=self._texts.judge(flow, transaction, head, rules),
        )  # fmt: skip

    def _begin_to_look(
        self,
        flow: http.HTTPFlow,
        transaction: Transaction,
        watch: Watch,
        head: AnswerHead,
        holder: PictureHolder | None,
    ) -> None:
        assert flow.response is not None
        passing, flow.response.stream = flow.response.stream, False
        looking = None
        if callable(passing):
            endable = watch.judges_text and make_endable(flow, head)
            looking = self._guard.stream(
                flow, Looking(self, flow, transaction, watch, passing, endable=endable)
            )
            if not head.is_held and holder is None:
                flow.response.stream = looking
                return
            looking = _after_beginning(passing, looking)
        look = partial(self._look, flow, transaction, watch)
        holding.hold(flow, Held(holder.around(look) if holder else look, looking))

    def _look(
        self, flow: http.HTTPFlow, transaction: Transaction, watch: Watch, chunk: bytes | None
    ) -> Outcome:
        """Look at what is held back."""
        try:
            decision = watch.end() if chunk is None else watch.look(chunk)
        except Exception as error:  # noqa: BLE001 - nothing of it is passed on
            self._guard.close("contents", flow, error)
            return Outcome.WAIT
        self.keep_reader(watch, transaction)
        if decision is not None:
            self._replace(flow, transaction, decision, watch)
            return Outcome.REPLACED
        return Outcome.WAIT if watch.holds else Outcome.PASS

    def stop_under_way(
        self,
        flow: http.HTTPFlow,
        transaction: Transaction,
        watch: Watch,
        decision: Decision,
        *,
        endable: bool,
    ) -> list[bytes]:
        """Stop what streams; give what still passes."""
        self._stop_seen(flow, transaction, decision, watch)
        if endable and watch.score is not None:
            holding.end(flow)
            return [RELOAD]
        transactions.mark_cut(flow)
        self._cut(flow.client_conn)
        return []

    def keep_reader(self, watch: Watch, transaction: Transaction) -> None:
        """Keep what was read of a file of which other parts may come, or of a list."""
        manifest, watch.manifest = watch.manifest, None
        if manifest is not None:
            url = transaction.request.url
            self._streams.note(url, manifest.segments, manifest.playlists, manifest.patterns)
        reader = watch.reader
        if reader is None or reader.is_done:
            return
        key = transaction.request.client.address, stream_of(transaction.request.url)
        self._readers[key] = reader
        self._readers.move_to_end(key)
        while len(self._readers) > _MOST_READERS:
            self._readers.popitem(last=False)

    def _stop_seen(
        self, flow: http.HTTPFlow, transaction: Transaction, decision: Decision, watch: Watch | None
    ) -> None:
        if watch is None:
            self._stop(transaction, decision, None, "")
        elif watch.score is None:
            self._stop(transaction, decision, watch.found, watch.file_name)
        else:
            self._texts.stop(flow, transaction, decision, watch.score)

    def _stop(
        self, transaction: Transaction, decision: Decision, found: Format | None, file_name: str
    ) -> None:
        """Put a decision in force, and remember it for whoever asks again."""
        transaction.decision = decision
        self._stopped.add(transaction.request, decision, found, transaction.engine)
        rules = transaction.engine.policy.contents
        rule = first(each for each in rules if each.need.id == decision.rule)
        plays = rule is None or rule.plays
        event = STOPPED if plays else "download.stopped"
        self._recorder.stopped(transaction, event, file_name)

    def _replace(
        self,
        flow: http.HTTPFlow,
        transaction: Transaction,
        decision: Decision,
        watch: Watch | None,
    ) -> None:
        """Put another answer in the place of one of which nothing was sent on."""
        self._stop_seen(flow, transaction, decision, watch)
        if watch is not None and watch.score is not None:
            answer = self._texts.answer(flow, transaction)
        else:
            answer = self._answer(flow, transaction, watch.found if watch else None)
        enforce.answer(flow, answer)
        assert flow.response is not None
        self._recorder.ended(transaction, flow.response.status_code, transaction.elapsed_ms)

    def _answer(
        self, flow: http.HTTPFlow, transaction: Transaction, found: Format | None
    ) -> http.Response:
        """Make what whoever asked gets in its place: a page for a person, an end for a player."""
        request, decision = flow.request, transaction.decision
        if is_for_people(request.headers):
            return self._pages.blocked(request, decision, transaction.request)
        return answer_for_player(decision, found, request.method)


def _after_beginning(beginning: StreamFunction, rest: StreamFunction) -> StreamFunction:
    """Give a stream that passes its first chunk, which was looked at, otherwise than the rest."""
    has_begun = False

    def passing(chunk: bytes) -> bytes | Iterable[bytes]:
        nonlocal has_begun
        if has_begun:
            return rest(chunk)
        has_begun = True
        return beginning(chunk)

    return passing


def _by_head(head: AnswerHead, rules: ContentRules) -> Decision | None:
    """Answer what the head and the address tell alone."""
    if head.is_station:
        return rules.on_length(LIVE)
    playback = playback_of(head.head.url)
    return rules.on_length(playback.length) if playback else None


def _by_way(response: http.Response, rules: ContentRules) -> Decision | None:
    """Judge where an answer sends on to."""
    if not 300 <= response.status_code < 400 or not is_magnet(response.headers.get("location", "")):
        return None
    return rules.on(Content.FILESHARING, f"It is {TITLES['magnet']}.")
