"""What changes between two policies, and against what the journal says."""

import json
from dataclasses import replace

import pytest

from schoolgate.core.policy import Carrier, Group, Rule, Verdict
from schoolgate.services import comparison
from schoolgate.services.comparison import Answer
from tests.core.policy.example import LESSONS, NOON, engine, hosts, listed

SITES = [listed("games.example"), listed("news.example", "news")]
BLOCKED = Rule("games", "C-8", Verdict.BLOCK, categories=("games",))
IN_LESSONS = Rule(
    "games", "C-8", Verdict.BLOCK, categories=("games",), periods=frozenset({"lessons"})
)
OLD = engine(SITES, rules=(BLOCKED,), timetable=LESSONS)
NEW = engine(SITES, rules=(IN_LESSONS,), timetable=LESSONS)


def test_every_group_asks_for_every_host_in_every_period() -> None:
    asked = list(comparison.everybody_asks(NEW.policy, ["a.example", "b.example"], NOON))
    seen = {(r.url.host, r.client.group, NEW.period(now)) for r, now in asked}
    assert len(asked) == len(seen) == 2 * 2 * 2
    assert {period for _, _, period in seen} == {"lessons", None}


def test_a_change_is_counted_with_examples_and_who_asked() -> None:
    hosts = ["games.example", "news.example", "other.example"]
    found = comparison.compare(OLD, NEW, comparison.everybody_asks(NEW.policy, hosts, NOON))
    [change] = found.changes
    assert (found.asked, found.changed) == (12, 2)
    assert (change.before, change.after) == (Answer("block", "C-8"), Answer("allow", "C-9"))
    assert str(change.after) == "allow under C-9"
    assert change.examples == ["https://games.example/ (pupils)", "https://games.example/ (staff)"]


def test_a_policy_compared_with_itself_changes_nothing() -> None:
    asked = comparison.everybody_asks(OLD.policy, ["games.example"], NOON)
    assert comparison.compare(OLD, OLD, asked).changes == []


def line(**changes: object) -> str:
    record = {
        "event": "request.decided", "ts": "2026-11-23T14:00:00.000+00:00", "client": "10.0.0.7",
        "group": "pupils", "url": "https://games.example/a", "host": "games.example",
        "method": "GET", "verdict": "block", "clause": "C-8", "grant": None, **changes,
    }  # fmt: skip
    return json.dumps(record) + "\n"


def test_a_journal_is_asked_again_at_the_time_of_each_line() -> None:
    lines = [
        line(),
        line(ts="2026-11-23T10:00:00.000+00:00"),
        line(event="tls.decided", url=None),
        line(group="a group that is gone"),
        line(event="warning.accepted"),
        line(grant=3, verdict="allow"),
        line(reason="suspended", clause="C-3"),
        line(reason="declaration", verdict="warn", clause="C-D"),
        line(url="https://a b/"),
        line(ts="today"),
        "{half a line\n",
        "[]\n",
    ]
    found = comparison.replay(NEW, lines)
    assert (found.asked, found.changed, found.unreadable) == (4, 3, 4)
    assert [change.after for change in found.changes] == [Answer("allow", "C-9")]


@pytest.mark.parametrize(
    ("changes", "want"),
    [
        ({"device_kind": "tablet", "also": ["club"]}, "block"),
        ({"device_kind": "tablet", "also": ["club", "a group that is gone"]}, "block"),
        ({"device_kind": "tablet", "also": None}, "allow"),
        ({"device_kind": None, "also": ["club"]}, "allow"),
        # Of a schoolgate that did not write these.
        ({}, "allow"),
    ],
)
def test_a_line_is_asked_again_with_the_kind_of_device_and_the_further_groups(
    changes: dict[str, object], want: str
) -> None:
    rule = replace(BLOCKED, groups=frozenset({"club"}), devices=frozenset({"tablet"}))
    groups = {name: Group(name, name) for name in ("pupils", "club")}
    found = comparison.replay(
        engine(SITES, rules=(rule,), groups=groups), [line(verdict="-", **changes)]
    )
    assert [change.after.verdict for change in found.changes] == [want]


@pytest.mark.parametrize(
    ("changes", "want"),
    [
        ({"url": "https://news.example/dns-query", "shape": "doh", "clause": "gateway-doh"}, 0),
        ({"url": "https://news.example/dns-query", "clause": "gateway-doh"}, 1),
        ({"url": "https://carrier.example/games.example/a"}, 0),
        # The address inside stood in the query, which the journal does not keep.
        ({"url": "https://carrier.example/", "inner_host": "games.example"}, 0),
        ({"url": "https://carrier.example/"}, 1),
    ],
)
def test_what_no_site_decided_is_asked_again_too(changes: dict[str, object], want: int) -> None:
    carrier = Carrier("c", "C", hosts("carrier.example"), paths=("/",))
    built = engine(SITES, rules=(BLOCKED,), carriers=(carrier,))
    found = comparison.replay(built, [line(**changes)])
    assert (found.asked, found.changed, found.unreadable) == (1, want, 0)
