"""`schoolgate lists update | diff | approve`: lists of others, from their publishers to use."""

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

import rich_click as click
from click.exceptions import Exit

from schoolgate import bootstrap
from schoolgate.cli import output
from schoolgate.cli.options import actor, when, with_settings
from schoolgate.core.errors import UnavailableError
from schoolgate.settings import Settings

if TYPE_CHECKING:
    from schoolgate.lists.feeds_file import FeedList
    from schoolgate.lists.reports import ListReport
    from schoolgate.services.feed_making import Update, Watching

_SHOWN = 20
_CUT_OFF = (
    "No publisher of lists can be reached: this machine has no way to {way}, or no name server answers it. "
    "Whoever looks after the school's network can mend that. The lists in use stay as they are."
)


@click.command("update")
@click.argument("names", metavar="[FEED…]", nargs=-1)
@click.option("--due", is_flag=True, help="Ask only for lists whose copy is old enough.")
@click.option("--dry-run", is_flag=True, help="Fetch and judge, and change nothing.")
@with_settings
def update(names: Sequence[str], settings: Settings, due: bool, dry_run: bool) -> None:
    """Fetch the lists of others from their publishers, judge them, and put in use what is good.

    FEED is a feed of categories/feeds.yaml, or a list of one as feed:list; all that are on when left out.
    A running gateway takes the lists up by itself. What the gate holds waits: schoolgate lists diff.

    Exits 1 when a list could not be had; the others are in use all the same. Exits 3 when no publisher
    could be reached.

    \b
    schoolgate lists update
    schoolgate lists update --dry-run ut1 urlhaus:online
    """
    from schoolgate.services.feed_updates import update as update_lists  # noqa: PLC0415

    around = bootstrap.surroundings_of(settings)
    if not around.lists:
        click.echo("No feed is on: see lists.feeds in schoolgate.yaml.")
        return
    started = time.perf_counter()
    with output.progress() as bar:
        done = update_lists(
            around, names=names, due_only=due, dry=dry_run, watching=_watching(bar)
        )  # fmt: skip
    if done.cut_off and done.generation is None:
        raise UnavailableError(_CUT_OFF.format(way=settings.lists.proxy or "the web"))
    _tell(done, time.perf_counter() - started, dry=dry_run)
    if done.failed:
        raise Exit(1)


@click.command("diff")
@click.argument("names", metavar="[FEED…]", nargs=-1)
@click.option("--all", "everything", is_flag=True, help="Show every entry, not the first.")
@with_settings
def diff(names: Sequence[str], settings: Settings, everything: bool) -> None:
    """Show what the last update changed, what the gate kept out of it, and what waits for a person.

    \b
    schoolgate lists diff
    schoolgate lists diff ut1:adult --all
    """
    from schoolgate.lists.generations import live_generation  # noqa: PLC0415
    from schoolgate.lists.reports import read_reports  # noqa: PLC0415

    reports = read_reports(settings.lists_dir)
    live = live_generation(settings.lists_dir)
    if live is not None:
        click.echo(
            f"generation {live.number}, live since {when(live.made)}: "
            f"{live.added:,} entries more, {live.removed:,} less"
        )
        if live.replayed:
            click.echo(live.replayed)
    for report in reports.values():
        if not names or {report.id, report.id.partition(":")[0]} & set(names):
            _show(report, everything)
    if not reports:
        click.echo("No list was ever fetched: schoolgate lists update.")


@click.command("approve")
@click.argument("name", metavar="FEED")
@click.argument("entries", metavar="[ENTRY…]", nargs=-1)
@with_settings
def approve(name: str, entries: Sequence[str], settings: Settings) -> None:
    """Put in use what waits of a feed or a list: all of it, or some entries alone.

    It is recorded with your name in the audit trail.

    \b
    schoolgate lists approve ut1:phishing
    schoolgate lists approve ut1:adult bad.example
    """
    from schoolgate.services.feed_updates import approve as approve_lists  # noqa: PLC0415
    from schoolgate.services.feed_updates import update as update_lists  # noqa: PLC0415

    around = bootstrap.surroundings_of(settings)
    trail = bootstrap.open_audit_trail(settings)
    with output.progress() as bar:
        approved = approve_lists(around, [name], entries)
        trail.add(
            bootstrap.now(), actor(), "lists.approved", f"feed:{name}", {"approved": approved}
        )
        done = update_lists(around, fetch=False, watching=_watching(bar))
    for line in approved:
        click.echo(f"approved: {line}")
    if done.generation is not None:
        click.echo(f"generation {done.generation.number} is live.")


def standing(settings: Settings) -> dict[str, object]:
    """Give how the feeds stand and which generations are kept, as JSON has it."""
    from schoolgate.lists.generations import kept_generations, live_generation  # noqa: PLC0415
    from schoolgate.services.feeds import states_of  # noqa: PLC0415

    now = bootstrap.now()
    live = live_generation(settings.lists_dir)
    return {
        "generation": live.number if live else 0,
        "generations": [one.number for one in kept_generations(settings.lists_dir)],
        "fetched": [
            {
                "feed": one.feed,
                "age_seconds": round(one.age_seconds(now)) if one.fetched_at else None,
                "domains": one.domains,
                "held": one.held,
                "failed": list(one.failed),
            }
            for one in states_of(settings)
        ],
    }


def show_standing(settings: Settings) -> None:
    """Print the same for people."""
    from schoolgate.lists.generations import kept_generations  # noqa: PLC0415
    from schoolgate.services.feeds import states_of  # noqa: PLC0415

    now = bootstrap.now()
    table = output.table("feed", "age", "entries", "waiting", "last")
    for one in states_of(settings):
        age = f"{one.age_seconds(now) / 3600:.1f} h" if one.fetched_at else "-"
        last = "; ".join(one.failed) or "good"
        table.add_row(one.feed, age, f"{one.domains:,}", str(one.held or "-"), last)
    if table.row_count:
        output.console.print(table)
    for made in kept_generations(settings.lists_dir):
        click.echo(f"generation {made.number}, {when(made.made)}, {len(made.lists)} lists")


def _watching(bar: "output.Progress") -> "Watching":
    from schoolgate.services.feed_making import Watching  # noqa: PLC0415

    fetches: dict[str, output.TaskID] = {}
    judging = bar.add_task("judging", total=None, visible=False)
    building = bar.add_task("building", total=None, visible=False)

    def fetching(listed: "FeedList", done: int, total: int) -> None:
        if listed.id not in fetches:
            fetches[listed.id] = bar.add_task(listed.id)
        bar.update(fetches[listed.id], completed=done, total=total or None)
        bar.update(fetches[listed.id], visible=not total or done < total)

    def judge(listed: "FeedList") -> None:
        if listed.id in fetches:
            bar.update(fetches[listed.id], visible=False)
        bar.update(judging, description=f"judging {listed.id}", visible=True)

    return Watching(
        fetching,
        judge,
        lambda state: bar.update(
            building, description="building", visible=True, total=state.total, completed=state.done
        ),
    )


def _tell(done: "Update", seconds: float, *, dry: bool) -> None:
    for report in done.reports.values():
        if report.result.value != "live" or report.waiting:
            click.echo(_line(report))
    if done.replayed is not None:
        click.echo(f"{done.replayed}.")
    asked = f"{done.asked} lists asked for in {seconds:.1f} s"
    if done.generation is None:
        click.echo(f"{asked}: nothing changed.")
        return
    made = done.generation
    what = "would be live" if dry else "is live"
    click.echo(
        f"{asked}: generation {made.number} {what}, {made.added:,} entries more, {made.removed:,} less"
    )


def _line(report: "ListReport") -> str:
    waiting = len(report.waiting)
    said = [report.why] if report.why else []
    if waiting:
        said.append(f"{waiting} entr{'y waits' if waiting == 1 else 'ies wait'} for a person")
    return f"{report.id}: {report.result.value}{': ' if said else ''}{'; '.join(said)}"


def _show(report: "ListReport", everything: bool) -> None:
    click.echo(
        f"\n{_line(report)}\n  {report.entries:,} entries, {report.added:,} more, "
        f"{report.removed:,} less, {report.fault_count:,} lines are no entries"
    )
    lines = [
        *(f"  waits    {one}" for one in report.findings if one.ground.holds),
        *(f"  dropped  {one}" for one in report.findings if not one.ground.holds),
        *(f"  no entry {line}" for line in report.faults),
        *(f"  {line}" for line in report.examples),
    ]
    shown = lines if everything else [line for line in lines if "waits" in line[:9]][:200]
    rest = [line for line in lines if line not in shown][: 0 if everything else _SHOWN]
    for line in [*shown, *rest]:
        click.echo(line)
    if len(shown) + len(rest) < len(lines):
        click.echo(f"  … and {len(lines) - len(shown) - len(rest):,} more (--all)")
