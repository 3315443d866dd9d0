"""What a client sends to sign in, and how it is asked to."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schoolgate.identity import (
    Challenge,
    Password,
    Ticket,
    challenge,
    may_send_password,
    parse_credentials,
)


def basic(text: str | bytes) -> str:
    raw = text.encode() if isinstance(text, str) else text
    return "Basic " + base64.b64encode(raw).decode()


@pytest.mark.parametrize(
    ("values", "want"),
    [
        ([basic("ann:secret")], Password("ann", "secret")),
        (["basic  " + basic("ann:secret")[6:]], Password("ann", "secret")),
        ([basic("ann:a:b:")], Password("ann", "a:b:")),
        ([basic("Änne:paß€")], Password("Änne", "paß€")),
        ([basic("A\u0308nne:x")], Password("Änne", "x")),  # composed, as the directory has it
        (["Negotiate YWJj"], Ticket(b"abc")),
        (["NEGOTIATE YWJj"], Ticket(b"abc")),
        ([], None),
        ([basic("ann:secret"), basic("bob:secret")], None),
        ([basic("ann:secret") + ", " + basic("bob:secret")], None),
        ([basic("ann")], None),
        ([basic(":secret")], None),
        ([basic("ann:")], None),  # without a password nothing would be checked
        ([basic("ann:\x00")], None),
        ([basic("an\nn:x")], None),
        ([basic(b"\xe4nne:x")], None),  # Latin-1
        (["Basic"], None),
        (["Basic !!!!"], None),
        (["Basic YWJj="], None),
        (["Negotiate"], None),
        (["Negotiate =="], None),
        (["Digest username=x"], None),
        (["NTLM TlRMTVNTUAAB"], None),
        ([""], None),
        ([basic("ann:" + "x" * 4000)], None),
        (["Negotiate " + "YWJj" * 20_000], None),
    ],
)
def test_what_can_be_read_in_one_way_alone_counts(
    values: list[str], want: Password | Ticket | None
) -> None:
    assert parse_credentials(values) == want


@given(st.lists(st.text(max_size=60) | st.binary(max_size=40).map(basic), max_size=2))
def test_any_header_is_read_or_nothing(values: list[str]) -> None:
    found = parse_credentials(values)
    if isinstance(found, Password):
        assert found.user
        assert found.password


def test_passwords_and_tickets_are_not_shown() -> None:
    assert "secret" not in repr(Password("ann", "secret"))
    assert "abc" not in repr(Ticket(b"abc"))


NEGOTIATE = ("Proxy-Authenticate", "Negotiate")
BASIC = ("Proxy-Authenticate", 'Basic realm="schoolgate", charset="UTF-8"')


@pytest.mark.parametrize(
    ("client", "over_tls", "want"),
    [
        ("10.0.0.7", True, (NEGOTIATE, BASIC)),
        ("10.0.0.7", False, (NEGOTIATE,)),
        ("127.0.0.1", False, (NEGOTIATE, BASIC)),
        ("::1", False, (NEGOTIATE, BASIC)),
        ("::ffff:127.0.0.1", False, (NEGOTIATE, BASIC)),
        ("::ffff:10.0.0.7", False, (NEGOTIATE,)),
        ("no address", False, (NEGOTIATE,)),
    ],
)
def test_a_password_is_asked_for_only_where_nobody_can_read_it(
    client: str, over_tls: bool, want: tuple[tuple[str, str], ...]
) -> None:
    assert challenge(client, over_tls=over_tls, negotiate=True, basic=True) == Challenge(want)
    assert may_send_password(client, over_tls=over_tls) is (BASIC in want)


@pytest.mark.parametrize(
    ("negotiate", "password", "want"),
    [
        (True, False, Challenge((NEGOTIATE,))),
        (False, True, Challenge((BASIC,))),
        (False, False, Challenge((), 403)),
    ],
)
def test_only_what_is_set_up_is_offered(negotiate: bool, password: bool, want: Challenge) -> None:
    assert challenge("::1", over_tls=True, negotiate=negotiate, basic=password) == want


def test_a_client_that_can_be_asked_for_nothing_is_not_asked_again_and_again() -> None:
    assert challenge("10.0.0.7", over_tls=False, negotiate=False, basic=True).status == 403


def test_the_acceptors_last_word_goes_back() -> None:
    spoken = challenge("::1", over_tls=True, negotiate=True, basic=False, token=b"abc")
    assert spoken.headers == (("Proxy-Authenticate", "Negotiate YWJj"),)
