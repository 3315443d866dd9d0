"""A person as a machine knows them: who is meant, what is kept, and nothing of it afterwards."""

import json
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from schoolgate.bootstrap.erasure import Erased, as_line, erase, kept_of, person_of
from schoolgate.bootstrap.journal import keep_journal
from schoolgate.core.approvals import Subject
from schoolgate.core.errors import RefusedError
from schoolgate.settings import Settings, load_settings
from schoolgate.storage import AuditTrail, JournalHolds, open_database
from tests.school import write_school

CALLED = ("tomsmith", "Tom Smith")
NOW = datetime(2026, 11, 20, 9, tzinfo=UTC)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """A school whose journal has a closed day and another of two people, and decisions about one."""
    found = load_settings(write_school(tmp_path / "school").config, {})
    found.journal_dir.mkdir(parents=True)
    today = datetime.now(UTC).date()
    for day in (date(2026, 11, 16), today):
        for number, user in enumerate(("tomsmith", "ann")):
            record = {
                "ts": f"{day}T00:00:00.000+00:00",
                "id": f"1-a-{number}",
                "user": user,
                "event": "x",
            }
            with (found.journal_dir / f"{day}.jsonl").open("a") as file:
                file.write(json.dumps(record) + "\n")
    keep_journal(found)
    database = open_database(found.database_url)
    trail = AuditTrail(database)
    trail.add(NOW, "account:head@hill.example", "x", "user:tomsmith", {"why": "for Tom Smith"})
    trail.add(NOW, "account:head@hill.example", "y", "user:ann", {"why": "for Ann"})
    database.dispose()
    return found


def kept(settings: Settings, *called: str) -> list[dict[str, Any]]:
    return list(kept_of(settings, person_of(settings, called)))


@pytest.mark.parametrize("called", ["x", " ", "staff", "Pupils", "headteacher", "everyone"])
def test_nobody_is_meant_by_the_name_of_others(settings: Settings, called: str) -> None:
    with pytest.raises(RefusedError, match="name of others"):
        person_of(settings, ["tomsmith", called])


def test_somebody_is_meant_by_every_name_once_and_in_its_one_form(settings: Settings) -> None:
    person = person_of(settings, [" TomSmith", "tomsmith", "Tom Smith"])
    assert person.users == ("tomsmith", "tom smith")
    assert person.names.are("user:tomsmith")
    assert person.names.are_in("seen by Tom Smith.")
    assert not person.names.are_in("seen by Ann Smith.")


def test_what_is_kept_are_lines_of_all_days_and_rows(settings: Settings) -> None:
    found = kept(settings, *CALLED)
    assert [one["journal"]["user"] for one in found if "journal" in one] == ["tomsmith"] * 2
    assert {"audit_details", "pseudonyms"} <= {next(iter(one)) for one in found}
    assert all("Ann" not in as_line(one) for one in found)
    assert json.loads(as_line({"at": NOW}))["at"].startswith("2026-11-20")


def test_afterwards_nothing_is_kept_of_them_and_all_of_others(settings: Settings) -> None:
    others = kept(settings, "ann")
    settings.people.parent.mkdir(parents=True, exist_ok=True)
    settings.people.write_text("# Tom Smith is in year 9\n")
    done = erase(settings, person_of(settings, CALLED), " article 17 ", "system:test")
    assert done == Erased(2, done.rows, (settings.people,))
    assert done.rows >= 2
    assert kept(settings, *CALLED) == []
    assert kept(settings, "ann") == others
    database = open_database(settings.database_url)
    trail = AuditTrail(database)
    [(_, beside)] = trail.told(action="person.erased")
    state = trail.verify()
    database.dispose()
    assert (beside["subject"], beside["detail"]["reason"]) == ("erased:person", "article 17")
    assert (state.fault, state.erased) == (None, 1)


@pytest.mark.parametrize("reason", ["", "  ", "tom smith asked"])
def test_the_reason_is_there_and_names_nobody(settings: Settings, reason: str) -> None:
    with pytest.raises(RefusedError, match="without the name"):
        erase(settings, person_of(settings, CALLED), reason, "system:test")
    assert kept(settings, *CALLED)


@pytest.mark.parametrize("held", ["user:tomsmith", "everyone"])
def test_what_is_held_as_evidence_is_not_erased(settings: Settings, held: str) -> None:
    database = open_database(settings.database_url)
    holds, before = JournalHolds(database), len(kept(settings, *CALLED))
    number = holds.add(Subject.parse(held), date(2026, 11, 1), None, "police", "test", NOW)
    with pytest.raises(RefusedError, match=f"hold {number} keeps it as evidence"):
        erase(settings, person_of(settings, CALLED), "article 17", "system:test")
    assert len(kept(settings, *CALLED)) >= before
    holds.lift(number, "over", "test", NOW)
    assert erase(settings, person_of(settings, CALLED), "article 17", "system:test").lines == 2
    database.dispose()
