"""Budgets of viewing: what a person has left today, and how much a worker may let flow by itself."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from enum import Enum
from typing import NamedTuple
from zoneinfo import ZoneInfo

from schoolgate.core.media.viewing import Piece, Viewing

_LONDON = ZoneInfo("Europe/London")
# What a worker may let flow of one account without the owner's word: this, or that share of what is left.
LEASE_SECONDS = 20.0
LEASE_BYTES = 50_000_000
LEASE_SHARE = 0.05
# What a segment may be (the usual target duration of HLS): by so much a budget may be overrun.
SEGMENT_SECONDS = 6.0
SEGMENT_BYTES = 4_000_000


class Limits(NamedTuple):
    """What a person may be given in a day.

    Attributes:
        seconds: of media time.
        size: bytes.
        warn_percent: from this share of either on people are told.
    """

    seconds: int
    size: int
    warn_percent: int = 80


class Standing(NamedTuple):
    """Where an account stands.

    Attributes:
        day: that it is about, ``2026-11-23``.
        seconds: of media time that were delivered.
        size: bytes that were.
    """

    day: str
    seconds: float = 0.0
    size: int = 0

    def is_spent(self, limits: Limits) -> bool:
        """Ask whether nothing is left."""
        return self.seconds >= limits.seconds or self.size >= limits.size

    def is_near(self, limits: Limits) -> bool:
        """Ask whether so much is used that people are told."""
        share = limits.warn_percent / 100
        return self.seconds >= limits.seconds * share or self.size >= limits.size * share

    def left(self, limits: Limits) -> tuple[float, int]:
        """Give the seconds and the bytes that are left."""
        return max(limits.seconds - self.seconds, 0.0), max(limits.size - self.size, 0)


class Lease(NamedTuple):
    """What a worker may let flow of an account until it hears of it again."""

    seconds: float
    size: int


def lease(standing: Standing, limits: Limits, holders: int) -> Lease:
    """Give what each of some workers may let flow by itself: together no more than is left.

    Args:
        standing: of the account.
        limits: of its budget.
        holders: how many workers have a lease of it.
    """
    seconds, size = standing.left(limits)
    parts = max(holders, 1)
    return Lease(
        min(max(LEASE_SECONDS, seconds * LEASE_SHARE), seconds / parts),
        min(max(LEASE_BYTES, int(size * LEASE_SHARE)), size // parts),
    )


class Word(Enum):
    """What a worker knows of whether more may flow."""

    GO = "go"
    STOP = "stop"
    ASK = "ask"  # only the owner can tell


@dataclass(slots=True)
class Allowance:
    """What a worker knows of one account: where it stood, its lease, and what flowed since.

    Attributes:
        standing: as the owner said last.
        lease: likewise.
        seconds: that flowed since, at most: the owner alone knows which of them are new.
        size: bytes that flowed since.
    """

    standing: Standing
    lease: Lease
    seconds: float = 0.0
    size: int = 0

    def use(self, piece: Piece) -> None:
        """Note what was delivered and is not settled."""
        self.seconds += piece.seconds
        self.size += piece.size

    def settle(self, standing: Standing, lease: Lease, pieces: Iterable[Piece]) -> None:
        """Take the owner's answer to some pieces."""
        self.standing, self.lease = standing, lease
        for piece in pieces:
            self.seconds = max(self.seconds - piece.seconds, 0.0)
            self.size = max(self.size - piece.size, 0)

    def word(self, limits: Limits, day: str) -> Word:
        """Say whether more may flow.

        Args:
            limits: of the budget.
            day: that it is.
        """
        if self.standing.day != day:
            return Word.ASK
        if self.standing.is_spent(limits):
            return Word.STOP
        is_out = self.seconds >= self.lease.seconds or self.size >= self.lease.size
        return Word.ASK if is_out else Word.GO

    @property
    def room(self) -> tuple[float, int]:
        """The seconds and the bytes that are left of the lease."""
        return max(self.lease.seconds - self.seconds, 0.0), max(self.lease.size - self.size, 0)

    def is_within(self, limits: Limits) -> bool:
        """Ask whether what flowed since is no more than a segment above what was left."""
        seconds, size = self.standing.left(limits)
        return self.seconds < seconds + SEGMENT_SECONDS and self.size < size + SEGMENT_BYTES


class Accounts:
    """What everybody was given on one day; for the process that owns it, beside others on other gateways.

    Args:
        day: that it is.
        saved: what was known of it.
    """

    def __init__(self, day: str, saved: Mapping[str, Viewing] | None = None) -> None:
        self.day = day
        self._viewings = dict(saved or {})
        # What was counted here and is not saved.
        self._since: dict[str, Viewing] = {}

    def standing(self, who: str) -> Standing:
        """Give where an account stands."""
        viewing = self._viewings.get(who)
        if viewing is None:
            return Standing(self.day)
        return Standing(self.day, viewing.seconds, viewing.size)

    def deliver(self, who: str, piece: Piece) -> float:
        """Count a piece for somebody; give how many seconds of it are new."""
        self._since.setdefault(who, Viewing()).deliver(piece)
        return self._viewings.setdefault(who, Viewing()).deliver(piece)

    def take_since(self) -> dict[str, Viewing]:
        """Give what was counted since this was asked last."""
        since, self._since = self._since, {}
        return since

    def put_back(self, since: Mapping[str, Viewing]) -> None:
        """Take what could not be saved, to give it again."""
        for who, viewing in since.items():
            self._since.setdefault(who, Viewing()).join(viewing)

    def learn(self, who: str, saved: Viewing) -> bool:
        """Take what is saved of somebody, which others may have counted on; tell whether more is used.

        What was taken from here before must be within it.
        """
        if who in self._since:
            saved.join(self._since[who])
        known = self._viewings.get(who) or Viewing()
        if saved.milliseconds <= known.milliseconds and saved.size <= known.size:
            return False
        self._viewings[who] = saved
        return True


def resets_at(now: datetime) -> datetime:
    """Give when the budgets begin anew after a time, aware: the next midnight in school."""
    tomorrow = now.astimezone(_LONDON).date() + timedelta(days=1)
    return datetime.combine(tomorrow, time(), _LONDON)
