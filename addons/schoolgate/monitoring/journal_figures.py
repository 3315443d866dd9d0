"""What the journal counts to in a span of days: who asked for which kind of site, and when, in one pass."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from schoolgate.monitoring.journal_counts import DECIDED, HOUR_MS, OF_HOSTS, WHO, true_counts
from schoolgate.monitoring.journal_files import DayFiles
from schoolgate.monitoring.journal_names import Pseudonyms
from schoolgate.monitoring.journal_store import JournalStore
from schoolgate.monitoring.journal_tables import connected, explained, quoted, source

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

_OF_LINES = {
    "ts": "TIMESTAMPTZ", "event": "VARCHAR", "client": "VARCHAR", "device": "VARCHAR", "user": "VARCHAR",
    "group": "VARCHAR", "verdict": "VARCHAR", "category": "VARCHAR", "host": "VARCHAR", "kind": "VARCHAR",
    "count": "BIGINT",
}  # fmt: skip
_NAMES = ", ".join(f'"{name}"' for name in _OF_LINES if name != "ts")
# How many an event stands for.
_N = 'coalesce("count", 1) AS n'
_SEEN = 'event, who, category, "group", verdict, kind, host'
_MOST_HOSTS = 1000


@dataclass(frozen=True, slots=True)
class Counted:
    """What somebody did: how often, of which kind, with which answer; each but `events` may be empty."""

    who: str
    category: str
    group: str
    verdict: str
    events: int


@dataclass(frozen=True, slots=True)
class Hour:
    """An hour of a day: how many requests, how many of them blocked, and of how many people."""

    begins: datetime
    events: int
    blocked: int
    people: int


@dataclass(frozen=True, slots=True)
class Told:
    """How often something was seen, and of how many people; what nobody is known for has none."""

    name: str
    events: int
    people: int


@dataclass(frozen=True, slots=True)
class RawFigures:
    """All of it, before anybody may see it.

    Attributes:
        counted: requests of each person; people are pseudonyms.
        hours: the same by hour.
        ways: attempts to get round the filter, by kind.
        uncategorised: hosts that no list knows, the most frequent first.
        blocked: of the hosts that were asked about, how often each was blocked.
    """

    counted: tuple[Counted, ...]
    hours: tuple[Hour, ...]
    ways: tuple[Told, ...]
    uncategorised: tuple[Told, ...]
    blocked: Mapping[str, Told]


def raw_figures(
    journal: JournalStore, since: datetime, until: datetime, asked: Sequence[str] = ()
) -> RawFigures:
    """Count what the journal holds.

    Args:
        journal: closed days and lines.
        since: from when, aware.
        until: up to when, not included.
        asked: hosts of which the number of blocks is wanted.

    Raises:
        UnavailableError: when the journal cannot be read.
    """
    days = [
        day
        for day in journal.days()
        if since.astimezone(UTC).date() <= day.day <= until.astimezone(UTC).date()
    ]
    lines = [path for day in days for path in journal.line_files(day.day)]
    with explained(), TemporaryDirectory() as aside, connected(Path(aside)) as duck:
        _open(duck, _parts(duck, days, since, until), lines, journal.pseudonyms, since, until)
        return RawFigures(
            tuple(Counted(*row) for row in duck.execute(_COUNTED).fetchall()),
            tuple(_hour(*row) for row in duck.execute(_HOURS).fetchall()),
            tuple(Told(*row) for row in duck.execute(_WAYS).fetchall()),
            tuple(Told(*row) for row in duck.execute(_HOSTS).fetchall()),
            {row[0]: Told(*row) for row in duck.execute(_BLOCKED, [list(asked)]).fetchall()},
        )


_COUNTED = f"""
    SELECT coalesce(who, ''), coalesce(category, ''), coalesce("group", ''), coalesce(verdict, ''),
        sum(n)::BIGINT
    FROM events WHERE {DECIDED} GROUP BY who, category, "group", verdict
"""
_HOURS = f"""
    SELECT ts // {HOUR_MS} AS hour, sum(n)::BIGINT, coalesce(sum(n) FILTER (verdict = 'block'), 0)::BIGINT,
        count(DISTINCT who)
    FROM events WHERE {DECIDED} GROUP BY hour ORDER BY hour
"""
_WAYS = """
    SELECT coalesce(kind, '') AS way, sum(n)::BIGINT AS seen, count(DISTINCT who)
    FROM events WHERE event = 'circumvention.seen' GROUP BY kind ORDER BY seen DESC, way
"""
_HOSTS = f"""
    SELECT host, sum(n)::BIGINT AS seen, count(DISTINCT who) FROM events
    WHERE ({DECIDED} OR event = '{OF_HOSTS}') AND host IS NOT NULL
        AND category IS NULL AND verdict IS DISTINCT FROM 'block'
    GROUP BY host ORDER BY seen DESC, host LIMIT {_MOST_HOSTS}
"""
_BLOCKED = f"""
    SELECT host, sum(n)::BIGINT, count(DISTINCT who) FROM events
    WHERE ({DECIDED} OR event = '{OF_HOSTS}') AND verdict = 'block' AND list_contains(?, host) GROUP BY host
"""


def _parts(
    duck: "DuckDBPyConnection", days: Sequence[DayFiles], since: datetime, until: datetime
) -> list[str]:
    """Give the SQL that reads closed days: what they count to, or all of those that are not whole."""
    whole = {
        day.counts: day.table
        for day in days
        if day.table is not None and day.counts is not None and _is_whole(day.day, since, until)
    }
    counts = sorted(true_counts(duck, whole))
    counted = {whole[path] for path in counts}
    tables = [day.table for day in days if day.table is not None and day.table not in counted]
    parts = [f"SELECT ts, {_SEEN}, n FROM {source(counts)}"] if counts else []
    if tables:
        parts.append(
            f"SELECT ts, {_SEEN.replace('who', WHO + ' AS who')}, {_N} FROM {source(tables)}"
        )
    return parts


def _is_whole(day: date, since: datetime, until: datetime) -> bool:
    starts = datetime.combine(day, time(), UTC)
    return since <= starts and starts + timedelta(days=1) <= until


def _open(
    duck: "DuckDBPyConnection",
    parts: Sequence[str],
    lines: Sequence[Path],
    pseudonyms: Pseudonyms,
    since: datetime,
    until: datetime,
) -> None:
    """Make the view `events` of closed days and lines, in which a person is the same in both."""
    _read_lines(duck, lines, pseudonyms)
    of_lines = f"SELECT ts, {_SEEN}, {_N} FROM lines LEFT JOIN names USING (field, name)"
    first, last = (int(at.timestamp() * 1000) for at in (since, until))
    whole = " UNION ALL ".join((*parts, of_lines))
    duck.execute(
        f"CREATE VIEW events AS SELECT * FROM ({whole}) WHERE ts >= {first} AND ts < {last}"
    )


def _read_lines(duck: "DuckDBPyConnection", lines: Sequence[Path], pseudonyms: Pseudonyms) -> None:
    types = ", ".join(f"'{name}': '{kind}'" for name, kind in _OF_LINES.items())
    files = ", ".join(quoted(path) for path in lines)
    there = f"""read_json([{files}], format = 'newline_delimited', ignore_errors = true,
                columns = {{{types}}})""" if lines else _nothing()  # fmt: skip
    duck.execute(f"""
        CREATE TABLE lines AS SELECT epoch_ms(ts) AS ts, {_NAMES}, {WHO} AS name,
        CASE WHEN "user" IS NOT NULL THEN 'user' WHEN device IS NOT NULL THEN 'device' ELSE 'client' END
        AS field FROM {there}
    """)
    named = duck.execute("SELECT DISTINCT field, name FROM lines WHERE name IS NOT NULL").fetchall()
    known = [(field, name, pseudonyms.of(field, name)) for field, name in named]
    duck.execute("CREATE TABLE names (field VARCHAR, name VARCHAR, who VARCHAR)")
    duck.execute(
        "INSERT INTO names SELECT unnest(?), unnest(?), unnest(?)",
        [[one[part] for one in known] for part in range(3)],
    )


def _nothing() -> str:
    columns = ", ".join(f'NULL::{kind} AS "{name}"' for name, kind in _OF_LINES.items())
    return f"(SELECT {columns} WHERE false)"


def _hour(number: int, *figures: Any) -> Hour:
    return Hour(datetime(1970, 1, 1, tzinfo=UTC) + timedelta(hours=number), *figures)
