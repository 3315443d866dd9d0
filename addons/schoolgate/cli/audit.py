"""`schoolgate audit`: who did what and when, and the erasure of a person from it."""

import json

import rich_click as click

from schoolgate import bootstrap
from schoolgate.cli import output
from schoolgate.cli.options import actor, when, with_settings
from schoolgate.core.errors import RefusedError
from schoolgate.settings import Settings
from schoolgate.storage import AuditTrail


@click.group()
def audit() -> None:
    """Read the audit trail; `schoolgate doctor` verifies it."""


@audit.command("list")
@click.option("--about", default="", help="Of this alone, as request:7, user:jsmith, account:…")
@click.option("--last", default=100, show_default=True, type=click.IntRange(1, 1_000_000))
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
@with_settings
def list_(about: str, last: int, as_json: bool, settings: Settings) -> None:
    """List the latest entries, the newest last; what was erased shows its pseudonym.

    \b
    schoolgate audit list
    schoolgate audit list --about request:7
    schoolgate audit list --last 100000 --json > evidence.jsonl
    """
    trail = bootstrap.audit_trail_if_any(settings)
    told = trail.told(about, last) if trail is not None else []
    if as_json:
        for entry, beside in told:
            whole = {
                "id": entry.id,
                "at": entry.at.isoformat(),
                "actor": beside.get("actor", entry.actor),
                "action": entry.action,
                "subject": beside.get("subject", entry.subject),
                "detail": beside.get("detail"),
                "hash": entry.hash,
            }
            click.echo(json.dumps(whole, ensure_ascii=False))
        return
    table = output.table("id", "when", "who", "did", "to", "how")
    for entry, beside in told:
        detail = beside.get("detail", {})
        table.add_row(
            str(entry.id),
            when(entry.at),
            beside.get("actor", entry.actor),
            entry.action,
            beside.get("subject", entry.subject),
            ", ".join(f"{name}: {value}" for name, value in detail.items()) if beside else "erased",
        )
    output.console.print(table)


@audit.command()
@click.argument("who")
@click.option("--reason", required=True, help="On what ground; without the person's name.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@with_settings
def erase(who: str, reason: str, yes: bool, settings: Settings) -> None:
    """Delete a person's names and texts from the trail for good; the chain can still be verified.

    WHO is as the trail names them. That there was an erasure is an entry of its own. Requests and
    reports themselves, and the journal, are not changed by it.

    \b
    schoolgate audit erase user:jsmith --reason "request under article 17 of the UK GDPR"
    """
    trail: AuditTrail | None = bootstrap.audit_trail_if_any(settings)
    if not yes:
        click.confirm(f"Nobody can bring back what is erased. Erase {who}?", abort=True)
    count = trail.erase(who, bootstrap.now(), actor(), reason) if trail is not None else None
    if count is None:
        raise RefusedError(
            f"The audit trail does not know {who}: `schoolgate audit list` shows how it names people."
        )
    click.echo(f"Erased from {count} entries.")
