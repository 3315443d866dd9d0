"""What a client sent becomes a claim, or it is asked to sign in."""

import asyncio
import base64

import pytest

from schoolgate.core.identity import Rank
from schoolgate.core.people import Membership, People, SignInSettings
from schoolgate.identity import Answer, Challenge, Outcome, Proved, ProxyAuthentication
from schoolgate.identity.answers import placed, refused, unavailable

PEOPLE = People(
    people={"head": Membership("staff", frozenset({"governors"})), "eve": Membership("")},
    sign_in=SignInSettings(basic=True),
)


class Directory:
    """Knows ann, whose password is “secret”; of `down` nothing can be asked."""

    down = False

    def __init__(self) -> None:
        self.asked: list[str] = []

    async def check(self, user: str, password: str) -> Answer:
        self.asked.append(user)
        if self.down:
            return unavailable("down")
        return await self.groups(user) if password == "secret" else refused("wrong")

    async def groups(self, user: str) -> Answer:
        if self.down:
            return unavailable("down")
        if user != "ann":
            return refused("unknown")
        return Answer(Outcome.ACCEPTED, "ann", "pupils", frozenset({"4b"}))


class Tickets:
    """Takes the name for the ticket."""

    async def accept(self, token: bytes) -> Answer:
        user = token.decode()
        if user == "bad":
            return refused("bad")
        return Answer(Outcome.ACCEPTED, user, token=b"reply")


def authorization(scheme: str, text: str) -> str:
    return f"{scheme} {base64.b64encode(text.encode()).decode()}"


def proved(
    values: list[str],
    *,
    client: str = "10.0.0.7",
    over_tls: bool = True,
    people: People = PEOPLE,
    directory: Directory | None = None,
    tickets: bool = True,
) -> tuple[str, str, frozenset[str]] | int:
    found = asyncio.run(
        ProxyAuthentication(
            people, directory or Directory(), Tickets() if tickets else None, lambda: 1000.0
        ).proved(values, client, over_tls=over_tls)
    )
    if isinstance(found, Challenge):
        return found.status
    assert (found.claim.rank, found.claim.until) == (Rank.PROXY_AUTHENTICATION, 4600.0)
    return found.claim.user, found.claim.group, found.claim.also


@pytest.mark.parametrize(
    ("value", "want"),
    [
        (authorization("Basic", "ann:secret"), ("ann", "pupils", frozenset({"4b"}))),
        (authorization("Basic", "ann:wrong"), 407),
        (authorization("Basic", "bob:secret"), 407),
        (authorization("Negotiate", "ann"), ("ann", "pupils", frozenset({"4b"}))),
        (authorization("Negotiate", "head"), ("head", "staff", frozenset({"governors"}))),
        (authorization("Negotiate", "bob"), ("bob", "", frozenset())),  # in no directory: no group
        (authorization("Negotiate", "bad"), 407),
        ("Digest x", 407),
        ("", 407),
    ],
)
def test_what_was_sent_is_checked(value: str, want: object) -> None:
    assert proved([value]) == want


def test_without_credentials_the_client_is_asked() -> None:
    assert proved([]) == 407
    assert proved([], over_tls=False, tickets=False) == 403


def test_a_password_that_anybody_could_read_is_not_even_tried() -> None:
    directory = Directory()
    value = authorization("Basic", "ann:secret")
    assert proved([value], over_tls=False, directory=directory) == 407
    assert directory.asked == []
    assert isinstance(proved([value], client="127.0.0.1", over_tls=False), tuple)


def test_passwords_are_taken_only_where_the_school_says_so() -> None:
    directory = Directory()
    value = authorization("Basic", "ann:secret")
    assert proved([value], people=People(), directory=directory) == 407
    assert directory.asked == []


def test_a_directory_that_is_down_lets_nobody_in_and_gives_no_groups() -> None:
    directory = Directory()
    directory.down = True
    assert proved([authorization("Basic", "ann:secret")], directory=directory) == 407
    ticket = authorization("Negotiate", "ann")
    assert proved([ticket], directory=directory) == ("ann", "", frozenset())


def test_the_acceptors_last_word_is_handed_on() -> None:
    authentication = ProxyAuthentication(PEOPLE, None, Tickets(), lambda: 0.0)
    value = authorization("Negotiate", "ann")
    found = asyncio.run(authentication.proved([value], "::1", over_tls=True))
    assert isinstance(found, Proved)
    assert found.token == b"reply"


@pytest.mark.parametrize(
    ("basic", "tickets", "want"), [(True, False, True), (False, True, True), (False, False, False)]
)
def test_whether_anybody_can_sign_in(basic: bool, tickets: bool, want: bool) -> None:
    people = People(sign_in=SignInSettings(basic=basic))
    directory, accept = Directory(), Tickets() if tickets else None
    assert ProxyAuthentication(people, directory, accept, lambda: 0.0).offered is want


@pytest.mark.parametrize(
    ("answer", "want"),
    [
        (Answer(Outcome.ACCEPTED, "ann", "pupils"), ("pupils", frozenset())),
        (
            Answer(Outcome.ACCEPTED, "head", "pupils", frozenset({"4b"})),
            ("staff", {"4b", "governors"}),
        ),
        (Answer(Outcome.ACCEPTED, "eve", "pupils"), ("pupils", frozenset())),
        (refused("no"), ("", frozenset())),
    ],
)
def test_what_the_school_wrote_down_of_a_person_wins(
    answer: Answer, want: tuple[str, frozenset[str]]
) -> None:
    found = placed(answer, PEOPLE)
    assert (found.group, found.also) == want
