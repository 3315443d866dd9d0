"""`schoolgate audit`: reading the trail, and erasing a person from it."""

import json

from tests.cli.ended import DONE, NO, lines, refused, run
from tests.school import School

WHO = "user:jsmith"


def test_a_person_is_erased_and_the_chain_holds(school: School) -> None:
    suspended = run(school, "suspend", WHO, "--until", "1d", "--reason", "of mobile numbers")
    assert suspended.returncode == DONE
    [entry] = map(json.loads, lines(run(school, "audit", "list", "--about", WHO, "--json")))
    assert (entry["id"], entry["subject"], entry["action"]) == (1, WHO, "suspension.added")
    assert entry["detail"]["reason"] == "of mobile numbers"

    erased = run(school, "audit", "erase", WHO, "--reason", "article 17", "--yes")
    assert lines(erased) == ["Erased from 1 entries."]
    first, second = map(json.loads, lines(run(school, "audit", "list", "--json")))
    assert (first["detail"], first["subject"][:2]) == (None, "p-")
    assert second["action"] == "person.erased"
    assert second["detail"] == {"entries": 1, "reason": "article 17"}
    shown = run(school, "audit", "list").stdout
    assert "erased" in shown
    assert "jsmith" not in shown
    assert "2 entries, 1 of them erased" in run(school, "doctor").stdout


def test_nobody_is_erased_unasked_or_unknown(school: School) -> None:
    erase = ("audit", "erase", WHO, "--reason", "article 17")
    refused(run(school, *erase, "--yes"), NO, f"The audit trail does not know {WHO}")
    assert run(school, *erase).returncode == 130
    assert lines(run(school, "audit", "list")) == ["id  when  who  did  to  how"]
