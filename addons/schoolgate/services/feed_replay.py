"""What an update would have closed of what was really visited: asked of the journal of the last days."""

import re
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import orjson

from schoolgate.core.categories import ListEntry, Reach
from schoolgate.core.clients import Client
from schoolgate.core.errors import BadAddressError
from schoolgate.core.gate import closure
from schoolgate.core.index import SiteIndex, index_of
from schoolgate.core.policy import PolicyEngine, Verdict, WebRequest
from schoolgate.core.urls import parse_web_url

LOOKED_BACK = timedelta(days=7)
# So many people in a week do not visit by mistake what one list alone thinks is bad.
MANY_PEOPLE = 5
_HOST = re.compile(rb'"host":"([^"\\]+)"')
_LET_THROUGH = frozenset({"allow", "monitor", "warn", "limit"})

# Gives the rules in force over an index.
type WithSites = Callable[[SiteIndex], PolicyEngine]


@dataclass(frozen=True, slots=True)
class Closed:
    """A host that an update would close.

    Attributes:
        host: as it was visited.
        people: who visited it: user, else device, else address.
        entries: (list, entry) that close it.
    """

    host: str
    people: frozenset[str]
    entries: frozenset[tuple[str, str]]


@dataclass(slots=True)
class Replayed:
    """What a replay found.

    Attributes:
        closed: hosts that would be closed, those of most people first.
    """

    closed: list[Closed] = field(default_factory=list)

    def __str__(self) -> str:
        """Give it in a sentence."""
        if not self.closed:
            return "nothing that was visited in the last seven days would be newly blocked"
        people = frozenset[str]().union(*(one.people for one in self.closed))
        sites = "1 site" if len(self.closed) == 1 else f"{len(self.closed):,} sites"
        who = "1 person" if len(people) == 1 else f"{len(people):,} people"
        return f"this update would newly block {sites} that {who} used in the last seven days"


def hosts_seen(pieces: Iterable[bytes]) -> set[bytes]:
    """Give every host that a journal names, with all that they are below.

    Args:
        pieces: of the journal, whole lines each.
    """
    found: set[bytes] = set()
    for piece in pieces:
        found.update(_HOST.findall(piece))
    return closure(found)


def replay_update(
    pieces: Iterable[bytes],
    engine: PolicyEngine,
    with_sites: WithSites,
    added: Mapping[str, tuple[str, Collection[bytes]]],
) -> Replayed:
    """Ask of each visit that an entry concerns whether it would be blocked now and was not.

    Args:
        pieces: of the journal, whole lines each.
        engine: the rules in force.
        with_sites: gives the same rules over other lists.
        added: list → its category and the entries that are new.
    """
    new = [
        _entry(text, category, name) for name, (category, texts) in added.items() for text in texts
    ]
    covering = index_of(new)
    visits = _visits(pieces, covering, engine)
    known = {
        entry
        for url in {request.url for request, _ in visits}
        for entry in engine.catalogue.sites.entries(url.host, url.path)
    }
    before, after = with_sites(index_of(known)), with_sites(index_of({*known, *new}))
    closed: dict[str, tuple[set[str], set[tuple[str, str]]]] = {}
    for (request, at), people in visits.items():
        was, would = before.decide(request, at), after.decide(request, at)
        if would.verdict is Verdict.BLOCK and was.verdict is not Verdict.BLOCK:
            who, which = closed.setdefault(request.url.host, (set(), set()))
            who |= people
            found = covering.entries(request.url.host, request.url.path)
            which |= {(entry.feed, entry.text) for entry in found}
    every = [Closed(host, frozenset(who), frozenset(w)) for host, (who, w) in closed.items()]
    return Replayed(sorted(every, key=lambda one: (-len(one.people), one.host)))


def _visits(
    pieces: Iterable[bytes], covering: SiteIndex, engine: PolicyEngine
) -> dict[tuple[WebRequest, datetime], set[str]]:
    found: dict[tuple[WebRequest, datetime], set[str]] = {}
    for piece in pieces:
        for line in piece.splitlines():
            host = _HOST.search(line)
            if host is None or not covering.get_with_paths(host[1].decode()):
                continue
            try:
                record = orjson.loads(line)
                if record.get("verdict") not in _LET_THROUGH or record.get("grant"):
                    continue
                request = _request(engine, record)
                at = datetime.fromisoformat(record["ts"]).replace(minute=0, second=0, microsecond=0)
            except (ValueError, KeyError, TypeError, BadAddressError):
                continue
            who = str(record.get("user") or record.get("device") or record.get("client") or "")
            found.setdefault((request, at), set()).add(who)
    return found


def _request(engine: PolicyEngine, record: dict[str, object]) -> WebRequest:
    group = str(record.get("group") or "")
    policy = engine.policy
    client = Client(
        "",
        group if group in policy.groups else policy.default_group,
        network=str(record.get("network") or ""),
        device_kind=str(record.get("device_kind") or ""),
    )
    return WebRequest(parse_web_url(str(record.get("url") or record["host"])), client)


def _entry(text: bytes, category: str, name: str) -> ListEntry:
    written = text.decode()
    for sign, reach in (("=", Reach.HOST), ("*.", Reach.BELOW)):
        if written.startswith(sign):
            return ListEntry(written.removeprefix(sign), "/", category, name, reach)
    host, slash, path = written.partition("/")
    return ListEntry(host, slash + path if path else "/", category, name)
