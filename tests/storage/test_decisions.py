"""Granting, revoking, suspending and lifting: what is in force after, and what the audit says."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, select

from schoolgate.core.approvals import (
    Acceptance,
    Grant,
    Role,
    Signature,
    Signed,
    Subject,
    SubjectKind,
    Suspension,
)
from schoolgate.core.categories import ListEntry
from schoolgate.core.errors import BadAddressError, RefusedError, UnavailableError
from schoolgate.storage import AuditTrail, DecisionStore, decisions, schema
from schoolgate.storage.connections import reading
from schoolgate.storage.schema import NaiveTimeError
from tests.storage.days import at

STAFF = Subject.parse("group:staff")
PUPIL = Subject.parse("user:p.smith")
NINE, THREE = at(9), at(15)
ANN, BOB = (Acceptance(f"user:{name}", "cloud", "2026-11-23") for name in ("ann", "bob"))


def grant(
    store: DecisionStore,
    entry: str = "example.com",
    subject: Subject = STAFF,
    starts: datetime = NINE,
    ends: datetime = THREE,
    reason: str = "history lesson",
) -> Grant:
    opened = ListEntry.parse(entry, category="grant", feed="grant")
    return store.add_grant(
        opened, subject, starts, ends, Role.SLT, reason=reason, actor="a.jones", now=at(8)
    )


def suspend(
    store: DecisionStore,
    subject: Subject = PUPIL,
    starts: datetime = NINE,
    ends: datetime = THREE,
    reason: str = "W-6.3.1",
) -> Suspension:
    return store.suspend(subject, starts, ends, reason, "a.jones", now=at(8))


def audited(engine: Engine) -> list[dict[str, Any]]:
    trail = AuditTrail(engine)
    assert trail.verify().fault is None
    return [
        {
            "at": entry.at,
            "actor": beside["actor"],
            "action": entry.action,
            "subject": beside["subject"],
            "detail": beside["detail"],
        }
        for entry, beside in trail.told()
    ]


def test_a_grant_is_given_back_as_it_was_made(store: DecisionStore) -> None:
    made = grant(store, entry="WWW.Example.COM/Lesson%20One/")
    entry = ListEntry("www.example.com", "/lesson one", category="grant", feed="grant")
    want = Grant(1, entry, STAFF, at(9), at(15), Role.SLT, "history lesson")
    assert made == want
    assert store.grants(at(10)) == [want]


def test_times_of_any_zone_are_the_same_moment(store: DecisionStore) -> None:
    summer = timezone(timedelta(hours=1))
    made = grant(store, starts=at(9).astimezone(summer))
    assert made.starts == at(9)
    assert made.starts.utcoffset() == timedelta(0)


@pytest.mark.parametrize(
    ("now", "want"),
    [
        (at(8), ["before.example", "now.example", "later.example"]),
        (at(10), ["now.example", "later.example"]),
        (at(15), ["later.example"]),
        (at(18), []),
    ],
)
def test_what_has_ended_is_left_out_and_what_is_to_come_is_not(
    store: DecisionStore, now: datetime, want: list[str]
) -> None:
    grant(store, "before.example", starts=at(8), ends=at(9))
    grant(store, "now.example", starts=at(9), ends=at(15))
    grant(store, "later.example", starts=at(16), ends=at(17))
    assert [g.entry.host for g in store.grants(now)] == want
    assert [g.entry.host for g in store.overlay(now).grants] == want
    assert len(store.grants(now, include_ended=True)) == 3


def test_a_revoked_grant_has_ended_when_it_was_revoked(store: DecisionStore) -> None:
    kept, taken = grant(store), grant(store)
    store.revoke_grant(taken.id, at(11), "a.jones", "lesson cancelled")
    assert store.grants(at(10)) == [kept]
    assert [g.ends for g in store.grants(at(10), include_ended=True)] == [at(15), at(11)]


@pytest.mark.parametrize(
    ("grant_id", "now", "want"),
    [
        (1, at(15), "grant 1 has ended already"),
        (2, at(12), "grant 2 was revoked already"),
        (3, at(12), "there is no grant 3"),
        (-1, at(12), "there is no grant -1"),
        (10**30, at(12), "there is no grant 1000"),
    ],
)
def test_a_grant_that_cannot_be_revoked(
    store: DecisionStore, engine: Engine, grant_id: int, now: datetime, want: str
) -> None:
    grant(store)
    grant(store)
    store.revoke_grant(2, at(11), "a.jones")
    before = store.overlay(at(9)), audited(engine)
    with pytest.raises(RefusedError, match=want):
        store.revoke_grant(grant_id, now, "a.jones")
    assert (store.overlay(at(9)), audited(engine)) == before


def test_a_suspension_is_given_back_as_it_was_made(store: DecisionStore) -> None:
    want = Suspension(1, PUPIL, at(9), at(15), "W-6.3.1")
    assert suspend(store) == want
    assert store.suspensions(at(10)) == [want]
    assert store.suspensions(at(15)) == []


def test_lifting_ends_all_of_one_subject_and_no_other(store: DecisionStore) -> None:
    ended = suspend(store, starts=at(8), ends=at(9))
    suspend(store)
    suspend(store, starts=at(16), ends=at(17))
    other = suspend(store, subject=Subject.parse("user:p.smithson"))
    assert store.unsuspend(PUPIL, at(10), "a.jones") == 2
    assert store.suspensions(at(8)) == [ended, other]
    assert store.suspensions(at(10)) == [other]


def test_nothing_to_lift_is_refused(store: DecisionStore) -> None:
    suspend(store)
    store.unsuspend(PUPIL, at(10), "a.jones")
    for subject in (PUPIL, STAFF):
        with pytest.raises(RefusedError, match=f"{subject} is not suspended"):
            store.unsuspend(subject, at(10), "a.jones")


@pytest.mark.parametrize("make", [grant, suspend])
@pytest.mark.parametrize(
    ("fault", "want"),
    [
        ({"reason": ""}, "give a reason"),
        ({"reason": " \n"}, "give a reason"),
        ({"ends": at(9)}, "must lie after the start"),
        ({"ends": at(8)}, "must lie after the start"),
        ({"subject": Subject(SubjectKind.USER)}, "names nobody"),
        ({"subject": Subject(SubjectKind.EVERYONE, "x")}, "names nobody"),
    ],
)
def test_a_decision_without_reason_length_or_subject_is_refused(
    store: DecisionStore, make: Callable[..., object], fault: dict[str, Any], want: str
) -> None:
    with pytest.raises(RefusedError, match=want):
        make(store, **fault)
    assert store.overlay(at(8)).version == 0


def test_an_entry_that_names_no_host_is_refused(store: DecisionStore) -> None:
    with pytest.raises(BadAddressError):
        grant(store, entry="https://example.com/")


def test_an_entry_that_not_every_database_keeps_is_refused(store: DecisionStore) -> None:
    with pytest.raises(RefusedError, match="NUL character"):
        grant(store, entry="example.com/%00")


def test_a_time_without_a_zone_is_a_bug_and_changes_nothing(store: DecisionStore) -> None:
    naive = datetime(2026, 11, 23, 9)  # noqa: DTZ001 - the point of the test
    with pytest.raises(NaiveTimeError):
        store.suspend(PUPIL, at(9), at(15), "W-6.3.1", "a.jones", now=naive)
    assert store.suspensions(at(8)) == []


def test_an_address_is_stored_in_its_one_form(store: DecisionStore) -> None:
    suspend(store, subject=Subject(SubjectKind.CLIENT, "2001:DB8:0::1"))
    assert store.unsuspend(Subject.parse("2001:db8::1"), at(10), "a.jones") == 1


def test_each_change_is_audited_once_and_raises_the_version(
    store: DecisionStore, engine: Engine
) -> None:
    changes: list[Callable[[], object]] = [
        lambda: grant(store),
        lambda: store.revoke_grant(1, at(10), "the.head", " mistake "),
        lambda: suspend(store),
        lambda: store.unsuspend(PUPIL, at(11), "the.head"),
    ]
    for number, change in enumerate(changes, start=1):
        change()
        assert store.overlay(at(10)).version == number
    times = {"starts": "2026-11-23T09:00:00+00:00", "ends": "2026-11-23T15:00:00+00:00"}
    opened = {"entry": "example.com", "decided_by": "slt", "reason": "history lesson"}
    revoked = {"grant": 1, "entry": "example.com", "reason": "mistake"}
    assert [tuple(entry.values()) for entry in audited(engine)] == [
        (at(8), "a.jones", "grant.added", "group:staff", {"grant": 1} | times | opened),
        (at(10), "the.head", "grant.revoked", "group:staff", revoked),
        (
            at(8),
            "a.jones",
            "suspension.added",
            "user:p.smith",
            {"suspension": 1, "reason": "W-6.3.1"} | times,
        ),
        (at(11), "the.head", "suspension.lifted", "user:p.smith", {"suspensions": [1]}),
    ]


def test_a_change_whose_audit_entry_fails_is_not_made(store: DecisionStore, engine: Engine) -> None:
    with engine.begin() as connection:
        connection.exec_driver_sql("DROP TABLE audit")
    with pytest.raises(UnavailableError, match="audit"):
        grant(store)
    assert (store.overlay(at(8)).version, store.grants(at(8))) == (0, [])


def test_a_recorded_version_rises_with_its_label_only(store: DecisionStore) -> None:
    assert store.recorded_label("policy") == ""
    numbers = [store.record_version("policy", label) for label in ("a", "a", "b", "a")]
    assert numbers == [1, 1, 2, 3]
    assert store.recorded_label("policy") == "a"
    assert store.record_version("lists", "a") == 1
    assert store.overlay(at(9)).version == 0


@pytest.mark.parametrize("name", ["overlay", "polices", ""])
def test_only_policy_and_lists_can_be_recorded(store: DecisionStore, name: str) -> None:
    with pytest.raises(ValueError, match="not a version to record"):
        store.record_version(name, "a")


SUPPRESSED = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
HOSTS = st.sampled_from(["example.com", "münchen.example", "10.0.0.7", "192.168.1.1", "a.b.ac.uk"])
PATHS = st.text(
    st.characters(codec="utf-8", exclude_characters="?#"), max_size=12
) | st.sampled_from(["%2561", "a/..;x/b", ";x", "%2e%2e/c", "%252e%252e/c"])


@settings(max_examples=60, suppress_health_check=SUPPRESSED)
@given(HOSTS, PATHS)
def test_what_was_granted_is_what_is_in_force_later(
    store: DecisionStore, host: str, path: str
) -> None:
    assume("\0" not in ListEntry.parse(f"{host}/{path}", "", "").path)
    made = grant(store, entry=f"{host}/{path}")
    assert made.entry == ListEntry.parse(f"{host}/{path}", category="grant", feed="grant")
    assert store.grants(at(9))[-1] == made


@settings(max_examples=40, suppress_health_check=SUPPRESSED)
@given(st.lists(st.tuples(st.integers(0, 20), st.integers(1, 3)), max_size=6), st.integers(0, 24))
def test_the_overlay_is_a_plain_filter_over_time(
    store: DecisionStore, spans: list[tuple[int, int]], hour: int
) -> None:
    day = datetime(2026, 11, 23, tzinfo=UTC)
    now = day + timedelta(hours=hour)
    earlier = {g.id for g in store.grants(day, include_ended=True)}
    made = [
        grant(store, starts=day + timedelta(hours=start), ends=day + timedelta(hours=start + hours))
        for start, hours in spans
    ]
    found = [g for g in store.overlay(now).grants if g.id not in earlier]
    assert found == [g for g in made if g.ends > now]


def test_what_was_clicked_through_is_in_the_overlay_and_not_in_the_audit(
    store: DecisionStore, engine: Engine
) -> None:
    before = store.overlay(at(9)).version
    assert store.keep_acceptances([ANN], at(9)) == frozenset()
    assert store.keep_acceptances([ANN, BOB], at(10)) == {ANN}
    assert store.overlay(at(11)).acceptances == {ANN, BOB}
    assert store.overlay(at(11)).version == before + 2
    assert store.keep_acceptances([ANN, BOB], at(12)) == {ANN, BOB}
    assert store.overlay(at(13)).version == before + 2
    assert audited(engine) == []


def test_what_was_clicked_through_is_forgotten_with_its_day(
    store: DecisionStore, engine: Engine
) -> None:
    # A day ends by the clock in school: this is five past midnight in summer.
    tomorrow = datetime(2026, 6, 30, 23, 5, tzinfo=UTC)
    early, late = ANN._replace(day="2026-06-30"), BOB._replace(day="2026-07-01")
    store.keep_acceptances([early], tomorrow - timedelta(hours=1))
    assert store.overlay(tomorrow - timedelta(hours=1)).acceptances == {early}
    assert store.overlay(tomorrow).acceptances == frozenset()
    assert store.keep_acceptances([early, late], tomorrow) == frozenset()
    with reading(engine) as connection:
        rows = connection.execute(select(schema.acceptances)).all()
    assert [tuple(row) for row in rows] == [("2026-07-01", "user:bob", "cloud")]


def test_no_more_is_kept_of_a_day_than_a_school_clicks_through(
    store: DecisionStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(decisions, "MOST_ACCEPTANCES", 1)
    assert store.keep_acceptances([ANN, BOB], at(9)) == frozenset()
    assert store.keep_acceptances([BOB], at(9)) == frozenset()
    assert store.overlay(at(9)).acceptances == {ANN}


def test_a_signature_is_in_force_in_the_register_and_in_the_audit(
    store: DecisionStore, engine: Engine
) -> None:
    before = store.overlay(at(9)).version
    made = store.sign("ann", "2026-09", "a.jones", now=at(9))
    assert made == Signature("ann", "2026-09", at(9))
    assert store.signatures() == [made]
    assert store.overlay(at(9)).signed == {Signed("ann", "2026-09")}
    assert store.overlay(at(9)).version == before + 1
    assert [(row["action"], row["subject"], row["detail"]) for row in audited(engine)] == [
        ("declaration.signed", "user:ann", {"version": "2026-09"})
    ]


def test_a_signature_that_was_withdrawn_stands_in_the_register_and_can_be_given_again(
    store: DecisionStore, engine: Engine
) -> None:
    store.sign("ann", "2026-09", "a.jones", now=at(9))
    store.withdraw_signature("ann", "2026-09", "a.jones", " another's form ", now=at(10))
    assert store.overlay(at(10)).signed == frozenset()
    again = store.sign("ann", "2026-09", "a.jones", now=at(11))
    assert store.signatures() == [Signature("ann", "2026-09", at(9), at(10)), again]
    assert store.overlay(at(11)).signed == {Signed("ann", "2026-09")}
    assert audited(engine)[1]["detail"] == {"version": "2026-09", "reason": "another's form"}


def test_nobody_signs_twice_nor_takes_back_what_was_not_signed(
    store: DecisionStore, engine: Engine
) -> None:
    store.sign("ann", "2026-09", "a.jones", now=at(9))
    with pytest.raises(RefusedError, match="ann has signed 2026-09 already"):
        store.sign("ann", "2026-09", "a.jones", now=at(10))
    with pytest.raises(RefusedError, match="bob has not signed 2026-09"):
        store.withdraw_signature("bob", "2026-09", "a.jones", "why", now=at(10))
    with pytest.raises(RefusedError, match="give a reason"):
        store.withdraw_signature("ann", "2026-09", "a.jones", " ", now=at(10))
    assert len(store.signatures()) == len(audited(engine)) == 1
