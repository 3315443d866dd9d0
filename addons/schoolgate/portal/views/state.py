"""How the gateway stands, and the settings in force: for those who keep it."""

from collections.abc import Iterator

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from schoolgate import __version__
from schoolgate.core.errors import ConfigurationError
from schoolgate.portal.house import House, house
from schoolgate.services import configuration, probing, selftest_results
from schoolgate.services.feed_finding import feeds_finding
from schoolgate.services.feeds import states_of
from schoolgate.storage import is_postgresql, place_of, sqlite_path

_MEGABYTE = 1_000_000


def state(request: HttpRequest) -> HttpResponse:
    """Show what is known at once; on demand what `schoolgate doctor` finds."""
    here = house()
    looked = "look" in request.GET
    sites = here.engine().catalogue.sites
    shown = {
        "rows": list(_rows(here)),
        "findings": here.keeping.examination.findings() if looked else [],
        "looked": looked,
        "feeds": sorted(sites.feed_counts.items()),
        "categories": sorted(sites.counts.items(), key=lambda one: (-one[1], one[0])),
    }
    return render(request, "portal/state.html", shown)


def settings(request: HttpRequest) -> HttpResponse:
    """Show the settings in force, without secrets."""
    here = house()
    shown = {"settings": list(configuration.shown(here.settings)), "file": here.settings.file}
    return render(request, "portal/settings.html", shown)


def _rows(here: House) -> Iterator[tuple[str, str, bool]]:
    """Give what is said, and whether it is as it should be."""
    engine = here.engine()
    yield "schoolgate", __version__, True
    yield "Policy", f"{engine.policy.id}: {engine.policy.document}", True
    yield (
        "Version in force on the workers",
        here.decisions.recorded_label("policy") or "none yet",
        True,
    )
    yield (
        "Version that the portal has read",
        f"{engine.policy.version}+{engine.catalogue.version}",
        True,
    )
    yield _lists(here)
    yield _feeds(here)
    yield _ca(here)
    yield _selftest(here)
    yield "Database", _database(here), True
    now = here.now()
    outbox = here.keeping.outbox.state(now - probing.GAVE_UP_OF_LATE)
    for finding in probing.mail(here.settings, outbox, now):
        yield "Mail", finding.said, finding.ok and not finding.is_note


def _lists(here: House) -> tuple[str, str, bool]:
    sites = here.engine().catalogue.sites
    found = probing.lists(sites.catalogue.get("built"), sites.names, here.now())
    return "Lists", found.said, found.ok and not found.is_note


def _feeds(here: House) -> tuple[str, str, bool]:
    name = "Lists of others"
    try:
        found = feeds_finding(states_of(here.settings), here.now())
    except ConfigurationError as error:
        return name, str(error), False
    return name, found.said, found.ok and not found.is_note


def _ca(here: House) -> tuple[str, str, bool]:
    name = "Certificate of the gateway"
    found = list(probing.authorities(here.settings, here.now()))
    is_well = all(finding.ok and not finding.is_note for finding in found)
    return name, "; ".join(finding.said for finding in found), is_well


def _selftest(here: House) -> tuple[str, str, bool]:
    found = list(selftest_results.found(here.settings, here.now()))
    is_well = all(finding.ok and not finding.is_note for finding in found)
    return "Self-test", "; ".join(finding.said for finding in found), is_well


def _database(here: House) -> str:
    url = here.settings.database_url
    place = str(place_of(url)).partition("?")[0]
    if is_postgresql(url):
        return place
    file = sqlite_path(url)
    size = file.stat().st_size / _MEGABYTE if file.exists() else 0
    return f"{place}, {size:.1f} MB"
