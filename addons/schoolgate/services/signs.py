"""Looks for signs of harm in what is asked for, in a thread of its own, and raises alerts.

The event loop only hands requests over; what does not fit the queue is counted and not looked at.
"""

from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import datetime
from typing import NamedTuple

from schoolgate.core.approvals import Subject
from schoolgate.core.clients import Client
from schoolgate.core.errors import BadAddressError
from schoolgate.core.policy import PolicyEngine, Verdict, WebRequest, safeguard_for
from schoolgate.core.safeguarding import Asked, Concern, Theme, Watch
from schoolgate.core.safeguarding.alerts import Alert, Throttle
from schoolgate.core.urls import Url
from schoolgate.services.writing import Writer

_MOST_WAITING = 10_000
_MOST_KEPT = 1_000
_AGAIN_SECONDS = 1.0
_GATHER_SECONDS = 0.2
_MOST_SILENT = 2_000
_MOST_BLOCKED = 512
# The group of which, or of whose part, staff are (uk-baseline).
STAFF = "staff"
# Of these nothing is kept beyond who, when and where, and they have an alert of their own (W-7.2.4).
_ILLEGAL = "illegal"

# Whoever looks for these may be the one who suffers.
_IN_NEED = frozenset({Theme.SELF_HARM, Theme.EATING_DISORDERS, Theme.EXPLOITATION, Theme.BULLYING})

# Keeps alerts; raises UnavailableError.
type Keep = Callable[[Sequence[Alert]], None]


class Seen(NamedTuple):
    """A request that was decided.

    Attributes:
        request: which.
        engine: that decided it.
        verdict: how.
        at: when, aware.
        by_hand: whether a person goes there, and no script or picture.
    """

    request: WebRequest
    engine: PolicyEngine
    verdict: Verdict
    at: datetime
    by_hand: bool


class Signs:
    """Takes requests on the event loop.

    Args:
        watch: gives what is looked for.
        told: called in the thread with each alert.
        keep: writes alerts; tried again until they are kept.
        missed: called with how many were not looked at.
        failed: called with each failure to write.
    """

    def __init__(
        self,
        watch: Callable[[], Watch],
        told: Callable[[Alert, Seen], None],
        keep: Keep = lambda _: None,
        missed: Callable[[int], None] = lambda _: None,
        failed: Callable[[Exception], None] = lambda _: None,
    ) -> None:
        self._missed = missed
        # Of addresses, while watch and engine are these.
        self._needs: dict[Url, bool] = {}
        self._needs_for: tuple[Watch, PolicyEngine] | None = None
        self._watch = watch
        self._writer = Writer(
            "signs",
            _Looking(watch, told, keep),
            most_waiting=_MOST_WAITING,
            again_seconds=_AGAIN_SECONDS,
            gather_seconds=_GATHER_SECONDS,
            failed=failed,
            lost="Alerts are in the journal, and not in the database yet",
        )

    def start(self) -> None:
        """Begin to look."""
        self._writer.start()

    def stop(self) -> None:
        """Look at what waits, write once, and end."""
        self._writer.stop()

    def is_in_need(self, engine: PolicyEngine, url: Url) -> bool:
        """Ask whether whoever asks for an address may need help: looked at when it is blocked."""
        # What is blocked is asked for again and again, and whoever asks waits for the page.
        now_for = self._watch(), engine
        if self._needs_for != now_for or len(self._needs) >= _MOST_BLOCKED:
            self._needs.clear()
            self._needs_for = now_for
        known = self._needs.get(url)
        if known is None:
            search = engine.searched(WebRequest(url, Client("", "")))
            found = now_for[0].concerns(Asked(url, search))
            known = self._needs[url] = any(each.theme in _IN_NEED for each in found)
        return known

    @staticmethod
    def nobody_is(_engine: PolicyEngine, _url: Url) -> bool:
        """Answer where nothing is looked for."""
        return False

    def see(self, seen: Seen) -> None:
        """Take a request; never waits."""
        may_say = seen.by_hand or seen.request.url.query
        if seen.engine.policy.safeguards and may_say and not self._writer.give(seen):
            self._missed(1)


class _Looking:
    """What was found and is not written yet."""

    def __init__(
        self, watch: Callable[[], Watch], told: Callable[[Alert, Seen], None], keep: Keep
    ) -> None:
        self._watch = watch
        self._told = told
        self._keep = keep
        self._throttle = Throttle()
        self._found: list[Alert] = []
        # Addresses that say nothing, while engine and watch are these: most are asked for again.
        self._silent: set[tuple[Url, bool]] = set()
        self._silent_for: tuple[PolicyEngine, Watch] | None = None

    def __len__(self) -> int:
        return len(self._found)

    def add(self, item: Seen) -> None:
        if self._says_nothing(item):
            return
        for alert in alerts_of(item, self._watch()):
            if self._throttle.passes(alert.who, alert.concern, alert.at):
                self._told(alert, item)
                self._found.append(alert)

    def _says_nothing(self, item: Seen) -> bool:
        now = item.engine, self._watch()
        if self._silent_for != now or len(self._silent) >= _MOST_SILENT:
            self._silent_for = now
            self._silent.clear()
        asked = item.request.url, item.by_hand
        if asked in self._silent:
            return True
        if concerns_at(*now, item.request.url, by_hand=item.by_hand):
            return False
        self._silent.add(asked)
        return True

    def write(self) -> None:
        self._keep(tuple(self._found))
        self._found.clear()

    def not_written(self) -> None:
        # The journal has them all.
        del self._found[:-_MOST_KEPT]


def alerts_of(seen: Seen, watch: Watch) -> list[Alert]:
    """Give the alerts that a request is worth, before any throttling.

    Args:
        seen: the request.
        watch: what is looked for.
    """
    request, engine = seen.request, seen.engine
    client, url = request.client, request.url
    concerns = concerns_at(engine, watch, url, by_hand=seen.by_hand)
    if not concerns:
        return []
    search = engine.searched(request)
    groups = engine.policy.groups_of(client)
    found: list[Alert] = []
    for concern in concerns:
        rule = safeguard_for(engine.policy.safeguards, groups, concern)
        if rule is not None:
            kept = search if rule.keeps_search else engine.search_of(request)
            alert = Alert(
                seen.at, str(Subject.nearest(client)), client.device, client.address, client.group,
                STAFF in groups, concern, url.host, url.without_query, kept,
                seen.verdict.value, rule.clause,
            )  # fmt: skip
            found.append(alert)
    return found


def concerns_at(
    engine: PolicyEngine, watch: Watch, url: Url, *, by_hand: bool
) -> Sequence[Concern]:
    """Give what an address says of whoever asks for it, none for what has an alert of its own."""
    request = WebRequest(url, Client("", ""))
    sites = engine.catalogue.sites
    categories = sites.categories(sites.get(url.host, url.path))
    if _ILLEGAL in categories or _is_locked(engine, request):
        return ()
    search = engine.searched(request)
    return watch.concerns(Asked(url, search, frozenset(categories), by_hand))


def _is_locked(engine: PolicyEngine, request: WebRequest) -> bool:
    if engine.locked_at(request.url) is not None:
        return True
    with suppress(BadAddressError):
        return any(engine.locked_at(inner.url) is not None for inner in engine.inside(request))
    return False
