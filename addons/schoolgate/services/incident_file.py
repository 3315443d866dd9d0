"""An incident as a file that a safeguarding record such as CPOMS takes: one row (T-5-cpoms)."""

import csv
import io
from collections.abc import Iterable
from datetime import datetime
from zoneinfo import ZoneInfo

from schoolgate.core.safeguarding.incidents import OUTCOME_WORDS, Incident, KeptAlert, Note, Outcome
from schoolgate.services.table_file import inert

LONDON = ZoneInfo("Europe/London")
COLUMNS = (
    "Incident", "Date", "Time", "Person", "Group", "Category", "Severity", "Summary", "Detail",
    "Action taken", "Assigned to", "Status", "Outcome",
)  # fmt: skip


def row_of(
    incident: Incident, notes: Iterable[Note], alerts: Iterable[KeptAlert]
) -> tuple[str, ...]:
    """Give the row of an incident, in the order of `COLUMNS`; times are those of London."""
    opened = incident.opened_at.astimezone(LONDON)
    return (
        str(incident.id),
        f"{opened:%d/%m/%Y}",
        f"{opened:%H:%M}",
        person_of(incident.who),
        incident.group,
        incident.theme.replace("-", " "),
        incident.severity.value,
        incident.summary,
        "\n".join(map(words_of, alerts)),
        "\n".join(f"{_moment(n.at)} {n.actor}: {n.action}. {n.words}" for n in notes),
        incident.assigned_to,
        "Open"
        if incident.is_open
        else f"Closed {_moment(incident.closed_at or incident.opened_at)}",
        OUTCOME_WORDS.get(incident.outcome, "") if incident.outcome is not Outcome.NONE else "",
    )


def csv_of(incident: Incident, notes: Iterable[Note], alerts: Iterable[KeptAlert]) -> str:
    """Give the file: a heading and one row (RFC 4180), without formulas."""
    file = io.StringIO(newline="")
    table = csv.writer(file)
    table.writerow(COLUMNS)
    table.writerow([inert(cell) for cell in row_of(incident, notes, alerts)])
    return file.getvalue()


def words_of(alert: KeptAlert) -> str:
    """Say what was seen, when, and what became of it."""
    search = alert.content.get("search")
    seen = f"searched for “{search}”" if search else f"{alert.source} on {alert.host}"
    times = f", {alert.times} times until {_moment(alert.last_at)}" if alert.times > 1 else ""
    verdict = alert.content.get("verdict") or "seen"
    return (
        f"{_moment(alert.at)}: {seen} ({alert.theme.replace('-', ' ')}, {alert.severity.value}; "
        f"{verdict}){times}"
    )


def person_of(who: str) -> str:
    """Give the name of a person, or say what else is known."""
    kind, _, name = who.partition(":")
    return name if kind == "user" else who


def _moment(at: datetime) -> str:
    return f"{at.astimezone(LONDON):%d/%m/%Y %H:%M}"
