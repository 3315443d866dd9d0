"""A warning is clicked through once a day for each rule, by whoever clicked and nobody else."""

from dataclasses import replace
from datetime import UTC, datetime
from urllib.parse import quote

import pytest

from schoolgate.core.clients import Client
from schoolgate.core.policy import Decision, Reason, Verdict, WebRequest
from schoolgate.core.urls import parse_url
from schoolgate.proxy.interstitial import CONTINUE_PATH, Click, Warnings
from schoolgate.services.acceptances import Acceptances
from schoolgate.services.engines import Engines
from tests.core.policy.example import engine

TODAY = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)
LATE, TOMORROW = (
    datetime(2026, 11, 23, 23, 59, tzinfo=UTC),
    datetime(2026, 11, 24, 0, 0, tzinfo=UTC),
)
ANN = Client("10.0.0.7", "staff", user="ann", device="laptop")
PAGE = WebRequest(parse_url("https://cloud.example/home?x=1"), ANN)
CLOUD = Decision(Verdict.WARN, Reason.CATEGORY, "C-1", "cloud")
PASTE = Decision(Verdict.WARN, Reason.CATEGORY, "C-2", "paste")


class Worker:
    """The warnings of one worker."""

    def __init__(self, secret: bytes = b"of the gateway") -> None:
        self.engines = Engines(engine())
        self.warnings = Warnings(secret, Acceptances(self.engines))

    def link(self, request: WebRequest = PAGE, decision: Decision = CLOUD) -> str:
        return self.warnings.link(request, decision, TODAY)

    def click(
        self, link: str, client: Client = ANN, host: str = "cloud.example",
        now: datetime = TODAY, method: str = "POST",
    ) -> Click | None:  # fmt: skip
        """Press a button, as the filter takes it."""
        request = WebRequest(parse_url(f"https://{host}{link}"), client, method)
        click = self.warnings.click(request, now)
        if click is not None:
            self.warnings.accept(request, click.rule, now, lambda: None)
        return click

    def is_accepted(
        self, request: WebRequest = PAGE, decision: Decision = CLOUD, now: datetime = TODAY
    ) -> bool:
        return self.warnings.is_accepted(self.engines.current, request, decision, now)


def test_a_click_leads_on_to_what_was_asked_for() -> None:
    worker = Worker()
    assert not worker.is_accepted()
    assert worker.click(worker.link()) == Click("cloud", "/home?x=1")
    assert worker.is_accepted()


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
        # a device that is called like the person
        (WebRequest(PAGE.url, Client("10.0.0.7", "staff", device="ann")), CLOUD, TODAY, False),
    ],
)
def test_it_holds_for_the_person_the_rule_and_the_day(
    request_: WebRequest, decision: Decision, now: datetime, want: bool
) -> None:
    worker = Worker()
    worker.click(worker.link())
    assert worker.is_accepted(request_, decision, now) is want


@pytest.mark.parametrize(
    ("client", "same", "other"),
    [
        (
            replace(ANN, user=""),
            replace(ANN, user="", address="10.0.0.8"),
            replace(ANN, user="", device="d2"),
        ),
        (Client("10.0.0.7", "staff"), Client("10.0.0.7", "staff"), Client("10.0.0.8", "staff")),
    ],
)
def test_where_nobody_is_known_it_holds_for_the_device_or_else_the_address(
    client: Client, same: Client, other: Client
) -> None:
    worker, page = Worker(), replace(PAGE, client=client)
    assert worker.click(worker.link(page), client) is not None
    assert worker.is_accepted(replace(PAGE, client=same))
    assert not worker.is_accepted(replace(PAGE, client=other))


@pytest.mark.parametrize(
    "changes",
    [
        {"client": replace(ANN, user="bob")},
        {"client": Client("10.0.0.7", "staff")},
        {"host": "other.example"},
        {"now": TOMORROW},
        {"method": "GET"},
    ],
)
def test_a_link_cannot_be_passed_on(changes: dict[str, object]) -> None:
    worker = Worker()
    assert worker.click(worker.link(), **changes) is None  # type: ignore[arg-type]
    assert not worker.engines.current.overlay.acceptances


def test_a_link_of_one_rule_is_not_one_of_another() -> None:
    worker = Worker()
    assert worker.click(worker.link().replace("rule=cloud", "rule=paste")) is None


@pytest.mark.parametrize("to", ["//evil.example/", "/\\evil.example", "https://evil.example/", ""])
def test_a_link_leads_to_no_other_site(to: str) -> None:
    worker = Worker()
    changed = worker.link().replace(quote("/home?x=1", safe=""), quote(to, safe=""))
    assert worker.click(changed) is None


def test_a_link_is_good_in_every_worker_of_a_gateway_and_in_no_other_gateway() -> None:
    assert Worker().click(Worker().link()) is not None
    assert Worker(b"of another").click(Worker().link()) is None


def test_a_warning_met_on_the_way_on_from_another_leads_to_the_same_page() -> None:
    worker = Worker()
    on_the_way = WebRequest(parse_url(f"https://cloud.example{worker.link()}"), ANN, "POST")
    assert worker.click(worker.link(on_the_way, PASTE)) == Click("paste", "/home?x=1")
    astray = WebRequest(parse_url(f"https://cloud.example{CONTINUE_PATH}?to=/a"), ANN)
    assert worker.click(worker.link(astray, PASTE)) == Click("paste", "/")


def test_whoever_cannot_be_told_from_others_accepts_nothing() -> None:
    worker, nobody = Worker(), Client("", "pupils")
    assert worker.click(worker.link(replace(PAGE, client=nobody)), nobody) is None
