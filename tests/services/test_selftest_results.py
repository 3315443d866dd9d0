"""What the self-test leaves to those who show it."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from schoolgate.services.selftest_results import (
    EVERYBODY,
    RUNNING,
    Result,
    Round,
    findings,
    read_round,
    write_round,
)

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
WELL = Result("doh", "pupils", ok=True)
BAD = Result("doh", "staff", ok=False, said="staff: DNS over HTTPS (the proxy answered 200)")


def a_round(*results: Result) -> Round:
    return Round(NOON, 60, 1.5, results)


def test_a_round_is_read_as_it_was_written(tmp_path: Path) -> None:
    file = tmp_path / "selftest.json"
    write_round(file, a_round(WELL, BAD))
    assert read_round(file) == a_round(WELL, BAD)
    assert list(tmp_path.iterdir()) == [file]


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "null", "{}", '{"at": 1, "results": []}', '{"results": [{"no": 1}]}']
)
def test_what_cannot_be_read_is_no_round(tmp_path: Path, text: str) -> None:
    file = tmp_path / "selftest.json"
    assert read_round(file) is None
    file.write_text(text)
    assert read_round(file) is None


@pytest.mark.parametrize(("minutes", "runs"), [(0, True), (3, True), (5, False)])
def test_a_self_test_that_ends_no_round_for_minutes_does_not_run(minutes: int, runs: bool) -> None:
    at = NOON + timedelta(minutes=minutes)
    found = {one.check: one.ok for one in a_round(WELL).shown(at)}
    assert found == {RUNNING: runs, "doh": True}


def test_the_doctor_says_what_is_wrong_and_for_whom() -> None:
    said = {
        one.what: (one.ok, one.said) for one in findings(a_round(WELL, BAD), NOON, enabled=True)
    }
    assert said == {"self-test doh": (False, BAD.said)}


def test_of_many_faults_the_doctor_tells_some() -> None:
    bad = [Result("doh", f"year-{n}", ok=False, said=f"year-{n}") for n in range(9)]
    found = list(findings(a_round(*bad), NOON, enabled=True))
    assert [one.ok for one in found] == [False] * 4
    assert found[-1].said == "and 6 more like that"


@pytest.mark.parametrize(
    ("last", "enabled", "said"),
    [
        (None, False, "off"),
        (None, True, "no round has ended yet"),
        (
            a_round(WELL, Result("grants", EVERYBODY, ok=True)),
            True,
            "well for 1 group at 12:00:00 UTC",
        ),
    ],
)
def test_what_is_well_or_not_there_is_no_fault(
    last: Round | None, enabled: bool, said: str
) -> None:
    [found] = findings(last, NOON, enabled=enabled)
    assert found.ok
    assert said in found.said
