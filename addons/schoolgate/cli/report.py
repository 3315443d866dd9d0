"""`schoolgate report`: figures from the journal, and a person's record on a concern."""

import csv
import json
import sys
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from pathlib import Path

import rich_click as click

from schoolgate import bootstrap
from schoolgate.cli import output
from schoolgate.cli.options import LONDON, actor, with_settings
from schoolgate.core.approvals import Subject
from schoolgate.core.errors import UnavailableError
from schoolgate.services.figures import Figures, Row
from schoolgate.services.regular_reports import Kind
from schoolgate.services.table_file import inert
from schoolgate.settings import Settings

_DAY = click.DateTime(formats=["%Y-%m-%d"])
_BAR = 30
_COLUMNS = ("table", "name", "requests", "blocked", "people")


@click.group(invoke_without_command=True)
@click.option("--from", "since", type=_DAY, help="The first day; without, the last seven.")
@click.option("--to", "until", type=_DAY, help="The last day; without, today.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
@click.option("--csv", "as_csv", is_flag=True, help="A table for a table program.")
@click.pass_context
@with_settings
def report(
    context: click.Context,
    since: datetime | None,
    until: datetime | None,
    as_json: bool,
    as_csv: bool,
    settings: Settings,
) -> None:
    """Print what was asked for and what was answered; nothing that is about so few that it names somebody.

    \b
    schoolgate report
    schoolgate report --from 2026-11-02 --to 2026-11-29 --csv > november.csv
    """
    if context.invoked_subcommand is not None:
        return
    last = until.date() if until else bootstrap.now().astimezone(LONDON).date()
    first = since.date() if since else last - timedelta(days=6)
    figures = bootstrap.report_of(settings, first, last)
    if as_json:
        click.echo(json.dumps(figures.plain(), ensure_ascii=False))
    elif as_csv:
        _write(_COLUMNS, lines(figures))
    else:
        _show(figures)


@report.command()
@click.argument("who")
@click.option("--from", "since", type=_DAY, required=True, help="The first day.")
@click.option("--to", "until", type=_DAY, required=True, help="The last day, at most 30 later.")
@click.option("--asked-by", required=True, help="Account in the portal of who asks for it.")
@click.option("--concern", required=True, help="What the concern is.")
@click.option(
    "--reference", required=True, help="Of the matter, such as the number of an incident."
)
@with_settings
def person(
    who: str,
    since: datetime,
    until: datetime,
    asked_by: str,
    concern: str,
    reference: str,
    settings: Settings,
) -> None:
    """Print what WHO asked for: user:NAME, device:NAME or client:ADDRESS (W-6.3.1-monitor).

    Who asks, why, and who had it printed goes into the audit trail before anything is shown. Whoever asks
    must have a role that may open histories.

    \b
    schoolgate report person user:jsmith --from 2026-11-16 --to 2026-11-20 --asked-by dsl@school.example \\
        --concern "A friend is worried." --reference "incident 17"
    """
    why = bootstrap.Concern(asked_by, concern, reference)
    days = since.date(), until.date()
    visits = bootstrap.record_of(settings, Subject.parse(who), *days, why, actor())
    rows = (
        (visit.at.astimezone(LONDON).isoformat(timespec="seconds"), visit.site, visit.verdict,
         visit.clause, visit.category)
        for visit in visits
    )  # fmt: skip
    _write(("time", "site", "verdict", "clause", "category"), rows)


@report.command()
@click.option("--from", "since", type=_DAY, help="The first day; without, a year before the last.")
@click.option("--to", "until", type=_DAY, help="The last day; without, today.")
@click.option(
    "--out", required=True, type=click.Path(path_type=Path, file_okay=False), help="A directory."
)
@with_settings
def evidence(since: datetime | None, until: datetime | None, out: Path, settings: Settings) -> None:
    """Write what the gateway knows of filtering and monitoring, along the standards, as PDF, CSV and JSON.

    Nobody is named in it. Without Pango there is no PDF, and exit code 3.

    \b
    schoolgate report evidence --out evidence-2026
    """
    days = (since.date() if since else None, until.date() if until else None)
    facts = bootstrap.evidence_of(settings, *days)
    written = bootstrap.write_evidence(settings, facts, out)
    click.echo(f"{facts.since} to {facts.until}: {len(written)} files in {out}")
    for said in facts.unknown:
        click.echo(f"not known: {said}", err=True)
    if not any(file.suffix == ".pdf" for file in written):
        raise UnavailableError(
            "the PDF was not made: the machine lacks Pango, a font or the portal"
        )


@report.command()
@click.argument("kind", type=click.Choice([each.value for each in Kind]))
@click.option("--at", type=click.DateTime(), help="As if it were this time, in London.")
@with_settings
def regular(kind: str, at: datetime | None, settings: Settings) -> None:
    """Print the figures that are sent by mail of the last week (for the DSL) or term (for governors).

    \b
    schoolgate report regular weekly
    schoolgate report regular termly --at 2027-01-05
    """
    moment = at.replace(tzinfo=LONDON) if at else bootstrap.now()
    click.echo(bootstrap.regular_report(settings, Kind(kind), moment))


def lines(figures: Figures) -> Iterator[tuple[str, ...]]:
    """Give every figure as a line of one table; what is kept back is empty."""
    tables = {
        "total": (figures.total,), "verdict": figures.verdicts, "category": figures.categories,
        "group": figures.groups, "hour": figures.hours, "circumvention": figures.ways,
        "uncategorised": figures.uncategorised,
    }  # fmt: skip
    for name, rows in tables.items():
        for row in rows:
            yield (name, row.name, _number(row.events), _number(row.blocked), _number(row.people))
    for one in figures.over_blocks:
        yield ("over-block", f"{one.site} ({one.approved})", "", _number(one.blocks), "")


def _write(columns: Iterable[str], rows: Iterable[Iterable[str]]) -> None:
    table = csv.writer(sys.stdout, lineterminator="\n")
    table.writerow(columns)
    table.writerows([inert(cell) for cell in row] for row in rows)


def _show(figures: Figures) -> None:
    say = output.console.print
    total = figures.total
    say(
        f"{figures.since} to {figures.until}: {_number(total.events) or 'few'} requests",
        style="bold",
    )
    say(f"people {_number(total.people) or 'few'}, blocked {_number(total.blocked) or 'few'}\n")
    for title, rows in (
        ("answer", figures.verdicts),
        ("category", figures.categories),
        ("group", figures.groups),
        ("hour", [row for row in figures.hours if row.events]),
    ):
        _table(title, rows)
    _table("ways round the filter", figures.ways)
    _table("hosts that no list knows", figures.uncategorised)
    if figures.over_blocks:
        table = output.table("blocked, then approved", "on", "blocked before")
        for one in figures.over_blocks:
            table.add_row(one.site, str(one.approved), _number(one.blocks) or "few")
        say(table)
    for name, count in figures.hidden.items():
        say(
            f"{name}: {count} more about fewer than {figures.least_people} people, or kept back with them"
        )


def _table(title: str, rows: Iterable[Row]) -> None:
    rows = [row for row in rows if row.events is not None]
    if not rows:
        return
    most = max(row.events or 0 for row in rows) or 1
    table = output.table(title, "requests", "blocked", "people", "")
    for row in rows:
        bar = "█" * round((row.events or 0) / most * _BAR)
        table.add_row(row.name, _number(row.events), _number(row.blocked), _number(row.people), bar)
    output.console.print(table)
    output.console.print()


def _number(value: int | None) -> str:
    return "" if value is None else str(value)
