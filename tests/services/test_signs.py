"""What is raised of a request, for whom, and how often; and who is shown those who help."""

import threading
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from schoolgate.core.categories import ListEntry
from schoolgate.core.clients import Client
from schoolgate.core.policy import PolicyEngine, Safeguard, Service, Verdict, WebRequest
from schoolgate.core.policy.searches import Searching
from schoolgate.core.safeguarding import Lexicon, Matcher, Phrases, Severity, Theme, Watch
from schoolgate.core.safeguarding.alerts import Alert, Throttle
from schoolgate.core.urls import parse_url
from schoolgate.lists import read_category_files
from schoolgate.proxy.pages import HELPLINES
from schoolgate.services.signs import Seen, Signs, alerts_of
from tests.core.policy.example import policy
from tests.gateway import eventually
from tests.school import NOON, catalogue

CATEGORIES = Path(__file__).parents[2] / "categories"
SELF_HARM = Lexicon(Theme.SELF_HARM, "en", (Phrases(Severity.DANGER, ("end it",)),))
DRUGS = Lexicon(Theme.DRUGS, "en", (Phrases(Severity.ADVISORY, ("weed",)),))
WATCH = Watch(Matcher([SELF_HARM, DRUGS]))
ENGINE = Service(
    "find", "Find", (ListEntry.parse("find.example", "", ""),), {}, (), Searching(frozenset({"/s"}), ("q",))
)  # fmt: skip
PUPIL = Client("192.0.2.7", "pupils", "abc")


def seen(url: str, *rules: Safeguard, client: Client = PUPIL, by_hand: bool = True) -> Seen:
    school = replace(policy(), services={"find": ENGINE}, safeguards=rules)
    engine = PolicyEngine(school, catalogue())
    return Seen(WebRequest(parse_url(url), client), engine, Verdict.ALLOW, NOON, by_hand)


SEARCH = "https://find.example/s?q=end+it"
ALL = Safeguard("C-1")


@pytest.mark.parametrize(
    ("url", "rules", "found"),
    [
        (SEARCH, (ALL,), [("self-harm", "C-1", "")]),
        (SEARCH, (replace(ALL, keeps_search=True),), [("self-harm", "C-1", "end it")]),
        (SEARCH, (), []),
        (SEARCH, (replace(ALL, groups=frozenset({"staff"})),), []),
        (SEARCH, (replace(ALL, themes=frozenset({Theme.DRUGS})),), []),
        # The first that wants it says under which clause.
        (SEARCH, (replace(ALL, themes=frozenset({Theme.DRUGS})), replace(ALL, clause="C-2")),
         [("self-harm", "C-2", "")]),
        ("https://find.example/s?q=weed", (ALL,), []),
        ("https://find.example/s?q=weed", (replace(ALL, least=Severity.ADVISORY),), [("drugs", "C-1", "")]),
        ("https://a.example/end-it/", (ALL,), [("self-harm", "C-1", "")]),
        ("https://a.example/?q=end+it", (ALL,), []),
    ],
)  # fmt: skip
def test_what_is_raised(
    url: str, rules: tuple[Safeguard, ...], found: list[tuple[str, str, str]]
) -> None:
    raised = alerts_of(seen(url, *rules), WATCH)
    assert [(each.theme, each.clause, each.search) for each in raised] == found
    assert all("?" not in each.url for each in raised)


def test_a_person_is_named_else_the_device_else_the_address() -> None:
    for client, who in (
        (PUPIL, "user:abc"),
        (Client("192.0.2.7", "pupils", device="ipad-3"), "device:ipad-3"),
        (Client("192.0.2.7", "pupils"), "client:192.0.2.7"),
    ):
        [alert] = alerts_of(seen(SEARCH, ALL, client=client), WATCH)
        assert alert.who == who
        assert not alert.is_staff
    [alert] = alerts_of(seen(SEARCH, ALL, client=Client("192.0.2.7", "staff", "t")), WATCH)
    assert alert.is_staff


@pytest.mark.parametrize(
    ("minutes", "severities", "passes"),
    [
        ((0, 9), ("caution", "caution"), [True, False]),
        ((0, 11), ("caution", "caution"), [True, True]),
        ((0, 1), ("caution", "danger"), [True, True]),
        ((0, 1), ("danger", "caution"), [True, False]),
    ],
)
def test_one_of_a_person_and_theme_in_a_while_but_for_a_worse(
    minutes: tuple[int, ...], severities: tuple[str, ...], passes: list[bool]
) -> None:
    throttle = Throttle()
    [alert] = alerts_of(seen(SEARCH, ALL), WATCH)
    asked = [
        throttle.passes(
            "user:abc",
            replace(alert.concern, severity=Severity(each)),
            NOON + timedelta(minutes=at),
        )
        for at, each in zip(minutes, severities, strict=True)
    ]
    assert asked == passes
    assert throttle.passes("user:other", alert.concern, NOON)


def test_the_thread_tells_once_and_keeps_until_it_is_kept() -> None:
    told: list[Alert] = []
    kept: list[Alert] = []
    fails = threading.Event()
    fails.set()

    def keep(found: tuple[Alert, ...]) -> None:
        if fails.is_set():
            fails.clear()
            raise OSError
        kept.extend(found)

    signs = Signs(lambda: WATCH, lambda alert, _: told.append(alert), keep)  # type: ignore[arg-type]
    signs.start()
    for _ in range(3):
        signs.see(seen(SEARCH, ALL))
    assert eventually(lambda: len(kept) == 1)
    signs.stop()
    assert told == kept


def test_an_address_that_said_nothing_is_looked_at_again_when_something_else_is_looked_for() -> (
    None
):
    told: list[Alert] = []
    watches = [Watch(Matcher([DRUGS]))]
    asked: list[Watch] = []

    def watch() -> Watch:
        asked.append(watches[-1])
        return watches[-1]

    signs = Signs(watch, lambda alert, _: told.append(alert))
    signs.start()
    request = seen(SEARCH, ALL)
    for times in (1, 2):
        signs.see(request)
        assert eventually(lambda: len(asked) >= times)  # noqa: B023 - waited for in the same round
    watches.append(WATCH)
    signs.see(request)
    signs.see(request)
    signs.stop()
    assert [alert.concern.theme for alert in told] == [Theme.SELF_HARM]


def test_who_is_in_need_is_shown_those_who_help() -> None:
    signs = Signs(lambda: WATCH, lambda _alert, _seen: None)
    engine = seen(SEARCH, ALL).engine
    assert signs.is_in_need(engine, parse_url(SEARCH))
    assert signs.is_in_need(engine, parse_url("https://a.example/end-it"))
    assert not signs.is_in_need(engine, parse_url("https://a.example/weed"))


def test_help_is_never_blocked() -> None:
    """Each line's site is of the category that the baseline keeps always reachable."""
    listed = {
        placed.entry.host
        for placed in read_category_files([CATEGORIES]).entries
        if placed.entry.category == "health-advice"
    }
    for _, _, link, _ in HELPLINES:
        assert parse_url(link).host.removeprefix("www.") in listed
