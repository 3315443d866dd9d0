"""How the gateway stands, and its settings, as technicians see them."""

from collections.abc import Callable
from typing import Any

from sqlalchemy import Engine

from schoolgate.core.approvals import Role, Told
from schoolgate.portal.house import House
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


def test_on_demand_it_is_looked_at(here: House, somebody: Somebody) -> None:
    text = stands_in(Asking(somebody(Role.TECHNICIAN)), "/state/?look=yes")
    assert "policy hill" in text
    assert "audit trail" in text
    assert "<strong>Fault: </strong>" in text, "it has no CA"


def test_the_settings_in_force_are_shown(here: House, somebody: Somebody) -> None:
    text = stands_in(Asking(somebody(Role.TECHNICIAN)), "/settings/")
    assert "proxy.listen" in text
    assert str(here.settings.file) in text
