"""The small school's facts, gathered as a command does."""

from datetime import date
from pathlib import Path

from schoolgate import bootstrap
from schoolgate.core.approvals import Role
from schoolgate.services.evidence import Facts, Sources, gather
from schoolgate.settings import load_settings
from schoolgate.storage import open_database
from tests.school import NOON, School, write_school

SINCE, UNTIL = date(2026, 11, 1), date(2026, 11, 30)


def school_in(directory: Path) -> School:
    """Write the school; its mail has addresses, and its policy reviews."""
    school = write_school(directory / "school")
    policy = next((directory / "school").rglob("hill.yaml"))
    reviews = (
        "\nreviews:\n"
        "  - {title: The policy, clause: C-3, owner: governor, last: 2024-02-29, every_months: 12}\n"
        "  - {title: The board, clause: C-3, owner: slt, last: 2026-08-31, every_months: 6}\n"
    )
    policy.write_text(policy.read_text() + reviews)
    return school


def facts_of(school: School) -> Facts:
    """Gather them at noon."""
    settings = load_settings(school.config, {})
    engine = bootstrap.load_engine(settings)
    database = open_database(settings.database_url)
    try:
        held = {Role.HEADTEACHER: 1, Role.GOVERNOR: 2}
        journal = bootstrap.open_journal(settings)
        return gather(
            Sources(settings, engine, database, journal, lambda: held), SINCE, UNTIL, NOON
        )
    finally:
        database.dispose()
