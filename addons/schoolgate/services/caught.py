"""Sites that no list knows and whose pages were judged again and again: proposed for the own lists."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

from schoolgate.core.approvals import Grant
from schoolgate.core.clients import Client
from schoolgate.core.errors import BadAddressError, UnavailableError
from schoolgate.core.policy import PolicyEngine, Reason, WebRequest
from schoolgate.core.urls import parse_web_url
from schoolgate.monitoring.journal_search import newest_lines

_EVENT = b'"page.judged"'
_MOST_BYTES, _MOST_LINES = 4 << 30, 100_000
# A page may be of another kind than its site; three of them on two days are the site.
ENOUGH_PAGES, ENOUGH_DAYS = 3, 2
# Of the sites that were caught, how many people may have to open again.
BUDGET_PERCENT = 5


@dataclass(slots=True)
class Caught:
    """A site whose pages were judged.

    Attributes:
        host: of the site.
        category: that most of its pages were of; of several the first in the alphabet.
        pages: addresses without their query.
        days: on which.
        last: day of the last one.
        decided: how it is answered by its name now; empty for not at all.
    """

    host: str
    category: str = ""
    pages: set[str] = field(default_factory=set)
    days: set[date] = field(default_factory=set)
    decided: str = ""

    @property
    def last(self) -> date:
        """The day of the last page."""
        return max(self.days)

    @property
    def is_opened(self) -> bool:
        """Whether somebody opened it after all."""
        return self.decided in ("granted", "allowed")

    @property
    def state(self) -> str:
        """In a word or two, for people."""
        if self.decided == "granted":
            return "opened: propose for allow.txt"
        if self.decided:
            return self.decided
        enough = len(self.pages) >= ENOUGH_PAGES and len(self.days) >= ENOUGH_DAYS
        return "proposed for block.txt" if enough else "not enough yet"


def caught_sites(
    journal: Path, engine: PolicyEngine, now: datetime, days: int = 30
) -> list[Caught]:
    """Give the sites whose pages were stopped, those with the most pages first.

    Args:
        journal: its directory.
        engine: in force; says what is listed or opened by now.
        now: when, aware.
        days: how far is looked back.

    Raises:
        UnavailableError: when the journal cannot be read.
    """
    since = now - timedelta(days=days)
    files = [journal / f"{(now - timedelta(days=back)).date()}.jsonl" for back in range(days + 1)]
    try:
        found = newest_lines(
            files, [_EVENT], since=since, most_bytes=_MOST_BYTES, most_lines=_MOST_LINES
        )
    except OSError as error:
        raise UnavailableError(f"the journal cannot be read: {error.strerror}") from error
    sites = _by_host(found.lines, since)
    for site in sites:
        site.decided = _decided(engine, site, now)
    return sorted(sites, key=lambda site: (-len(site.pages), site.host))


def overblocked_percent(sites: Iterable[Caught]) -> int:
    """Give how many of a hundred sites that were caught somebody opened after all."""
    opened = [site.is_opened for site in sites]
    return round(100 * sum(opened) / len(opened)) if opened else 0


def _by_host(lines: Iterable[bytes], since: datetime) -> list[Caught]:
    sites: dict[str, Caught] = {}
    counts: dict[tuple[str, str], int] = {}
    for line in lines:
        said = _read(line)
        at = datetime.fromisoformat(said["ts"]) if "ts" in said else None
        host, category = said.get("host"), said.get("category")
        if at is None or at < since or not host or not category or said["verdict"] == "monitor":
            continue
        site = sites.setdefault(host, Caught(host))
        site.pages.add(said.get("url") or "")
        site.days.add(at.date())
        counts[host, category] = counts.get((host, category), 0) + 1
    for site in sites.values():
        mine = [
            (-count, category) for (host, category), count in counts.items() if host == site.host
        ]
        site.category = min(mine)[1]
    return list(sites.values())


def _read(line: bytes) -> Mapping[str, Any]:
    try:
        said = json.loads(line)
    except ValueError:
        return {}
    return said if isinstance(said, dict) and said.get("event") == "page.judged" else {}


def _decided(engine: PolicyEngine, site: Caught, now: datetime) -> str:
    """Say what was decided on a site by its name since."""
    try:
        url = parse_web_url(site.host)
    except BadAddressError:
        return "no site"
    if any(_opens(grant, site.host) for grant in engine.overlay.grants):
        return "granted"
    decision = engine.decide(WebRequest(url, Client("", engine.policy.default_group)), now)
    match decision.reason:
        case Reason.LOCAL_ALLOW:
            return "allowed"
        case Reason.LOCAL_BLOCK:
            return "blocked by the school"
        case _:
            return "listed" if site.category in decision.categories else ""


def _opens(grant: Grant, host: str) -> bool:
    return host == grant.entry.host or host.endswith(f".{grant.entry.host}")
