"""`schoolgate people export` and `erase`: all of a person, and afterwards nothing, in any file."""

import json
import re
from collections.abc import Iterator

import pytest

from tests.cli.ended import DONE, lines, refused, run
from tests.databases import bytes_of, fresh
from tests.school import School

pytestmark = pytest.mark.long
CALLED = ("tomsmith", "t.smith@hill.example", "Tom Smith")
WHY = ("--reason", "article 17", "--yes")
THEIRS = re.compile(rb"tom ?smith|t\.smith@", re.IGNORECASE)


@pytest.fixture
def database(school: School) -> Iterator[str]:
    """The school's database: a file of its state, or one on a server."""
    with fresh(school.state / "schoolgate.db") as url:
        school.write_config(database=url)
        yield url


def test_of_who_is_erased_nothing_is_in_any_store(school: School, database: str) -> None:
    journal = school.state / "journal"
    journal.mkdir(parents=True)
    for day in ("2026-11-16", "2026-11-17"):
        records = [
            {"ts": f"{day}T09:00:00.000+00:00", "id": f"1-a-{n}", "user": user, "event": "request.decided",
             "host": f"of-{user}.example", "verdict": "monitor"}
            for n, user in enumerate(("tomsmith", "ann"))
        ]  # fmt: skip
        text = "".join(json.dumps(one) + "\n" for one in records)
        (journal / f"{day}.jsonl").write_text(text)
        if day.endswith("16"):
            assert run(school, "journal", "keep").returncode == DONE
    for args in (
        ("people", "add", CALLED[1], "--name", CALLED[2], "--role", "teacher"),
        ("suspend", "user:tomsmith", "--until", "1d", "--reason", "Tom Smith, again"),
        ("journal", "hold", "add", "user:tomsmith", "--since", "2026-11-01", "--reason", "police"),
    ):
        assert run(school, *args).returncode == DONE
    kept = [json.loads(line) for line in lines(run(school, "people", "export", *CALLED, *WHY[:2]))]
    assert sum("journal" in one for one in kept) == 2
    assert THEIRS.search(bytes_of(database))
    assert {"suspensions", "accounts_person", "journal_holds"} <= {next(iter(one)) for one in kept}
    refused(run(school, "people", "erase", *CALLED, *WHY), 1, "hold 1 keeps it as evidence")
    assert run(school, "journal", "hold", "lift", "1", "--reason", "over").returncode == DONE
    done = run(school, "people", "erase", *CALLED, *WHY)
    assert lines(done)[0].startswith("erased: 2 lines of the journal, ")
    assert done.stderr == ""
    for path in school.state.rglob("*"):
        if path.is_file():
            assert THEIRS.search(path.read_bytes()) is None, path
    assert THEIRS.search(bytes_of(database)) is None
    assert "of-ann.example" in run(school, "people", "export", "ann", *WHY[:2]).stdout
    said = run(school, "doctor").stdout
    assert re.search(r"audit trail: \d+ entries, [1-9]\d* of them erased", said), said
    refused(run(school, "people", "erase", "staff", *WHY), 1, "name of others")
    refused(
        run(school, "people", "erase", "ann", "--reason", "of Ann", "--yes"), 1, "without the name"
    )
