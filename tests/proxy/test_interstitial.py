"""A warning is clicked through once a day for each rule, by whoever clicked and nobody else."""

from dataclasses import replace
from datetime import UTC, datetime
from urllib.parse import quote

import pytest

from schoolgate.core.clients import Client
from schoolgate.core.policy import Decision, Reason, Verdict, WebRequest
from schoolgate.core.urls import parse_url
from schoolgate.proxy.interstitial import Warnings

TODAY = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)
LATE, TOMORROW = (
    datetime(2026, 11, 23, 23, 59, tzinfo=UTC),
    datetime(2026, 11, 24, 0, 0, tzinfo=UTC),
)
ANN = Client("10.0.0.7", "staff", user="ann", device="laptop")
PAGE = WebRequest(parse_url("https://cloud.example/home?x=1"), ANN)
CLOUD = Decision(Verdict.WARN, Reason.CATEGORY, "C-1", "cloud")
PASTE = Decision(Verdict.WARN, Reason.CATEGORY, "C-2", "paste")


def click(
    warnings: Warnings, link: str, client: Client = ANN, host: str = "cloud.example",
    decision: Decision = CLOUD, now: datetime = TODAY,
) -> str | None:  # fmt: skip
    request = WebRequest(parse_url(f"https://{host}{link}"), client, "POST")
    return warnings.accept(request, decision, now)


def test_a_click_leads_on_to_what_was_asked_for() -> None:
    warnings = Warnings()
    assert not warnings.is_accepted(PAGE, CLOUD, TODAY)
    assert click(warnings, warnings.link(PAGE, CLOUD, TODAY)) == "/home?x=1"
    assert warnings.is_accepted(PAGE, CLOUD, TODAY)


@pytest.mark.parametrize(
    ("request_", "decision", "now", "want"),
    [
        (PAGE, CLOUD, LATE, True),
        (PAGE, CLOUD, TOMORROW, False),
        (PAGE, PASTE, TODAY, False),
        # the parts of the page that lie elsewhere
        (WebRequest(parse_url("https://static.example/a.js"), ANN), CLOUD, TODAY, True),
        # the same person at another device, and another person at this one
        (WebRequest(PAGE.url, replace(ANN, address="10.0.0.8", device="")), CLOUD, TODAY, True),
        (WebRequest(PAGE.url, replace(ANN, user="bob")), CLOUD, TODAY, False),
        (WebRequest(PAGE.url, Client("10.0.0.7", "staff")), CLOUD, TODAY, False),
    ],
)
def test_it_holds_for_the_person_the_rule_and_the_day(
    request_: WebRequest, decision: Decision, now: datetime, want: bool
) -> None:
    warnings = Warnings()
    click(warnings, warnings.link(PAGE, CLOUD, TODAY))
    assert warnings.is_accepted(request_, decision, now) is want


@pytest.mark.parametrize(
    "changes",
    [
        {"client": replace(ANN, user="bob")},
        {"client": Client("10.0.0.7", "staff")},
        {"host": "other.example"},
        {"decision": PASTE},
        {"now": TOMORROW},
    ],
)
def test_a_link_cannot_be_passed_on(changes: dict[str, object]) -> None:
    warnings = Warnings()
    link = warnings.link(PAGE, CLOUD, TODAY)
    assert click(warnings, link, **changes) is None  # type: ignore[arg-type]


@pytest.mark.parametrize("to", ["//evil.example/", "/\\evil.example", "https://evil.example/", ""])
def test_a_link_leads_to_no_other_site(to: str) -> None:
    warnings = Warnings()
    link = warnings.link(PAGE, CLOUD, TODAY)
    assert click(warnings, link.replace(quote("/home?x=1", safe=""), quote(to, safe=""))) is None


def test_a_link_of_another_gateway_is_not_ours() -> None:
    assert click(Warnings(), Warnings().link(PAGE, CLOUD, TODAY)) is None
