"""Alerts and incidents are kept, told of once, and change with an audit entry each."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import Engine, select

from schoolgate.core.approvals import Role
from schoolgate.core.errors import RefusedError
from schoolgate.core.safeguarding import Severity
from schoolgate.core.safeguarding.incidents import About, Incident, KeptAlert, Outcome
from schoolgate.storage import Audience, AuditTrail, IncidentStore, Outbox, schema
from schoolgate.storage.connections import reading
from tests.storage.days import at

NOW = at(10)
DSL = Audience(("dsl@hill.example",))


def alert(severity: Severity = Severity.CAUTION, minutes: int = 0, **fields: object) -> KeptAlert:
    moment = NOW + timedelta(minutes=minutes)
    given = {"who": "user:abc", "theme": "self-harm"} | fields
    return KeptAlert(
        0, moment, moment, 1, str(given["who"]), "pupils", About.PUPILS, str(given["theme"]), severity,
        "search", "www.bing.com", {"search": "secret words"},
    )  # fmt: skip


def kept(engine: Engine, *alerts: KeptAlert, audience: Audience = DSL) -> IncidentStore:
    store = IncidentStore(engine)
    for each in alerts:
        store.keep([each], lambda _: audience, each.at)
    return store


def subjects(engine: Engine) -> list[tuple[str, str]]:
    return [(mail.audience, mail.subject) for mail, _ in Outbox(engine).unsent()]


@pytest.mark.parametrize(
    ("alerts", "times"),
    [
        ([alert(), alert(minutes=9)], [2]),
        ([alert(), alert(minutes=11)], [1, 1]),
        ([alert(Severity.DANGER), alert(minutes=5)], [2]),
        # A worse one is told at once.
        ([alert(), alert(Severity.DANGER, minutes=5)], [1, 1]),
        ([alert(), alert(theme="drugs")], [1, 1]),
        ([alert(), alert(who="user:other")], [1, 1]),
    ],
)
def test_like_alerts_of_a_while_are_one_and_one_mail(
    engine: Engine, alerts: list[KeptAlert], times: list[int]
) -> None:
    store = kept(engine, *alerts)
    assert [each.times for each in store.alerts()] == times
    assert len(subjects(engine)) == len(times)


def test_mail_names_nobody_and_nothing_that_was_typed(engine: Engine) -> None:
    kept(engine, alert())
    [(audience, subject)] = subjects(engine)
    assert audience == "account:dsl@hill.example"
    assert subject == "Safeguarding alert 1: caution, self harm"


def test_where_no_address_is_known_the_role_is_told_so_that_it_shows(engine: Engine) -> None:
    kept(engine, alert(), audience=Audience(roles=(Role.DSL,)))
    assert [audience for audience, _ in subjects(engine)] == ["role:dsl"]


def test_danger_opens_an_incident_and_more_of_it_joins(engine: Engine) -> None:
    store = kept(
        engine, alert(Severity.DANGER), alert(Severity.DANGER, minutes=20), alert(minutes=40)
    )
    [incident] = store.incidents()
    assert (incident.origin, incident.who, incident.opened_by) == ("alert:1", "user:abc", "system")
    assert incident.summary == "Self harm (search on www.bing.com)"
    assert [each.incident for each in store.alerts()] == [0, 1, 1]
    assert store.open_counts() == {"danger": 1, "caution": 0, "advisory": 0}


def test_an_incident_is_given_noted_and_closed_with_an_outcome(engine: Engine) -> None:
    store = kept(engine, alert(Severity.DANGER))
    store.assign(1, "dsl", "dsl", NOW)
    store.note(1, " Spoke with her. ", "dsl", NOW)
    for words in ("", "  "):
        with pytest.raises(RefusedError):
            store.note(1, words, "dsl", NOW)
    with pytest.raises(RefusedError, match="how it ended"):
        store.close(1, Outcome.NONE, "", "dsl", NOW)
    store.close(1, Outcome.SUPPORTED, "Counsellor.", "dsl", NOW)
    incident, notes, alerts = store.incident(1)
    assert (incident.outcome, incident.is_open) == (Outcome.SUPPORTED, False)
    assert incident.assigned_to == "dsl"
    assert [note.action for note in notes] == ["opened", "assigned", "noted", "closed"]
    assert notes[2].words == "Spoke with her."
    assert len(alerts) == 1
    assert [each.id for each in store.incidents(closed=True)] == [1]
    changes: tuple[Callable[[], object], ...] = (
        lambda: store.note(1, "More.", "dsl", NOW),
        lambda: store.assign(1, "x", "dsl", NOW),
        lambda: store.close(1, Outcome.NO_ACTION, "", "dsl", NOW),
        lambda: store.note(9, "More.", "dsl", NOW),
    )
    for change in changes:
        with pytest.raises(RefusedError):
            change()
    with reading(engine) as connection:
        actions = connection.execute(select(schema.audit.c.action)).scalars().all()
    assert actions == ["incident.opened", "incident.assigned", "incident.noted", "incident.closed"]
    assert AuditTrail(engine).verify().fault is None


def test_an_alert_becomes_one_incident(engine: Engine) -> None:
    store = kept(engine, alert())
    new = Incident(
        0, NOW, "dsl", "alert:1", "user:abc", "pupils", About.PUPILS, "self-harm", Severity.CAUTION, "It"
    )  # fmt: skip
    assert store.open(new, 1).id == 1
    with pytest.raises(RefusedError):
        store.open(new, 1)
    assert [each.id for each in store.incidents()] == [1]
