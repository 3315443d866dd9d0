"""The trail in the database: verified as a whole, and whole after a person was erased from it."""

import json

import pytest
from sqlalchemy import Engine, text

from schoolgate.core.approvals import Subject
from schoolgate.storage import AuditTrail, DecisionStore
from schoolgate.storage.connections import reading, writing
from schoolgate.storage.versions import OVERLAY, version_of
from tests.storage.days import at

PUPIL = "user:p.smith"


@pytest.fixture
def trail(engine: Engine, store: DecisionStore) -> AuditTrail:
    for who in (PUPIL, "user:other", PUPIL):
        store.suspend(
            Subject.parse(who), at(9), at(15), f"{who} did it", "account:a.jones", now=at(8)
        )
    return AuditTrail(engine)


def dump(engine: Engine, table: str) -> str:
    with reading(engine) as connection:
        return json.dumps(
            [list(map(str, row)) for row in connection.execute(text(f"SELECT * FROM {table}"))]
        )


def test_the_chain_holds_no_name_and_no_text(engine: Engine, trail: AuditTrail) -> None:
    assert not any(word in dump(engine, "audit") for word in ("smith", "jones", "did it"))
    assert [beside["subject"] for _, beside in trail.told()] == [PUPIL, "user:other", PUPIL]
    assert len(trail.told(PUPIL)) == 2
    assert (trail.verify().entries, trail.verify().fault) == (3, None)


def test_an_erased_person_is_gone_and_the_chain_is_whole(engine: Engine, trail: AuditTrail) -> None:
    assert trail.erase(PUPIL, at(16), "account:a.jones", "asked for") == 2
    for table in ("audit", "audit_details", "pseudonyms"):
        assert "smith" not in dump(engine, table)
    found = trail.verify()
    assert (found.entries, found.erased, found.fault) == (4, 2, None)
    assert [beside.get("subject") for _, beside in trail.told()][:3] == [None, "user:other", None]
    assert trail.erase(PUPIL, at(16), "account:a.jones", "asked for") is None


@pytest.mark.parametrize(
    ("change", "want"),
    [
        ("UPDATE audit SET action = 'x' WHERE id = 2", "entry 2 was changed"),
        ("DELETE FROM audit WHERE id = 2", "entry 2 is missing"),
        ("DELETE FROM audit WHERE id = 3", "there are 2 entries, and should be 3"),
        ("UPDATE audit_details SET content = '{}' WHERE audit_id = 1", "names or texts of entry 1"),
    ],
)
def test_a_change_by_who_owns_the_file_is_found(
    engine: Engine, trail: AuditTrail, change: str, want: str
) -> None:
    with writing(engine) as connection:
        on_server = engine.dialect.name == "postgresql"
        names = ("changes ON audit",) if on_server else ("update", "delete")
        for name in names:
            connection.execute(text(f"DROP TRIGGER audit_refuses_{name}"))
        connection.execute(text(change))
    assert want in (trail.verify().fault or "")


def test_an_entry_about_what_is_kept_elsewhere_changes_nothing_else(engine: Engine) -> None:
    trail = AuditTrail(engine)
    trail.add(at(9), "uid:0", "account.roles", "a@hill.example", {"until": at(10)})
    [(entry, beside)] = trail.told()
    assert (entry.at, entry.action) == (at(9), "account.roles")
    assert beside["subject"] == "a@hill.example"
    assert beside["detail"] == {"until": at(10).isoformat()}
    assert "hill.example" not in dump(engine, "audit")
    with reading(engine) as connection:
        assert version_of(connection, OVERLAY) == 0
