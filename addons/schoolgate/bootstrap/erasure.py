"""All that is kept of one person: given out, or erased from every store (H-11.4)."""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from schoolgate.bootstrap.clock import now
from schoolgate.bootstrap.journal import open_journal
from schoolgate.bootstrap.last_state import LastState
from schoolgate.bootstrap.rules import load_engine, load_people_of
from schoolgate.core.approvals import Role
from schoolgate.core.errors import RefusedError
from schoolgate.core.people import sign_in_name
from schoolgate.monitoring.journal_columns import read_line
from schoolgate.monitoring.journal_store import is_of
from schoolgate.settings import Settings
from schoolgate.storage import AuditTrail, JournalHolds, is_there, open_database
from schoolgate.storage.persons import Names, erase_rows, leave_no_byte, rows_about

_KINDS = ("user", "account")
_SHORTEST = 2


@dataclass(frozen=True, slots=True)
class Person:
    """Who is meant.

    Attributes:
        users: sign-in names, as the journal has them.
        names: how the database finds them.
    """

    users: tuple[str, ...]
    names: Names


@dataclass(frozen=True, slots=True)
class Erased:
    """What was erased.

    Attributes:
        lines: of the journal.
        rows: of the database that were deleted, or from which names were taken.
        left: files that still name the person, for somebody to look at.
    """

    lines: int
    rows: int
    left: tuple[Path, ...]


def person_of(settings: Settings, called: Sequence[str]) -> Person:
    """Say who is meant.

    Args:
        settings: of this machine.
        called: sign-in name, addresses and names, as many as are known.

    Raises:
        ConfigurationError: when policy or people.yaml have faults.
        RefusedError: when one is too short, or is what the policy calls a group or a role.
    """
    policy = load_engine(settings).policy
    domains = load_people_of(settings, policy).sign_in.domains
    words = {*policy.groups, *policy.networks, *(role.value for role in Role), "everyone"}
    given = [one.strip() for one in called]
    for one in given:
        if len(one) < _SHORTEST or one.lower() in words:
            raise RefusedError(f"{one!r} is the name of others, too: nobody can be erased by it")
    users = tuple(dict.fromkeys(sign_in_name(one, domains) for one in given))
    every = {*given, *users}
    return Person(users, Names(every, {f"{kind}:{one}" for kind in _KINDS for one in every}))


def kept_of(settings: Settings, person: Person) -> Iterator[dict[str, Any]]:
    """Give all that is kept of somebody: lines of the journal, then rows of the database.

    Raises:
        UnavailableError: when something cannot be read.
    """
    journal = open_journal(settings)
    for day in journal.days():
        for user in person.users:
            who = {"user": user}
            for record in journal.closed_records(day.day, who):
                yield {"journal": record}
            yield from ({"journal": one} for one in _lines(journal.line_files(day.day), who))
    if is_there(settings.database_url):
        database = open_database(settings.database_url)
        try:
            for table, rows in rows_about(database, person.names).items():
                yield from ({table: row} for row in rows)
        finally:
            database.dispose()


def erase(settings: Settings, person: Person, reason: str, actor: str) -> Erased:
    """Erase somebody from journal and database; the audit trail says that it was done, and not of whom.

    Raises:
        RefusedError: when lines of theirs are held as evidence, or the reason names them.
        UnavailableError: when something cannot be written; to be done again.
    """
    if not reason.strip() or person.names.are_in(reason):
        raise RefusedError("give a reason without the name: it is kept")
    database = open_database(settings.database_url)
    try:
        _refuse_what_is_held(JournalHolds(database), person)
        journal = open_journal(settings)
        lines = sum(journal.erase({"user": user}) for user in person.users)
        rows = erase_rows(database, person.names)
        detail = {"lines": lines, "rows": rows, "reason": reason.strip()}
        AuditTrail(database).add(now(), actor, "person.erased", "erased:person", detail)
        leave_no_byte(database)
        LastState(settings.state_dir).forget()
    finally:
        database.dispose()
    # Directories of settings may lie in one another.
    left = dict.fromkeys(_naming(settings, person.names))
    return Erased(lines, rows, tuple(left))


def _refuse_what_is_held(holds: JournalHolds, person: Person) -> None:
    for hold in holds.standing():
        if hold.subject.kind == "everyone" or person.names.are(str(hold.subject)):
            raise RefusedError(
                f"hold {hold.id} keeps it as evidence (W-7.2.4): schoolgate journal hold lift {hold.id}"
            )


def _lines(files: Iterable[Path], who: dict[str, str]) -> Iterator[dict[str, Any]]:
    for file in files:
        with file.open("rb") as lines:
            for line in lines:
                record = read_line(line)
                if record is not None and is_of(record, who):
                    yield record


def _naming(settings: Settings, names: Names) -> Iterator[Path]:
    """Give the files of the state and of the school's own that name somebody."""
    for root in (settings.state_dir, settings.people, settings.lists.local):
        for path in sorted(root.rglob("*")) if root.is_dir() else [root]:
            if path.is_file() and not path.is_relative_to(settings.lists_dir):
                content = path.read_bytes().decode("utf-8", "replace")
                if names.are_in(content):
                    yield path


def as_line(entry: dict[str, Any]) -> str:
    """Give what is kept as a line of JSON."""
    return json.dumps(entry, ensure_ascii=False, default=str)
