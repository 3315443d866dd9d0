"""`schoolgate policy`: is the policy in order, and how much of it is carried out."""

import rich_click as click

from schoolgate import bootstrap
from schoolgate.cli import output
from schoolgate.cli.options import with_settings
from schoolgate.core.policy import Enforcement
from schoolgate.settings import Settings

_WORDS = {
    Enforcement.ENFORCED: "enforced",
    Enforcement.PARTLY: "partly",
    Enforcement.NOT_YET: "not yet enforced",
}


@click.group()
def policy() -> None:
    """Check the school's policy."""


@policy.command("check")
@with_settings
def policy_check(settings: Settings) -> None:
    """Name every fault with file and line, then every clause and how far it is enforced.

    Exits 2 when there is a fault.

    \b
    schoolgate policy check
    """
    checked = bootstrap.load_engine(settings).policy
    table = output.table("clause", "", "what it asks for", "what is missing")
    for clause in checked.clauses.values():
        table.add_row(clause.id, _WORDS[clause.enforcement], clause.title, clause.missing)
    output.console.print(table)
    counts = {
        state: sum(clause.enforcement is state for clause in checked.clauses.values())
        for state in Enforcement
    }
    figures = ", ".join(f"{count} {_WORDS[state]}" for state, count in counts.items())
    output.console.print(f"{settings.policy_file}: no faults. Clauses: {figures}.")
