"""A person's rows: found by whole words, deleted or unnamed, and not a byte left; the chain holds."""

import re
from datetime import timedelta

import pytest
from sqlalchemy import Engine, text

from schoolgate.core.approvals import Role, Subject
from schoolgate.core.categories import ListEntry
from schoolgate.storage import AuditTrail, DecisionStore
from schoolgate.storage.connections import reading, writing
from schoolgate.storage.persons import Names, erase_rows, leave_no_byte, rows_about
from tests.databases import bytes_of
from tests.storage.days import at

CALLED = ("tomsmith", "t.smith@hill.example", "Tom Smith")
THEIRS = re.compile(rb"tom ?smith|t\.smith", re.IGNORECASE)
NAMES = Names(CALLED, {f"{kind}:{one}" for kind in ("user", "account") for one in CALLED})


@pytest.mark.parametrize(
    ("said", "left"),
    [
        ("Tom Smith asked.", "erased asked."),
        ("tom smith", "erased"),
        ('{"actor": "user:tomsmith"}', '{"actor": "erased"}'),
        ("account:T.Smith@hill.example", "erased"),
        ("tomsmithson, xtomsmith, tomsmith.example, role:tomsmith", None),
        ("tomsmith.", "erased."),
        ("nobody", None),
    ],
)
def test_names_are_whole_words(said: str, left: str | None) -> None:
    assert NAMES.are_in(said) is (left is not None)
    assert NAMES.without(said) == (left or said)


def school(engine: Engine) -> None:
    store, entry = DecisionStore(engine), ListEntry.parse("a.example", "grant", "grant")
    for who, reason in (("user:tomsmith", "his"), ("group:staff", "Tom Smith asked")):
        store.add_grant(
            entry, Subject.parse(who), at(9), at(9) + timedelta(days=1), Role.HEADTEACHER,
            reason=reason, actor="account:t.smith@hill.example", now=at(9),
        )  # fmt: skip
    trail = AuditTrail(engine)
    trail.add(at(10), "account:head@hill.example", "x", "request:7", {"why": "for Tom Smith"})
    trail.add(at(11), "account:head@hill.example", "y", "user:ann", {"why": "for Ann"})
    with writing(engine) as connection:
        connection.execute(
            text("CREATE TABLE accounts_person (id INTEGER PRIMARY KEY, email TEXT, name TEXT)")
        )
        connection.execute(
            text("INSERT INTO accounts_person VALUES (1, 't.smith@hill.example', 'Tom Smith')")
        )


def test_nobody_is_left_and_the_chain_holds(engine: Engine, url: str) -> None:
    school(engine)
    with engine.connect() as connection:
        # As a server does by itself, which then knows the most frequent names.
        connection.execute(text("ANALYZE"))
        connection.commit()
    assert THEIRS.search(bytes_of(url))
    assert set(rows_about(engine, NAMES)) >= {
        "grants",
        "audit_details",
        "pseudonyms",
        "accounts_person",
    }
    assert erase_rows(engine, NAMES) > 5
    leave_no_byte(engine)
    assert rows_about(engine, NAMES) == {}
    assert THEIRS.search(bytes_of(url)) is None
    state = AuditTrail(engine).verify()
    assert (state.fault, state.entries, state.erased) == (None, 4, 3)
    with reading(engine) as connection:
        reasons = connection.execute(text("SELECT reason FROM grants")).scalars().all()
        people = connection.execute(text("SELECT count(*) FROM accounts_person")).scalar_one()
    assert (reasons, people) == (["erased asked"], 0)
    assert erase_rows(engine, NAMES) == 0
