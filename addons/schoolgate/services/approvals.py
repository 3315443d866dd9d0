"""Requests for access: each action of a person in one transaction, from the form to the grant.

A step loads the request, asks `core.approvals.step` whether it may be done, keeps request, history,
grant, audit entry and mail, raises the version that workers watch, and commits. Of people who act on
the same version at once one wins; the others are told.
"""

from collections.abc import Callable
from dataclasses import fields, replace
from datetime import datetime
from typing import Any

from schoolgate.core.approvals import (
    USUAL_ROLES,
    AccessRequest,
    Accident,
    Action,
    Actor,
    Answer,
    Approve,
    Arrangements,
    Closed,
    Delegation,
    Form,
    Offer,
    Opened,
    Outcome,
    Replaced,
    ReportBlock,
    ReportState,
    RequestTerms,
    Role,
    Roles,
    Scope,
    SiteReport,
    State,
    Told,
    deciding_role,
    delegate,
    notifies,
    offered,
    renewed,
    step,
    submit,
)
from schoolgate.core.approvals.registers import (
    blocking_role,
    handle,
    report_accident,
    report_site,
)
from schoolgate.core.approvals.requests import checked_text
from schoolgate.core.errors import RefusedError
from schoolgate.core.people import People
from schoolgate.core.policy import PolicyEngine, with_groups_around
from schoolgate.core.urls import parse_web_url
from schoolgate.services.opening import site_entry
from schoolgate.services.scopes import check_block, check_scope, standing
from schoolgate.storage import ApprovalStore, Happening, Reading, Writing

_WAITING = (State.SUBMITTED, State.RETURNED, State.REVIEWED)
# Who sees the register of requests as a whole.
_OVERSEERS = (
    Role.HEADTEACHER, Role.ONLINE_SAFETY_LEAD, Role.DSL, Role.TECHNICIAN, Role.CHAIR_OF_GOVERNORS,
)  # fmt: skip


class Approvals:
    """What pages and commands call; every time is an aware argument.

    Every method raises `RefusedError` with a sentence for the person, and `UnavailableError` when the
    database fails.

    Args:
        store: where all is kept.
        engine: gives the rules in force.
        people: gives who is known.
    """

    def __init__(
        self,
        store: ApprovalStore,
        engine: Callable[[], PolicyEngine],
        people: Callable[[], People] = People,
    ) -> None:
        self._store = store
        self._engine = engine
        self._people = people

    def close(self) -> None:
        """Give the database's connections back."""
        self._store.close()

    # -- requests ----------------------------------------------------------------------------

    def submit(
        self,
        form: Form,
        actor: Actor,
        now: datetime,
        *,
        submission: str | None = None,
        renews: int | None = None,
    ) -> AccessRequest:
        """Keep a new request.

        Args:
            form: what is asked; its scope is made with `scopes.scope_of`.
            actor: who asks; with an empty id where nobody signed in.
            now: when.
            submission: something that is the form's own: sent twice it makes one request.
            renews: number of the request of the same person that it is to renew.
        """
        check_scope(self._engine(), form.scope)
        with self._store.writing() as work:
            if submission is not None:
                before = work.submitted_as(submission)
                if before is not None:
                    return _own(before, actor)
            old = work.request(renews) if renews is not None else None
            school = self._arrangements(work, form, form.scope, now)
            outcome = submit(form, actor, now, school, old)
            request = work.add_request(outcome, submission)
            outcome = replace(outcome, request=request)
            work.add_history(outcome, now, actor.id, "submitted", _words(form))
            self._follow(work, outcome, actor, now)
        return request

    def act(
        self, number: int, version: int, action: Action, actor: Actor, now: datetime
    ) -> AccessRequest:
        """Carry out an action on a request, all of it or nothing.

        Args:
            number: of the request.
            version: of the request as the person saw it.
            action: what is done.
            actor: who does it.
            now: when.
        """
        given = action.scope if isinstance(action, Approve) else None
        corrected = action.form if isinstance(action, Answer) else None
        for scope in (given, corrected.scope if corrected else None):
            if scope is not None:
                check_scope(self._engine(), scope)
        with self._store.writing() as work:
            request = _visible(work.request(number), actor, self._involved())
            form = corrected or request.form
            school = self._arrangements(work, form, given or form.scope, now)
            outcome = step(request, action, actor, now, school, version)
            work.save_request(outcome.request, version)
            words = _words(action)
            work.add_history(outcome, now, actor.id, _NAMES[type(action).__name__], words)
            self._follow(work, outcome, actor, now)
        return outcome.request

    def request(self, number: int, actor: Actor) -> AccessRequest:
        """Give a request to somebody who may see it; to others there is none."""
        with self._store.reading() as kept:
            return _visible(kept.request(number), actor, self._involved())

    def offer(self, number: int, actor: Actor, now: datetime) -> tuple[AccessRequest, Offer]:
        """Give a request to somebody who may see it, and what they can do with it."""
        with self._store.reading() as kept:
            request = _visible(kept.request(number), actor, self._involved())
            school = self._arrangements(kept, request.form, request.form.scope, now)
        return request, offered(request, actor, now, school)

    def history(self, number: int, actor: Actor) -> list[Happening]:
        """Give what happened to a request, oldest first, to somebody who may see it."""
        with self._store.reading() as kept:
            _visible(kept.request(number), actor, self._involved())
            return kept.history(number)

    def requests(
        self, actor: Actor, states: tuple[State, ...] = (), host: str = ""
    ) -> list[AccessRequest]:
        """Give the requests that somebody may see, oldest first: the register, or their own."""
        with self._store.reading() as kept:
            found = kept.requests(states, None, host)
        involved = self._involved()
        return [r for r in found if _sees(r, actor, involved)]

    def waiting_for(self, actor: Actor, now: datetime) -> list[AccessRequest]:
        """Give what waits for somebody: to answer, to review, to confirm or to decide, oldest first."""
        with self._store.reading() as kept:
            found = kept.requests(_WAITING)
            return [r for r in found if self._waits(kept, r, actor, now)]

    def _waits(self, kept: Reading, request: AccessRequest, actor: Actor, now: datetime) -> bool:
        if request.requester == actor.id or not actor.id:
            return bool(actor.id) and request.state is State.RETURNED
        if request.state is State.SUBMITTED and actor.first_of(self._roles().reviews):
            return True
        school = self._arrangements(kept, request.form, request.form.scope, now)
        if notifies(request, actor, school):
            return True
        if request.state is State.RETURNED:
            return False
        try:
            _, delegated = deciding_role(request, actor, now, school)
        except RefusedError:
            return False
        return request.state is State.REVIEWED or not delegated

    # -- delegation --------------------------------------------------------------------------

    def delegate(
        self, to: Actor, starts: datetime, ends: datetime, reason: str, actor: Actor, now: datetime
    ) -> Delegation:
        """Let somebody decide while the one who does is absent."""
        made = delegate(to, max(starts, now), ends, reason, actor, self._roles())
        with self._store.writing() as work:
            made = work.add_delegation(made, now)
            detail = {"starts": made.starts, "ends": made.ends, "reason": made.reason}
            work.record(now, actor.id, "delegation.added", f"account:{to.id}", detail)
            work.tell(Told("You decide on requests meanwhile", account=to.id), "", now)
        return made

    def end_delegation(self, number: int, actor: Actor, now: datetime) -> None:
        """Take a delegation back; who decides may do so, and the delegate."""
        with self._store.writing() as work:
            ended = work.end_delegation(number, now)
            decides = actor.first_of(self._roles().decides) is not None
            if not (decides or actor.id == ended.delegate) or not actor.id:
                raise RefusedError("that is for who decides on requests")
            about = f"account:{ended.delegate}"
            work.record(now, actor.id, "delegation.ended", about, {"delegation": number})

    def delegations(self, now: datetime) -> list[Delegation]:
        """Give the delegations that run or are to come."""
        with self._store.reading() as kept:
            return kept.delegations(now)

    # -- registers ---------------------------------------------------------------------------

    def report_site(self, url: str, words: str, actor: Actor, now: datetime) -> SiteReport:
        """Keep a report of a site that should be blocked, and tell who can do it (T-9-report)."""
        host = site_entry(url).host
        report = report_site(self._kept(url), host, words, actor, now)
        with self._store.writing() as work:
            report = work.add_report(report)
            detail = {"url": report.url, "words": report.words}
            work.record(now, actor.id, "site.reported", f"report:{report.id}", detail)
            roles = self._roles().reviews or self._roles().decides
            work.tell(Told("A site was reported", roles=roles), f"report:{report.id}", now)
        return report

    def handle_report(
        self, number: int, state: ReportState, note: str, actor: Actor, now: datetime
    ) -> SiteReport:
        """Block a reported site at once, or leave it; done once."""
        with self._store.writing() as work:
            report, role = handle(work.report(number), state, note, actor, now, self._roles())
            work.save_report(report)
            detail = {"role": role.value, "host": report.host, "note": report.note}
            if state is ReportState.BLOCKED:
                entry = site_entry(report.host)
                check_block(self._engine(), entry, now)
                detail["block"] = str(work.block(entry, report.note, report.id, now))
            work.record(now, actor.id, f"report.{state.value}", f"report:{number}", detail)
            if report.reporter:
                told = Told("A site that you reported was looked at", account=report.reporter)
                work.tell(told, f"report:{number}", now)
        return report

    def unblock(self, number: int, reason: str, actor: Actor, now: datetime) -> str:
        """Take back a block that was made at once; give the site."""
        role = blocking_role(actor, self._roles())
        reason = checked_text(reason, "a reason")
        with self._store.writing() as work:
            entry, report = work.unblock(number, reason, now)
            detail = {"entry": entry, "role": role.value, "report": report, "reason": reason}
            work.record(now, actor.id, "block.lifted", f"block:{number}", detail)
        return entry

    def blocks(self, actor: Actor) -> list[ReportBlock]:
        """Give the blocks that were made on reports which somebody sees, oldest first."""
        seen = {report.id for report in self.reports(actor)}
        with self._store.reading() as kept:
            return [block for block in kept.blocks() if block.report in seen]

    def reports(self, actor: Actor) -> list[SiteReport]:
        """Give the reports of sites, oldest first: all to who may block, else one's own."""
        overseer = actor.first_of((*_OVERSEERS, *self._roles().reviews)) is not None
        with self._store.reading() as kept:
            found = kept.reports()
        return [r for r in found if overseer or (actor.id and r.reporter == actor.id)]

    def record_accident(self, url: str, words: str, person: str, now: datetime) -> Accident:
        """Record that somebody came upon a site by accident, and tell who must know of it.

        Args:
            url: that was blocked.
            words: what the person says, if anything.
            person: ``account:ID`` or ``client:ADDRESS``.
            now: when.
        """
        host = site_entry(url).host
        accident = report_accident(self._kept(url), host, words, person, now)
        with self._store.writing() as work:
            accident = work.add_accident(accident)
            detail = {"url": accident.url, "words": accident.words, "accident": accident.id}
            work.record(now, "", "accident.recorded", person, detail)
            roles = self._roles().incidents or self._roles().decides
            told = Told("Somebody came upon a blocked site by accident", roles=roles)
            work.tell(told, f"accident:{accident.id}", now)
        return accident

    def _kept(self, url: str) -> str:
        """Give what may be kept of an address: of what a locked list names nothing but the site."""
        page = parse_web_url(url)
        return page.origin_text if self._engine().locked_at(page) is not None else url

    def accidents(self, since: datetime, actor: Actor) -> list[Accident]:
        """Give the accidents from a time on to who receives incidents."""
        roles = self._roles()
        if not actor.first_of((*roles.incidents, *roles.decides, *roles.reviews)):
            raise RefusedError("the register of accidents is for who receives incidents")
        with self._store.reading() as kept:
            return kept.accidents(since)

    def note(
        self, action: str, subject: str, detail: dict[str, Any], actor: Actor, now: datetime
    ) -> None:
        """Write an audit entry of what is done elsewhere: a role given, a person's history looked at.

        Args:
            action: what was done, e.g. ``role.given``.
            subject: whom or what it concerns, as ``account:ID``.
            detail: what else is known; kept beside the chain, so that it can be erased.
            actor: who did it.
            now: when.
        """
        with self._store.writing() as work:
            work.record(now, actor.id, action, subject, detail)

    def not_taken(self, account: str, url: str, why: str, now: datetime) -> None:
        """Tell somebody that a request which was kept for them could not be made after all.

        Args:
            account: who asked.
            url: for what.
            why: a sentence.
            now: when.
        """
        with self._store.writing() as work:
            about = f"account:{account}"
            work.record(now, "", "request.not-taken", about, {"url": self._kept(url), "why": why})
            told = Told("A request that you sent could not be made: send it again", account=account)
            work.tell(told, "", now)

    # -- within ------------------------------------------------------------------------------

    def _roles(self) -> Roles:
        return self._engine().policy.roles or USUAL_ROLES

    def _involved(self) -> tuple[Role, ...]:
        """Give the roles that see every request."""
        roles, asked = self._roles(), self._engine().policy.requests
        confirming = (role for p in (asked.precautions if asked else ()) for role in p.roles)
        return (*_OVERSEERS, *roles.reviews, *roles.decides, *roles.deputises, *confirming)

    def _arrangements(self, kept: Reading, form: Form, scope: Scope, now: datetime) -> Arrangements:
        engine = self._engine()
        groups = engine.policy.groups
        return Arrangements(
            self._roles(),
            engine.policy.requests or RequestTerms(),
            tuple(kept.delegations(now)),
            standing(engine, self._people(), scope, pupils_meant=form.pupils_meant),
            {group: with_groups_around(groups, [group]) for group in groups},
        )

    def _follow(self, work: Writing, outcome: Outcome, actor: Actor, now: datetime) -> None:
        """Keep what follows from a step."""
        number = outcome.request.id
        for effect in outcome.effects:
            match effect:
                case Opened():
                    work.open(effect, number, now)
                case Closed():
                    work.close(number, now, effect.reason)
                case Replaced():
                    old = work.request(effect.request)
                    new = renewed(old, now)
                    work.save_request(new, old.version)
                    replaced = Outcome(new, old.state, outcome.role, ())
                    work.add_history(replaced, now, actor.id, "renewed", {"by": number})
                    work.end_when_renewed(old.id, effect.at, now)
                case Told() if effect.account or effect.roles:
                    work.tell(effect, f"request:{number}", now)
                case _:
                    pass


_NAMES = {
    "AskBack": "returned",
    "Answer": "answered",
    "Suggest": "reviewed",
    "Notify": "notified",
    "Approve": "approved",
    "Decline": "declined",
    "Withdraw": "withdrawn",
    "Revoke": "revoked",
}


def _words(said: Form | Action) -> dict[str, Any]:
    """Give what somebody typed or chose, for history and audit."""
    words: dict[str, Any] = {}
    for field in fields(said):
        value = getattr(said, field.name)
        if isinstance(value, Scope):
            words["scope"] = _scope_words(value)
        elif isinstance(value, Form):
            words["form"] = _words(value)
        elif isinstance(value, str | int | bool) and value != "":
            words[field.name] = value
    return words


def _scope_words(scope: Scope) -> dict[str, Any]:
    return {
        "site": scope.site,
        "subject": str(scope.subject),
        "starts": scope.starts.isoformat(),
        "ends": scope.ends.isoformat(),
        "periods": sorted(scope.periods),
        "networks": sorted(scope.networks),
    }


def _own(request: AccessRequest, actor: Actor) -> AccessRequest:
    if request.requester != actor.id:
        raise RefusedError("this form was sent by somebody else")
    return request


def _sees(request: AccessRequest, actor: Actor, involved: tuple[Role, ...]) -> bool:
    return bool(actor.id) and (
        actor.id == request.requester or actor.first_of(involved) is not None
    )


def _visible(request: AccessRequest, actor: Actor, involved: tuple[Role, ...]) -> AccessRequest:
    if not _sees(request, actor, involved):
        raise RefusedError(f"there is no request {request.id}")
    return request
