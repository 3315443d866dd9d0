"""A teacher opens sites for a class and a lesson, within what the policy lets a teacher open."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from schoolgate.core.approvals import Overlay, Role, Subject
from schoolgate.core.clients import Client
from schoolgate.core.errors import RefusedError
from schoolgate.core.policy import Group, LessonAllowance, PolicyEngine, Reason, Rule, Verdict
from schoolgate.services import opening
from schoolgate.storage import DecisionStore, open_database
from tests.core.policy.example import LESSONS, ask, engine, listed

# A Monday; lessons are from nine to half past twelve.
AT_EIGHT, AT_TEN, AT_ONE = (datetime(2026, 11, 23, hour, tzinfo=UTC) for hour in (8, 10, 13))
SATURDAY = datetime(2026, 11, 21, 10, tzinfo=UTC)
SITES = [
    listed("video.example", "video"),
    listed("both.example", "video"),
    listed("both.example", "adult"),
    listed("bet.example", "adult"),
]
CLASS_4B = Client("10.0.0.7", "class-4b")


def school(
    overlay: Overlay | None = None,
    *,
    most_sites: int = 2,
    most_minutes: int = 300,
    groups: dict[str, Group] | None = None,
) -> PolicyEngine:
    return engine(
        SITES,
        overlay=overlay,
        groups=groups
        or {
            "pupils": Group("pupils", "Pupils"),
            "class-4b": Group("class-4b", "Class 4B", "pupils"),
            "staff": Group("staff", "Staff"),
        },
        rules=(
            Rule("video", "C-8", Verdict.BLOCK, categories=("video",)),
            Rule("adult", "C-8", Verdict.BLOCK, categories=("adult",)),
        ),
        timetable=LESSONS,
        lessons=LessonAllowance("C-L", frozenset({"video"}), most_sites, most_minutes),
    )


@pytest.fixture
def store(tmp_path: Path) -> Iterator[DecisionStore]:
    database = open_database(f"sqlite:///{tmp_path}/decisions.db")
    yield DecisionStore(database)
    database.dispose()


def allow(
    store: DecisionStore,
    rules: PolicyEngine,
    *sites: str,
    group: str = "class-4b",
    period: str | None = None,
    now: datetime = AT_TEN,
) -> list[tuple[str, str, str]]:
    made = opening.open_lesson(
        store, rules, group, sites, period, reason="volcanoes", actor="cli:t", now=now
    )
    return [(g.entry.text, f"{g.starts:%H:%M}", f"{g.ends:%H:%M}") for g in made]


@pytest.mark.parametrize(
    ("period", "now", "want"),
    [
        (None, AT_TEN, ("10:00", "12:30")),
        ("lessons", AT_TEN, ("10:00", "12:30")),
        ("lessons", AT_EIGHT, ("09:00", "12:30")),
    ],
)
def test_a_site_is_open_for_the_class_until_the_lesson_ends(
    store: DecisionStore, period: str | None, now: datetime, want: tuple[str, str]
) -> None:
    assert allow(store, school(), "video.example/a", period=period, now=now) == [
        ("video.example/a", *want)
    ]
    rules = school(store.overlay(now))
    page = ask("https://video.example/a/b", CLASS_4B)
    decision = rules.decide(page, AT_TEN)
    assert (decision.reason, decision.clause) == (Reason.GRANT, "C-L")
    assert rules.decide(page, AT_ONE).verdict is Verdict.BLOCK
    assert rules.decide(ask("https://video.example/a/b"), AT_TEN).verdict is Verdict.BLOCK
    assert [grant.decided_by for grant in store.grants(now)] == [Role.TEACHER]


@pytest.mark.parametrize(
    ("site", "group", "period", "now", "want"),
    [
        ("bet.example", "class-4b", None, AT_TEN,
         "a teacher cannot open bet.example for class-4b: block under C-8; ask for it instead"),
        ("both.example", "class-4b", None, AT_TEN, "a teacher cannot open both.example"),
        ("nothing.example", "class-4b", None, AT_TEN, "a teacher cannot open nothing.example"),
        ("video.example", "pupils", None, AT_TEN, "'pupils' is no class: it is everybody, or has groups"),
        ("video.example", "class-9z", None, AT_TEN, "there is no group 'class-9z'"),
        ("co.uk", "class-4b", None, AT_TEN, "co.uk is no single site"),
        ("video.example", "class-4b", None, AT_ONE, "there is no lesson now: name the period"),
        ("video.example", "class-4b", "lessons", AT_ONE, "Lessons is over for today"),
        ("video.example", "class-4b", "lessons", SATURDAY, "Lessons is over for today"),
        ("video.example", "class-4b", "lesons", AT_TEN,
         "the timetable has no period 'lesons'; it has: lessons"),
    ],
)  # fmt: skip
def test_what_a_teacher_cannot_open_is_refused_and_nothing_is_opened(
    store: DecisionStore, site: str, group: str, period: str | None, now: datetime, want: str
) -> None:
    with pytest.raises(RefusedError) as caught:
        allow(store, school(), "video.example", site, group=group, period=period, now=now)
    assert str(caught.value).startswith(want)
    assert store.grants(now) == []


def test_no_more_sites_are_open_at_a_time_than_the_policy_says(store: DecisionStore) -> None:
    allow(store, school(), "video.example/a", "video.example/b")
    with pytest.raises(
        RefusedError, match="a teacher may open 2 sites at a time for a class; 2 are"
    ):
        allow(store, school(store.overlay(AT_TEN)), "video.example/c")
    assert allow(store, school(store.overlay(AT_TEN)), "video.example/c", group="staff")


def test_what_is_open_for_a_group_around_a_class_or_within_it_counts_for_the_class(
    store: DecisionStore,
) -> None:
    """A class that was divided, or a group that became one, gets no second allowance."""
    plain = {
        "pupils": Group("pupils", "Pupils"),
        "year-4": Group("year-4", "Year 4", "pupils"),
        "year-5": Group("year-5", "Year 5", "pupils"),
    }
    divided = {**plain, "class-4b": Group("class-4b", "Class 4B", "year-4")}
    allow(store, school(groups=plain), "video.example/a", "video.example/b", group="year-4")
    with pytest.raises(RefusedError, match="2 are open for class-4b"):
        allow(store, school(store.overlay(AT_TEN), groups=divided), "video.example/c")
    other = school(store.overlay(AT_TEN), groups=divided)
    allow(store, other, "video.example/c", group="year-5")
    joined = school(
        store.overlay(AT_TEN), groups={**plain, "year-5": Group("year-5", "", "year-4")}
    )
    with pytest.raises(RefusedError, match="3 are open for year-5"):
        allow(store, joined, "video.example/d", group="year-5")


def test_a_site_that_is_opened_again_counts_once(store: DecisionStore) -> None:
    allow(store, school(), "video.example/a", "video.example/b")
    assert allow(store, school(store.overlay(AT_TEN)), "video.example/b", "video.example/b")


def test_a_site_is_open_for_no_longer_than_the_policy_says(store: DecisionStore) -> None:
    rules = school(most_minutes=45)
    assert allow(store, rules, "video.example") == [("video.example", "10:00", "10:45")]


def test_a_policy_that_lets_teachers_open_nothing_says_so(store: DecisionStore) -> None:
    with pytest.raises(RefusedError, match="the policy example lets teachers open nothing"):
        allow(store, engine(timetable=LESSONS), "video.example", group="pupils")


def test_whoever_is_supervised_works_on_and_is_stopped_again_after(store: DecisionStore) -> None:
    rules, page = school(), ask("https://example.com/", CLASS_4B)
    banned = Subject.parse("10.0.0.7")
    opening.suspend(
        store,
        rules,
        banned,
        datetime(2026, 12, 18, tzinfo=UTC),
        reason="VPN",
        actor="t",
        now=AT_EIGHT,
    )
    opening.supervise(
        store, rules, banned, AT_ONE, reason="with the class teacher", actor="t", now=AT_TEN
    )
    rules = school(store.overlay(AT_TEN))
    assert [rules.decide(page, now).reason for now in (AT_EIGHT, AT_TEN, AT_ONE)] == [
        Reason.SUSPENDED, Reason.DEFAULT, Reason.SUSPENDED,
    ]  # fmt: skip
