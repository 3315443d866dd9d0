"""The evidence pack of this machine, and the figures that are sent each week and term."""

from collections.abc import Callable, Mapping
from datetime import date, timedelta
from importlib.util import find_spec
from pathlib import Path

from sqlalchemy import Engine

from schoolgate.bootstrap.accounts import Accounts
from schoolgate.bootstrap.clock import now
from schoolgate.bootstrap.journal import open_journal
from schoolgate.bootstrap.rules import load_engine
from schoolgate.core.approvals import Role
from schoolgate.core.errors import UnavailableError
from schoolgate.core.policy import PolicyEngine
from schoolgate.services.evidence import Facts, Sources, answers, as_json, gather, tables
from schoolgate.services.figures import SCHOOL
from schoolgate.services.table_file import csv_of
from schoolgate.settings import Settings
from schoolgate.storage import DecisionStore, is_there, open_database

A_YEAR = timedelta(days=365)
_PRIVATE = 0o600


def held_roles(settings: Settings) -> Mapping[Role, int]:
    """Give how many open accounts have each role.

    Raises:
        UnavailableError: when the accounts cannot be read.
    """
    if find_spec("django") is None:
        raise UnavailableError("there is no portal on this machine")
    every = list(Accounts(settings, "system:evidence"))
    return {role: sum(role in one.roles and one.is_active for one in every) for role in Role}


def facts_of(
    settings: Settings,
    engine: PolicyEngine,
    database: Engine | None,
    since: date | None = None,
    until: date | None = None,
    least_people: int = 0,
    held: Callable[[], Mapping[Role, int]] | None = None,
) -> Facts:
    """Find out what a review wants to know.

    Args:
        settings: of this machine.
        engine: the rules in force.
        database: what people decided; None where nothing was ever kept.
        since: the first day; a year before the last without.
        until: the last day; today without.
        least_people: about fewer no figure is given; as the settings have it where it is 0.
        held: gives how many open accounts have each role; as a command finds out without.

    Raises:
        RefusedError: when the days are none.
    """
    at = now()
    last = until or at.astimezone(SCHOOL).date()
    first = since or last - A_YEAR
    accounts = held or (lambda: held_roles(settings))
    sources = Sources(settings, engine, database, open_journal(settings), accounts)
    return gather(sources, first, last, at, least_people)


def evidence_of(settings: Settings, since: date | None, until: date | None) -> Facts:
    """Find out the same for a command, with the rules as they are written; arguments as of `facts_of`.

    Raises:
        ConfigurationError: when the policy or a list has faults.
        RefusedError: when the days are none.
    """
    engine = load_engine(settings)
    if not is_there(settings.database_url):
        return facts_of(settings, engine, None, since, until)
    database = open_database(settings.database_url)
    try:
        overlay = DecisionStore(database).overlay(now())
        return facts_of(settings, engine.with_overlay(overlay), database, since, until)
    finally:
        database.dispose()


def write_evidence(settings: Settings, facts: Facts, directory: Path) -> list[Path]:
    """Write the pack into a directory, readable by its owner alone; without Pango there is no PDF.

    Args:
        settings: of this machine.
        facts: what it says.
        directory: made where it is not there.

    Returns:
        what was written.

    Raises:
        UnavailableError: when it cannot be written.
    """
    texts = {
        "evidence.json": as_json(facts).encode(),
        "answers.csv": csv_of(
            ("Standard", "Line", "What it asks for", "State", "Answer"),
            [(o.standard, o.number, o.title, o.state.value, o.answer) for o in answers(facts)],
        ),
    }
    for table in tables(facts):
        texts[f"{table.id}.csv"] = csv_of(table.columns, table.rows)
    pdf = _pdf(settings, facts)
    if pdf is not None:
        texts["evidence.pdf"] = pdf
    try:
        directory.mkdir(parents=True, exist_ok=True)
        return [_written(directory / name, text) for name, text in texts.items()]
    except OSError as error:
        raise UnavailableError(f"the pack cannot be written: {error}") from error


def _written(file: Path, text: bytes) -> Path:
    file.touch(mode=_PRIVATE)
    file.chmod(_PRIVATE)
    file.write_bytes(text)
    return file


def _pdf(settings: Settings, facts: Facts) -> bytes | None:
    if find_spec("django") is None:
        return None
    # The accounts make Django ready, which makes the page.
    Accounts(settings, "system:evidence")
    from schoolgate.portal.evidence_paper import evidence_pdf  # noqa: PLC0415 - after Django's settings

    try:
        return evidence_pdf(facts)
    except UnavailableError:
        return None
