"""The pages of alerts and incidents: for whom they are routed to, from the alert to the file."""

from collections.abc import Callable
from typing import Any

import pytest

from schoolgate.core.approvals import Role
from schoolgate.core.safeguarding import Severity
from schoolgate.core.safeguarding.incidents import About, KeptAlert
from schoolgate.portal.house import House
from schoolgate.storage import Audience, IncidentStore
from tests.portal.asking import Asking
from tests.portal.requested import stands_in

type Somebody = Callable[..., Any]
TYPED = "<b>words that were typed</b>"


@pytest.fixture
def number(here: House) -> int:
    """Give the number of an alert of danger, with its incident."""
    alert = KeptAlert(
        0, here.now(), here.now(), 1, "user:pupil", "pupils", About.PUPILS, "self-harm", Severity.DANGER,
        "search", "www.bing.com", {"search": TYPED, "url": "https://www.bing.com/search", "clause": "C"},
    )  # fmt: skip
    store: IncidentStore = here.incidents._store
    store.keep([alert], lambda _: Audience(), here.now())
    return store.incidents()[0].id


def test_from_the_alert_to_the_end(here: House, somebody: Somebody, number: int) -> None:
    dsl = Asking(somebody(Role.DSL))
    assert f"/incidents/{number}/" in stands_in(dsl, "/incidents/")
    alert = here.incidents._store.alerts()[0].id
    assert dsl.get(f"/alerts/{alert}/")["location"] == f"/incidents/{number}/"
    page = stands_in(dsl, f"/incidents/{number}/")
    assert "words that were typed" in page
    assert TYPED not in page
    path = f"/incidents/{number}"
    assert dsl.post(f"{path}/note/", do="take", words="").status_code == 302
    assert dsl.post(f"{path}/note/", do="note", words="Spoke with her.").status_code == 302
    assert dsl.post(f"{path}/note/", do="note", words="").status_code == 409
    assert "Spoke with her." in stands_in(dsl, f"{path}/")
    file = dsl.get(f"{path}/file/")
    assert file["content-disposition"] == f'attachment; filename="incident-{number}.csv"'
    assert "Spoke with her." in file.content.decode()
    assert "Spoke with her." in stands_in(dsl, f"{path}/page/")
    assert dsl.post(f"{path}/close/", outcome="supported", words="").status_code == 302
    assert dsl.post(f"{path}/note/", do="note", words="More.").status_code == 409
    assert "Support was given" in stands_in(dsl, f"{path}/")


@pytest.mark.parametrize("role", [Role.HEADTEACHER, Role.CHAIR_OF_GOVERNORS])
def test_it_does_not_exist_for_others(somebody: Somebody, number: int, role: Role) -> None:
    other = Asking(somebody(role))
    for page in ("", "page/", "file/", "close/"):
        assert other.get(f"/incidents/{number}/{page}").status_code == 404
    assert f"/incidents/{number}/" not in stands_in(other, "/incidents/")


def test_a_technician_may_not_even_look(somebody: Somebody, number: int) -> None:
    technician = Asking(somebody(Role.TECHNICIAN))
    assert technician.get("/incidents/").status_code == 403
    assert technician.get(f"/incidents/{number}/").status_code == 403


def test_one_is_opened_by_hand(somebody: Somebody) -> None:
    dsl = Asking(somebody(Role.DSL))
    fields = {
        "summary": "A picture in the library", "who": "", "about": "pupils", "origin": "accident",
        "theme": "sexual", "severity": "caution",
    }  # fmt: skip
    wrong = dsl.post("/incidents/new/", **{**fields, "who": "nobody at all"})
    assert wrong.status_code == 200
    made = dsl.post("/incidents/new/", **fields)
    assert "A picture in the library" in stands_in(dsl, made["location"])
