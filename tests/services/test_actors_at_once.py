"""Teachers, reviewers and deciders act at the same moment, for themselves: no grant without a decision.

What came first is what the audit trail has first; the rules, written down here a third time, are held
against it from its first entry to its last.
"""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, timedelta
from threading import Barrier

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, select

from schoolgate.core.approvals import (
    AccessRequest,
    Action,
    Actor,
    Answer,
    AskBack,
    Notify,
    Revoke,
    Role,
    State,
    Withdraw,
)
from schoolgate.core.approvals.audit import AuditEntry
from schoolgate.core.errors import RefusedError
from schoolgate.services.approvals import Approvals
from schoolgate.storage import ApprovalStore, AuditTrail, DecisionStore, schema
from schoolgate.storage.connections import reading
from tests.services.requested import (
    APPROVE,
    CHAIR,
    DECLINE,
    DEPUTY,
    HEAD,
    LEAD,
    NINE,
    OTHER_TEACHER,
    REVIEW,
    TEACHER,
    TECHNICIAN,
    approvals,
    form,
    scope,
)
from tests.services.rules_machine import LEADING_DEPUTY, SECOND_HEAD, emptied

PEOPLE = [
    TEACHER, OTHER_TEACHER, LEAD, HEAD, SECOND_HEAD, DEPUTY, LEADING_DEPUTY, CHAIR, TECHNICIAN,
]  # fmt: skip
BY_ID = {actor.id: actor for actor in PEOPLE}
PAGES = ["https://games.example", "https://friends.example"]
ACTIONS: list[Action] = [
    APPROVE, APPROVE, APPROVE, REVIEW, REVIEW, DECLINE, AskBack("Why?"), Answer("So."), Withdraw(),
    Notify(), Revoke("Over."), replace(APPROVE, scope=scope(subject="everyone"), wider_because="All."),
]  # fmt: skip
# What somebody does next: asks, acts on the latest but so many, is named or is taken back as deputy.
ASK, DELEGATE, COME_BACK = "ask", "delegate", "come back"
type Deed = tuple[Actor, str | Action, int]
DEEDS: st.SearchStrategy[Deed] = st.tuples(
    st.sampled_from(PEOPLE),
    st.one_of(st.sampled_from(ACTIONS), st.sampled_from([ASK, DELEGATE, COME_BACK])),
    st.integers(0, 3),
)
# In each round everybody has some deeds, and all begin together.
ROUNDS = st.lists(
    st.lists(st.lists(DEEDS, min_size=1, max_size=4), min_size=3, max_size=6),
    min_size=1,
    max_size=4,
)

pytestmark = pytest.mark.long


def do(service: Approvals, deed: Deed, now: datetime) -> int:
    """Do it as somebody does who looks first; give whether it was done."""
    actor, what, place = deed
    try:
        if what == ASK:
            wanted = scope(PAGES[place % len(PAGES)], now=now, ends=now + timedelta(days=3))
            service.submit(form(wanted), actor, now)
        elif what == DELEGATE:
            to = (DEPUTY, LEADING_DEPUTY)[place % 2]
            service.delegate(to, now, now + timedelta(minutes=90), "Leave", actor, now)
        elif what == COME_BACK:
            service.end_delegation(service.delegations(now)[0].id, actor, now)
        elif not isinstance(what, str):
            known = service.requests(HEAD)
            request = known[-1 - place]
            service.act(request.id, request.version, what, actor, now)
    except (RefusedError, IndexError):
        return 0
    return 1


@settings(
    max_examples=60, deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)  # fmt: skip
@given(rounds=ROUNDS)
def test_there_is_no_grant_without_a_decision_ever(
    database: Engine, rounds: list[list[list[Deed]]]
) -> None:
    emptied(database)
    store = ApprovalStore(database)
    service, now = approvals(store), NINE
    trail = AuditTrail(database)
    before = trail.verify().entries
    service.submit(form(), TEACHER, now)
    service.submit(form(), HEAD, now)
    done = 2
    for crowd in rounds:
        now += timedelta(hours=1)
        done += at_once(service, crowd, now)
        found = trail.verify()
        assert (found.entries - before, found.fault) == (done, None)
        told = trail.told(limit=done)
        with store.reading() as kept:
            requests = {request.id: request for request in kept.requests()}
        approved = Replay(requests, delegations(database)).follow(told)
        granted = DecisionStore(database).grants(now, include_ended=True)
        assert Counter(grant.request for grant in granted) == Counter(approved)
        live = {grant.request for grant in DecisionStore(database).overlay(now).grants}
        assert live == {n for n, r in requests.items() if r.state_at(now) is State.ACTIVE}


def at_once(service: Approvals, crowd: list[list[Deed]], now: datetime) -> int:
    """Let each of a crowd do their deeds in a thread of their own; give how many were done."""
    together = Barrier(len(crowd))

    def act(deeds: list[Deed]) -> int:
        together.wait()
        return sum(do(service, deed, now) for deed in deeds)

    with ThreadPoolExecutor(len(crowd)) as threads:
        return sum([asked.result() for asked in [threads.submit(act, deeds) for deeds in crowd]])


def delegations(database: Engine) -> list[int]:
    """Give the number of every delegation, as they were made."""
    query = select(schema.delegations.c.id).order_by(schema.delegations.c.id)
    with reading(database) as connection:
        return list(connection.execute(query).scalars())


class Replay:
    """Goes through the audit trail, and sees that each decision was one that could be made then."""

    def __init__(self, requests: dict[int, AccessRequest], delegations: list[int]) -> None:
        self._requests = requests
        self._delegations = iter(delegations)
        self._reviewed: dict[int, str] = {}
        self._approved: list[int] = []
        # Number of a delegation → delegate, from, until.
        self._absences: dict[int, tuple[str, datetime, datetime]] = {}

    def follow(self, told: list[tuple[AuditEntry, dict[str, object]]]) -> list[int]:
        """Give the requests that were approved."""
        for entry, content in told:
            actor = str(content["actor"]).removeprefix("account:")
            subject = str(content["subject"])
            detail = content["detail"]
            assert isinstance(detail, dict)
            match entry.action:
                case "delegation.added":
                    starts, ends = (datetime.fromisoformat(detail[n]) for n in ("starts", "ends"))
                    delegate = subject.removeprefix("account:")
                    self._absences[next(self._delegations)] = delegate, starts, ends
                    assert Role.HEADTEACHER in BY_ID[actor].roles
                case "delegation.ended":
                    self._absences.pop(int(detail["delegation"]))
                case "request.reviewed":
                    self._reviewed[int(subject.removeprefix("request:"))] = actor
                case "request.answered":
                    self._reviewed.pop(int(subject.removeprefix("request:")), None)
                case "request.approved":
                    number = int(subject.removeprefix("request:"))
                    self._decided(self._requests[number], BY_ID[actor], entry.at)
                    self._approved.append(number)
        return self._approved

    def _decided(self, request: AccessRequest, by: Actor, at: datetime) -> None:
        assert by.id != request.requester, "on one's own request"
        if Role.HEADTEACHER in request.requester_roles:
            assert Role.CHAIR_OF_GOVERNORS in by.roles, "the headteacher's is the chair's"
        elif Role.HEADTEACHER not in by.roles:
            deputises = [who == by.id and a <= at < b for who, a, b in self._absences.values()]
            assert any(deputises), "nobody delegated it"
            assert self._reviewed.get(request.id) not in (None, by.id), "reviewed by somebody else"
