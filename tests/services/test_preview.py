"""What would open is said before it is signed: hosts, groups, what belongs to the site, what stays."""

import json
from datetime import timedelta
from typing import Any

import pytest

from schoolgate.core.approvals import Role
from schoolgate.services.preview import HostOpened, ThirdParty, what_would_open
from schoolgate.services.scopes import Extent
from tests.services.requested import NINE, PEOPLE, school, scope


def line(host: str, seconds: float = 0, client: str = "10.0.0.7", **more: Any) -> str:
    record = {
        "ts": (NINE - timedelta(days=1) + timedelta(seconds=seconds)).isoformat(),
        "event": "request.decided",
        "client": client,
        "host": host,
        "verdict": "block",
        **more,
    }
    return json.dumps(record)


JOURNAL = [
    line("games.example"),
    line("cdn.example", 1, verdict="allow"),
    line("friends.example", 2),
    line("late.example", 60, verdict="allow"),
    line("cdn.example", 1, client="10.0.0.9", verdict="allow"),
    line("play.games.example", 100, user="abc"),
    line("cdn.example", 101, verdict="allow"),
    line("games.example", -40 * 86_400),
    line("games.example", 3, event="alert.raised"),
    line("a b", 1),
    "{",
    "[]",
]


def test_hosts_groups_and_what_belongs_to_the_site_are_shown() -> None:
    asked, given = scope(), scope(subject="everyone")
    found = what_would_open(school(), PEOPLE, asked, given, Role.HEADTEACHER, JOURNAL, NINE)
    assert found.hosts == (
        HostOpened("games.example", ("games",), True, ""),
        HostOpened("play.games.example", ("games",), True, ""),
    )
    assert found.categories == ("games",)
    assert found.others == ("pupils", "year-4")
    assert found.third_parties == (
        ThirdParty("cdn.example", 2, True),
        ThirdParty("friends.example", 1, False),
    )
    assert (found.attempts, found.people) == (2, 2)


@pytest.mark.parametrize(
    ("url", "extent", "decided_by", "want"),
    [
        ("https://vile.example", Extent.DOMAIN, Role.HEADTEACHER, (False, "C-1")),
        ("https://tunnel.example", Extent.DOMAIN, Role.HEADTEACHER, (True, "")),
        ("https://tunnel.example", Extent.DOMAIN, Role.DEPUTY, (False, "C-6")),
        ("https://games.example/a?b=1", Extent.PAGE, Role.DEPUTY, (True, "")),
    ],
)
def test_what_still_stops_a_site_is_named(
    url: str, extent: Extent, decided_by: Role, want: tuple[bool, str]
) -> None:
    asked = scope(url, extent)
    [host] = what_would_open(school(), PEOPLE, asked, asked, decided_by, [], NINE).hosts
    assert (host.opens, host.stays) == want


def test_a_scope_for_a_period_is_shown_as_in_that_period() -> None:
    at = NINE + timedelta(hours=6)
    asked = scope(now=at, periods=["lessons"])
    [host] = what_would_open(school(), PEOPLE, asked, asked, Role.HEADTEACHER, [], at).hosts
    assert host.opens
