"""Tickets of block pages: what is signed is read again for a day, by the school that signed it."""

import base64
from dataclasses import replace
from datetime import timedelta

import pytest

from schoolgate.core.errors import RefusedError
from schoolgate.core.urls import Url, parse_web_url
from schoolgate.services.tickets import (
    LONGEST_TICKET,
    LONGEST_URL,
    VALID_FOR,
    Ticket,
    Tickets,
    address_for,
)
from tests.school import NOON

OURS = Tickets(b"o" * 32)
TICKET = Ticket("https://games.example/play?x=1&y=é", "no-play", "C-1", "pupils", NOON)


@pytest.mark.parametrize("age", [timedelta(), timedelta(hours=3), VALID_FOR])
def test_what_was_signed_is_read(age: timedelta) -> None:
    assert OURS.read(OURS.write(TICKET), NOON + age) == TICKET


def test_a_text_is_fit_for_a_query() -> None:
    assert set(OURS.write(TICKET)) <= {
        *"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_."
    }


def changed(text: str) -> str:
    body, _, signature = text.partition(".")
    raw = base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)).replace(b"games", b"gamez")
    return base64.urlsafe_b64encode(raw).decode().rstrip("=") + "." + signature


@pytest.mark.parametrize(
    "text",
    [
        "",
        ".",
        "no ticket",
        "é.é",
        "\x00.\x00",
        "e30.",
        OURS.write(TICKET) + "A",
        OURS.write(TICKET)[:-4],
        changed(OURS.write(TICKET)),
        Tickets(b"x" * 32).write(TICKET),
        "A" * 100_000,
    ],
)
def test_what_is_forged_or_of_another_school_is_refused(text: str) -> None:
    with pytest.raises(RefusedError, match="not made by this school's filter"):
        OURS.read(text, NOON)


def test_after_a_day_it_is_old() -> None:
    late = NOON + VALID_FOR + timedelta(seconds=1)
    with pytest.raises(RefusedError, match="more than a day old"):
        OURS.read(OURS.write(TICKET), late)


@pytest.mark.parametrize(
    ("url", "want"),
    [
        ("https://games.example", "https://games.example/"),
        ("https://games.example:8443/a?b=c", "https://games.example:8443/a?b=c"),
        ("http://games.example/" + "a" * LONGEST_URL, "http://games.example/"),
    ],
)
def test_a_very_long_address_is_that_of_the_site(url: str, want: str) -> None:
    assert address_for(parse_web_url(url)) == want


def test_the_longest_ticket_can_be_read() -> None:
    long = address_for(Url("https", "games.example", 443, "/" + "a" * (LONGEST_URL - 30)))
    ticket = replace(TICKET, url=long, rule="r" * 64, clause="c" * 64, group="g" * 64)
    text = OURS.write(ticket)
    assert len(long) > LONGEST_URL - 60
    assert len(text) < LONGEST_TICKET
    assert OURS.read(text, NOON) == ticket
