"""`schoolgate incidents`: what waits to be looked after, for who keeps this machine."""

from pathlib import Path

import rich_click as click

from schoolgate import bootstrap
from schoolgate.cli import output
from schoolgate.cli.options import actor, when, with_settings
from schoolgate.core.safeguarding.incidents import OUTCOME_WORDS, Outcome
from schoolgate.services.incident_file import csv_of, person_of, words_of
from schoolgate.settings import Settings


@click.group()
def incidents() -> None:
    """Show and keep incidents on this machine; every look at one is in the audit trail.

    Whoever has a shell here sees them all; the portal shows each only what is routed to them.
    """


@incidents.command("list")
@click.option("--closed", is_flag=True, help="Those that are closed.")
@with_settings
def list_(closed: bool, settings: Settings) -> None:
    """List the incidents, without whom they concern.

    \b
    schoolgate incidents list
    """
    table = output.table("incident", "severity", "theme", "opened", "with")
    for one in bootstrap.open_incidents(settings).incidents(closed=closed):
        moment = when(one.opened_at)
        table.add_row(str(one.id), one.severity, one.theme, moment, one.assigned_to or "nobody yet")
    output.console.print(table if table.row_count else "There is none.")


@incidents.command("show")
@click.argument("number", type=int)
@with_settings
def show(number: int, settings: Settings) -> None:
    """Show incident NUMBER with what was seen and done.

    \b
    schoolgate incidents show 7
    """
    store = bootstrap.open_incidents(settings)
    incident, notes, alerts = store.incident(number)
    store.exported(number, "screen", actor(), bootstrap.now())
    click.echo(f"{incident.id}: {incident.summary} ({incident.severity.value})")
    click.echo(f"concerns {person_of(incident.who) or 'nobody in particular'}")
    for alert in alerts:
        click.echo(f"seen {words_of(alert)}")
    for note in notes:
        click.echo(f"{when(note.at)} {note.actor}: {note.action}. {note.words}")


@incidents.command("note")
@click.argument("number", type=int)
@click.argument("words")
@with_settings
def note(number: int, words: str, settings: Settings) -> None:
    """Write down what was done about incident NUMBER.

    \b
    schoolgate incidents note 7 "The form tutor spoke with her."
    """
    bootstrap.open_incidents(settings).note(number, words, actor(), bootstrap.now())
    click.echo(f"Noted with incident {number}.")


@incidents.command("close")
@click.argument("number", type=int)
@click.option("--outcome", required=True, type=click.Choice([each.value for each in OUTCOME_WORDS]))
@click.option("--note", "words", default="", help="What was done, and what came of it.")
@with_settings
def close(number: int, outcome: str, words: str, settings: Settings) -> None:
    """End incident NUMBER.

    \b
    schoolgate incidents close 7 --outcome supported --note "…"
    """
    store = bootstrap.open_incidents(settings)
    store.close(number, Outcome(outcome), words, actor(), bootstrap.now())
    click.echo(f"Incident {number} is closed.")


@incidents.command("export")
@click.argument("number", type=int)
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@with_settings
def export(number: int, file: Path, settings: Settings) -> None:
    """Write incident NUMBER as CSV for the safeguarding record (CPOMS), readable by you alone.

    \b
    schoolgate incidents export 7 incident-7.csv
    """
    store = bootstrap.open_incidents(settings)
    text = csv_of(*store.incident(number))
    store.exported(number, "csv", actor(), bootstrap.now())
    file.touch(mode=0o600)
    file.write_text(text, encoding="utf-8", newline="")
    click.echo(f"Incident {number} is in {file}.")
