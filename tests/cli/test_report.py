"""`schoolgate report`: figures in three forms, and a person's record on a concern alone."""

import json
from pathlib import Path

import pytest

from tests.cli.ended import DONE, lines, refused, run
from tests.school import School

pytestmark = pytest.mark.long
DAYS = ("--from", "2026-11-16", "--to", "2026-11-17")
DSL = "dsl@school.example"


@pytest.fixture(scope="module")
def asked(tmp_path_factory: pytest.TempPathFactory) -> School:
    """A school of whose journal one day is closed."""
    from tests.school import write_school

    school = write_school(tmp_path_factory.mktemp("report") / "school")
    journal = school.state / "journal"
    journal.mkdir(parents=True)
    for day in (16, 17):
        records = [
            {"ts": f"2026-11-{day}T09:00:00.000+00:00", "id": f"1-a-{n}", "user": f"tom{n}",
             "event": "request.decided", "group": "pupils", "verdict": "monitor", "clause": "C-3",
             "scheme": "https", "host": "a.example", "url": "https://a.example/=x"}
            for n in range(6)
        ]  # fmt: skip
        text = "".join(json.dumps(record, separators=(",", ":")) + "\n" for record in records)
        (journal / f"2026-11-{day}.jsonl").write_text(text)
        if day == 16:
            assert run(school, "journal", "keep").returncode == DONE
    for email, role in ((DSL, "dsl"), ("it@school.example", "technician")):
        made = run(school, "people", "add", email, "--name", "Some Body", "--role", role)
        assert made.returncode == DONE, made
    return school


def test_figures_for_people_and_for_programs(asked: School) -> None:
    shown = run(asked, "report", *DAYS).stdout
    assert "2026-11-16 to 2026-11-17: 12 requests" in shown
    assert "a.example" in shown
    assert "tom" not in shown
    table = lines(run(asked, "report", *DAYS, "--csv"))
    assert table[0] == "table,name,requests,blocked,people"
    assert "group,pupils,12,0,6" in table
    figures = json.loads(run(asked, "report", *DAYS, "--json").stdout)
    assert figures["hours"][9]["events"] == 12
    assert figures["uncategorised"] == [
        {"name": "a.example", "events": 12, "blocked": None, "people": 6}
    ]
    backwards = run(asked, "report", "--from", "2026-11-17", "--to", "2026-11-16")
    refused(backwards, 1, "no span of days")


def record(school: School, asked_by: str = DSL, concern: str = "A friend is worried.") -> object:
    return run(
        school, "report", "person", "user:tom3", *DAYS, "--asked-by", asked_by,
        "--concern", concern, "--reference", "incident 17",
    )  # fmt: skip


def looks(school: School) -> list[dict[str, object]]:
    told = run(school, "audit", "list", "--json").stdout.splitlines()
    return [one for one in map(json.loads, told) if one["action"] == "history.viewed"]


def test_a_record_is_given_on_a_concern_and_recorded(asked: School, tmp_path: Path) -> None:
    found = lines(record(asked))  # type: ignore[arg-type]
    assert found[1:] == [
        f"2026-11-{day}T09:00:00+00:00,https://a.example/=x,monitor,C-3," for day in (17, 16)
    ]
    [look] = looks(asked)
    assert look["subject"] == "user:tom3"
    assert look["detail"] == {
        "asked_by": DSL, "concern": "A friend is worried.", "reference": "incident 17",
        "day": "2026-11-16 to 2026-11-17",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("asked_by", "concern", "said"),
    [
        ("it@school.example", "x", "may not ask for a person's record"),
        ("nobody@school.example", "x", "there is no account"),
        (DSL, "  ", "concern"),
    ],
)
def test_it_is_refused_otherwise(asked: School, asked_by: str, concern: str, said: str) -> None:
    before = looks(asked)
    refused(record(asked, asked_by, concern), 1, said)  # type: ignore[arg-type]
    assert looks(asked) == before


def test_the_evidence_pack_is_written_for_its_owner_alone(asked: School, tmp_path: Path) -> None:
    out = tmp_path / "pack"
    done = run(asked, "report", "evidence", "--out", str(out), *DAYS)
    # Without Pango there is no PDF, which the exit code says.
    assert done.returncode in (DONE, 3), done.stderr
    names = {file.name for file in out.iterdir()}
    assert {"evidence.json", "answers.csv", "clauses.csv", "exceptions.csv", "tests.csv"} <= names
    assert ("evidence.pdf" in names) is (done.returncode == DONE)
    assert all(file.stat().st_mode & 0o777 == 0o600 for file in out.iterdir())
    told = json.loads((out / "evidence.json").read_text())
    assert told["facts"]["figures"]["total"]["events"] == 12
    held = {one["role"]: one["accounts"] for one in told["facts"]["roles"]}
    assert (held["dsl"], held["technician"]) == (1, 1)
    whole = b"".join(file.read_bytes() for file in out.iterdir())
    assert b"tom3" not in whole
    assert DSL.encode() not in whole
    backwards = ("--from", "2026-11-17", "--to", "2026-11-16")
    refused(run(asked, "report", "evidence", "--out", str(out), *backwards), 1, "no span of days")


def test_the_figures_that_are_sent_can_be_printed(asked: School) -> None:
    shown = run(asked, "report", "regular", "weekly", "--at", "2026-11-23T08:00:00").stdout
    assert "week from 16 November to 22 November 2026" in shown
    assert "requests: 12" in shown
    assert "tom" not in shown
