"""What the journal counts to: the same of lines, of tables and of counts, whichever there is of a day."""

import json
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schoolgate.monitoring.journal_counts import are_of
from schoolgate.monitoring.journal_figures import Counted, Hour, RawFigures, Told, raw_figures
from schoolgate.monitoring.journal_names import Pseudonyms
from schoolgate.monitoring.journal_retention import Retention
from schoolgate.monitoring.journal_store import JournalStore

OURS = Pseudonyms(b"k" * 64)
DAY = date(2026, 11, 23)
START = datetime(2026, 11, 23, tzinfo=UTC)
NEXT = START + timedelta(days=1, hours=3)
TOM, ANN = OURS.of("user", "tom"), OURS.of("user", "ann")
LINES: list[dict[str, Any]] = [
    {
        "user": "tom",
        "host": "a.example",
        "verdict": "monitor",
        "ts": "2026-11-23T09:10:00.000+00:00",
    },
    {
        "user": "ann",
        "host": "a.example",
        "verdict": "monitor",
        "ts": "2026-11-23T09:50:00.000+00:00",
    },
    {"user": "tom", "host": "bet.example", "verdict": "block", "category": "gambling"},
    {
        "user": None,
        "device": "d",
        "host": "bet.example",
        "verdict": "block",
        "category": "gambling",
    },
    {"user": "tom", "event": "circumvention.seen", "kind": "vpn", "host": "vpn.example"},
    {"event": "circumvention.seen", "kind": "dot", "count": 40},
    {"user": "tom", "event": "alert.raised", "theme": "circumvention"},
]


@pytest.fixture
def journal(tmp_path: Path) -> JournalStore:
    with (tmp_path / f"{DAY}.jsonl").open("w") as file:
        for number, line in enumerate(LINES):
            usual = {"event": "request.decided", "group": "pupils", "id": f"1-a-{number}",
                     "ts": "2026-11-23T10:00:00.000+00:00"}  # fmt: skip
            file.write(json.dumps({**usual, **line}) + "\n")
        file.write('{"ts":"2026-11-23T10:00:00.0')
    return JournalStore(tmp_path, lambda: OURS)


def figures(journal: JournalStore, hours: int = 24) -> RawFigures:
    return raw_figures(journal, START, START + timedelta(hours=hours), ["bet.example", "x.example"])


def assert_whole(found: RawFigures) -> None:
    device = OURS.of("device", "d")
    assert sorted(found.counted, key=str) == sorted(
        [
            Counted(TOM, "", "pupils", "monitor", 1),
            Counted(ANN, "", "pupils", "monitor", 1),
            Counted(TOM, "gambling", "pupils", "block", 1),
            Counted(device, "gambling", "pupils", "block", 1),
        ],
        key=str,
    )
    at = START + timedelta(hours=9)
    assert found.hours == (Hour(at, 2, 0, 2), Hour(at + timedelta(hours=1), 2, 2, 2))
    assert found.ways == (Told("dot", 40, 0), Told("vpn", 1, 1))
    assert found.uncategorised == (Told("a.example", 2, 2),)
    assert found.blocked == {"bet.example": Told("bet.example", 2, 2)}


def test_lines_tables_and_counts_give_the_same(journal: JournalStore, tmp_path: Path) -> None:
    assert_whole(figures(journal))
    journal.keep(NEXT, Retention(400))
    counts = tmp_path / f"{DAY}.counts"
    assert are_of(counts, tmp_path / f"{DAY}.parquet")
    assert_whole(figures(journal))
    counts.unlink()
    assert_whole(figures(journal))
    journal.keep(NEXT, Retention(400))
    assert counts.exists()


def test_a_part_of_a_day_is_counted_exactly(journal: JournalStore) -> None:
    before = figures(journal, hours=10)
    assert [hour.events for hour in before.hours] == [2]
    journal.keep(NEXT, Retention(400))
    assert figures(journal, hours=10).hours == before.hours


def test_counts_of_a_table_that_is_another_are_not_believed(
    journal: JournalStore, tmp_path: Path
) -> None:
    journal.keep(NEXT, Retention(400))
    counts = tmp_path / f"{DAY}.counts"
    old = counts.read_bytes()
    journal.erase({"user": "tom"})
    assert TOM.encode() not in counts.read_bytes()
    counts.write_bytes(old)
    assert {one.who for one in figures(journal).counted} == {ANN, OURS.of("device", "d")}


def test_a_person_of_today_is_the_one_of_yesterday(journal: JournalStore, tmp_path: Path) -> None:
    journal.keep(NEXT, Retention(400))
    today = {**LINES[0], "ts": "2026-11-24T09:00:00.000+00:00", "event": "request.decided"}
    (tmp_path / "2026-11-24.jsonl").write_text(json.dumps(today) + "\n")
    assert figures(journal, hours=48).uncategorised == (Told("a.example", 3, 2),)


def test_an_empty_journal_counts_to_nothing(tmp_path: Path) -> None:
    found = figures(JournalStore(tmp_path / "none", lambda: OURS))
    assert found == RawFigures((), (), (), (), {})


EVENTS = st.fixed_dictionaries(
    {
        "ts": st.datetimes(datetime(2026, 11, 22, 23), datetime(2026, 11, 24, 1)),  # noqa: DTZ001
        "event": st.sampled_from(["request.decided", "tls.decided", "circumvention.seen", "alert.raised"]),
        "user": st.sampled_from(["tom", "ann", None]),
        "device": st.sampled_from(["d", None]),
        "client": st.sampled_from(["10.0.0.1", None]),
        "group": st.sampled_from(["pupils", "staff", None]),
        "verdict": st.sampled_from(["block", "monitor", None]),
        "category": st.sampled_from(["gambling", "news", None]),
        "host": st.sampled_from(["a.example", "bet.example", None]),
        "kind": st.sampled_from(["vpn", None]),
        "count": st.sampled_from([3, None]),
    }
)  # fmt: skip


def naive(records: Sequence[dict[str, Any]]) -> RawFigures:
    """Count one line after the other."""
    counted, hours, blocked_in = (
        Counter[tuple[str, str, str, str]](),
        Counter[Any](),
        Counter[Any](),
    )
    in_hour, told = defaultdict[Any, set[str]](set), defaultdict[Any, set[str]](set)
    times = Counter[Any]()
    for one in records:
        field = next((name for name in ("user", "device", "client") if one[name]), None)
        who = OURS.of(field, one[field]) if field else None
        n, at = one["count"] or 1, one["ts"].replace(minute=0, second=0, microsecond=0, tzinfo=UTC)
        seen = list[tuple[str, str]]()
        if one["event"] == "circumvention.seen":
            seen.append(("way", one["kind"] or ""))
        elif one["event"] != "alert.raised":
            said = (one["category"] or "", one["group"] or "", one["verdict"] or "")
            counted[who or "", *said] += n
            hours[at] += n
            blocked_in[at] += n if one["verdict"] == "block" else 0
            in_hour[at] |= {who} if who else set()
            if one["host"] and one["verdict"] == "block":
                seen.append(("blocked", one["host"]))
            elif one["host"] and one["category"] is None:
                seen.append(("uncategorised", one["host"]))
        for key in seen:
            times[key] += n
            told[key] |= {who} if who else set()

    def of(table: str) -> list[Told]:
        found = [
            Told(name, n, len(told[kind, name]))
            for (kind, name), n in times.items()
            if kind == table
        ]
        return sorted(found, key=lambda one: (-one.events, one.name))

    return RawFigures(
        tuple(sorted((Counted(*key, n) for key, n in counted.items()), key=str)),
        tuple(Hour(at, hours[at], blocked_in[at], len(in_hour[at])) for at in sorted(hours)),
        tuple(of("way")),
        tuple(of("uncategorised")),
        {one.name: one for one in of("blocked") if one.name in ("bet.example", "x.example")},
    )


@pytest.mark.long
@settings(max_examples=10)
@given(st.lists(EVENTS, max_size=12))
def test_lines_tables_and_counts_give_what_one_counts_by_hand(
    records: list[dict[str, Any]],
) -> None:
    with TemporaryDirectory() as folder:
        journal = JournalStore(Path(folder), lambda: OURS)
        for number, one in enumerate(records):
            at = one["ts"].replace(tzinfo=UTC)
            line = {**one, "ts": at.isoformat(timespec="milliseconds"), "id": f"1-a-{number}"}
            with (Path(folder) / f"{at.date()}.jsonl").open("a") as file:
                file.write(json.dumps({k: v for k, v in line.items() if v is not None}) + "\n")

        def found() -> RawFigures:
            span = (START - timedelta(days=1), START + timedelta(days=2))
            raw = raw_figures(journal, *span, ["bet.example", "x.example"])
            return replace(raw, counted=tuple(sorted(raw.counted, key=str)))

        want = naive(records)
        assert found() == want
        journal.keep(START + timedelta(days=2), Retention(400))
        assert found() == want
        for path in Path(folder).glob("*.counts"):
            path.unlink()
        assert found() == want
