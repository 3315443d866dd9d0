"""Budgets on the way: whether audio and video may still flow, what of it is counted, what people are told."""

import hashlib
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from functools import lru_cache, partial
from zoneinfo import ZoneInfo

from schoolgate.core.approvals import Subject, school_day
from schoolgate.core.media.metering import SEGMENT_BYTES, Standing, Word, resets_at
from schoolgate.core.media.viewing import Piece
from schoolgate.core.policy import Budget, Decision, PolicyEngine, Reason, Verdict, WebRequest
from schoolgate.proxy.pieces import Pieces
from schoolgate.services.metering import Meter

_LONDON = ZoneInfo("Europe/London")
# What flowed is handed over after no less than this, and the account asked anew, or after this time.
_LEAST_BYTES = 256 * 1024
_HANDED_SECONDS = 0.25
_MOST_TOLD = 10_000

_UNKNOWN = (
    "How much of it is left cannot be found out now, so nothing more is let through. "
    "Try again in a minute."
)


@dataclass(frozen=True, slots=True)
class Account:
    """Whose budget a request burdens.

    Attributes:
        who: the person, else the device, else the address.
        group: of the policy, for the figures.
        budget: which.
    """

    who: str
    group: str
    budget: Budget


# Finds out whose budget a page burdens; gives None for nobody's.
type Whose = Callable[[], Account | None]


class Metering:
    """What the filter asks of budgets.

    Args:
        meter: what this worker knows of the accounts.
        secret: under which streams are known by names that say nothing of them.
    """

    def __init__(self, meter: Meter, secret: bytes) -> None:
        self.meter = meter
        self._secret = secret
        self._told: OrderedDict[tuple[str, str], None] = OrderedDict()

    def account(
        self, engine: PolicyEngine, request: WebRequest, decision: Decision
    ) -> Account | None:
        """Give whose budget audio and video of a page burden, by the decision on it; None for nobody's."""
        budget = engine.metering(request, decision)
        if budget is None:
            return None
        client = request.client
        return Account(str(Subject.nearest(client)), client.group, budget)

    def whose(self, engine: PolicyEngine, request: WebRequest, decision: Decision) -> Whose | None:
        """Give what finds out `account`, for when something plays; None where that burdens nobody."""
        if not engine.policy.budgets and decision.verdict is not Verdict.LIMIT:
            return None
        return partial(self.account, engine, request, decision)

    def word(self, account: Account) -> Word:
        """Say whether more may flow; `Word.ASK` where `ask` must find out."""
        return self.meter.word(account.who, account.budget.limits)

    async def ask(self, account: Account) -> Word:
        """Ask the owner of the account; `Word.ASK` where it does not answer."""
        return await self.meter.ask(account.who, account.budget.limits)

    def may_go_on(self, account: Account) -> bool:
        """Tell whether what flows may go on."""
        return self.meter.may_go_on(account.who, account.budget.limits)

    def room(self, account: Account) -> tuple[float, int]:
        """Give the seconds and the bytes that may flow without the owner's word."""
        return self.meter.room(account.who)

    def deliver(self, account: Account, piece: Piece) -> None:
        """Count a piece that was delivered."""
        self.meter.deliver(account.who, account.group, account.budget.limits, piece)

    def stream(self, name: str) -> str:
        """Give the name under which a stream is counted, from which nobody learns what it is.

        Args:
            name: the same for all parts and qualities of a stream, e.g. its address.
        """
        return hashlib.blake2b(name.encode(), key=self._secret[:64], digest_size=8).hexdigest()

    def decision(self, account: Account, word: Word, decision: Decision, now: datetime) -> Decision:
        """Give the decision on a request in the place of that of the rules.

        Args:
            account: whose budget it burdens.
            word: whether more may flow.
            decision: by the rules.
            now: when, aware.

        Returns:
            A block where nothing more may flow; a warning where little is left; else what the rules say.
        """
        budget = account.budget
        if word is Word.ASK:
            return _answer(decision, budget, Verdict.BLOCK, _UNKNOWN)
        standing = self.meter.standing(account.who)
        if word is Word.STOP:
            return _answer(decision, budget, Verdict.BLOCK, said(budget, standing, now))
        if standing.is_near(budget.limits):
            return _answer(decision, budget, Verdict.WARN, said(budget, standing, now))
        return decision

    def is_first_stop(self, account: Account, now: datetime) -> bool:
        """Tell once a day of each account that it is stopped, for the journal."""
        key = account.who, school_day(now)
        if key in self._told:
            return False
        self._told[key] = None
        if len(self._told) > _MOST_TOLD:
            self._told.popitem(last=False)
        return True


class Flowing:
    """Counts one body as it flows.

    Args:
        metering: where to.
        whose: finds out whose budget it burdens if it plays.
        pieces: tells what its bytes are.

    Attributes:
        account: whose budget it burdens; None before it is known that it plays, and for nobody's.
    """

    def __init__(self, metering: Metering, whose: Whose, pieces: Pieces) -> None:
        self.account: Account | None = None
        self._metering = metering
        self._whose: Whose | None = whose
        self._pieces = pieces
        self._at = 0
        self._size = 0
        # So much, or until then, may flow before the account is asked again; it was never asked yet.
        self._most = 0
        self._until = 0.0

    def takes(self, size: int) -> bool:
        """Count some bytes that are about to be delivered; False where they must not be."""
        # Until it is known that it plays, nothing may.
        if self._size >= self._most or time.monotonic() >= self._until:
            account = self._account()
            if account is None:
                self._at += size
                return True
            self.hand_over()
            if not self._metering.may_go_on(account):
                return False
            self._most = self._next_look(account)
            self._until = time.monotonic() + _HANDED_SECONDS
        self._size += size
        return True

    def _account(self) -> Account | None:
        if self._whose is not None and self._pieces.is_media:
            self.account, self._whose = self._whose(), None
        return self.account

    def _next_look(self, account: Account) -> int:
        """Give after how many bytes: half of what may flow without the owner's word, as others flow too."""
        seconds, size = self._metering.room(account)
        rate = self._pieces.piece(self._at, _LEAST_BYTES).seconds / _LEAST_BYTES
        playing = seconds / rate if rate else SEGMENT_BYTES
        return max(int(min(size, playing) / 2), _LEAST_BYTES)

    def hand_over(self) -> None:
        """Hand over what was not yet; to be called at the end, too."""
        if self._size and self.account is not None:
            self._metering.deliver(self.account, self._pieces.piece(self._at, self._size))
            self._at += self._size
            self._size = 0


def said(budget: Budget, standing: Standing, now: datetime) -> str:
    """Say where somebody stands and when their budget begins anew; ``now`` is aware."""
    limits = budget.limits
    anew = resets_at(now).astimezone(_LONDON)
    return (
        f"Of your {_amount(limits.seconds, limits.size)} of audio and video for today, "
        f"{_amount(standing.seconds, standing.size)} are used. "
        f"They begin anew at midnight, when {anew:%A} begins."
    )


def _amount(seconds: float, size: int) -> str:
    minutes = int(seconds // 60)
    return f"{minutes} minute{'' if minutes == 1 else 's'} and {size // 1_000_000:,} MB"


@lru_cache(maxsize=1024)
def _answer(decision: Decision, budget: Budget, verdict: Verdict, note: str) -> Decision:
    """Give an answer of a budget; the same one as long as nothing in it changes."""
    return replace(
        decision,
        verdict=verdict,
        reason=Reason.BUDGET,
        clause=budget.clause,
        rule=f"budget-{budget.id}",
        note=note,
    )
