"""`schoolgate declarations`: signing, listing, taking back."""

import re

import pytest
import yaml

from tests.cli.ended import DONE, NO, Ended, lines, refused, run
from tests.school import POLICY, School

DECLARATION = """
declaration:
  clause: C-4
  version: "2026-09"
  until_signed: hold
  groups: [staff]
"""


@pytest.fixture
def signing(school: School) -> School:
    """A school whose staff sign a declaration."""
    school.policy.write_text(POLICY + DECLARATION)
    people = {"people": {"ann": {"group": "staff"}, "bob": {"group": "staff"}}}
    (school.local / "people.yaml").write_text(yaml.safe_dump(people))
    return school


def rows(ended: Ended) -> list[list[str]]:
    """Give the lines of a table, each cell apart."""
    return [re.split(r" {2,}", line) for line in lines(ended)]


def test_a_person_is_held_until_it_is_put_down_that_they_signed(signing: School) -> None:
    asked = ("check", "a.example", "--user", "ann", "--group", "staff")
    assert "block    C-4" in run(signing, *asked).stdout
    explained = run(signing, "explain", *asked[1:]).stdout
    assert "device or group, or is a declaration to be signed?" in explained
    assert lines(run(signing, "declarations", "sign", "Ann")) == ["ann has signed 2026-09."]
    assert "monitor  C-3" in run(signing, *asked).stdout
    header, ann, bob, foot = rows(run(signing, "declarations", "list"))
    assert header == ["person", "version", "signed", "state"]
    assert (ann[:2], ann[3], bob) == (
        ["ann", "2026-09"], "signed", ["bob", "2026-09", "-", "not signed"],
    )  # fmt: skip
    assert foot == ["(version 2026-09 under C-4, for staff; until signed: hold)"]
    assert [row[0] for row in rows(run(signing, "declarations", "list", "--missing"))[1:-1]] == [
        "bob"
    ]
    done = run(signing, "declarations", "withdraw", "ann", "--reason", "another's form")
    assert lines(done) == ["The signature of ann is withdrawn."]
    assert "block    C-4" in run(signing, *asked).stdout


def test_what_cannot_be_is_refused_in_a_sentence(school: School, signing: School) -> None:
    done = run(signing, "declarations", "withdraw", "ann", "--reason", "x")
    refused(done, NO, "ann has not signed 2026-09")
    assert run(signing, "declarations", "sign", "ann", "--version", "1").returncode == DONE
    done = run(signing, "declarations", "sign", "ann", "--version", "1")
    refused(done, NO, "ann has signed 1 already")
    school.policy.write_text(POLICY)
    refused(run(school, "declarations", "list"), NO, "the policy hill asks for no declaration")
