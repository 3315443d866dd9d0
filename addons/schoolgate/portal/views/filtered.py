"""Am I filtered? For any device, without a sign-in: what the gateway knows of it, and pictures that try it.

Pictures need no script: each is of a test site, and either the filter answers in its place, or nobody does.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.csp import CSP

from schoolgate.core import canaries
from schoolgate.core.clients import Client
from schoolgate.core.policy import PolicyEngine, Verdict, WebRequest
from schoolgate.core.urls import Url
from schoolgate.portal.configuration import POLICY
from schoolgate.portal.entrance import THROUGH
from schoolgate.portal.house import House, house
from schoolgate.services import selftest_results
from schoolgate.services.selftest import DOH_QUERY
from schoolgate.services.selftest_results import EVERYBODY

# Of these something is closed at nearly every school, and none worries whoever looks.
_KNOWN = ("gambling", "games", "weapons", "dating", "adult")
_TRUSTED = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 160 32" width="160" height="32">'
    '<rect width="160" height="32" fill="#00703c"/>'
    '<text x="10" y="22" font-family="sans-serif" font-size="17" fill="#fff">Trusted</text></svg>'
)


@dataclass(frozen=True, slots=True)
class Tried:
    """A picture that tries something.

    Attributes:
        what: is tried, for people.
        address: of the picture.
        well: what it shows where all is as it should be.
        otherwise: what it means where nothing or something else is seen.
    """

    what: str
    address: str
    well: str
    otherwise: str


def filtered(request: HttpRequest) -> HttpResponse:
    """Say whether this device goes through the filter, as whom, and try it."""
    here = house()
    client = here.client_at(str(request.META.get("REMOTE_ADDR", "")))
    through = bool(request.META.get(THROUGH))
    shown = {
        "through": through,
        "group": _title(here.engine(), client.group) if through else "",
        "tried": list(_tried(here, request, client)),
        "checked": _checked(here, client.group) if through else None,
    }
    answer = render(request, "portal/filtered.html", shown)
    # The pictures are of other sites than the portal.
    sources = [CSP.SELF, "data:", here.settings.portal.public_url]
    sources += [f"{scheme}://*.{canaries.ZONE}" for scheme in ("http", "https")]
    answer._csp_config = {**POLICY, "img-src": sources}
    return answer


def trusted(request: HttpRequest) -> HttpResponse:
    """Give the picture that is seen where the certificate of the gateway is trusted."""
    return HttpResponse(_TRUSTED, content_type="image/svg+xml")


def _tried(here: House, request: HttpRequest, client: Client) -> Iterator[Tried]:
    engine, public = here.engine(), here.settings.portal.public_url
    # What is asked for without TLS from a page within it is refused by browsers.
    scheme = "https" if request.is_secure() else "http"
    category = _closed(engine, client, here)
    if category:
        yield Tried(
            f"Is a test page about {engine.catalogue.categories[category].title.lower()} blocked?",
            f"{scheme}://{canaries.host_of(category)}{canaries.PICTURE}",
            "Blocked",
            "the test page was not reached at all: this device does not go through the filter",
        )
    yield Tried(
        "Is a look-up of names past the school (DNS over HTTPS) blocked?",
        f"{scheme}://{canaries.OPEN}/dns-query?dns={DOH_QUERY}",
        "Blocked",
        "the test page was not reached at all: this device does not go through the filter",
    )
    if public.startswith("https:"):
        yield Tried(
            "Does this browser trust the school's certificate?",
            public + reverse("filtered_picture"),
            "Trusted",
            "no: secure pages that are blocked show a warning in the place of the school's page",
        )


def _title(engine: PolicyEngine, group: str) -> str:
    known = engine.policy.groups.get(group)
    return known.title if known else group


def _closed(engine: PolicyEngine, client: Client, here: House) -> str:
    """Give a category that is closed to somebody; "" where none of those known is."""
    for category in _KNOWN:
        url = Url("http", canaries.host_of(category), 80, "/")
        decision = engine.decide(WebRequest(url, client), here.now())
        if decision.verdict is Verdict.BLOCK and decision.category == category:
            return category
    return ""


def _checked(here: House, group: str) -> dict[str, object] | None:
    """Give when the gateway itself last looked for this group, and whether all was well; None for never."""
    found = selftest_results.read_round(here.settings.selftest_file)
    if found is None or not here.settings.selftest.enabled:
        return None
    mine = [one for one in found.shown(here.now()) if one.group in (group, EVERYBODY)]
    checks = {one.check: one.ok for one in mine}
    return {
        "at": found.at,
        "is_well": all(one.ok for one in mine),
        "quic": checks.get("quic"),
    }
