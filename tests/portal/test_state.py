"""How the gateway stands, and its settings, as technicians see them."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Engine

from schoolgate.core.approvals import Role, Told
from schoolgate.core.errors import ConfigurationError, Fault
from schoolgate.lists.feed_states import FeedState
from schoolgate.portal.house import House
from schoolgate.portal.views import state
from schoolgate.storage.connections import writing
from schoolgate.storage.outbox import put
from tests.portal.asking import Asking
from tests.portal.requested import stands_in

type Somebody = Callable[..., Any]


def test_what_is_known_at_once_is_shown(
    here: House, somebody: Somebody, database: tuple[House, Engine]
) -> None:
    with writing(database[1]) as connection:
        put(connection, Told("x", account="a@hill.example"), "", here.now())
    [waiting] = here.keeping.outbox.take(here.now(), 1, here.now() - here.now())
    technician = Asking(somebody(Role.TECHNICIAN))
    text = stands_in(technician, "/state/")
    for said in ("hill: Acceptable use", "1 mail waits and no mail server", "games"):
        assert said in text
    assert "Fault: " not in text
    here.keeping.outbox.gave_up(waiting.id, "The server <said> no.", here.now())
    text = stands_in(technician, "/state/")
    assert "0 mails waiting" in text
    assert "The server &lt;said&gt; no." in text


def test_lists_of_others_have_a_line_with_what_waits_for_a_person(
    here: House, somebody: Somebody, monkeypatch: pytest.MonkeyPatch
) -> None:
    technician = Asking(somebody(Role.TECHNICIAN))
    assert "no lists of others are fetched" in stands_in(technician, "/state/")
    feeds = [
        FeedState("ut1", here.now() - timedelta(days=2), 4_000, 1, ()),
        FeedState("urlhaus", here.now(), 300, 0, ("urlhaus:online cannot be reached",)),
    ]
    monkeypatch.setattr(state, "states_of", lambda _settings: feeds)
    text = stands_in(technician, "/state/")
    for said in (
        "Lists of others",
        "2 feeds, 4,300 entries; the oldest of 2.0 days ago",
        "updates wait for a person (ut1): schoolgate lists diff",
        "could not be had the last time: urlhaus",
    ):
        assert said in text


def test_what_is_kept_of_lists_and_cannot_be_read_is_a_fault(
    here: House, somebody: Somebody, monkeypatch: pytest.MonkeyPatch
) -> None:
    def damaged(_settings: object) -> list[FeedState]:
        raise ConfigurationError([Fault("generation.json", 0, "is damaged")])

    monkeypatch.setattr(state, "states_of", damaged)
    text = stands_in(Asking(somebody(Role.TECHNICIAN)), "/state/")
    assert "generation.json: is damaged" in text


def test_on_demand_it_is_looked_at(here: House, somebody: Somebody) -> None:
    text = stands_in(Asking(somebody(Role.TECHNICIAN)), "/state/?look=yes")
    assert "policy hill" in text
    assert "audit trail" in text
    assert "<strong>Fault: </strong>" in text, "it has no CA"


def test_the_settings_in_force_are_shown(here: House, somebody: Somebody) -> None:
    text = stands_in(Asking(somebody(Role.TECHNICIAN)), "/settings/")
    assert "proxy.listen" in text
    assert str(here.settings.file) in text
