"""What somebody asked for on a day, from the journal: their own, or a named person's on a concern."""

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from schoolgate.core.errors import UnavailableError
from schoolgate.monitoring.journal_search import newest_lines

_DECIDED = frozenset({"request.decided", "tls.decided"})
_SCHOOL = ZoneInfo("Europe/London")


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

    def needles(self) -> list[bytes]:
        """Give what stands in each line that may be meant, as the journal writes it."""
        fields = {"user": self.user, "client": self.client, "device": self.device}
        return [_written(name, value) for name, value in fields.items() if value]

    def meant(self, record: Mapping[str, Any]) -> bool:
        """Ask whether a line of the journal is of theirs."""
        user, device = record.get("user") or "", record.get("device") or ""
        if user:
            return bool(self.user == user)
        if device:
            return bool(self.device == device)
        return bool(self.client) and record.get("client") == self.client


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


def viewing_of(journal: Path, watched: Watched, day: date, limits: Limits) -> Viewing:
    """Say what somebody asked for on a day of the school.

    Args:
        journal: its directory.
        watched: whose requests are meant.
        day: of the school's zone.
        limits: how far is looked.

    Raises:
        UnavailableError: when the journal cannot be read.
    """
    needles = watched.needles()
    if not needles:
        return Viewing((), {}, cut=False)
    starts = datetime.combine(day, time(), _SCHOOL)
    ends = datetime.combine(day + timedelta(days=1), time(), _SCHOOL)
    # Its files are of days in UTC.
    days = sorted(
        {(ends - timedelta(microseconds=1)).astimezone(UTC).date(), starts.astimezone(UTC).date()}
    )
    try:
        found = newest_lines(
            [journal / f"{one}.jsonl" for one in reversed(days)],
            needles,
            since=starts,
            most_bytes=limits.most_bytes,
            most_lines=limits.most_counted,
        )
    except OSError as error:
        raise UnavailableError(f"the journal cannot be read: {error.strerror}") from error
    visits: list[Visit] = []
    counts: Counter[str] = Counter()
    for line in found.lines:
        visit = _visit(line, watched)
        if visit is not None and starts <= visit.at < ends:
            counts[visit.verdict] += 1
            if len(visits) < limits.most_shown:
                visits.append(visit)
    return Viewing(tuple(visits), dict(counts), found.cut)


def _visit(line: bytes, watched: Watched) -> Visit | None:
    try:
        record = json.loads(line)
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
