"""The parts of the gateway's benchmark that need no proxy."""

import json
from pathlib import Path

import pytest

from benchmarks.gateway import report, school
from benchmarks.gateway.engines import Rules
from benchmarks.gateway.load import Connection, Sample
from benchmarks.gateway.rounds import Cell
from benchmarks.gateway.workloads import WORKLOADS

HTTP, BULK = WORKLOADS["http-kept"], WORKLOADS["pass-bulk"]


def sample(
    answers: int = 100, cpu: float = 0.5, seconds: float = 1.0, delayed: float = 0.0
) -> Sample:
    return Sample(
        answers=answers,
        seconds=seconds,
        failed=0,
        received=50_000_000,
        connections=16,
        refused_tunnels=0,
        p50_ms=1.0,
        p99_ms=2.0,
        cpu_seconds=cpu,
        user_share=0.75,
        delayed_seconds=delayed,
        memory_mb=80,
        statuses={200: answers},
    )


def test_a_rate_is_per_second_of_the_proxys_cpu() -> None:
    assert report.rate(HTTP, sample()) == 200
    assert report.rate(BULK, sample()) == 100


def test_ratios_are_of_the_same_round() -> None:
    ours, theirs = Cell([sample(200), sample(300)]), Cell([sample(100), sample(100)])
    assert report.ratios(HTTP, ours, theirs) == [2, 3]
    assert report.ratios(HTTP, ours, Cell(reason="decrypts it")) == []


@pytest.mark.parametrize(
    ("samples", "want"),
    [
        ([sample(cpu=0.95)], "its core"),
        ([sample(cpu=0.5, delayed=0.45)], "its core"),
        ([sample(cpu=0.2)], "waits, core 20% busy"),
    ],
)
def test_what_limits(samples: list[Sample], want: str) -> None:
    assert report.limit(samples) == want


def test_a_section_has_a_row_for_each_workload_and_says_what_is_missing() -> None:
    run = report.Run(
        titles={"ours": "Ours", "other": "Other"},
        versions=["other 1.0"],
        workloads=[HTTP],
        cells={
            ("ours", HTTP.key): Cell([sample(200), sample(100), sample(150)]),
            ("other", HTTP.key): Cell(reason="fails"),
        },
        rounds=3,
        seconds=1.5,
    )
    text = report.section(run)
    assert "| HTTP, connection kept | 300 (200 – 400) | – |" in text
    assert "- Other, HTTP, connection kept: fails" in text


def test_rules_keep_what_they_know() -> None:
    rules = Rules(passed={"a"}, blocked={"b"})
    rules.add(Rules(passed={"b", "c"}, decrypted={"a"}))
    assert (rules.passed, rules.decrypted, rules.blocked) == ({"a", "c"}, set(), {"b"})


def test_recorded_pages_become_connections(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    entries = [
        {
            "request": {"url": f"https://{host}/{at}"},
            "response": {"bodySize": size, "content": {"mimeType": kind, "size": 7}},
        }
        for at, (host, size, kind) in enumerate(
            [("a.test", 10, "text/html; charset=utf-8")] * 8
            + [("b.test", -1, "text/javascript"), ("127.0.0.1", 5, "text/html")]
            + [("b.test", 9_000_000, "x/y")] * 2
        )
    ]
    recordings = tmp_path / "cases" / "06-traffic"
    recordings.mkdir(parents=True)
    (recordings / "page.har").write_text(json.dumps({"log": {"entries": entries}}))
    (recordings / "wrong.har").write_text("{")
    monkeypatch.setenv("SCHOOLGATE_TEST_DATA", str(tmp_path))
    (page,) = school.pages()
    html = school.Asset("a.test", "/10.html")
    assert page == (
        (html, html),
        (html, html),
        (html,),
        (html,),
        (html,),
        (html,),
        (school.Asset("b.test", "/7.js"),),
        (school.Asset("b.test", "/5000000.bin"),),
        (school.Asset("b.test", "/5000000.bin"),),
    )
    assert school.requests_a_page() == 11


def test_a_plan_is_one_connection_a_line() -> None:
    connection = Connection("127.0.2.1", "tls", "a.test", 443, ("/1.html", "/2.js"))
    assert str(connection) == "127.0.2.1 tls a.test 443 /1.html /2.js"
