"""What a client sent makes it a person, or it is asked to sign in; what is said of them later holds."""

import asyncio
import base64
from collections.abc import Callable, Coroutine
from dataclasses import replace

import pytest

from schoolgate.core.identity import Rank
from schoolgate.core.people import LdapSettings, Membership, People, SignInSettings, Unsigned
from schoolgate.identity import Answer, Challenge, Outcome, Proved, ProxyAuthentication, SignedIn
from schoolgate.identity.answers import placed, refused, unavailable
from schoolgate.identity.proxy_authentication import LASTING_SECONDS

PEOPLE = People(
    people={"head": Membership("staff", frozenset({"governors"})), "eve": Membership("")},
    sign_in=SignInSettings(basic=True),
)
REMEMBERED_SECONDS = 600.0


class Directory:
    """Knows ann, whose password is “secret”; of `down` nothing can be asked."""

    down = False

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.forgotten: list[str] = []
        self.people = {"ann": ("pupils", frozenset({"4b"}))}

    def known(self, _user: str, password: str) -> Answer | None:
        return Answer(Outcome.ACCEPTED, "kept") if password == "remembered" else None

    async def check(self, user: str, password: str) -> Answer:
        self.asked.append(user)
        if self.down:
            return unavailable("down")
        return await self.groups(user) if password == "secret" else refused("wrong")

    async def groups(self, user: str) -> Answer:
        if self.down:
            return unavailable("down")
        if user not in self.people:
            return refused("unknown")
        group, also = self.people[user]
        return Answer(Outcome.ACCEPTED, user, group, also)

    def forget(self, user: str) -> None:
        self.forgotten.append(user)


class Tickets:
    """Takes the name for the ticket."""

    async def accept(self, token: bytes) -> Answer:
        user = token.decode()
        if user == "bad":
            return refused("bad")
        return Answer(Outcome.ACCEPTED, user, token=b"reply")


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


def authorization(scheme: str, text: str) -> str:
    return f"{scheme} {base64.b64encode(text.encode()).decode()}"


def said(signed_in: SignedIn) -> tuple[str, str, frozenset[str]]:
    claim = signed_in.claim
    assert claim.rank is Rank.PROXY_AUTHENTICATION
    return claim.user, claim.group, claim.also


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
            people, directory or Directory(), Tickets() if tickets else None, Clock()
        ).proved(values, client, over_tls=over_tls)
    )
    return found.status if isinstance(found, Challenge) else said(found.signed_in)


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


@pytest.mark.parametrize(
    ("unsigned", "over_tls", "tickets", "want"),
    [
        (Unsigned.ASKED, True, True, 407),
        (Unsigned.ASKED, False, True, 407),
        (Unsigned.ASKED, False, False, 403),  # a password must not be asked for here
        (Unsigned.STRICTEST, True, True, ("", "", frozenset())),
        (Unsigned.STRICTEST, False, False, ("", "", frozenset())),
    ],
)
def test_without_credentials_the_client_is_asked_or_gets_no_group(
    unsigned: Unsigned, over_tls: bool, tickets: bool, want: object
) -> None:
    people = People(sign_in=SignInSettings(basic=True, unsigned=unsigned))
    accept = Tickets() if tickets else None
    authentication = ProxyAuthentication(people, Directory(), accept, Clock())
    found = authentication.unsigned("10.0.0.7", over_tls=over_tls)
    if isinstance(found, Challenge):
        assert found.status == want
    else:
        assert said(found) == want
        assert found.claim.withheld
        assert authentication.is_nobody(found)


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


@pytest.mark.parametrize(
    ("unsigned", "want"), [(Unsigned.ASKED, 503), (Unsigned.STRICTEST, ("", "", frozenset()))]
)
def test_a_directory_that_is_down_lets_nobody_in_and_gives_no_groups(
    unsigned: Unsigned, want: object
) -> None:
    directory = Directory()
    directory.down = True
    people = replace(PEOPLE, sign_in=SignInSettings(basic=True, unsigned=unsigned))
    value = authorization("Basic", "ann:secret")
    assert proved([value], people=people, directory=directory) == want
    ticket = authorization("Negotiate", "ann")
    assert proved([ticket], people=people, directory=directory) == ("ann", "", frozenset())


def test_that_the_directory_is_down_is_told_once_a_minute() -> None:
    told: list[str] = []
    directory, clock = Directory(), Clock()
    directory.down = True
    authentication = ProxyAuthentication(PEOPLE, directory, None, clock, told.append)

    async def sign_in() -> None:
        await authentication.proved([authorization("Basic", "ann:secret")], "::1", over_tls=True)

    for seconds in (0, 1, 58, 1, 1):
        clock.now += seconds
        asyncio.run(sign_in())
    assert told == ["nobody can sign in to the proxy: down"] * 2


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


def test_an_address_that_tries_many_passwords_is_heard_no_more_but_for_those_that_are_known() -> (
    None
):
    directory, clock = Directory(), Clock()
    authentication = ProxyAuthentication(PEOPLE, directory, Tickets(), clock)

    async def tried(scheme: str, text: str, client: str = "10.0.0.7") -> bool:
        value = authorization(scheme, text)
        return isinstance(await authentication.proved([value], client, over_tls=True), Proved)

    async def all_of_it() -> None:
        for number in range(200):
            assert not await tried("Basic", f"user{number}:guess")
        assert 0 < len(directory.asked) < 100
        assert not await tried("Basic", "ann:secret")
        assert not await tried("Negotiate", "ann")
        assert await tried("Basic", "ann:remembered")
        assert await tried("Basic", "ann:secret", "10.0.0.8")
        clock.now += 301
        assert await tried("Basic", "ann:secret")

    asyncio.run(all_of_it())


# -- what is said later ----------------------------------------------------------------------------


class Later:
    """Somebody who has signed in, by a password or a ticket, and what happens then."""

    def __init__(self, scheme: str, text: str) -> None:
        self.clock, self.directory = Clock(), Directory()
        ldap = LdapSettings((), *(None,) * 4, remember_seconds=REMEMBERED_SECONDS)  # type: ignore[arg-type]
        sign_in = SignInSettings(basic=True, ldap=ldap)
        self.people = replace(PEOPLE, sign_in=sign_in)
        self.authentication = ProxyAuthentication(
            self.people, self.directory, Tickets(), self.clock
        )
        found = self.run(
            self.authentication.proved([authorization(scheme, text)], "", over_tls=True)
        )
        assert isinstance(found, Proved)
        self.signed_in = found.signed_in

    def run[T](self, what: Coroutine[None, None, T]) -> T:
        return asyncio.run(what)

    def goes_by(self, seconds: float) -> None:
        self.clock.now += seconds
        self.run(self.authentication.renew())

    @property
    def is_over(self) -> bool:
        return self.signed_in.is_over(self.clock.now)


def other_group(later: Later) -> None:
    later.directory.people["ann"] = ("staff", frozenset())


def other_people(later: Later) -> None:
    written = {"ann": Membership("staff")}
    later.authentication.put_people(replace(later.people, people=written))


def has_left(later: Later) -> None:
    del later.directory.people["ann"]


def is_down(later: Later) -> None:
    later.directory.down = True


def ended(later: Later) -> None:
    later.authentication.end()


PASSWORD, TICKET = ("Basic", "ann:secret"), ("Negotiate", "ann")


@pytest.mark.parametrize(
    ("by", "what", "seconds", "want"),
    [
        (PASSWORD, other_group, 1, "pupils"),
        (PASSWORD, other_group, REMEMBERED_SECONDS, "staff"),
        (PASSWORD, other_people, 0, "staff"),
        (PASSWORD, has_left, 1, "pupils"),
        (PASSWORD, has_left, REMEMBERED_SECONDS, "over"),
        (PASSWORD, is_down, REMEMBERED_SECONDS, "pupils"),
        (PASSWORD, is_down, LASTING_SECONDS, "over"),
        (PASSWORD, ended, 0, "over"),
        (TICKET, other_group, REMEMBERED_SECONDS, "staff"),
        (TICKET, has_left, REMEMBERED_SECONDS, ""),
        (TICKET, is_down, LASTING_SECONDS - 1, "pupils"),
        (TICKET, is_down, LASTING_SECONDS, "over"),
    ],
)
def test_what_changes_holds_on_the_connections_that_there_are(
    by: tuple[str, str], what: Callable[[Later], None], seconds: float, want: str
) -> None:
    later = Later(*by)
    assert (said(later.signed_in)[1], later.is_over) == ("pupils", False)
    what(later)
    later.goes_by(seconds)
    assert ("over" if later.is_over else said(later.signed_in)[1]) == want


def test_whoever_is_asked_after_again_and_again_stays() -> None:
    later = Later(*PASSWORD)
    for _ in range(20):
        later.goes_by(REMEMBERED_SECONDS)
    assert not later.is_over


def test_a_person_is_the_same_on_all_their_connections_and_forgotten_after_the_last() -> None:
    later = Later(*PASSWORD)

    async def again() -> SignedIn:
        value = authorization("Negotiate", "ann")
        found = await later.authentication.proved([value], "", over_tls=True)
        assert isinstance(found, Proved)
        return found.signed_in

    assert later.run(again()) is later.signed_in
    del later.signed_in
    has_left(later)
    later.goes_by(REMEMBERED_SECONDS)
    assert later.directory.forgotten == []


def test_a_ticket_while_the_directory_is_down_keeps_the_groups_that_are_known() -> None:
    later = Later(*PASSWORD)
    is_down(later)
    for seconds, want in (
        (LASTING_SECONDS - 1, ("ann", "pupils", frozenset({"4b"}))),
        (1, ("ann", "", frozenset())),
    ):
        later.clock.now += seconds
        later.run(later.authentication.proved([authorization(*TICKET)], "", over_tls=True))
        assert said(later.signed_in) == want
        assert not later.is_over
