"""Of illegal material the journal holds who, when and which host, whatever had closed the page."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest

from schoolgate.core.approvals import Overlay
from schoolgate.core.locked import LockedLists
from schoolgate.core.policy import PolicyEngine, Reason, Rule, Verdict, WebRequest
from schoolgate.core.policy.carriers import Carrier
from schoolgate.core.policy.decision import FILTER_ERROR, Decision
from schoolgate.core.urls import parse_url
from schoolgate.monitoring import Metrics
from schoolgate.proxy.recorder import Recorder
from schoolgate.proxy.transactions import Transaction
from tests.core.locked.test_lists import locked
from tests.core.policy.example import NOON, PUPIL, TEACHER, engine, hosts, suspension

URL = "https://bad.example/a/b?who=1"
LISTS = LockedLists((locked("bad.example/a"),))


class Told:
    """Keeps what the journal is told."""

    def __init__(self) -> None:
        self.lines: list[dict[str, Any]] = []

    def tell(self, _at: datetime, line: Callable[[], dict[str, Any]]) -> None:
        self.lines.append(line())


def transaction(
    rules: PolicyEngine, url: str = URL, decision: Decision | None = None, **more: Any
) -> Transaction:
    request = WebRequest(parse_url(url), more.pop("client", PUPIL))
    return Transaction(
        request, decision or rules.decide(request, NOON), rules, NOON, 5, 0.0, 0.0, **more
    )


@pytest.fixture
def told() -> Told:
    return Told()


@pytest.fixture
def recorder(told: Told) -> Recorder:
    return Recorder(told, Metrics())  # type: ignore[arg-type]


def test_a_line_names_the_list_and_not_the_address(recorder: Recorder, told: Told) -> None:
    recorder.ended(transaction(engine().with_locked(LISTS)), 403, 1)
    [line] = told.lines
    assert line == {
        "event": "request.decided",
        "client": "10.0.0.7",
        "device": None,
        "device_kind": None,
        "user": "abc",
        "group": "pupils",
        "also": None,
        "network": None,
        "host": "bad.example",
        "verdict": "block",
        "clause": "gateway-locked",
        "category": "illegal",
        "feed": "iwf",
        "list_version": "v1",
        "list_hash": "ab" * 32,
        "policy": "example",
    }


@pytest.mark.parametrize(
    "decision", [FILTER_ERROR, Decision(Verdict.BLOCK, Reason.CATEGORY, "C-8", "games")]
)
def test_whatever_decided_the_address_is_not_kept(
    recorder: Recorder, told: Told, decision: Decision
) -> None:
    recorder.ended(transaction(engine().with_locked(LISTS), decision=decision), 403, 1)
    assert "url" not in told.lines[0]


def test_an_address_that_holds_one_of_a_list_is_not_kept_either(
    recorder: Recorder, told: Told
) -> None:
    """A translator that is blocked for itself is asked for the page by its address."""
    rules = engine(
        carriers=(Carrier("archive", "An archive", hosts("archive.example"), paths=("/web/",)),),
        rules=(Rule("closed", "C-8", Verdict.BLOCK, hosts=hosts("archive.example")),),
    ).with_locked(LISTS)
    recorder.ended(
        transaction(rules, "https://archive.example/web/https://bad.example/a/b"), 403, 1
    )
    recorder.ended(transaction(rules, "https://archive.example/web/https://bad.example/c"), 403, 1)
    assert ["url" in line for line in told.lines] == [False, True]


def test_an_alert_is_raised_for_each_person_and_host_once_in_a_while(
    recorder: Recorder, told: Told
) -> None:
    rules = engine().with_locked(LockedLists((locked("bad.example/a", "other.example"),)))
    for url, client in (
        (URL, PUPIL), (URL, PUPIL), ("https://bad.example/a/c", PUPIL), (URL, TEACHER),
        ("https://other.example/", PUPIL), ("https://good.example/", PUPIL),
    ):  # fmt: skip
        recorder.decided(transaction(rules, url, client=client))
    assert [(line["event"], line["user"], line["host"]) for line in told.lines] == [
        ("alert.raised", "abc", "bad.example"),
        ("alert.raised", "xyz", "bad.example"),
        ("alert.raised", "abc", "other.example"),
    ]
    first = told.lines[0]
    assert (first["theme"], first["severity"], first["feed"]) == ("illegal", "high", "iwf")
    assert "url" not in first
    assert "entry" not in first


def test_who_may_reach_nothing_is_alerted_on_all_the_same(recorder: Recorder, told: Told) -> None:
    rules = engine(overlay=Overlay(1, suspensions=(suspension(),))).with_locked(LISTS)
    recorder.decided(transaction(rules))
    assert [line["event"] for line in told.lines] == ["alert.raised"]


def test_to_come_near_a_part_raises_no_alert(recorder: Recorder, told: Told) -> None:
    rules = engine().with_locked(LISTS)
    part = rules._locking.part_of("bad.example")
    assert part is not None
    near = transaction(rules, "https://bad.example/", decision=part)
    recorder.decided(near)
    assert told.lines == []
    recorder.tunnel_ended(near, 1)
    assert "url" not in told.lines[0]
