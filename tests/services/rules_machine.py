"""A school at work on requests, at random and several people at once, held against its rules."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from sqlalchemy import Engine

from schoolgate.core.approvals import (
    AccessRequest,
    Action,
    Actor,
    Answer,
    AskBack,
    Grant,
    Notify,
    Revoke,
    Role,
    State,
    Withdraw,
)
from schoolgate.core.errors import RefusedError
from schoolgate.storage import ApprovalStore, AuditTrail, DecisionStore, schema
from schoolgate.storage.connections import writing
from tests.services.requested import (
    APPROVE,
    CHAIR,
    DECLINE,
    DEPUTY,
    HEAD,
    LEAD,
    NINE,
    NOBODY,
    REVIEW,
    TEACHER,
    TECHNICIAN,
    approvals,
    form,
    scope,
)

SECOND_HEAD = Actor("co-head", frozenset({Role.HEADTEACHER}))
LEADING_DEPUTY = Actor("both", frozenset({Role.DEPUTY, Role.ONLINE_SAFETY_LEAD}))
PEOPLE = [
    TEACHER, LEAD, HEAD, SECOND_HEAD, DEPUTY, LEADING_DEPUTY, CHAIR, TECHNICIAN, NOBODY,
]  # fmt: skip
BY_ID = {actor.id: actor for actor in PEOPLE}
PAGES = ["https://games.example", "https://tunnel.example", "https://friends.example"]
ACTIONS: list[Action] = [
    APPROVE, APPROVE, REVIEW, DECLINE, AskBack("Why?"), Answer("So."), Withdraw(), Notify(),
    Revoke("Over."),
    replace(APPROVE, scope=scope("https://games.example", ends=NINE + timedelta(hours=1))),
    replace(APPROVE, scope=scope(subject="everyone"), wider_because="All."),
]  # fmt: skip
ANY = st.sampled_from(PEOPLE)


def emptied(database: Engine) -> None:
    """Forget everything, as if the database were new."""
    with writing(database) as connection:
        for table in reversed(schema.metadata.sorted_tables):
            if table.name not in ("versions", "audit", "audit_details", "pseudonyms"):
                connection.execute(table.delete())


class RequestsMachine(RuleBasedStateMachine):
    """Random actions by random people; the rules are written down here a second time, plainly."""

    database: Engine
    threads: int = 2

    def __init__(self) -> None:
        super().__init__()
        emptied(self.database)
        self.service = approvals(ApprovalStore(self.database))
        self.now = NINE
        self.numbers: list[int] = []
        # (delegate, from, until, taken back)
        self.absences: list[list[Any]] = []
        self.trail = AuditTrail(self.database)
        self.entries = self.trail.verify().entries

    @rule(actor=ANY, page=st.sampled_from(PAGES), minutes=st.sampled_from([30, 20_000]))
    def ask(self, actor: Actor, page: str, minutes: int) -> None:
        ends = self.now + timedelta(minutes=minutes)
        wanted = scope(page, now=self.now, ends=ends)
        self.numbers.append(self.service.submit(form(wanted), actor, self.now).id)
        self.entries += 1

    @rule(minutes=st.sampled_from([1, 30, 31, 1500, 30_000]))
    def time_goes_by(self, minutes: int) -> None:
        self.now += timedelta(minutes=minutes)

    @rule(to=ANY, by=ANY, minutes=st.sampled_from([10, 1000]))
    def delegate(self, to: Actor, by: Actor, minutes: int) -> None:
        ends = self.now + timedelta(minutes=minutes)
        may = Role.HEADTEACHER in by.roles and Role.DEPUTY in to.roles
        try:
            made = self.service.delegate(to, self.now, ends, "Leave", by, self.now)
        except RefusedError:
            assert not may
            return
        assert may
        self.entries += 1
        self.absences.append([made.delegate, made.starts, made.ends, made.id])

    @precondition(lambda self: self.absences)
    @rule(data=st.data())
    def come_back(self, data: st.DataObject) -> None:
        absence = data.draw(st.sampled_from(self.absences))
        if absence[2] > self.now:
            self.service.end_delegation(absence[3], HEAD, self.now)
            absence[2] = self.now
            self.entries += 1

    @precondition(lambda self: self.numbers)
    @rule(data=st.data(), actor=ANY, action=st.sampled_from(ACTIONS), stale=st.booleans())
    def act(self, data: st.DataObject, actor: Actor, action: Action, stale: bool) -> None:
        request = self._pick(data)
        actor = data.draw(st.sampled_from([actor, actor, BY_ID[request.requester]]))
        version = request.version - stale
        allowed = not stale and self._allows(request, action, actor)
        assert self._try(request.id, version, action, actor) is allowed
        self.entries += allowed

    @precondition(lambda self: self.numbers)
    @rule(
        data=st.data(),
        crowd=st.lists(st.tuples(ANY, st.sampled_from(ACTIONS)), min_size=2, max_size=4),
    )
    def act_at_once(self, data: st.DataObject, crowd: list[tuple[Actor, Action]]) -> None:
        """Of those who may, exactly one wins."""
        request = self._pick(data)
        able = [self._allows(request, action, actor) for actor, action in crowd]
        with ThreadPoolExecutor(self.threads) as pool:
            tries: list[Callable[[], bool]] = [
                lambda actor=actor, action=action: self._try(  # type: ignore[misc]
                    request.id, request.version, action, actor
                )
                for actor, action in crowd
            ]
            won = list(pool.map(lambda attempt: attempt(), tries))
        assert sum(won) == (1 if any(able) else 0)
        assert all(able[place] for place, winner in enumerate(won) if winner)
        self.entries += sum(won)

    @invariant()
    def no_grant_without_a_decision(self) -> None:
        """By the headteacher, a delegate or the chair; never on one's own request."""
        granted = DecisionStore(self.database).grants(self.now, include_ended=True)
        with ApprovalStore(self.database).reading() as kept:
            requests = {request.id: request for request in kept.requests()}
            for number, request in requests.items():
                lines = kept.history(number)
                assert [line.version for line in lines] == list(range(1, request.version + 1))
        assert len({grant.request for grant in granted}) == len(granted)
        for grant in granted:
            assert grant.request is not None
            self._check(grant, requests[grant.request])
        approved = {n for n, r in requests.items() if r.decision and r.decision.approved}
        assert {grant.request for grant in granted} == approved
        live = {grant.request for grant in DecisionStore(self.database).overlay(self.now).grants}
        assert live == {
            n for n, r in requests.items() if r.state_at(self.now) in (State.APPROVED, State.ACTIVE)
        }

    def teardown(self) -> None:
        """Everything is audited once."""
        found = self.trail.verify()
        assert (found.entries, found.fault) == (self.entries, None)

    # -- the rules, once more ----------------------------------------------------------------

    def _check(self, grant: Grant, request: AccessRequest) -> None:
        decision = request.decision
        assert decision is not None
        assert decision.approved
        assert decision.by not in ("", request.requester)
        roles = BY_ID[decision.by].roles
        if Role.HEADTEACHER in request.requester_roles:
            assert Role.CHAIR_OF_GOVERNORS in roles
            assert "tunnel" not in grant.entry.host
        elif Role.HEADTEACHER not in roles:
            assert Role.DEPUTY in roles
            assert self._deputises(decision.by, decision.at)
            assert request.review is not None
            assert request.review.by != decision.by
            assert "tunnel" not in grant.entry.host

    def _deputises(self, account: str, at: datetime) -> bool:
        return any(who == account and a <= at < b for who, a, b, _ in self.absences)

    def _allows(self, request: AccessRequest, action: Action, actor: Actor) -> bool:
        state, own = request.state_at(self.now), actor.id == request.requester
        if not actor.id or (actor.roles <= {Role.TEACHER} and not own):
            return False
        undecided = state in (State.SUBMITTED, State.REVIEWED)
        ours = not own and undecided
        match action:
            case Withdraw():
                return own and (undecided or state is State.RETURNED)
            case Answer():
                return own and state is State.RETURNED and request.form.scope.ends > self.now
            case Revoke():
                return actor is not TEACHER and state in (State.APPROVED, State.ACTIVE)
            case Notify():
                return False
            case AskBack():
                reviews = Role.ONLINE_SAFETY_LEAD in actor.roles
                return ours and (
                    reviews or self._decides(request, actor, request.form.scope.entry.host)
                )
        if action is REVIEW:
            reviews = Role.ONLINE_SAFETY_LEAD in actor.roles
            return ours and state is State.SUBMITTED and reviews
        if action is DECLINE:
            return ours and self._decides(request, actor, request.form.scope.entry.host)
        given = getattr(action, "scope", None) or request.form.scope
        if not (ours and self._decides(request, actor, given.entry.host)):
            return False
        return given.ends > self.now and self._is_ready(request, action, actor, given)

    def _is_ready(self, request: AccessRequest, action: Action, actor: Actor, given: Any) -> bool:
        wider = getattr(action, "wider_because", "")
        asked = request.form.scope
        inside = given.entry.host == asked.entry.host and given.ends <= asked.ends
        if not (inside and given.subject == asked.subject) and not wider:
            return False
        if str(given.subject) == "everyone":
            return False  # it reaches pupils, and nobody gave an age
        if "friends" in given.entry.host and not request.review:
            return False
        delegated = not actor.roles & {Role.HEADTEACHER, Role.CHAIR_OF_GOVERNORS}
        if request.review is None:
            return bool(request.requester) and not delegated
        return request.review.by != actor.id or (bool(request.requester) and not delegated)

    def _decides(self, request: AccessRequest, actor: Actor, host: str) -> bool:
        head = Role.HEADTEACHER in actor.roles
        if "tunnel" in host:
            return head and Role.HEADTEACHER not in request.requester_roles
        if Role.HEADTEACHER in request.requester_roles:
            return actor is CHAIR
        return head or (Role.DEPUTY in actor.roles and self._deputises(actor.id, self.now))

    def _pick(self, data: st.DataObject) -> AccessRequest:
        # Mostly the latest: what was decided long ago has few ways left.
        number = data.draw(st.sampled_from([*self.numbers, *self.numbers[-1:] * 3]))
        return self.service.request(number, HEAD)

    def _try(self, number: int, version: int, action: Action, actor: Actor) -> bool:
        try:
            self.service.act(number, version, action, actor, self.now)
        except RefusedError:
            return False
        return True


def machine(database: Engine) -> type[RequestsMachine]:
    """Give the machine over a database."""
    return type("Requests", (RequestsMachine,), {"database": database})
