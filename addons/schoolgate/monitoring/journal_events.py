"""How often something was written into the journal in a span of time, whoever it is about."""

from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from schoolgate.monitoring.journal_store import JournalStore
from schoolgate.monitoring.journal_tables import connected, explained, quoted, source


def event_count(journal: JournalStore, since: datetime, until: datetime, event: str) -> int:
    """Count the lines of an event.

    Args:
        journal: closed days and lines.
        since: from when, aware.
        until: up to when, not included.
        event: which, as ``selftest.failed``.

    Raises:
        UnavailableError: when the journal cannot be read.
    """
    first, last = since.astimezone(UTC).date(), until.astimezone(UTC).date()
    days = [day for day in journal.days() if first <= day.day <= last]
    tables = [day.table for day in days if day.table is not None]
    lines = [path for day in days for path in journal.line_files(day.day)]
    parts = []
    if tables:
        parts.append(f"SELECT ts, event FROM {source(tables)}")
    if lines:
        files = ", ".join(quoted(path) for path in lines)
        read = (
            f"read_json([{files}], format = 'newline_delimited', ignore_errors = true, "
            "columns = {'ts': 'TIMESTAMPTZ', 'event': 'VARCHAR'})"
        )
        parts.append(f"SELECT epoch_ms(ts) AS ts, event FROM {read}")
    if not parts:
        return 0
    span = [int(at.timestamp() * 1000) for at in (since, until)]
    query = (
        f"SELECT count(*) FROM ({' UNION ALL '.join(parts)}) WHERE event = ? AND ts >= ? AND ts < ?"
    )
    with explained(), TemporaryDirectory() as aside, connected(Path(aside)) as duck:
        found = duck.execute(query, [event, *span]).fetchone()
    return int(found[0]) if found else 0
