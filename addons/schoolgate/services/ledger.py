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


class Table(Protocol):
    """Where accounts are kept; each call may raise `UnavailableError`."""

    def keep(self, day: str, viewings: Mapping[str, Viewing]) -> None:
        """Keep some accounts of a day."""

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
    """Saves a ledger's accounts at intervals, and opens each day's.

    Args:
        table: where.
        day: gives the day that it is in school.
        failed: called with each failure; what could not be saved is saved later.
    """

    def __init__(
        self, table: Table, day: Callable[[], str], failed: Callable[[Exception], None]
    ) -> None:
        self._table = table
        self._day = day
        self._failed = failed
        self._is_failing = False

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
        """Save what changed, and open another day where it is one."""
        accounts, changed = ledger.accounts, ledger.accounts.take_changed()
        try:
            if changed:
                await asyncio.to_thread(self._table.keep, accounts.day, changed)
            if accounts.day != self._day():
                ledger.turn(await asyncio.to_thread(self.open))
        except UnavailableError as error:
            accounts.put_back(changed)
            self._failed(error)
            if not self._is_failing:
                logger.error("The accounts of viewing are not saved: %s", error)  # noqa: TRY400
            self._is_failing = True
        else:
            self._is_failing = False
