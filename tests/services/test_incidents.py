"""Who is told of whom, and who sees what (T-8-concern)."""

from dataclasses import replace

import pytest
from sqlalchemy import Engine

from schoolgate.core.approvals import Actor, Role
from schoolgate.core.errors import RefusedError
from schoolgate.core.policy import ConcernRoutes, PolicyEngine
from schoolgate.core.safeguarding import Severity
from schoolgate.core.safeguarding.incidents import About, Incident, KeptAlert, Outcome
from schoolgate.services.incidents import Incidents, Receivers
from schoolgate.storage import Audience, IncidentStore
from tests.core.policy.example import policy
from tests.school import NOON, catalogue

TWISS = ConcernRoutes()
WELLSTEAD = ConcernRoutes(pupils=(Role.SLT,), staff=(Role.SLT,))
ADDRESSES = {
    Role.DSL: ("dsl@hill.example",),
    Role.HEADTEACHER: ("head@hill.example",),
    Role.CHAIR_OF_GOVERNORS: ("chair@hill.example",),
    Role.SLT: ("one@hill.example", "two@hill.example"),
}


def name_of(account: str) -> str:
    return account.partition("@")[0]


def alert(who: str, about: About = About.PUPILS) -> KeptAlert:
    return KeptAlert(
        0, NOON, NOON, 1, who, "pupils", about, "drugs", Severity.DANGER, "search", "www.bing.com", {}
    )  # fmt: skip


@pytest.mark.parametrize(
    ("routes", "who", "is_staff", "told"),
    [
        (TWISS, "user:pupil", False, "dsl"),
        (TWISS, "client:192.0.2.7", False, "dsl"),
        (TWISS, "user:teacher", True, "head"),
        (TWISS, "user:dsl", True, "head"),
        (TWISS, "user:head", True, "chair"),
        (WELLSTEAD, "user:pupil", False, "one two"),
        (WELLSTEAD, "user:teacher", True, "one two"),
        # Whoever is concerned is not told.
        (WELLSTEAD, "user:one", True, "two"),
        (replace(TWISS, pupils=(Role.HEADTEACHER,)), "user:pupil", False, "head"),
    ],
)
def test_who_is_told(routes: ConcernRoutes, who: str, is_staff: bool, told: str) -> None:
    rules = replace(policy(), concerns=routes)
    receivers = Receivers(lambda: rules, ADDRESSES, lambda: ("hill.example",))
    about = receivers.about(who, is_staff=is_staff)
    assert receivers.audience(alert(who, about)) == Audience(
        tuple(f"{name}@hill.example" for name in told.split())
    )


def test_where_the_one_who_is_told_is_concerned_those_above_are() -> None:
    rules = replace(policy(), concerns=replace(TWISS, staff=(Role.DSL,)))
    receivers = Receivers(lambda: rules, ADDRESSES, lambda: ("hill.example",))
    assert receivers.audience(alert("user:dsl", About.STAFF)).accounts == ("head@hill.example",)


def test_without_addresses_the_role_is_told() -> None:
    receivers = Receivers(lambda: replace(policy(), concerns=TWISS), {})
    assert receivers.audience(alert("user:pupil")) == Audience(roles=(Role.DSL,))


@pytest.fixture
def incidents(database: Engine) -> Incidents:
    store = IncidentStore(database)
    given = [
        alert("user:pupil"), alert("user:teacher", About.STAFF), alert("user:head", About.STAFF),
        alert("user:dsl", About.STAFF),
    ]  # fmt: skip
    store.keep(given, lambda _: Audience(), NOON)
    engine = PolicyEngine(replace(policy(), concerns=TWISS), catalogue())
    return Incidents(store, lambda: engine, name_of, lambda name: name == "head")


@pytest.mark.parametrize(
    ("actor", "seen"),
    [
        (Actor("dsl@hill.example", frozenset({Role.DSL})), {"user:pupil"}),
        (Actor("head@hill.example", frozenset({Role.HEADTEACHER})), {"user:teacher", "user:dsl"}),
        (
            Actor("chair@x.example", frozenset({Role.CHAIR_OF_GOVERNORS})),
            {"user:teacher", "user:head", "user:dsl"},
        ),
        (Actor("teacher@hill.example", frozenset({Role.TEACHER})), set()),
        (Actor("tech@hill.example", frozenset({Role.TECHNICIAN})), set()),
        # Even with every role: never one's own.
        (Actor("dsl@hill.example", frozenset(Role)), {"user:pupil", "user:teacher", "user:head"}),
        (Actor(""), set()),
    ],
)
def test_who_sees_what(incidents: Incidents, actor: Actor, seen: set[str]) -> None:
    assert {each.who for each in incidents.alerts(actor)} == seen
    assert {each.who for each in incidents.incidents(actor)} == seen
    for number, who in enumerate(("user:pupil", "user:teacher", "user:head", "user:dsl"), 1):
        for look in (incidents.alert, incidents.incident):
            if who in seen:
                assert look(number, actor)
            else:
                with pytest.raises(RefusedError, match="there is no"):
                    look(number, actor)


def test_what_one_does_not_see_one_does_not_change(incidents: Incidents) -> None:
    actor = Actor("dsl@hill.example", frozenset(Role))
    for change in (
        lambda: incidents.note(4, "Nothing.", actor, NOON),
        lambda: incidents.take(4, actor, NOON),
        lambda: incidents.assign(4, "x@hill.example", actor, NOON),
        lambda: incidents.close(4, Outcome.NO_ACTION, "", actor, NOON),
        lambda: incidents.export(4, "csv", actor, NOON),
        lambda: incidents.open_from_alert(4, actor, NOON),
    ):
        with pytest.raises(RefusedError, match="there is no"):
            change()


def test_nobody_is_given_their_own(incidents: Incidents) -> None:
    head = Actor("head@hill.example", frozenset({Role.HEADTEACHER}))
    with pytest.raises(RefusedError, match="does not concern"):
        incidents.assign(2, "teacher@hill.example", head, NOON)
    incidents.assign(2, "Deputy@hill.example", head, NOON)
    assert incidents.incident(2, head)[0].assigned_to == "deputy@hill.example"


def test_one_is_opened_without_an_alert(incidents: Incidents) -> None:
    dsl = Actor("dsl@hill.example", frozenset({Role.DSL}))
    new = Incident(
        0, NOON, "", "accident", "user:pupil", "", About.PUPILS, "other", Severity.CAUTION, " A  picture "
    )  # fmt: skip
    made = incidents.open_by_hand(new, dsl, NOON)
    assert (made.summary, made.opened_by, made.assigned_to) == ("A picture", dsl.id, dsl.id)
    with pytest.raises(RefusedError):
        incidents.open_by_hand(replace(new, who="user:head"), dsl, NOON)
    with pytest.raises(RefusedError):
        incidents.open_by_hand(replace(new, summary=" "), dsl, NOON)
