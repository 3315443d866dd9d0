r"""What a decision costs under a large policy: 10 groups, 20 periods, 300 rules.

Beside it, on the same pages and in turns, a plain walk over the rules, which is what the tests hold
the engine against.

    python -m benchmarks.policy            print
    python -m benchmarks.policy --write    and write docs/performance.md
"""

import argparse
import platform
import random
import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from benchmarks.page import write_section
from schoolgate.core.catalogue import Catalogue
from schoolgate.core.categories import Category, ListEntry
from schoolgate.core.clients import Client
from schoolgate.core.index import index_of
from schoolgate.core.policy import Group, Policy, PolicyEngine, Rule, Verdict, WebRequest
from schoolgate.core.timetable import DayKind, Range, Timetable
from schoolgate.core.urls import Url, parse_url
from schoolgate.settings.carriers_file import load_carriers

GROUPS, PERIODS, RULES, CATEGORIES, SITES = 10, 20, 300, 40, 5_000
BLOCK, ROUNDS = 32, 2_000
ROOT = Path(__file__).resolve().parents[2]
MONDAY = datetime(2026, 11, 23, 8, tzinfo=UTC)


@dataclass(frozen=True)
class Figure:
    """Nanoseconds a call: median and 99th percentile over blocks of `BLOCK` calls."""

    median: float
    p99: float

    def __str__(self) -> str:
        return f"{self.median:,.0f} / {self.p99:,.0f}"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.policy",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--write", action="store_true", help="write docs/performance.md")
    arguments = parser.parse_args()
    text = section()
    print(text)
    if arguments.write:
        write_section("policy", text)


def section() -> str:
    """Give the table."""
    draw = random.Random(5)
    catalogue = sites(draw)
    policy = large_policy(draw)
    engine = PolicyEngine(policy, catalogue)
    asked = requests(draw, policy)

    def look_up(request: WebRequest, _: datetime) -> object:
        url = request.url
        engine._school_sites.get(url.host, url.path)
        return catalogue.sites.get(url.host, url.path)

    def walk(request: WebRequest, now: datetime) -> object:
        return walked(policy, catalogue, request, now)

    for request, now in asked:
        decided = engine.decide(request, now)
        assert (decided.verdict, decided.rule) == walk(request, now), request
    carriers = load_carriers(ROOT / "config" / "unfolding.yaml")
    carrying = PolicyEngine(replace(policy, carriers=carriers), catalogue)
    inner = "https://www.site-1.example/a/b"
    carried = WebRequest(parse_url(f"https://translate.google.com/?u={inner}"), asked[0][0].client)
    assert [each.url.host for each in carrying.inside(carried)] == ["www.site-1.example"]
    calls = {
        "look-ups alone": look_up,
        "decision, with them": engine.decide,
        "looking for an address inside: there is none": lambda request, _: carrying.inside(request),
        "looking for an address inside: a translator's": lambda _, __: carrying.inside(carried),
        "plain walk": walk,
    }
    figures = in_turns(calls, asked)
    after = figures["decision, with them"].median - figures["look-ups alone"].median
    made = [milliseconds(lambda: PolicyEngine(policy, catalogue)) for _ in range(50)]
    first = [
        milliseconds(lambda: every_profile(PolicyEngine(policy, catalogue))) for _ in range(20)
    ]
    rows = "\n".join(f"| {name} | {figure} |" for name, figure in figures.items())
    slower = figures["plain walk"].median / figures["decision, with them"].median
    return f"""\
## Decisions under a large policy

Printed by `python -m benchmarks.policy` on {datetime.now(UTC):%Y-%m-%d}, {platform.machine()}, Python \
{platform.python_version()}, one CPU: {GROUPS} groups, {PERIODS} periods, {RULES} rules, \
{CATEGORIES} categories, {SITES:,} sites; every group at every half hour of a day. Median / 99th \
percentile over blocks of {BLOCK} calls, in turns.

| | ns a call |
|---|---|
{rows}

- A decision costs {after:,.0f} ns after the look-ups; the plain walk takes {slower:.1f} times as long.
- An engine is made in {statistics.median(made):.2f} ms (median of {len(made)}; worst {max(made):.2f}), \
and put in force by one assignment. With the rules of every group in every period worked out, which \
otherwise happens as they are asked for, it takes {statistics.median(first):.1f} ms."""


def sites(draw: random.Random) -> Catalogue:
    """Give the lists: most sites are in one category, some in three."""
    ids = [f"category-{number}" for number in range(CATEGORIES)]
    entries = [
        ListEntry.parse(f"site-{number}.example", category, "bench")
        for number in range(SITES)
        for category in draw.sample(ids, draw.choice((1, 1, 1, 3)))
    ]
    return Catalogue({id_: Category(id_, id_, id_) for id_ in ids}, index_of(entries), "bench")


def large_policy(draw: random.Random) -> Policy:
    """Give the policy; no rule is without a category."""
    groups = {f"group-{n}": Group(f"group-{n}", "Group") for n in range(GROUPS)}
    periods = [f"period-{n}" for n in range(PERIODS)]
    timetable = Timetable(
        dict.fromkeys(periods, "Period"),
        {period: frozenset({DayKind.SCHOOL}) for period in periods},
        {(0, None): tuple(Range(p, 540 + 20 * n, 560 + 20 * n) for n, p in enumerate(periods))},
    )
    rules = tuple(
        Rule(
            f"rule-{number}",
            "C",
            draw.choice((Verdict.ALLOW, Verdict.MONITOR, Verdict.WARN, Verdict.BLOCK)),
            categories=tuple(f"category-{n}" for n in draw.sample(range(CATEGORIES), 2)),
            groups=frozenset(draw.sample(sorted(groups), draw.choice((0, 1, 2)))),
            periods=frozenset(draw.sample(periods, draw.choice((0, 1, 3)))),
            networks=frozenset(draw.choice(((), (), ("wifi",)))),
        )
        for number in range(RULES)
    )
    return Policy(
        id="bench", school="", document="", contact="", default_group="group-0", groups=groups,
        clauses={}, locked=(), always_reachable=(), circumvention=(), rules=rules,
        default=Rule("otherwise", "C", Verdict.ALLOW), suspension_clause="C", local_clause="C",
        grant_clause="C", networks={"wifi": "WiFi"}, timetable=timetable,
    )  # fmt: skip


def requests(draw: random.Random, policy: Policy) -> list[tuple[WebRequest, datetime]]:
    """Give who asks for what and when, in the order of the clock."""
    return [
        (
            WebRequest(
                Url("https", f"www.site-{draw.randrange(SITES * 11 // 10)}.example", 443, "/a/b"),
                Client("10.0.0.1", group, network=draw.choice(("", "wifi"))),
            ),
            MONDAY + timedelta(minutes=30 * half_hour),
        )
        for half_hour in range(20)
        for group in policy.groups
        for _ in range(20)
    ]


def walked(
    policy: Policy, catalogue: Catalogue, request: WebRequest, now: datetime
) -> tuple[Verdict, str]:
    """Decide by asking one rule after another."""
    url, client = request.url, request.client
    assert policy.timetable is not None
    period = policy.timetable.period_at(now)
    categories = {entry.category for entry in catalogue.sites.entries(url.host, url.path)}
    for rule in (*policy.rules, policy.default):
        if (
            (not rule.groups or client.group in rule.groups)
            and (not rule.periods or period in rule.periods)
            and (not rule.networks or client.network in rule.networks)
            and (not rule.categories or not categories.isdisjoint(rule.categories))
        ):
            return rule.verdict, rule.id
    raise AssertionError("the default has no condition")


def every_profile(engine: PolicyEngine) -> None:
    """Have the rules of every group in every period worked out."""
    url = Url("https", "www.site-1.example", 443, "/")
    for number in range(PERIODS + 1):
        for group in engine.policy.groups:
            at = MONDAY + timedelta(minutes=60 + 20 * number)
            engine.decide(WebRequest(url, Client("", group)), at)


def in_turns(
    calls: Mapping[str, Callable[[WebRequest, datetime], object]],
    asked: list[tuple[WebRequest, datetime]],
) -> dict[str, Figure]:
    """Time each call on the same blocks, one after the other."""
    took: dict[str, list[float]] = {name: [] for name in calls}
    for turn in range(ROUNDS):
        start = turn * BLOCK % (len(asked) - BLOCK)
        block = asked[start : start + BLOCK]
        for name, call in calls.items():
            began = time.perf_counter_ns()
            for request, now in block:
                call(request, now)
            took[name].append((time.perf_counter_ns() - began) / BLOCK)
    return {
        name: Figure(statistics.median(times), statistics.quantiles(times, n=100)[98])
        for name, times in took.items()
    }


def milliseconds(call: Callable[[], object]) -> float:
    """Time one call."""
    began = time.perf_counter_ns()
    call()
    return (time.perf_counter_ns() - began) / 1e6


if __name__ == "__main__":
    main()
