"""A small school to test the policy with: a few groups, categories, rules and people."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from schoolgate.core.approvals import Grant, Overlay, Role, Subject, Suspension
from schoolgate.core.catalogue import Catalogue
from schoolgate.core.categories import Category, ListEntry
from schoolgate.core.clients import Client
from schoolgate.core.index import index_of
from schoolgate.core.policy import Clause, Group, Policy, PolicyEngine, Rule, Verdict, WebRequest
from schoolgate.core.policy.rows import LOCAL_ALLOW, LOCAL_BLOCK
from schoolgate.core.timetable import DayKind, Range, Timetable
from schoolgate.core.urls import parse_url

STARTS = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
LESSONS_END = datetime(2026, 11, 23, 12, 30, tzinfo=UTC)
ENDS = datetime(2026, 11, 23, 15, 0, tzinfo=UTC)


# From nine to half past twelve, every Monday.
LESSONS = Timetable(
    {"lessons": "Lessons"},
    {"lessons": frozenset({DayKind.SCHOOL})},
    {(0, None): (Range("lessons", 9 * 60, 12 * 60 + 30),)},
)

PUPIL = Client("10.0.0.7", "pupils", user="abc")
TEACHER = Client("10.0.0.8", "staff", user="xyz")

DEFAULT = Rule("otherwise", "C-9", Verdict.ALLOW)


def listed(text: str, category: str = "games", feed: str = "curated") -> ListEntry:
    return ListEntry.parse(text, category, feed)


def hosts(*texts: str) -> tuple[ListEntry, ...]:
    """Give the hosts that a rule names, as a policy file gives them."""
    return tuple(listed(text, category="", feed="policy") for text in texts)


def local_block(text: str) -> ListEntry:
    return listed(text, LOCAL_BLOCK, "block.txt")


def local_allow(text: str) -> ListEntry:
    return listed(text, LOCAL_ALLOW, "allow.txt")


def catalogue(entries: Iterable[ListEntry]) -> Catalogue:
    """Give a catalogue over some entries, with a category for each id that they name."""
    kept = list(entries)
    ids = sorted({entry.category for entry in kept})
    categories = {id_: Category(id_, id_.capitalize(), f"What is {id_}.") for id_ in ids}
    return Catalogue(categories, index_of(kept), "c1")


def policy(**changes: Any) -> Policy:
    """Give a policy in which nothing matches but the default, with some of it changed."""
    return Policy(
        **{
            "id": "example",
            "school": "Example School",
            "document": "Acceptable use",
            "contact": "office@school.example",
            "default_group": "pupils",
            "groups": {"pupils": Group("pupils", "Pupils"), "staff": Group("staff", "Staff")},
            "clauses": {"C-8": Clause("C-8", "No games in lessons")},
            "locked": (),
            "always_reachable": (),
            "circumvention": (),
            "rules": (),
            "default": DEFAULT,
            "suspension_clause": "C-3",
            "local_clause": "C-7",
            "grant_clause": "C-5",
            **changes,
        }
    )


def engine(
    entries: Iterable[ListEntry] = (),
    local: Iterable[ListEntry] = (),
    overlay: Overlay | None = None,
    **changes: Any,
) -> PolicyEngine:
    return PolicyEngine(policy(**changes), catalogue(entries), local, overlay)


def ask(text: str = "https://example.com/", client: Client = PUPIL) -> WebRequest:
    return WebRequest(parse_url(text), client)


def grant(
    entry: str = "example.com",
    subject: str = "everyone",
    decided_by: Role = Role.TECHNICIAN,
    number: int = 1,
    **more: Any,
) -> Grant:
    made = Grant(
        number,
        listed(entry, LOCAL_ALLOW, "grants"),
        Subject.parse(subject),
        STARTS,
        ENDS,
        decided_by,
        "For the lesson.",
    )
    return replace(made, **more)


def suspension(subject: str = "everyone", number: int = 1) -> Suspension:
    return Suspension(number, Subject.parse(subject), STARTS, ENDS, "misuse")
