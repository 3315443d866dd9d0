"""Figures of alerts and incidents count pupils alone, and nothing about few people."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schoolgate.core.safeguarding import Severity
from schoolgate.core.safeguarding.incidents import About, Incident, KeptAlert, Outcome
from schoolgate.services.safeguarding_figures import Count, safeguarding_figures
from tests.school import NOON

DAY = timedelta(days=1)
SPAN = NOON - 7 * DAY, NOON


def alert(who: str, theme: str = "drugs", severity: Severity = Severity.CAUTION) -> KeptAlert:
    at = NOON - DAY
    return KeptAlert(
        0, at, at, 1, who, "pupils", About.PUPILS, theme, severity, "search", "x.example"
    )


def incident(number: int, hours: int | None, outcome: Outcome = Outcome.SUPPORTED) -> Incident:
    opened = NOON - 2 * DAY
    closed = None if hours is None else opened + timedelta(hours=hours)
    return Incident(
        number, opened, "system", "alert:1", f"user:p{number}", "pupils", About.PUPILS, "drugs",
        Severity.DANGER, "x", "", closed, outcome if closed else Outcome.NONE,
    )  # fmt: skip


def test_who_looks_after_each_anyway_gets_every_count() -> None:
    alerts = [alert("user:a"), alert("user:a"), alert("user:b", "self-harm", Severity.DANGER)]
    found = safeguarding_figures(
        alerts, [incident(1, 4), incident(2, 8), incident(3, None)], *SPAN, 1
    )
    assert found.alerts == 3
    assert found.themes == (Count("drugs", 2), Count("self-harm", 1))
    assert found.severities == (Count("danger", 1), Count("caution", 2))
    assert (found.opened, found.closed_number, found.open_now, found.unassigned) == (3, 2, 1, 1)
    assert found.closed == (Count("supported", 2),)
    assert found.hours == 6


def test_about_few_people_nothing_is_said() -> None:
    found = safeguarding_figures(
        [alert("user:a")] * 9, [incident(1, 4), incident(2, None)], *SPAN, 5
    )
    assert (found.alerts, found.themes, found.severities) == (None, (), ())
    assert (found.opened, found.closed_number, found.open_now, found.hours) == (
        None,
        None,
        None,
        None,
    )


def test_a_line_about_few_is_not_the_total_less_the_others() -> None:
    alerts = [alert(f"user:{n}") for n in range(9)] + [alert("user:x", "sexual")]
    found = safeguarding_figures(alerts, [], *SPAN, 5)
    assert found.alerts == 10
    assert found.themes == ()


@pytest.mark.parametrize("about", [About.STAFF, About.HEADTEACHER])
def test_what_concerns_staff_is_not_counted(about: About) -> None:
    alerts = [replace(alert(f"user:{n}"), about=about) for n in range(9)]
    incidents = [replace(incident(1, None), about=about)]
    found = safeguarding_figures(alerts, incidents, *SPAN, 1)
    assert (found.alerts, found.opened, found.open_now) == (0, 0, 0)


def test_what_was_before_and_after_is_not_counted() -> None:
    early, late = (replace(alert("user:a"), at=at) for at in (SPAN[0] - DAY, NOON))
    assert safeguarding_figures([early, late], [], *SPAN, 1).alerts == 0


PEOPLE = st.integers(0, 9).map("user:{}".format)
THEMES = st.sampled_from(["drugs", "sexual", "violence", "bullying"])


@given(st.lists(st.builds(alert, PEOPLE, THEMES)), st.integers(1, 6))
def test_whatever_is_shown_is_about_enough_people(alerts: list[KeptAlert], least: int) -> None:
    found = safeguarding_figures(alerts, [], *SPAN, least)
    for count in found.themes:
        people = {one.who for one in alerts if one.theme == count.name}
        assert len(people) >= least
    if found.alerts:
        left = {
            one.who for one in alerts if one.theme not in {count.name for count in found.themes}
        }
        assert not left or len(left) >= least
