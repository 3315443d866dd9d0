"""What would happen to a URL is what the proxy would do, with the evidence."""

from datetime import timedelta
from ipaddress import ip_network
from typing import Any

import pytest

from schoolgate.core.approvals import Overlay
from schoolgate.core.errors import BadAddressError
from schoolgate.core.locked import LockedLists
from schoolgate.core.policy import Inspection, InspectionMode, PolicyEngine, Rule, Verdict
from schoolgate.services.checking import check, explain
from tests.core.locked.test_lists import locked
from tests.core.policy.example import (
    NOON,
    PUPIL,
    TEACHER,
    engine,
    grant,
    hosts,
    listed,
    local_block,
    suspension,
)

BLOCK_GAMES = Rule(
    "no-games", "C-8", Verdict.BLOCK, categories=("games",), groups=frozenset({"pupils"})
)
NAMED = Rule("named", "C-8", Verdict.WARN, hosts=hosts("named.example/page"))
KEYS = [
    "url", "host", "verdict", "reason", "clause", "category", "categories", "entry", "feed",
    "grant", "group", "period", "tls", "obligations", "contents", "rule", "policy", "at",
]  # fmt: skip


@pytest.fixture
def school() -> PolicyEngine:
    return engine(
        [listed("chess.example"), listed("chess.example", "news")],
        [local_block("closed.example")],
        Overlay(1, (grant("opened.example"),)),
        rules=(BLOCK_GAMES, NAMED),
        inspection=Inspection(InspectionMode.NEEDED),
    )


def answer(school: PolicyEngine, url: str, **keys: Any) -> dict[str, Any]:
    return check(school, url, keys.get("client", PUPIL), keys.get("now", NOON)).as_json()


def test_an_answer_has_exactly_the_keys_of_the_contract_in_their_order(
    school: PolicyEngine,
) -> None:
    assert list(answer(school, "https://chess.example/")) == KEYS


def test_a_url_that_is_none_says_why_beside_them(school: PolicyEngine) -> None:
    assert list(answer(school, "a b")) == [*KEYS, "error"]


def test_an_answer_gives_the_decision_and_its_evidence(school: PolicyEngine) -> None:
    assert answer(school, "HTTPS://WWW.Chess.Example:443/a?b#c") == {
        "url": "HTTPS://WWW.Chess.Example:443/a?b#c",
        "host": "www.chess.example",
        "verdict": "block",
        "reason": "category",
        "clause": "C-8",
        "category": "games",
        "categories": ["games", "news"],
        "entry": "chess.example",
        "feed": "curated",
        "grant": None,
        "group": "pupils",
        "period": None,
        "tls": "refuse",
        "obligations": [],
        "contents": [],
        "rule": "no-games",
        "policy": "example",
        "at": "2026-11-23T12:00:00+00:00",
    }


@pytest.mark.parametrize(
    ("url", "want"),
    [
        ("chess.example", ("block", "category", "no-games", "chess.example", None)),
        ("notchess.example", ("allow", "default", "otherwise", None, None)),
        ("https://named.example/page/1", ("warn", "host", "named", "named.example/page", None)),
        ("https://named.example/", ("allow", "default", "otherwise", None, None)),
        ("closed.example", ("block", "local_block", "local-block", "closed.example", None)),
        ("opened.example", ("allow", "grant", "grant", "opened.example", 1)),
    ],
)
def test_each_kind_of_decision_shows_what_it_rests_on(
    school: PolicyEngine, url: str, want: tuple[object, ...]
) -> None:
    got = answer(school, url)
    assert (got["verdict"], got["reason"], got["rule"], got["entry"], got["grant"]) == want


@pytest.mark.parametrize(
    ("url", "want"),
    [
        ("https://chess.example/", "refuse"),
        ("http://chess.example/", "refuse"),  # what TLS to the host would meet
        ("https://named.example/", "decrypt"),  # a page of it is warned of
        ("https://nothing.example/page", "pass"),
        ("https://opened.example/", "pass"),
        ("https://10.0.0.5/", "refuse"),
        ("https://8.8.8.8/", "refuse"),
        ("a b", "refuse"),
    ],
)
def test_an_answer_says_what_a_connection_to_the_host_meets(
    school: PolicyEngine, url: str, want: str
) -> None:
    assert answer(school, url)["tls"] == want


def test_a_private_address_that_the_configuration_opens_is_judged_by_the_policy(
    school: PolicyEngine,
) -> None:
    opened = check(school, "https://10.0.0.5/", PUPIL, NOON, [ip_network("10.0.0.0/8")])
    assert opened.connection is school.decide_host("10.0.0.5", PUPIL, NOON)
    closed = check(school, "https://10.0.0.5/", PUPIL, NOON).connection
    assert (closed.decision.reason, closed.because[:20]) == (
        "private_destination",
        "The address lies ins",
    )


def test_who_asks_and_when_matter(school: PolicyEngine) -> None:
    assert answer(school, "chess.example", client=TEACHER)["verdict"] == "allow"
    assert answer(school, "chess.example", client=TEACHER)["group"] == "staff"
    later = NOON + timedelta(days=1)
    assert answer(school, "opened.example", now=later)["reason"] == "default"


@pytest.mark.parametrize(
    "url", ["", " ", "a b", "https://", "mailto:a@b.example", "file:///etc/passwd", "https://[::1", "\x00"]
)  # fmt: skip
def test_what_is_no_url_is_blocked_and_says_why(school: PolicyEngine, url: str) -> None:
    got = answer(school, url)
    assert (got["url"], got["host"], got["verdict"], got["reason"]) == (url, "", "block", "bad_url")
    assert got["clause"] == "gateway-bad-url"
    assert "is not" in got["error"]


@pytest.mark.parametrize(
    ("url", "allowed", "want"),
    [
        ("http://10.0.0.5/", [], "private_destination"),
        ("http://0x7f.1/", [], "private_destination"),
        ("http://[::1]/", [], "private_destination"),
        ("http://[::ffff:10.0.0.5]/", [], "private_destination"),
        ("http://169.254.169.254/latest", [], "private_destination"),
        ("http://10.0.0.5/", ["10.0.0.0/8"], "default"),
        ("http://10.0.0.5/", ["192.168.0.0/16"], "private_destination"),
        ("http://8.8.8.8/", [], "circumvention"),
        ("http://ten.example/", [], "default"),  # names are not resolved here
    ],
)
def test_an_address_in_a_private_network_is_blocked_as_by_the_proxy(
    school: PolicyEngine, url: str, allowed: list[str], want: str
) -> None:
    networks = [ip_network(network) for network in allowed]
    assert check(school, url, PUPIL, NOON, networks).as_json()["reason"] == want


# -- explaining -----------------------------------------------------------------------------------


def test_an_explanation_ends_with_the_step_that_decided(school: PolicyEngine) -> None:
    steps = explain(school, "www.chess.example", PUPIL, NOON)
    assert [step.number for step in steps] == [0, 1, 2, 3, 5, 6, 7, 8]
    assert [step.decided for step in steps] == [False] * 7 + [True]
    assert steps[0].answer == (
        "www.chess.example is listed under: Games (entry chess.example, list curated), "
        "News (entry chess.example, list curated)."
    )
    assert steps[-1].answer == (
        "Block under C-8, “No games in lessons” (rule no-games). "
        "The entry chess.example of the list curated matched."
    )


@pytest.mark.parametrize(
    "url",
    ["chess.example", "nothing.example", "named.example/page", "closed.example", "opened.example",
     "http://8.8.8.8/", "http://10.0.0.5/"],
)  # fmt: skip
def test_an_explanation_comes_to_the_verdict_of_the_check(school: PolicyEngine, url: str) -> None:
    verdict = check(school, url, PUPIL, NOON).decision.verdict
    assert explain(school, url, PUPIL, NOON)[-1].answer.startswith(verdict.value.capitalize())


def test_an_explanation_of_withdrawn_access_says_until_when_and_why() -> None:
    stopped = engine(overlay=Overlay(1, (), (suspension(),)))
    last = explain(stopped, "example.com", PUPIL, NOON)[-1]
    assert (last.number, last.decided) == (3, True)
    assert "until 23 November 2026, 15:00. Reason: misuse" in last.answer


def test_what_is_no_url_cannot_be_explained(school: PolicyEngine) -> None:
    with pytest.raises(BadAddressError, match="is not a URL"):
        explain(school, "a b", PUPIL, NOON)


def test_a_locked_list_is_named_with_its_state_and_without_the_entry(school: PolicyEngine) -> None:
    rules = school.with_locked(LockedLists((locked("bad.example/a"),)))
    found = answer(rules, "https://bad.example/a/b", now=NOON + timedelta(days=2))
    assert (found["reason"], found["feed"], found["entry"], found["tls"]) == (
        "locked", "iwf", None, "decrypt",
    )  # fmt: skip
    assert len(found["locked"].pop("entry_hash")) == 16
    assert found["locked"] == {
        "list": "iwf",
        "version": "v1",
        "date": "2026-11-23T12:00:00+00:00",
        "age_days": 2,
        "hash": "ab" * 32,
    }
    assert list(found) == [*KEYS, "locked"]
