"""Who is on a connection, by what a load balancer says and what they prove."""

import asyncio
import base64
from ipaddress import ip_network

import pytest

from schoolgate.core.people import LoadBalancers, People, SignInSettings, Unsigned
from schoolgate.identity import Answer, Challenge, ForwardedBy, Outcome, Proved, ProxyAuthentication
from schoolgate.services.callers import Asking, Caller, Callers, Entry

BALANCER, CLIENT = "10.0.0.5", "10.2.0.7"
FORWARDED = ForwardedBy(LoadBalancers((ip_network(f"{BALANCER}/32"),)))


class Tickets:
    """Takes the name for the ticket."""

    async def accept(self, token: bytes) -> Answer:
        return Answer(Outcome.ACCEPTED, token.decode(), token=b"reply")


def authentication(unsigned: Unsigned = Unsigned.ASKED) -> ProxyAuthentication:
    people = People(sign_in=SignInSettings(unsigned=unsigned))
    return ProxyAuthentication(people, None, Tickets(), lambda: 1000.0)


def ticket(user: str) -> str:
    return f"Negotiate {base64.b64encode(user.encode()).decode()}"


def signed_in(by: ProxyAuthentication, user: str = "bob") -> Proved:
    found = asyncio.run(by.proved([ticket(user)], CLIENT, over_tls=False))
    assert isinstance(found, Proved)
    return found


def found(entry: Entry, asking: Asking) -> tuple[str, str, bytes] | int:
    """Give address, user and last word, or the status of the answer."""
    result = asyncio.run(entry.find_out(asking))
    if isinstance(result, Challenge):
        return result.status
    user = result.signed_in.claim.user if result.signed_in is not None else "-"
    return result.address, user, result.token


@pytest.mark.parametrize(
    ("peer", "said", "want", "is_shared"),
    [
        (CLIENT, [], CLIENT, False),
        (CLIENT, ["10.9.9.9"], CLIENT, False),
        (BALANCER, [CLIENT], CLIENT, True),
        (BALANCER, ["10.9.9.9", CLIENT], CLIENT, True),
        (BALANCER, [], "", True),
    ],
)
def test_the_address_is_the_one_that_a_listed_load_balancer_names(
    peer: str, said: list[str], want: str, is_shared: bool
) -> None:
    entry = Entry(FORWARDED)
    assert found(entry, Asking(peer, said, ())) == (want, "-", b"")
    assert entry.is_shared(peer) is is_shared
    assert entry.header == "x-forwarded-for"


@pytest.mark.parametrize(
    ("peer", "credentials", "before", "want"),
    [
        (CLIENT, (), False, 407),
        (CLIENT, (), True, (CLIENT, "bob", b"")),
        (CLIENT, (ticket("ann"),), False, (CLIENT, "ann", b"reply")),
        (CLIENT, (ticket("ann"),), True, (CLIENT, "ann", b"reply")),
        (CLIENT, ("Negotiate !",), True, 407),
        (CLIENT, (ticket("ann"), ticket("ann")), True, 407),
        # By a load balancer's connection others come, too.
        (BALANCER, (), True, 407),
        (BALANCER, (ticket("ann"),), True, ("", "ann", b"reply")),
    ],
)
def test_the_person_is_who_proves_it_or_did_on_the_same_connection(
    peer: str, credentials: tuple[str, ...], before: bool, want: object
) -> None:
    by = authentication()
    person = signed_in(by).signed_in if before else None
    asking = Asking(peer, (), credentials, signed_in=person)
    assert found(Entry(FORWARDED, by), asking) == want


def test_whoever_need_not_sign_in_is_asked_where_something_is_refused() -> None:
    by = authentication(Unsigned.STRICTEST)
    entry = Entry(None, by)
    nobody = asyncio.run(entry.find_out(Asking(CLIENT, (), ())))
    assert isinstance(nobody, Caller)
    asked = entry.asked_instead(nobody, over_tls=False)
    assert asked is not None
    assert asked.status == 407
    person = Caller(CLIENT, signed_in(by).signed_in)
    assert entry.asked_instead(person, over_tls=False) is None
    assert Entry().asked_instead(Caller(CLIENT), over_tls=False) is None


def test_a_connection_may_stay_as_long_as_it_would_be_let_in() -> None:
    at = [1000.0]
    callers, by = Callers(lambda: at[0]), authentication()
    person = signed_in(by).signed_in
    assert callers.current.asks_nothing
    assert callers.may_stay(None)
    callers.put(Entry(None, by))
    assert not callers.may_stay(None)
    assert callers.may_stay(person)
    at[0] += 3600
    assert not callers.may_stay(person)
    at[0] -= 3600
    by.end()
    assert not callers.may_stay(person)
