"""`schoolgate lists build | status | show | lint`: the index of all lists, and what is wrong with them."""

import json
import time
from collections.abc import Sequence
from typing import Any

import rich_click as click
from click.exceptions import Exit
from rich.text import Text

from schoolgate import bootstrap
from schoolgate.cli import list_updates, output
from schoolgate.cli.options import with_settings
from schoolgate.core.categories import ListEntry
from schoolgate.core.index import Built, Refused, SiteIndex
from schoolgate.core.policy import Verdict
from schoolgate.core.urls import parse_web_url
from schoolgate.lists import (
    CURATED,
    ListPlaces,
    lint_catalogue,
    make_catalogue,
    open_index,
    read_locked_lists,
    version_of,
)
from schoolgate.lists import Progress as BuildProgress
from schoolgate.settings import Settings

_SHOWN_REFUSALS = 20


@click.command("build")
@click.option(
    "--all-refused", is_flag=True, help="Show every line that is no entry, not the first."
)
@with_settings
def build(settings: Settings, all_refused: bool) -> None:
    """Build the index of all lists anew; a running gateway takes it up by itself.

    The lists are the category files and, in the state directory, lists/feeds/FEED/CATEGORY.txt:
    one host or host/path a line; =host is the host alone, *.host only what is below it.

    \b
    schoolgate lists build
    """
    places = bootstrap.list_places(settings)
    started = time.perf_counter()
    made: list[Built] = []
    with output.progress() as bar:
        task = bar.add_task("reading the lists", total=None)

        def progress(state: BuildProgress) -> None:
            bar.update(task, total=state.total, completed=state.done, description=state.name)

        catalogue = make_catalogue(places, bootstrap.now(), progress, made.append, anew=True)
    seconds = time.perf_counter() - started
    for built in made:
        _show_refused(built.refused, all_refused)
    sites = catalogue.sites
    _show_counts(sites)
    size = places.index.stat().st_size
    click.echo(
        f"{places.index}: {sites.names:,} domains in {seconds:.1f} s, {_size(size, sites.names)}, "
        f"version {catalogue.version}"
    )


@click.command("status")
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
@with_settings
def status(settings: Settings, as_json: bool) -> None:
    """Say which index there is, and whether it is that of the lists as they are now.

    Exits 1 when it is older than the lists or there is none, 2 when it is damaged.

    \b
    schoolgate lists status
    """
    places = bootstrap.list_places(settings)
    sites = open_index(places.index) if places.index.exists() else None
    if sites is None:
        click.echo(f"{places.index} does not exist yet: schoolgate lists build makes it.", err=True)
        raise Exit(1)
    fresh = sites.catalogue["version"] == version_of(places)
    size = places.index.stat().st_size
    if as_json:
        more = {**list_updates.standing(settings), "locked": _locked(settings)}
        click.echo(json.dumps({**_status(places, sites, size, fresh), **more}))
    else:
        _show_counts(sites)
        reader = "native" if sites.is_native else "Python (no compiler was at hand: slower)"
        state = (
            "of the lists as they are" if fresh else "OLDER than the lists: schoolgate lists build"
        )
        click.echo(
            f"{places.index}: {sites.names:,} domains, {_size(size, sites.names)}\n"
            f"version {sites.catalogue['version']}, built {sites.catalogue['built']}, {state}\n"
            f"reader: {reader}; checksums: right"
        )
        for one in _locked(settings):
            click.echo(
                f"locked list {one['list']}: {one['entries']:,} entries, version {one['version']}, "
                f"{one['age_days']} days old, SHA-256 {one['hash']}"
                + (f"; {one['fault']}" if one["fault"] else "")
            )
        list_updates.show_standing(settings)
    if not fresh:
        raise Exit(1)


@click.command("show")
@click.argument("address", metavar="HOST")
@click.option("--json", "as_json", is_flag=True, help="One JSON object an entry, on one line.")
@with_settings
def show(settings: Settings, address: str, as_json: bool) -> None:
    """Show every entry of every list that covers a host or a page, the most specific first.

    Exits 1 when there is none. What is decided about it: schoolgate check.

    \b
    schoolgate lists show www.example.com
    schoolgate lists show example.com/some/page
    """
    url = parse_web_url(address)
    engine = bootstrap.load_engine(settings)
    found = engine.listed(url.host, url.path)
    hit = engine.locked.at(url)
    if hit is not None:
        # Which entry it is may be said nowhere.
        found = [ListEntry(f"hash {hit.proof}", "/", "locked", hit.by.name), *found]
    if as_json:
        for entry in found:
            click.echo(json.dumps(_entry(entry)))
    elif found:
        table = output.table("entry", "category", "list")
        for entry in found:
            # Brackets and colons in an entry are no markup.
            table.add_row(*map(Text, (entry.text, entry.category, entry.feed)))
        output.console.print(table)
    if not found:
        click.echo(f"No list has {url.host}{url.path if url.path != '/' else ''}.", err=True)
        raise Exit(1)


@click.command("lint")
@with_settings
def lint(settings: Settings) -> None:
    """Name every entry that would block too much or is in a wrong form; exits 1 if there is one.

    \b
    schoolgate lists lint
    """
    engine = bootstrap.load_engine(settings)
    blocked = {
        category
        for rule in engine.policy.all_rules
        if rule.verdict is Verdict.BLOCK
        for category in rule.categories
    }
    faults = lint_catalogue(settings.lists.dirs, blocked)
    for fault in faults:
        click.echo(str(fault))
    if faults:
        click.echo(f"{len(faults)} faults.", err=True)
        raise Exit(1)
    sites = engine.catalogue.sites
    curated = sites.feed_counts.get(CURATED, 0)
    output.console.print(f"{curated} sites in {len(sites.counts)} categories: no faults.")


def _show_counts(sites: SiteIndex) -> None:
    table = output.table("category", "domains")
    for category, count in sorted(sites.counts.items(), key=lambda item: (-item[1], item[0])):
        table.add_row(category, f"{count:,}")
    output.console.print(table)
    feeds = ", ".join(f"{feed} {count:,}" for feed, count in sorted(sites.feed_counts.items()))
    click.echo(f"lists: {feeds or 'none'}")


def _show_refused(refused: Sequence[Refused], everything: bool) -> None:
    shown = refused if everything else refused[:_SHOWN_REFUSALS]
    for line in shown:
        click.echo(f"{line.source}:{line.line}: left out: {line.message}", err=True)
    if len(refused) > len(shown):
        click.echo(f"… and {len(refused) - len(shown):,} more (--all-refused)", err=True)


def _size(size_bytes: int, names: int) -> str:
    each = f" ({size_bytes / names:.1f} bytes a domain)" if names else ""
    return f"{size_bytes / 1e6:.1f} MB{each}"


def _status(places: ListPlaces, sites: SiteIndex, size: int, fresh: bool) -> dict[str, object]:
    return {
        "file": str(places.index),
        "version": sites.catalogue["version"],
        "built": sites.catalogue["built"],
        "fresh": fresh,
        "domains": sites.names,
        "entries": len(sites),
        "size_bytes": size,
        "native": sites.is_native,
        "categories": sites.counts,
        "feeds": sites.feed_counts,
    }


def _locked(settings: Settings) -> list[dict[str, Any]]:
    at = bootstrap.now()
    lists = read_locked_lists(bootstrap.locked_place(settings), at)
    return [
        {
            "list": each.by.name,
            "title": each.title,
            "entries": len(each.entries),
            "version": each.by.version,
            "date": each.by.date.isoformat(),
            "age_days": each.by.age(at).days,
            "hash": each.by.digest,
            "fault": lists.fault(each.by.name, at),
        }
        for each in lists.lists
    ]


def _entry(entry: ListEntry) -> dict[str, str]:
    return {
        "entry": entry.text,
        "category": entry.category,
        "feed": entry.feed,
        "reach": entry.reach.value,
    }
