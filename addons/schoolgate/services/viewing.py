"""What somebody asked for on a day, from the journal: their own, or a named person's on a concern."""

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from schoolgate.core.approvals import Subject, SubjectKind
from schoolgate.core.errors import UnavailableError
from schoolgate.monitoring.journal_columns import read_line
from schoolgate.monitoring.journal_search import newest_lines
from schoolgate.monitoring.journal_store import JournalStore

_DECIDED = frozenset({"request.decided", "tls.decided"})
_SCHOOL = ZoneInfo("Europe/London")
_MOMENT = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Watched:
    """Whose requests are meant: all that were known to be this person's, and what was nobody's by name.

    Of what people did who were known by name, nothing is shown to whoever holds their device later.

    Attributes:
        user: sign-in name; empty for nobody.
        client: address of a device, for requests where nobody was known by name.
        device: name of that device, likewise.
    """

    user: str = ""
    client: str = ""
    device: str = ""

    def who(self) -> dict[str, str]:
        """Give the fields of a line that name them."""
        fields = {"user": self.user, "client": self.client, "device": self.device}
        return {name: value for name, value in fields.items() if value}

    def needles(self) -> list[bytes]:
        """Give what stands in each line that may be meant, as the journal writes it."""
        return [_written(name, value) for name, value in self.who().items()]

    def meant(self, record: Mapping[str, Any]) -> bool:
        """Ask whether a line of the journal is of theirs."""
        user, device = record.get("user") or "", record.get("device") or ""
        if user:
            return bool(self.user == user)
        if device:
            return bool(self.device == device)
        return bool(self.client) and record.get("client") == self.client


def watched(subject: Subject) -> Watched:
    """Give whose requests are meant by a user, a device or an address."""
    match subject.kind:
        case SubjectKind.DEVICE:
            return Watched(device=subject.id)
        case SubjectKind.CLIENT:
            return Watched(client=subject.id)
        case _:
            return Watched(user=subject.id)


@dataclass(frozen=True, slots=True)
class Visit:
    """One request; of what is illegal the host alone is known (W-7.2.4)."""

    at: datetime
    site: str
    verdict: str
    clause: str
    category: str


@dataclass(frozen=True, slots=True)
class Limits:
    """How far is looked.

    Attributes:
        most_bytes: of the journal that are read.
        most_counted: requests that are counted.
        most_shown: of them, the newest.
    """

    most_bytes: int
    most_counted: int
    most_shown: int


@dataclass(frozen=True, slots=True)
class Viewing:
    """What somebody asked for.

    Attributes:
        visits: the newest, newest first.
        counts: requests by verdict, of all that were looked at.
        cut: whether there was more to look at.
    """

    visits: tuple[Visit, ...]
    counts: Mapping[str, int]
    cut: bool


def viewing_of(
    journal: JournalStore, whose: Watched, day: date, limits: Limits, last: date | None = None
) -> Viewing:
    """Say what somebody asked for on a day of the school, or on some.

    Args:
        journal: where it is kept.
        whose: requests are meant.
        day: of the school's zone.
        limits: how far is looked.
        last: of the days; without, that day alone.

    Raises:
        UnavailableError: when the journal cannot be read.
    """
    needles = whose.needles()
    if not needles:
        return Viewing((), {}, cut=False)
    starts = datetime.combine(day, time(), _SCHOOL)
    ends = datetime.combine((last or day) + timedelta(days=1), time(), _SCHOOL)
    # Its files are of days in UTC.
    first, final = starts.astimezone(UTC).date(), (ends - _MOMENT).astimezone(UTC).date()
    days = [final - timedelta(days=age) for age in range((final - first).days + 1)]
    files = [path for one in days for path in journal.line_files(one)]
    try:
        found = newest_lines(
            files,
            needles,
            since=starts,
            most_bytes=limits.most_bytes,
            most_lines=limits.most_counted,
        )
    except OSError as error:
        raise UnavailableError(f"the journal cannot be read: {error.strerror}") from error
    closed = list(journal.closed_records_of(first, final, whose.who(), limits.most_counted))
    records = (record for record in (*map(read_line, found.lines), *closed) if record is not None)
    visits = [visit for record in records if (visit := _visit(record, whose)) is not None]
    visits = [visit for visit in visits if starts <= visit.at < ends]
    visits.sort(key=lambda visit: visit.at, reverse=True)
    counts = Counter(visit.verdict for visit in visits)
    cut = found.cut or len(closed) >= limits.most_counted
    return Viewing(tuple(visits[: limits.most_shown]), dict(counts), cut)


def _visit(record: Mapping[str, Any], watched: Watched) -> Visit | None:
    try:
        if record["event"] not in _DECIDED or not watched.meant(record):
            return None
        return Visit(
            datetime.fromisoformat(record["ts"]),
            str(record.get("url") or record["host"]),
            str(record["verdict"]),
            str(record.get("clause") or ""),
            str(record.get("category") or ""),
        )
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None


def _written(name: str, value: str) -> bytes:
    return json.dumps({name: value}, ensure_ascii=False, separators=(",", ":"))[1:-1].encode()
