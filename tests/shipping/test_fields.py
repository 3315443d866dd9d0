"""What of a line leaves the gateway."""

from collections.abc import Mapping

import pytest

from schoolgate.shipping.fields import Personal, Sites, Terms, chosen

LINE = {
    "ts": "2026-11-23T10:30:00.000+00:00", "id": "1-5-1", "event": "request.decided", "client": "10.0.0.7",
    "device": "tablet-7", "user": "ann", "group": "pupils", "also": ["choir"], "host": "www.bet.example",
    "url": "https://www.bet.example/odds", "search": "odds", "verdict": "block", "entry": "bet.example",
    "clause": "W-6.3.1-gambling", "grant": None, "what_comes_later": "unknown",
}  # fmt: skip
PLAIN = {"ts", "id", "event", "group", "verdict", "clause"}
SECRET = b"s" * 32


@pytest.mark.parametrize(
    ("personal", "sites", "more"),
    [
        ("none", "none", set()),
        ("pseudonyms", "none", {"who"}),
        ("names", "none", {"client", "device", "user", "also"}),
        ("none", "hosts", {"host", "entry"}),
        ("pseudonyms", "urls", {"who", "host", "entry", "url", "search"}),
    ],
)
def test_only_what_the_school_lets_go_is_sent(personal: str, sites: str, more: set[str]) -> None:
    """A field that nobody has thought of stays."""
    assert set(chosen(LINE, Terms(Personal(personal), Sites(sites), SECRET))) == PLAIN | more


def who(line: Mapping[str, object], secret: bytes = SECRET) -> object:
    return chosen(line, Terms(Personal.PSEUDONYMS, Sites.NONE, secret)).get("who")


def test_a_pseudonym_is_the_same_for_a_person_and_no_other_and_says_nothing() -> None:
    ann = who(LINE)
    assert ann == who({**LINE, "client": "10.0.0.9", "device": "other"})
    assert ann != who({**LINE, "user": "bob"})
    assert ann != who(LINE, b"t" * 32)
    assert ann != who({"device": "ann"})
    assert isinstance(ann, str)
    assert len(ann) == 16


def test_who_is_nobody_has_none() -> None:
    assert who({"event": "selftest.failed"}) is None
