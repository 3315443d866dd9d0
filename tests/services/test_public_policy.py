"""The public page says what the engine does: for every pack, group, kind of site and circumstance."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from functools import cache
from itertools import product

import pytest

from schoolgate.core.catalogue import Catalogue
from schoolgate.core.categories import Category, ListEntry
from schoolgate.core.clients import Client
from schoolgate.core.index import index_of
from schoolgate.core.policy import NO_PERIOD, Circumstances, Policy, PolicyEngine, WebRequest
from schoolgate.core.policy.model import with_groups_around
from schoolgate.core.urls import parse_url
from schoolgate.lists import category_names
from schoolgate.services.public_page import Audience, as_text
from schoolgate.services.public_policy import public_policy
from schoolgate.services.rules_in_words import RulesInWords, day, listed, weekly
from schoolgate.services.timetables import calendars_on
from schoolgate.settings import load_policy
from tests.gateway import ROOT

PACKS = sorted(
    path.stem
    for path in (ROOT / "config/policies").glob("*.yaml")
    if not path.name.endswith(".cases.yaml")
)
MONDAY = datetime(2026, 11, 23, tzinfo=UTC)


@cache
def engine(pack: str) -> PolicyEngine:
    """Give a pack over a catalogue with one site of each kind."""
    names = category_names([ROOT / "categories"])
    directory = ROOT / "config/policies"
    policy = load_policy(
        directory / f"{pack}.yaml", names, calendars_on(MONDAY.date()), directory, lambda _: None
    )
    categories = {id_: Category(id_, f"Kind {id_}", f"About {id_}.") for id_ in names}
    entries = [ListEntry.parse(f"{id_}.example", id_, "curated") for id_ in names]
    return PolicyEngine(policy, Catalogue(categories, index_of(entries), "v"))


def moments(policy: Policy) -> Iterator[tuple[str, datetime]]:
    """Give a moment of each period of a Monday, and one outside all."""
    seen = set()
    for quarter in range(4 * 24):
        at = MONDAY + timedelta(minutes=15 * quarter)
        period = (policy.timetable and policy.timetable.period_at(at)) or NO_PERIOD
        if period not in seen:
            seen.add(period)
            yield period, at


@pytest.mark.parametrize("pack", PACKS)
def test_of_the_rules_that_a_row_is_made_of_the_first_that_fits_is_the_one_that_decides(
    pack: str,
) -> None:
    asked = engine(pack)
    policy, rules = asked.policy, RulesInWords(asked)
    places = product(
        policy.groups.values(),
        moments(policy),
        ["", *policy.networks],
        ["", *policy.devices],
        asked.catalogue.categories,
    )
    for group, (period, at), network, device, category in places:
        client = Client("10.0.0.1", group.id, "", "", network, device)
        decision = asked.decide(
            WebRequest(parse_url(f"https://{category}.example/"), client, "GET"), at
        )
        around = with_groups_around(policy.groups, [group.id])
        seen = Circumstances(around, network, device, period, "GET")
        fits = next(rule for rule in rules.deciding(category, group) if rule.concerns(seen))
        assert fits.verdict is decision.verdict, (group.id, period, network, device, category)


@pytest.mark.parametrize("pack", PACKS)
@pytest.mark.parametrize("audience", Audience)
def test_every_pack_has_its_pages(pack: str, audience: Audience) -> None:
    asked = engine(pack)
    text = as_text(public_policy(asked, audience, date(2026, 11, 23)))
    assert asked.policy.school in text
    assert "None" not in text
    assert "{" not in text
    if audience is Audience.PARENTS:
        for clause in asked.policy.clauses.values():
            assert clause.id in text
            assert clause.title in text
            assert clause.missing in text
        assert asked.policy.contact in text


def test_times_are_those_of_the_timetable() -> None:
    timetable = engine("twiss-green").policy.timetable
    assert timetable is not None
    assert next(iter(weekly(timetable))) == (
        "Lessons: Monday to Friday, 08:55–10:30, 10:45–12:00 and 13:00–15:20"
    )


def test_a_rule_that_depends_on_when_and_where_says_so() -> None:
    page = public_policy(engine("twiss-green"), Audience.PARENTS, date(2026, 11, 23))
    [staff] = [section for section in page.sections if section.heading == "Staff"]
    rows = {row[0]: row[1:] for table in staff.tables for row in table.rows}
    assert rows["Kind social-networks"] == (
        (
            "Blocked on School WiFi, with School-owned mobile devices, in Lessons; "
            "otherwise open, and watched"
        ),
        "T-5-wifi, T-5-mobile, T-5-lesson, T-3-definition",
    )


def test_pupils_read_of_what_they_meet_in_simple_words() -> None:
    page = public_policy(engine("twiss-green"), Audience.PUPILS, date(2026, 11, 23))
    text = as_text(page)
    assert "Kind gambling" in text
    assert "T-9" not in text, "no clause"


@pytest.mark.parametrize(
    ("items", "want"),
    [([], "nothing"), (["a"], "a"), (["a", "b"], "a and b"), (["a", "b", "c"], "a, b and c")],
)
def test_lists_in_a_sentence(items: list[str], want: str) -> None:
    assert listed(items) == want


def test_dates_as_people_say_them() -> None:
    assert day(date(2026, 9, 3)) == "3 September 2026"


def test_services_are_named_with_their_modes_and_what_they_leave_open() -> None:
    said = as_text(public_policy(engine("uk-baseline"), Audience.PARENTS, MONDAY.date()))
    assert "* Kind search: Blocked, but for the sites named below | D-3-safesearch" in said
    assert "Google Search, Bing, DuckDuckGo" in said
    assert "* YouTube: “strict”, for Guests and devices that nobody knows and Pupils (D-3-" in said
    assert "* YouTube: “moderate”, for everybody (D-3-safesearch)." in said
    simple = as_text(public_policy(engine("uk-baseline"), Audience.PUPILS, MONDAY.date()))
    assert (
        "Some of these are open and made safe, the others are blocked:\n\n* Kind search" in simple
    )
