"""What one worker knows of the accounts of viewing: whether more may flow, and what it has let flow."""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Protocol

from schoolgate.core.media.metering import Accounts, Allowance, Lease, Limits, Standing, Word
from schoolgate.core.media.viewing import Piece
from schoolgate.services.ledger import Ledger
from schoolgate.workers.metering import MOST_AT_ONCE, Answer, Delivered, Report

# How long a request waits for the owner's word, and a body that flows for an answer.
PATIENCE_SECONDS = 2.0
# Of those whom nobody asked after for the longest time, the owner is asked again.
_MOST_KNOWN = 20_000


class Line(Protocol):
    """Leads to the owner, as `workers.metering.MeterLine`."""

    def send(self, report: Report) -> bool:
        """Send a report; False where nobody takes it."""


class Meter:
    """Counts for one worker, on its event loop; nothing in here waits but `ask`.

    Made without a line it owns the accounts itself, and forgets them at its end. One report is on its way
    at a time; what comes meanwhile goes with the next.

    Args:
        day: gives the day that it is in school.
        moment: gives monotonic seconds.
    """

    def __init__(
        self, day: Callable[[], str], moment: Callable[[], float] = time.monotonic
    ) -> None:
        self._day = day
        self._moment = moment
        self._line: Line = _Alone(self, day, moment)
        self._has_owner = True
        self._known: OrderedDict[str, Allowance] = OrderedDict()
        self._asking: dict[str, list[asyncio.Future[Standing]]] = {}
        self._asked: dict[str, Limits] = {}
        self._waiting: list[Delivered] = []
        self._last = 0
        # The report that waits for its answer, and since when.
        self._report: Report | None = None
        self._sent_at = 0.0

    def over(self, line: Line) -> None:
        """Ask an owner by a line; until it answers nothing is known."""
        self._line, self._has_owner = line, False

    def word(self, who: str, limits: Limits) -> Word:
        """Say whether more may flow, as far as it is known here."""
        known = self._known.get(who)
        return Word.ASK if known is None else known.word(limits, self._day())

    def may_go_on(self, who: str, limits: Limits) -> bool:
        """Tell whether a body that flows may go on.

        Beyond its lease it may while an answer is on its way, by a segment more than what was left.
        """
        word = self.word(who, limits)
        if word is not Word.ASK:
            return word is Word.GO
        silence = self._moment() - self._sent_at if self._report else 0.0
        known = self._known.get(who)
        is_near = known is None or known.is_within(limits)
        return self._has_owner and silence < PATIENCE_SECONDS and is_near

    def room(self, who: str) -> tuple[float, int]:
        """Give the seconds and the bytes that may flow without the owner's word."""
        known = self._known.get(who)
        return known.room if known else (0.0, 0)

    async def ask(self, who: str, limits: Limits) -> Word:
        """Ask the owner; `Word.ASK` where it does not answer in time."""
        heard: asyncio.Future[Standing] = asyncio.get_running_loop().create_future()
        self._asking.setdefault(who, []).append(heard)
        self._asked[who] = limits
        self._send()
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                standing = await heard
        except TimeoutError:
            return Word.ASK
        # Whatever day it is here: at midnight the owner decides which.
        return Word.STOP if standing.is_spent(limits) else Word.GO

    def standing(self, who: str) -> Standing:
        """Give where an account stood when it was heard of last."""
        known = self._known.get(who)
        return known.standing if known else Standing(self._day())

    def deliver(self, who: str, group: str, limits: Limits, piece: Piece) -> None:
        """Note a piece that somebody was given.

        Args:
            who: whose account it burdens.
            group: of theirs.
            limits: of their budget.
            piece: which.
        """
        self._waiting.append(Delivered(who, group, limits, piece))
        if who in self._known:
            self._known[who].use(piece)
        self._send()

    # -- the line ------------------------------------------------------------------------------

    def opened(self) -> None:
        """Tell a new owner what the one before has not answered."""
        report, self._report = self._report, None
        self._has_owner = True
        if report is not None:
            self._put_back(report)
        self._send()

    def lost(self) -> None:
        """Note that there is no owner: what was leased may still flow, and no more."""
        self._has_owner = False

    def hear(self, answer: Answer) -> None:
        """Take what the owner says."""
        settled: dict[str, list[Piece]] = {}
        if self._report is not None and answer.number == self._report.number:
            for each in self._report.delivered:
                settled.setdefault(each.who, []).append(each.piece)
            self._report = None
        for who, standing, given in answer.accounts:
            known = self._known.pop(who, None) or Allowance(standing, Lease(0.0, 0))
            known.settle(standing, given, settled.get(who, ()))
            self._known[who] = known
            for heard in self._asking.pop(who, ()):
                # Whoever asked may have given up.
                if not heard.done():
                    heard.set_result(standing)
        while len(self._known) > _MOST_KNOWN:
            self._known.popitem(last=False)
        self._send()

    def _send(self) -> None:
        if self._report is not None or not (self._waiting or self._asked):
            return
        self._last += 1
        report = Report(self._last, tuple(self._asked.items()), tuple(self._waiting[:MOST_AT_ONCE]))
        self._asked, self._waiting = {}, self._waiting[MOST_AT_ONCE:]
        # Before it is sent: an owner that is here answers at once.
        self._report, self._sent_at = report, self._moment()
        if not self._line.send(report):
            self._report = None
            self._put_back(report)

    def _put_back(self, report: Report) -> None:
        self._waiting[:0] = report.delivered
        self._asked = {**dict(report.asked), **self._asked}


class _Alone:
    """An owner in the worker itself, which keeps nothing."""

    def __init__(self, meter: Meter, day: Callable[[], str], moment: Callable[[], float]) -> None:
        self._meter = meter
        self._day = day
        self._ledger = Ledger(Accounts(day()), lambda *_: None, moment)

    def send(self, report: Report) -> bool:
        if self._ledger.accounts.day != self._day():
            self._ledger.turn(Accounts(self._day()))
        for _, answer in self._ledger.take(0, report):
            self._meter.hear(answer)
        return True
