"""The accounts of viewing in the one process that owns them: counts, leases, and saves beside."""

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from schoolgate.core.errors import UnavailableError
from schoolgate.core.media.metering import Accounts, Limits, lease
from schoolgate.core.media.viewing import Viewing
from schoolgate.workers.metering import Account, Answer, Delivered, Report

logger = logging.getLogger(__name__)

# How much of what was counted may be lost with this process.
SAVE_SECONDS = 1.0
# A worker that has not asked for so long lets nothing of an account flow.
LEASE_HOLDS_SECONDS = 60.0
_MOST_HOLDERS_KEPT = 100_000
# Workers are counted from 1.
_NOBODY = 0


class Table(Protocol):
    """Where accounts are kept; each call may raise `UnavailableError`."""

    def join(self, day: str, since: Mapping[str, Viewing]) -> dict[str, Viewing]:
        """Count on top of what is kept of some accounts, and give what is kept now."""

    def others(self, day: str, known: Mapping[str, tuple[int, int]]) -> dict[str, Viewing]:
        """Give those of some accounts whose milliseconds and bytes are not as they are known."""

    def of_day(self, day: str) -> dict[str, Viewing]:
        """Give all accounts of a day."""


class Ledger:
    """Takes reports and gives answers.

    Args:
        accounts: of the day.
        count: called with group, outcome and seconds of what was delivered: ``metered``, or ``overrun``
            where nothing was left.
        moment: gives monotonic seconds.
    """

    def __init__(
        self,
        accounts: Accounts,
        count: Callable[[str, str, float], None],
        moment: Callable[[], float],
    ) -> None:
        self.accounts = accounts
        self._count = count
        self._moment = moment
        # Who → worker → the limits that it asked with, and when.
        self._holders: dict[str, dict[int, tuple[Limits, float]]] = {}

    def take(self, worker: int, report: Report) -> Sequence[tuple[int, Answer]]:
        """Count what a worker let flow.

        Args:
            worker: its number.
            report: what it says.

        Returns:
            Its answer, and what others are told who have a lease of the same accounts.
        """
        moment, about = self._moment(), dict(report.asked)
        for each in report.delivered:
            about[each.who] = each.limits
            self._deliver(each)
        for who, limits in about.items():
            self._hold(who, worker, limits, moment)
        own = tuple(self._account(who, limits) for who, limits in about.items())
        changed = {each.who for each in report.delivered}
        return [(worker, Answer(report.number, own)), *self._others(worker, changed)]

    @property
    def held(self) -> set[str]:
        """Of whom a worker has asked lately."""
        oldest = self._moment() - LEASE_HOLDS_SECONDS
        return {
            who
            for who, holders in self._holders.items()
            if any(asked >= oldest for _, asked in holders.values())
        }

    def learn(self, saved: Mapping[str, Viewing]) -> Sequence[tuple[int, Answer]]:
        """Take what is saved of some accounts; give what workers are told where others counted on."""
        changed = {who for who, viewing in saved.items() if self.accounts.learn(who, viewing)}
        return self._others(_NOBODY, changed)

    def gone(self, worker: int) -> None:
        """Forget a worker's leases."""
        for holders in self._holders.values():
            holders.pop(worker, None)

    def turn(self, accounts: Accounts) -> None:
        """Go on with the accounts of another day."""
        self.accounts = accounts
        self._holders.clear()

    def _deliver(self, delivered: Delivered) -> None:
        who, limits = delivered.who, delivered.limits
        is_spent = self.accounts.standing(who).is_spent(limits)
        new = self.accounts.deliver(who, delivered.piece)
        self._count(delivered.group, "overrun" if is_spent else "metered", new)

    def _hold(self, who: str, worker: int, limits: Limits, moment: float) -> None:
        if len(self._holders) > _MOST_HOLDERS_KEPT:
            self._holders.clear()
        holders = self._holders.setdefault(who, {})
        holders[worker] = limits, moment
        for other, (_, asked) in list(holders.items()):
            if moment - asked > LEASE_HOLDS_SECONDS:
                del holders[other]

    def _account(self, who: str, limits: Limits) -> Account:
        standing = self.accounts.standing(who)
        return Account(who, standing, lease(standing, limits, len(self._holders.get(who, ()))))

    def _others(self, worker: int, changed: set[str]) -> list[tuple[int, Answer]]:
        found: dict[int, list[Account]] = {}
        for who in changed:
            for other, (limits, _) in self._holders.get(who, {}).items():
                if other != worker:
                    found.setdefault(other, []).append(self._account(who, limits))
        return [(other, Answer(0, tuple(accounts))) for other, accounts in found.items()]


class Keeper:
    """Saves what a ledger counted at intervals, learns what others saved, and opens each day's accounts.

    Args:
        table: where.
        day: gives the day that it is in school.
        failed: called with each failure; what could not be saved is saved later.
        tell: takes what workers are told of what others counted; None where no other gateway counts.
    """

    def __init__(
        self,
        table: Table,
        day: Callable[[], str],
        failed: Callable[[Exception], None],
        tell: Callable[[Sequence[tuple[int, Answer]]], None] | None = None,
    ) -> None:
        self._table = table
        self._day = day
        self._failed = failed
        self._tell = tell
        self._is_failing = False
        # Milliseconds and bytes of what was read or saved last.
        self._seen: dict[str, tuple[int, int]] = {}

    def open(self) -> Accounts:
        """Give the accounts of today.

        Raises:
            UnavailableError: when the database cannot be used.
        """
        day = self._day()
        return Accounts(day, self._table.of_day(day))

    async def keep(self, ledger: Ledger) -> None:
        """Save until cancelled; a day that cannot be opened leaves the one before in force."""
        while True:
            await asyncio.sleep(SAVE_SECONDS)
            await self.save(ledger)

    async def save(self, ledger: Ledger) -> None:
        """Save what was counted, learn what others did, and open another day where it is one."""
        accounts, since = ledger.accounts, ledger.accounts.take_since()
        try:
            if since:
                saved = await asyncio.to_thread(self._table.join, accounts.day, since)
                since = {}
                self._learn(ledger, saved)
            if self._tell is not None:
                await self._look(ledger)
            if accounts.day != self._day():
                ledger.turn(await asyncio.to_thread(self.open))
                self._seen.clear()
        except UnavailableError as error:
            accounts.put_back(since)
            self._failed(error)
            if not self._is_failing:
                logger.error("The accounts of viewing are not saved: %s", error)  # noqa: TRY400
            self._is_failing = True
        else:
            self._is_failing = False

    async def _look(self, ledger: Ledger) -> None:
        """Read what others saved of those whom a worker serves here."""
        held = ledger.held
        self._seen = {who: seen for who, seen in self._seen.items() if who in held}
        known = {who: self._seen.get(who, (0, 0)) for who in held}
        if known:
            day = ledger.accounts.day
            self._learn(ledger, await asyncio.to_thread(self._table.others, day, known))

    def _learn(self, ledger: Ledger, saved: Mapping[str, Viewing]) -> None:
        if self._tell is not None:
            self._seen.update({who: (v.milliseconds, v.size) for who, v in saved.items()})
            self._tell(ledger.learn(saved))
