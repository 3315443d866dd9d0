"""A small school in which sites are asked for: its people, its policy and a form."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Engine, select

from schoolgate.core.approvals import (
    AccessRequest,
    Actor,
    Approve,
    Decline,
    Form,
    Precaution,
    PrecautionKind,
    RequestTerms,
    Revoke,
    Role,
    Roles,
    Scope,
    Subject,
    Suggest,
)
from schoolgate.core.people import Membership, People
from schoolgate.core.policy import Group, PolicyEngine, Rule, Verdict
from schoolgate.services.approvals import Approvals
from schoolgate.services.scopes import Extent, scope_of
from schoolgate.storage import ApprovalStore, schema
from schoolgate.storage.connections import reading
from tests.core.policy.example import LESSONS, engine, hosts, listed

# A Monday.
NINE = datetime(2026, 11, 23, 9, tzinfo=UTC)
FORTNIGHT = timedelta(days=14)
MINUTE = timedelta(minutes=1)

TEACHER = Actor("teacher", frozenset({Role.TEACHER}))
OTHER_TEACHER = Actor("other", frozenset({Role.TEACHER}))
LEAD = Actor("lead", frozenset({Role.ONLINE_SAFETY_LEAD, Role.TEACHER}))
HEAD = Actor("head", frozenset({Role.HEADTEACHER}))
DEPUTY = Actor("deputy", frozenset({Role.DEPUTY}))
SLT = Actor("slt", frozenset({Role.SLT}))
TECHNICIAN = Actor("technician", frozenset({Role.TECHNICIAN}))
CHAIR = Actor("chair", frozenset({Role.CHAIR_OF_GOVERNORS}))
NOBODY = Actor("")

ROLES = Roles(
    reviews=(Role.ONLINE_SAFETY_LEAD,),
    decides=(Role.HEADTEACHER,),
    deputises=(Role.DEPUTY,),
    incidents=(Role.DSL,),
    bypass=(Role.HEADTEACHER,),
)
PRECAUTIONS = (
    Precaution(
        "K-2-notify",
        PrecautionKind.NOTIFICATION,
        frozenset({"social-networks"}),
        frozenset({"pupils"}),
        roles=(Role.TECHNICIAN, Role.SLT),
    ),
    Precaution(
        "T-5-wifi",
        PrecautionKind.CONTROLS,
        frozenset({"social-networks"}),
        frozenset({"staff"}),
        frozenset({"wifi"}),
        (Role.ONLINE_SAFETY_LEAD,),
    ),
    Precaution("W-6.2.1-age", PrecautionKind.AGE, groups=frozenset({"pupils"})),
)
SITES = [
    listed("games.example", "games"),
    listed("friends.example", "social-networks"),
    listed("tunnel.example", "circumvention"),
    listed("vile.example", "illegal"),
    listed("friends.example/vile", "illegal"),
]
PEOPLE = People(people={"staff-user": Membership("staff"), "pupil-user": Membership("year-4")})
APPROVE = Approve("It is for the lesson.", "T. Head")
DECLINE = Decline("It is not for the lesson.", "T. Head")
REVOKE = Revoke("The lesson is over.")
REVIEW = Suggest(
    recommended=True, risks="Adverts.", controls="A teacher watches.", controls_in_place=True
)


def school(**changes: Any) -> PolicyEngine:
    """Give its rules."""
    return engine(
        SITES,
        **{
            "groups": {
                "pupils": Group("pupils", "Pupils"),
                "year-4": Group("year-4", "Year 4", "pupils"),
                "staff": Group("staff", "Staff"),
            },
            "networks": {"wifi": "WiFi", "wired": "Wired"},
            "timetable": LESSONS,
            "roles": ROLES,
            "requests": RequestTerms(14, 400, PRECAUTIONS),
            "locked": (Rule("vile", "C-1", Verdict.BLOCK, categories=("illegal",)),),
            "always_reachable": (Rule("help", "C-2", Verdict.ALLOW, hosts=hosts("help.example")),),
            "circumvention": (Rule("around", "C-6", Verdict.BLOCK, categories=("circumvention",)),),
            "rules": (
                Rule("games", "C-8", Verdict.BLOCK, categories=("games",)),
                Rule("friends", "C-8", Verdict.BLOCK, categories=("social-networks",)),
            ),
            **changes,
        },
    )


def approvals(store: ApprovalStore, rules: PolicyEngine | None = None) -> Approvals:
    """Give the service over a store."""
    in_force = rules or school()
    return Approvals(store, lambda: in_force, lambda: PEOPLE)


def scope(
    url: str = "https://games.example/play",
    extent: Extent = Extent.DOMAIN,
    subject: str = "group:staff",
    now: datetime = NINE,
    **more: Any,
) -> Scope:
    """Give what is asked for."""
    return scope_of(school(), PEOPLE, url, extent, Subject.parse(subject), now, **more)


def form(asked: Scope | None = None, **changes: Any) -> Form:
    """Give a form that is complete."""
    asked = asked or scope()
    complete = Form(
        staff_name="A. Teacher",
        url=f"https://{asked.site}",
        site_content="Number games.",
        reasons="Times tables.",
        risks_and_controls="Adverts; I watch the screens.",
        scope=asked,
    )
    return replace(complete, **changes)


def submitted(service: Approvals, actor: Actor = TEACHER, **changes: Any) -> AccessRequest:
    return service.submit(form(**changes), actor, NINE)


def approved(service: Approvals, actor: Actor = TEACHER, **changes: Any) -> AccessRequest:
    request = reviewed(service, actor, **changes)
    return service.act(request.id, request.version, APPROVE, HEAD, NINE)


def reviewed(service: Approvals, actor: Actor = TEACHER, **changes: Any) -> AccessRequest:
    request = submitted(service, actor, **changes)
    return service.act(request.id, request.version, REVIEW, LEAD, NINE)


def mails(database: Engine) -> list[tuple[str, str]]:
    with reading(database) as connection:
        query = select(schema.outbox).order_by(schema.outbox.c.id)
        return [(row.audience, row.subject) for row in connection.execute(query)]
