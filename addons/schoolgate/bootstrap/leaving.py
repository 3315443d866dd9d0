"""A school leaves its trust with its data: taken out, compared, and only then removed at the centre."""

import fcntl
import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Connection, NullPool, create_engine

from schoolgate import __version__
from schoolgate.bootstrap.centre import ledger_of
from schoolgate.bootstrap.clock import now
from schoolgate.bootstrap.moving import copy_into
from schoolgate.bootstrap.store import audit_trail_if_any
from schoolgate.bootstrap.trust_portal import forget_password
from schoolgate.core.errors import RefusedError, UnavailableError
from schoolgate.lists.generations import sync_directory
from schoolgate.monitoring.journal_gathered_leaving import SchoolTables, tables_of_school
from schoolgate.services.departures import (
    DATABASE,
    EVENTS,
    Departure,
    TakenTable,
    check_departure,
    write_departure,
)
from schoolgate.settings import Settings
from schoolgate.storage.copies import verified_copy
from schoolgate.storage.moving import Said, check_same, held
from schoolgate.storage.schools_leaving import (
    SchoolState,
    drop_school,
    may_read,
    open_again,
    school_in,
    schools_in,
    shut,
    url_of_school,
)

_PRIVATE_DIRECTORY = 0o700


@dataclass(frozen=True, slots=True)
class Leaving:
    """A school that leaves.

    Attributes:
        settings: of the centre.
        url: of the trust's database, as who owns it.
        school: its name.
        directory: of what it takes along.
        events: of the centre's tables of events; None where they are no part of it.
        actor: who does it, for the audit trail.
    """

    settings: Settings
    url: str
    school: str
    directory: Path
    events: Path | None
    actor: str


@dataclass(frozen=True, slots=True)
class Removed:
    """What was removed at the centre; all of it is 0 where it had gone already.

    Attributes:
        certificates: of its gateways, revoked.
        tokens: that were open.
        tables: of events.
        was_there: whether it was in the database.
    """

    certificates: int
    tokens: int
    tables: int
    was_there: bool


def schools_of(url: str) -> list[SchoolState]:
    """Give the schools of a trust's database (`storage.schools_leaving.schools_in`)."""
    return schools_in(url)


def take_out_school(leaving: Leaving, say: Said) -> Departure:
    """Copy all that the trust keeps of a school into a new directory, compare it, and change nothing else.

    Args:
        leaving: the school.
        say: told of each table and its rows when it was copied.

    Raises:
        RefusedError: when there is no such school, the directory is there, or something differs.
        UnavailableError: when something cannot be read or written.
    """
    with _tables(leaving) as tables:
        return _take_out(leaving, tables, say)


def remove_school(leaving: Leaving, say: Said) -> tuple[Departure, Removed]:
    """Take a school out, where that is not done yet, compare all of it once more, and remove it.

    Killed at any moment it can be called again: the school is whole at the centre, shut or not, or
    its export is whole and what is left goes the next time.

    Raises:
        RefusedError: when the export is not what the centre has; the school is as it was then.
        UnavailableError: when something cannot be read or written.
    """
    with _tables(leaving) as tables:
        found = school_in(leaving.url, leaving.school)
        try:
            if found is not None:
                shut(leaving.url, leaving.school)
            if leaving.directory.exists():
                departure = check_departure(leaving.directory, leaving.school)
            else:
                departure = _take_out(leaving, tables, say)
            _compare(leaving, departure, tables, found)
        except BaseException:
            if found is not None:
                open_again(leaving.url, leaving.school)
            raise
        return departure, _remove(leaving, departure, tables, was_there=found is not None)


def _take_out(leaving: Leaving, tables: SchoolTables | None, say: Said) -> Departure:
    found = school_in(leaving.url, leaving.school)
    if found is None:
        raise RefusedError(f"there is no school {leaving.school} in this database")
    with _aside(leaving.directory) as aside:
        copied = _database(leaving, aside, say) if found.tables else ()
        lines = None
        if tables is not None:
            lines = {each.path: each.rows for each in tables.copy(aside / EVENTS)}
        departure = write_departure(aside, leaving.school, now(), __version__, copied, lines)
    _record(leaving, "trust.school-exported", departure)
    return departure


def _database(leaving: Leaving, aside: Path, say: Said) -> tuple[TakenTable, ...]:
    file = aside / DATABASE
    may_read(leaving.url, leaving.school)
    with held(url_of_school(leaving.url, leaving.school)) as source:
        done = copy_into(leaving.settings, source, f"sqlite:///{file}", say)
    # One file that needs no companions, read again from its beginning.
    if verified_copy(file).fault is not None:
        raise RefusedError("the audit trail in the copy is broken: nothing was exported")
    return tuple(TakenTable(each.table, each.rows, each.digest) for each in done)


def _compare(
    leaving: Leaving,
    departure: Departure,
    tables: SchoolTables | None,
    found: SchoolState | None,
) -> None:
    """See that the export has what is to be removed, row by row and file by file."""
    if tables is not None:
        if not departure.has_events:
            raise RefusedError(
                f"the export {leaving.directory} has no events: take it out anew, to another directory"
            )
        tables.check_copied({path: each.sha256 for path, each in departure.events.items()})
    if found is None or not found.tables:
        return
    file = leaving.directory / DATABASE
    if not file.exists():
        raise RefusedError(f"{file} is missing: the school has a database meanwhile")
    may_read(leaving.url, leaving.school)
    with (
        held(url_of_school(leaving.url, leaving.school)) as source,
        _as_it_is(file) as copy,
    ):
        try:
            check_same(source, copy)
        except RefusedError as error:
            raise RefusedError(
                f"{error}: {leaving.school} has changed since {departure.at}. Nothing was removed; "
                "take it out anew, to another directory"
            ) from error


def _remove(
    leaving: Leaving, departure: Departure, tables: SchoolTables | None, *, was_there: bool
) -> Removed:
    """Remove all, in an order in which what is left can be removed the next time."""
    certificates, tokens = ledger_of(leaving.settings).revoke_school(leaving.school, now())
    gone = tables.remove() if tables is not None else 0
    if was_there:
        drop_school(leaving.url, leaving.school)
    forget_password(leaving.settings, leaving.school)
    removed = Removed(certificates, tokens, gone, was_there)
    if removed != Removed(0, 0, 0, was_there=False):
        _record(leaving, "trust.school-left", departure)
    return removed


def _record(leaving: Leaving, action: str, departure: Departure) -> None:
    trail = audit_trail_if_any(leaving.settings)
    if trail is not None:
        detail: dict[str, object] = {
            "to": str(leaving.directory),
            "rows": departure.rows,
            "lines": departure.lines,
        }
        trail.add(now(), leaving.actor, action, f"school:{leaving.school}", detail)


@contextmanager
def _tables(leaving: Leaving) -> Iterator[SchoolTables | None]:
    with ExitStack() as stack:
        if leaving.events is None:
            yield None
        else:
            yield stack.enter_context(tables_of_school(leaving.events, leaving.school))


@contextmanager
def _aside(directory: Path) -> Iterator[Path]:
    """Give a directory beside one, which takes its name when the block has ended, whole and on the disk."""
    if directory.exists():
        raise RefusedError(
            f"{directory} is there already: name a new directory; or, where it is the school's export, "
            "add --remove"
        )
    aside = directory.with_name(f".{directory.name}.half")
    try:
        directory.parent.mkdir(parents=True, exist_ok=True)
        aside.mkdir(mode=_PRIVATE_DIRECTORY, exist_ok=True)
        lock = os.open(aside, os.O_RDONLY | os.O_DIRECTORY)
        try:
            _lock(lock, aside)
            for each in aside.iterdir():
                # Of one that was killed.
                shutil.rmtree(each) if each.is_dir() else each.unlink()
            yield aside
            _sync_all(aside)
            aside.rename(directory)
            sync_directory(directory.parent)
        finally:
            os.close(lock)
    except OSError as error:
        raise UnavailableError(
            f"{error.filename or directory} cannot be written: {error.strerror or error}"
        ) from error


def _lock(descriptor: int, aside: Path) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise RefusedError(f"another process is writing {aside}") from error


def _sync_all(directory: Path) -> None:
    for each in directory.rglob("*"):
        descriptor = os.open(each, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
    sync_directory(directory)


@contextmanager
def _as_it_is(file: Path) -> Iterator[Connection]:
    """Open a database without a change to its file: its sum stays what it is."""
    where = f"{file.absolute().as_uri()}?mode=ro&immutable=1"
    engine = create_engine(
        "sqlite://", creator=lambda: sqlite3.connect(where, uri=True), poolclass=NullPool
    )
    try:
        with engine.connect() as connection:
            yield connection
    finally:
        engine.dispose()
