"""Every policy that comes with the product does what its cases say, and no clause is without them."""

import re

import pytest

from schoolgate.bootstrap import load_casebooks
from schoolgate.services.casebook import Casebook, run_case
from schoolgate.services.clause_table import clause_table
from schoolgate.settings import load_settings
from tests.data import shared
from tests.gateway import ROOT

BOOKS = {
    book.policy.id: book
    for book in load_casebooks(load_settings(ROOT / "config" / "schoolgate.yaml", {}))
}
POLICIES = [
    "forge", "hermitage", "kings-wood", "twiss-green", "uk-baseline", "vanguard", "wellstead",
]  # fmt: skip
# The first letter of a clause's id, and the policies in which it stands.
LETTERS = {
    "D": ["uk-baseline"],
    "W": ["wellstead"],
    "T": ["twiss-green"],
    "K": ["kings-wood"],
    "H": ["hermitage", "vanguard"],
    "F": ["forge"],
}


def test_these_policies_come_with_the_product() -> None:
    assert sorted(BOOKS) == POLICIES
    for file in (ROOT / "config" / "policies").glob("*.yaml"):
        assert file.name.removesuffix(".yaml").removesuffix(".cases") in POLICIES


@pytest.mark.parametrize(
    ("name", "number"),
    [
        pytest.param(name, number, id=f"{name}:{case.line}:{case.clause}")
        for name, book in BOOKS.items()
        for number, case in enumerate(book.cases)
    ],
)
def test_a_policy_does_what_its_case_says(name: str, number: int) -> None:
    book = BOOKS[name]
    assert run_case(book.policy, book.catalogue, book.cases[number]).problem == ""


@pytest.mark.parametrize("book", BOOKS.values(), ids=BOOKS)
def test_every_clause_that_rules_carry_out_has_a_case_and_a_near_miss(book: Casebook) -> None:
    assert list(book.uncovered()) == []


@pytest.mark.parametrize("letter", LETTERS)
def test_every_clause_of_the_written_policies_stands_in_its_policy(letter: str) -> None:
    text = shared("policies/CLAUSES.md").read_text(encoding="utf-8")
    written = set(re.findall(rf"^\| ({letter}-\S+) \|", text, re.MULTILINE))
    stands = {
        clause.id
        for name in LETTERS[letter]
        for clause in BOOKS[name].policy.clauses.values()
        if clause.level == 0
    }
    assert written <= stands


def test_every_school_extends_the_baseline() -> None:
    above = {name: book.policy.extends for name, book in BOOKS.items()}
    assert above.pop("uk-baseline") == ()
    assert {chain[-1] for chain in above.values()} == {"uk-baseline"}


def test_every_policy_says_who_reviews_decides_and_receives_incidents() -> None:
    for name, book in BOOKS.items():
        assert name == "uk-baseline" or book.policy.roles is not None, name


def test_the_table_of_clauses_is_up_to_date() -> None:
    """After a change: schoolgate policy clauses > docs/clauses.md."""
    assert (ROOT / "docs" / "clauses.md").read_text(encoding="utf-8") == clause_table(
        BOOKS.values()
    )
