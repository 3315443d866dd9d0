"""`schoolgate lists caught`: sites that no list knows and whose pages were stopped for what they say."""

import rich_click as click

from schoolgate import bootstrap
from schoolgate.cli import output
from schoolgate.cli.options import actor, with_settings
from schoolgate.core.errors import BadAddressError, RefusedError
from schoolgate.core.hosts import normalise_host
from schoolgate.lists import add_host
from schoolgate.services import caught as found
from schoolgate.settings import Settings


@click.command("caught")
@click.option("--days", default=30, show_default=True, type=click.IntRange(1, 400))
@click.option("--block", metavar="HOST", help="Put a site into the school's block.txt.")
@click.option("--allow", metavar="HOST", help="Put it into allow.txt: it was judged wrongly.")
@with_settings
def caught(settings: Settings, days: int, block: str | None, allow: str | None) -> None:
    """List the sites whose pages were stopped for what they say, and what may become of them.

    Three pages on two days are proposed for block.txt. What somebody opened since is proposed for allow.txt,
    and counts as blocked wrongly.

    \b
    schoolgate lists caught
    schoolgate lists caught --block lucky.example
    """
    engine = bootstrap.load_engine(settings)
    engine = engine.with_overlay(bootstrap.overlay_if_any(settings))
    sites = found.caught_sites(settings.journal_dir, engine, bootstrap.now(), days)
    for written, name in ((block, "block.txt"), (allow, "allow.txt")):
        if written is not None:
            click.echo(_put(settings, sites, written, name))
    if block is not None or allow is not None:
        return
    table = output.table("host", "category", "pages", "days", "last", "state")
    for site in sites:
        table.add_row(
            site.host, site.category, str(len(site.pages)), str(len(site.days)),
            site.last.isoformat(), site.state,
        )  # fmt: skip
    output.console.print(table if table.row_count else "No page was stopped for what it says.")
    if sites:
        click.echo(
            f"Opened after all: {found.overblocked_percent(sites)} % of the sites"
            f" (budget {found.BUDGET_PERCENT} %)."
        )


def _put(settings: Settings, sites: list[found.Caught], written: str, name: str) -> str:
    try:
        host = normalise_host(written)
    except BadAddressError as error:
        raise RefusedError(str(error)) from error
    site = next((site for site in sites if site.host == host), None)
    if site is None:
        raise RefusedError(f"no page of {host} was stopped: see 'schoolgate lists caught'")
    why = f"{bootstrap.now():%Y-%m-%d}, {actor()}: {site.category} by {len(site.pages)} pages"
    is_new = add_host(settings.lists.local, name, host, why)
    return f"{host} is in {name}." if is_new else f"{host} was in {name} already."
