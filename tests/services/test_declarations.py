"""The register: names as clients are known by them, and who is missing in it."""

import hashlib
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import Engine

from schoolgate.core.errors import RefusedError
from schoolgate.core.people import Device, Membership, People, SignInSettings, WireGuardPeer
from schoolgate.core.policy import Declaration, Group, Policy, UntilSigned
from schoolgate.services import declarations
from schoolgate.storage import AuditTrail, DecisionStore, open_database
from tests.core.policy.example import policy

NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)
PEOPLE = People(
    devices=(
        Device("laptop", user="dan", membership=Membership("office")),
        Device("tablet", user="eve", membership=Membership("pupils")),
        Device("trolley", membership=Membership("staff")),
    ),
    people={
        "ann": Membership("staff"),
        "bob": Membership("pupils", frozenset({"staff"})),
        "cid": Membership("pupils"),
    },
    wireguard=(WireGuardPeer("key", (), user="fay", membership=Membership("staff")),),
    sign_in=SignInSettings(domains=("SCHOOL",)),
)


def school(version: str = "2026-09") -> Policy:
    return policy(
        groups={
            "pupils": Group("pupils", "Pupils"),
            "staff": Group("staff", "Staff"),
            "office": Group("office", "Office", within="staff"),
        },
        declaration=Declaration("C-D", version, UntilSigned.WARN, frozenset({"staff"})),
    )


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Engine]:
    database = open_database(f"sqlite:///{tmp_path}/decisions.db")
    yield database
    database.dispose()


@pytest.fixture
def store(database: Engine) -> DecisionStore:
    return DecisionStore(database)


def sign(store: DecisionStore, person: str, rules: Policy, version: str | None = None) -> str:
    kept = declarations.sign(store, rules, PEOPLE, person, version, actor="cli:t", now=NOW)
    return f"{kept.person} {kept.version}"


def shown(store: DecisionStore, rules: Policy) -> list[tuple[str, str, bool, str]]:
    lines = declarations.standing(rules, PEOPLE, store.signatures())
    return [(line.person, line.version, line.signed_at == NOW, line.state) for line in lines]


def test_a_person_signs_the_version_in_force_unless_another_is_named(store: DecisionStore) -> None:
    assert sign(store, "SCHOOL\\Ann", school()) == "ann 2026-09"
    assert sign(store, "ann", school(), "2025-09") == "ann 2025-09"


def test_the_register_shows_who_signed_and_then_who_of_the_groups_has_not(
    store: DecisionStore,
) -> None:
    sign(store, "ann", school("2025-09"))
    sign(store, "bob", school())
    sign(store, "gus", school())
    declarations.withdraw(
        store, school(), PEOPLE, "GUS", None, reason="left", actor="cli:t", now=NOW
    )
    assert shown(store, school()) == [
        ("ann", "2025-09", True, "signed an earlier one"),
        ("bob", "2026-09", True, "signed"),
        ("gus", "2026-09", True, "withdrawn"),
        ("ann", "2026-09", False, "not signed"),
        ("dan", "2026-09", False, "not signed"),
        ("fay", "2026-09", False, "not signed"),
    ]


def test_who_has_an_account_is_to_sign_too(store: DecisionStore) -> None:
    others = {"hal": Membership("staff"), "ann": Membership("staff"), "pip": Membership("pupils")}
    sign(store, "ann", school())
    lines = declarations.standing(school(), PEOPLE, store.signatures(), others)
    assert [line.person for line in lines if line.signed_at is None] == ["bob", "dan", "fay", "hal"]


def test_the_typed_name_and_a_hash_of_what_was_read_are_in_the_audit_trail(
    database: Engine, store: DecisionStore
) -> None:
    for text in ((), ("I keep to it.",)):
        rules = school(f"v{len(text)}")
        assert rules.declaration is not None
        rules = replace(rules, declaration=replace(rules.declaration, text=text))
        declarations.sign(
            store, rules, PEOPLE, "ann", None, actor="t", now=NOW, signature=" Ann A. "
        )
    details = [beside["detail"] for _, beside in AuditTrail(database).told(action="declaration.")]
    assert [each["signature"] for each in details] == ["Ann A.", "Ann A."]
    assert details[1]["text"] == hashlib.sha256(b"I keep to it.").hexdigest() != details[0]["text"]


@pytest.mark.parametrize(
    ("person", "rules", "want"),
    [
        ("ann", policy(), "the policy example asks for no declaration"),
        ("SCHOOL\\", school(), "name the person by their sign-in name"),
    ],
)
def test_what_cannot_be_signed_is_refused(
    store: DecisionStore, person: str, rules: Policy, want: str
) -> None:
    with pytest.raises(RefusedError, match=want):
        sign(store, person, rules)
    assert store.signatures() == []
