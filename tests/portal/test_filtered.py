"""Whether a device is filtered, as anybody on the network may ask."""

from datetime import timedelta
from typing import Any

import pytest

from schoolgate.core import canaries
from schoolgate.portal.entrance import THROUGH
from schoolgate.portal.house import House
from schoolgate.services.selftest_results import EVERYBODY, Result, Round, write_round
from tests.portal.asking import Asking

PORTAL = "https://schoolgate.internal"


def look(*, secure: bool = False, through: bool = True) -> Any:
    return Asking(secure=secure).get("/filtered/", **({THROUGH: True} if through else {}))


def text(answer: Any) -> str:
    return str(answer.content.decode())


def test_a_device_that_came_through_the_filter_is_told_as_whom(here: House) -> None:
    assert "Yes. What you ask for on this device goes through" in text(look())
    assert "The rules are those for" in text(look())


def test_one_that_did_not_is_told_so(here: House) -> None:
    page = text(look(through=False))
    assert "No. This device has reached the school's portal without" in page.replace("&#39;", "'")
    assert "The rules are those for" not in page


@pytest.mark.parametrize("secure", [False, True])
def test_pictures_try_it_in_the_way_that_the_page_came(here: House, secure: bool) -> None:
    scheme = "https" if secure else "http"
    page = text(look(secure=secure))
    assert f'src="{scheme}://{canaries.OPEN}/dns-query?dns=' in page
    assert f'src="{PORTAL}/filtered/picture.svg"' in page


def test_only_pictures_come_from_elsewhere(here: House) -> None:
    rules = dict(one.split(" ", 1) for one in look()["content-security-policy"].split("; "))
    assert rules.pop("img-src") == (
        f"'self' data: {PORTAL} http://*.{canaries.ZONE} https://*.{canaries.ZONE}"
    )
    other = Asking(secure=False).get("/")["content-security-policy"].split("; ")
    assert set(rules) == {one.split(" ", 1)[0] for one in other} - {"img-src"}
    assert "script-src 'nonce-" in look()["content-security-policy"]


def test_the_picture_within_tls_is_one(here: House) -> None:
    answer = Asking(secure=True).get("/filtered/picture.svg")
    assert answer["content-type"] == "image/svg+xml"
    assert "Trusted" in text(answer)


@pytest.mark.parametrize(
    ("results", "said"),
    [
        ((Result("quic", "pupils", ok=True),), "No fault"),
        ((Result("doh", "staff", ok=False, said="x"),), "No fault"),
        ((Result("doh", "pupils", ok=False, said="x"),), "Found a fault."),
        ((Result("grants", EVERYBODY, ok=False, said="x"),), "Found a fault."),
        ((Result("quic", "pupils", ok=True),), "Closed: no site is let to offer it"),
        ((Result("quic", "pupils", ok=False, said="x"),), "Not closed."),
    ],
)
def test_what_the_gateway_itself_found_for_the_group_is_said(
    here: House, results: tuple[Result, ...], said: str
) -> None:
    file = here.settings.selftest_file
    write_round(file, Round(here.now() - timedelta(seconds=5), 60, 1.0, results))
    try:
        assert said in text(look())
        assert "own check" not in text(look(through=False))
    finally:
        file.unlink()


def test_before_it_has_looked_nothing_is_said_of_it(here: House) -> None:
    assert "own check" not in text(look())
