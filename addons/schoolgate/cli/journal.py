"""`schoolgate journal`: closed days, how long they are kept, and what is held as evidence."""

from datetime import date

import rich_click as click

from schoolgate import bootstrap
from schoolgate.cli import output
from schoolgate.cli.options import actor, when, with_settings
from schoolgate.core.approvals import Subject
from schoolgate.settings import Settings

_DAY = click.DateTime(formats=["%Y-%m-%d"])


@click.group()
def journal() -> None:
    """Keep the journal: docs/journal.md."""


@journal.command()
@click.option(
    "--quiet-seconds", default=0, type=click.IntRange(0), help="Leave lines that came since then."
)
@with_settings
def keep(quiet_seconds: int, settings: Settings) -> None:
    """Bring closed days into tables, and delete what is kept no longer; the gateway does it by itself.

    \b
    schoolgate journal keep
    """
    kept = bootstrap.keep_journal(settings, quiet_seconds)
    for day in kept.closed:
        click.echo(f"closed   {day}")
    for day in kept.forgotten:
        click.echo(f"deleted  of {day} what is kept no longer")
    if kept.unreadable:
        click.echo(f"{kept.unreadable} lines were none and are left out", err=True)
    if not (kept.closed or kept.forgotten):
        click.echo("Nothing was due.")


@journal.command()
@with_settings
def status(settings: Settings) -> None:
    """List the days that there are.

    \b
    schoolgate journal status
    """
    table = output.table("day", "table", "lines", "")
    for day in bootstrap.open_journal(settings).days():
        lines = [*([day.written] if day.written else []), *day.closing.values()]
        size = sum(path.stat().st_size for path in lines)
        state = "closed" if day.table and not lines else "lines wait" if day.table else ""
        table.add_row(
            str(day.day), _size(day.table.stat().st_size if day.table else 0), _size(size), state
        )
    output.console.print(table)


@journal.group()
def hold() -> None:
    """Keep lines from being deleted while they are evidence (W-7.2.4); every change is audited."""


@hold.command("add")
@click.argument("who")
@click.option("--since", type=_DAY, required=True, help="The first day, e.g. 2026-11-02.")
@click.option("--until", type=_DAY, help="The last day; without, it goes on.")
@click.option("--reason", required=True, help="Which matter it is, without a name.")
@with_settings
def hold_add(who: str, since: date, until: date | None, reason: str, settings: Settings) -> None:
    """Hold WHO's lines: user:NAME, device:NAME, client:ADDRESS or everyone.

    \b
    schoolgate journal hold add user:jsmith --since 2026-11-02 --reason "incident 17"
    """
    first, last = _day(since), _day(until)
    assert first is not None
    holds, subject = bootstrap.open_holds(settings), Subject.parse(who)
    number = holds.add(subject, first, last, reason, actor(), bootstrap.now())
    click.echo(f"hold {number}")


@hold.command("list")
@with_settings
def hold_list(settings: Settings) -> None:
    """List the holds that stand.

    \b
    schoolgate journal hold list
    """
    table = output.table("id", "for", "since", "until", "made", "by", "why")
    for one in bootstrap.open_holds(settings).standing():
        table.add_row(
            str(one.id), str(one.subject), str(one.since), str(one.until or ""), when(one.made_at),
            one.made_by, one.reason,
        )  # fmt: skip
    output.console.print(table)


@hold.command("lift")
@click.argument("number", type=int)
@click.option("--reason", required=True, help="Why it is needed no longer.")
@with_settings
def hold_lift(number: int, reason: str, settings: Settings) -> None:
    """End hold NUMBER; what is due is deleted the next time that the journal is kept.

    \b
    schoolgate journal hold lift 3 --reason "incident 17 is closed"
    """
    bootstrap.open_holds(settings).lift(number, reason, actor(), bootstrap.now())
    click.echo(f"hold {number} is lifted")


def _size(size: int) -> str:
    return f"{size / 1_000_000:,.1f} MB" if size else ""


def _day(given: date | None) -> date | None:
    # Click gives a time of day as well.
    return date(given.year, given.month, given.day) if given else None
