"""What of gateways is not as it should be: rows in, findings out."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schoolgate.services.gateway_drift import (
    CENTRE,
    SCHOOL,
    Drift,
    Finding,
    Released,
    drift,
    standing,
)
from schoolgate.storage.gateway_states import MIXED, GatewayState, Report, Reports
from tests.storage.days import at

NOW = at(12)
WELL = GatewayState(
    "hill", "gw1", "0.10.0", at(8), bundle=3, bundle_version=7, ring="all", policy="aaaa",
    lists=2, lists_made=at(6), workers_wanted=2, workers_up=2, selftest_failures=0,
)  # fmt: skip
OUT = {"all": Released(3, 7, at(9))}


def ago(**since: float) -> datetime:
    return NOW - timedelta(**since)


def report(*, off: float = 0, heard: datetime = NOW, **changed: Any) -> Report:
    return Report(replace(WELL, **changed), heard + timedelta(seconds=off), heard)


def found(*reports: Report, **given: Any) -> list[Finding]:
    return drift(Reports(NOW, reports), **{"released": OUT, **given})


def said(*reports: Report, **given: Any) -> list[tuple[str, str, str]]:
    return [(one.gateway, one.kind.value, one.said) for one in found(*reports, **given)]


@pytest.mark.parametrize(
    ("changed", "want"),
    [
        ({}, None),
        ({"heard": ago(minutes=2)}, None),
        (
            {"heard": ago(minutes=2, seconds=1), "workers_up": 0},
            ("silent", "has been silent since 2026-11-23 11:57 UTC"),
        ),
        # A clock that is off says nothing of when it was heard.
        ({"off": 5}, None),
        ({"off": -5}, None),
        ({"off": 6}, ("clock", "has a clock that is 6 s fast")),
        ({"off": -3600}, ("clock", "has a clock that is 3600 s slow")),
        (
            {"bundle": 2, "bundle_version": 6},
            ("bundle", "has bundle 2, its ring all bundle 3 since 2026-11-23 09:00 UTC"),
        ),
        (
            {"bundle": 0, "bundle_version": 0},
            ("bundle", "has no bundle, its ring all bundle 3 since 2026-11-23 09:00 UTC"),
        ),
        # The bundle with the higher number was withdrawn.
        (
            {"bundle": 4, "bundle_version": 6},
            ("bundle", "has bundle 4, its ring all bundle 3 since 2026-11-23 09:00 UTC"),
        ),
        # Whoever fetches none, or is of a ring that nothing was let out for, is as it was set.
        ({"bundle": 0, "bundle_version": 0, "ring": ""}, None),
        ({"bundle": 0, "bundle_version": 0, "ring": "canary"}, None),
        ({"lists_made": ago(days=7)}, None),
        ({"lists_made": ago(days=8)}, ("lists", "has lists of 2026-11-15")),
        ({"lists_made": None}, None),
        ({"workers_up": 1}, ("workers", "has 1 of 2 workers")),
        ({"policy": MIXED}, ("policy", "has workers with different policies")),
        ({"selftest_failures": 2}, ("self-test", "fails its self-test (2 findings)")),
        ({"selftest_failures": None}, None),
        ({"unsent_since": ago(minutes=15)}, None),
        (
            {"unsent_since": ago(hours=2)},
            ("journal", "has lines of its journal since 2026-11-23 10:00 UTC that were not taken"),
        ),
        ({"kept_requests": 3}, None),
        ({"faults": ("portal",)}, ("fault", "its portal does not serve")),
        # A newer gateway may know more than its centre.
        ({"faults": ("flux",)}, ("fault", "says that something is wrong: flux")),
    ],
)
def test_one_gateway(changed: dict[str, Any], want: tuple[str, str] | None) -> None:
    assert said(report(**changed)) == ([("gw1", *want)] if want else [])


def test_a_bundle_that_was_let_out_a_moment_ago_is_waited_for() -> None:
    old = report(bundle=2, bundle_version=6)
    assert found(old, released={"all": Released(3, 7, ago(minutes=30))}) == []
    assert found(old, released={"all": Released(3, 7, ago(minutes=31))}) != []


@pytest.mark.parametrize(
    ("versions", "behind"),
    [
        ([7, 7, 6], ["gw3"]),
        # Most have the earlier one: the first have a new one, and nothing is wrong.
        ([7, 6, 6], []),
        # Of two that equally many have the later one is right.
        ([7, 6], ["gw2"]),
        ([7, 0], ["gw2"]),
        ([7], []),
    ],
)
def test_where_nothing_is_known_of_a_ring_most_of_it_are_right(
    versions: list[int], behind: list[str]
) -> None:
    told = said(
        *(
            report(gateway=f"gw{n}", bundle=version, bundle_version=version, policy="")
            for n, version in enumerate(versions, 1)
        ),
        # Of another ring, and silent: neither counts.
        report(gateway="gw8", ring="canary", bundle_version=9, policy=""),
        *(report(school="x", gateway=f"s{n}", heard=at(8), bundle_version=9) for n in range(5)),
        released={},
    )
    assert [name for name, kind, _ in told if kind == "bundle"] == behind


@pytest.mark.parametrize(
    ("programs", "older"),
    [
        (["0.10.0", "0.10.0", "0.9.0"], ["gw3"]),
        (["0.10.0", "0.9.0", "0.9.0"], []),
        (["0.10.0", "0.9.0"], ["gw2"]),
        (["0.10.0.dev1", "0.10.0"], []),
    ],
)
def test_a_program_is_older_than_that_of_most(programs: list[str], older: list[str]) -> None:
    told = said(*(report(gateway=f"gw{n}", program=p) for n, p in enumerate(programs, 1)))
    assert [name for name, kind, _ in told if kind == "program"] == older


@pytest.mark.parametrize(
    ("rows", "other"),
    [
        ([("hill", "a", 7), ("hill", "a", 7)], []),
        ([("hill", "a", 7), ("hill", "b", 7)], ["gw1", "gw2"]),
        ([("hill", "a", 7), ("hill", "b", 7), ("hill", "a", 7)], ["gw2"]),
        # Of another school, or with another bundle, it may be another; one that starts has none.
        ([("hill", "a", 7), ("dale", "b", 7)], []),
        ([("hill", "a", 7), ("hill", "b", 6)], []),
        ([("hill", "a", 7), ("hill", "", 7)], []),
    ],
)
def test_the_gateways_of_a_school_have_one_policy(
    rows: list[tuple[str, str, int]], other: list[str]
) -> None:
    told = said(
        *(
            report(school=school, gateway=f"gw{n}", policy=policy, bundle_version=version)
            for n, (school, policy, version) in enumerate(rows, 1)
        )
    )
    assert [name for name, kind, _ in told if kind == "policy"] == other


def test_who_is_enrolled_is_looked_for_and_who_was_put_out_is_not() -> None:
    enrolled = {
        ("hill", "gw1"): False, ("hill", "gw2"): False, ("dale", "gw1"): False,
        ("hill", "gw3"): True, ("hill", "gw4"): True, ("hill", "gw5"): True,
    }  # fmt: skip
    told = found(
        report(), report(gateway="gw3"), report(gateway="gw4", heard=at(9)),
        enrolled=enrolled, unreadable={"dale": "its database is of an older schoolgate"},
    )  # fmt: skip
    assert told == [
        Finding("dale", "", Drift.UNREADABLE, "its database is of an older schoolgate", CENTRE),
        Finding("hill", "gw2", Drift.NEVER, "is enrolled and has never reported", SCHOOL),
        Finding(
            "hill", "gw3", Drift.REVOKED,
            "was put out and still reports: take its role's password away", CENTRE,
        ),
    ]  # fmt: skip


def test_gateways_are_counted_by_how_they_are() -> None:
    reports = Reports(NOW, (
        report(), report(gateway="gw2"), report(gateway="gw3", off=9, workers_up=0),
        report(gateway="gw4", heard=at(9)),
    ))  # fmt: skip
    findings = drift(
        reports, OUT, {("hill", "gw5"): False, ("hill", "gw4"): False}, {"dale": "older"}
    )
    want = {"well": 2, "drifting": 1, "silent": 1, "never": 1}
    assert standing(reports, findings) == want


@given(st.lists(st.sampled_from("abc"), max_size=6), st.permutations(range(6)))
def test_what_is_found_depends_on_no_order(policies: list[str], order: list[int]) -> None:
    reports = [report(gateway=f"gw{n}", policy=policy) for n, policy in enumerate(policies)]
    mixed = [reports[n] for n in order if n < len(reports)]
    assert found(*reports) == found(*mixed)
