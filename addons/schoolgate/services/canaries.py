"""A site of each blocked category, asked of the running proxy: comes the page, under which clause?"""

import http.client
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from schoolgate.core.clients import Client
from schoolgate.core.policy import PolicyEngine, Reason, Verdict, WebRequest
from schoolgate.core.urls import Url
from schoolgate.services.probing import NOWHERE, TIMEOUT_SECONDS, Finding

_WHAT = "blocked categories"
# By which the lists close a site; whatever else closes one says nothing of them.
_BY_LIST = (Reason.CATEGORY, Reason.CIRCUMVENTION, Reason.PARENT)


@dataclass(frozen=True, slots=True)
class Canary:
    """A site that the lists close.

    Attributes:
        category: for which it stands.
        host: that is asked for.
        clause: under which it must be refused.
    """

    category: str
    host: str
    clause: str


def canaries(
    engine: PolicyEngine, listed: Iterable[tuple[str, str]], client: Client, now: datetime
) -> list[Canary]:
    """Choose a site for each category that is closed to somebody.

    Args:
        engine: the rules in force.
        listed: categories and their sites.
        client: who will ask.
        now: when, aware.
    """
    found: dict[str, Canary] = {}
    for category, host in listed:
        if category in found:
            continue
        decision = engine.decide(WebRequest(Url("http", host, 80, "/"), client), now)
        if (
            decision.verdict is Verdict.BLOCK
            and decision.reason in _BY_LIST
            and decision.category == category
        ):
            found[category] = Canary(category, host, decision.clause)
    return [found[category] for category in sorted(found)]


def asked(found: Iterable[Canary], host: str, port: int) -> Iterator[Finding]:
    """Ask the proxy for each; a fault for each that is not refused as it must be.

    No site is contacted even by a proxy that does not filter by lists: each request also names an
    address, in its Host header, that the proxy refuses whatever the lists say.

    Args:
        found: what to ask for.
        host: of the proxy.
        port: of the proxy.
    """
    well, are_well = [], True
    for canary in found:
        try:
            status, clause, category = _ask(canary.host, host, port)
        except (OSError, http.client.HTTPException) as error:
            yield Finding(_WHAT, False, f"{host}:{port} does not answer: {error!r}")
            return
        if status == http.HTTPStatus.PROXY_AUTHENTICATION_REQUIRED:
            said = "not looked at: whoever is at this machine must sign in to the proxy"
            yield Finding(_WHAT, True, said, is_note=True)
            return
        if (status, clause, category) == (403, canary.clause, canary.category):
            well.append(canary.category)
        else:
            said = (
                f"a site of {canary.category} is not refused under {canary.clause}: the proxy "
                f"answered {status} ({clause or 'no clause'}). Run 'schoolgate explain {canary.host}'"
            )
            yield Finding(_WHAT, False, said)
            are_well = False
    if well:
        yield Finding(_WHAT, True, f"a site of each is refused ({', '.join(well)})")
    elif are_well:
        said = "nothing is closed by a list for whoever is at this machine now"
        yield Finding(_WHAT, True, said, is_note=True)


def _ask(site: str, host: str, port: int) -> tuple[int, str, str]:
    connection = http.client.HTTPConnection(host, port, timeout=TIMEOUT_SECONDS)
    try:
        connection.request("GET", f"http://{site}/", headers={"Host": NOWHERE})
        answer = connection.getresponse()
        named = answer.headers
        clause = named.get("X-Schoolgate-Clause", "")
        return answer.status, clause, named.get("X-Schoolgate-Category", "")
    finally:
        connection.close()
