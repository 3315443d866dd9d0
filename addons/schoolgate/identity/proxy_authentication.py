"""Proxy authentication: what a client sent, checked, says who is on its connection, or it is asked."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Protocol
from weakref import WeakValueDictionary

from schoolgate.core.identity import Claim, Rank
from schoolgate.core.people import People, Unsigned
from schoolgate.identity.answers import Answer, Outcome, placed, refused
from schoolgate.identity.credentials import (
    Challenge,
    Password,
    Ticket,
    challenge,
    may_send_password,
    parse_credentials,
)
from schoolgate.identity.failures import Failures

# How long somebody stays who they are when the directory cannot be asked again.
LASTING_SECONDS = 3600.0
# Between two questions to a directory that did not answer.
_AGAIN_SECONDS = 30.0
# Between two reports of that.
_TOLD_SECONDS = 60.0
_PASSWORD, _TICKET = "password to the proxy", "Kerberos ticket"
_NOBODY = "nobody has signed in to the proxy"


class PasswordCheck(Protocol):
    """What `ldap.LdapDirectory` is."""

    def known(self, user: str, password: str) -> Answer | None:
        """Give what is remembered of a password."""

    async def check(self, user: str, password: str) -> Answer:
        """Check a password."""

    async def groups(self, user: str) -> Answer:
        """Give the groups of a person who is proved already."""

    def forget(self, user: str) -> None:
        """Ask for a person's password again the next time."""


class TicketCheck(Protocol):
    """What `KerberosAcceptor` is."""

    async def accept(self, token: bytes) -> Answer:
        """Check a ticket."""


class _Terms:
    """What holds for all who signed in by one authentication.

    Attributes:
        people: what the school wrote down.
        have_ended: how people sign in is another now, so that all must again.
    """

    __slots__ = ("have_ended", "people")

    def __init__(self, people: People) -> None:
        self.people = people
        self.have_ended = False


class SignedIn:
    """Who is on a connection: a person, or nobody where that is let through as the strictest group.

    All connections of a person hold the same one, so that what the directory and people.yaml say later
    holds on each of them.
    """

    __slots__ = ("__weakref__", "_answer", "_claim", "_people", "_source", "_terms", "due", "until")

    def __init__(self, terms: _Terms, answer: Answer, source: str) -> None:
        """Begin; nothing of it lasts before `lasts`."""
        self._terms = terms
        self._source = source
        self._people: People | None = None
        self._claim = Claim(Rank.PROXY_AUTHENTICATION, source, withheld=_NOBODY)
        self._answer = answer
        # Seconds since 1970: when it ends, and when the directory is to be asked again.
        self.until = self.due = 0.0

    @property
    def answer(self) -> Answer:
        """What was said of the person last; nothing is accepted of nobody."""
        return self._answer

    @property
    def by_ticket(self) -> bool:
        """Whether it was a ticket that proved it, and not the directory."""
        return self._source == _TICKET

    @property
    def claim(self) -> Claim:
        """What it proves for `Directory.identify`, by what the school wrote down at this moment."""
        people = self._terms.people
        if people is not self._people and self._answer.accepted:
            proved = placed(self._answer, people).claim(self._source)
            self._claim, self._people = proved or self._claim, people
        return self._claim

    def is_over(self, at: float) -> bool:
        """Ask whether the person must sign in again; ``at`` is in seconds since 1970."""
        return at >= self.until or self._terms.have_ended

    def lasts(self, answer: Answer, due: float, until: float) -> None:
        """Take what the directory says now."""
        if answer != self._answer:
            self._answer, self._people = answer, None
        self.due, self.until = due, until


@dataclass(frozen=True, slots=True)
class Proved:
    """Somebody proved who they are.

    Attributes:
        signed_in: for their connection.
        token: the acceptor's last word, which the answer may carry in ``Proxy-Authenticate``.
    """

    signed_in: SignedIn
    token: bytes = b""


class ProxyAuthentication:
    """Decides who is on a connection; belongs to one event loop, but for `put_people` and `end`."""

    def __init__(
        self,
        people: People,
        passwords: PasswordCheck | None,
        tickets: TicketCheck | None,
        now: Callable[[], float],
        told: Callable[[str], None] = lambda _: None,
    ) -> None:
        """Prepare.

        Args:
            people: what the school wrote down; without ``sign_in.basic`` no password is taken.
            passwords: checks them, and gives the groups of those who showed a ticket.
            tickets: checks them.
            now: gives seconds since 1970.
            told: called when nobody can sign in, once a minute at most.
        """
        sign_in = people.sign_in
        self._terms = _Terms(people)
        self._takes_passwords = sign_in.basic and passwords is not None
        self._asks = sign_in.unsigned is Unsigned.ASKED
        self._asked_again_seconds = sign_in.ldap.remember_seconds if sign_in.ldap else 0.0
        self._passwords = passwords
        self._tickets = tickets
        self._now = now
        self._told = told
        self._told_again = 0.0
        self._failures = Failures(now)
        # Those who have a connection; whoever has none is not asked after.
        self._here: WeakValueDictionary[str, SignedIn] = WeakValueDictionary()
        self._nobody = SignedIn(self._terms, refused(_NOBODY), "proxy")
        self._nobody.until = float("inf")

    @property
    def offered(self) -> bool:
        """Whether anybody can sign in to the proxy at all."""
        return self._tickets is not None or self._takes_passwords

    def unsigned(self, client: str, *, over_tls: bool) -> SignedIn | Challenge:
        """Say what whoever sent no credentials is, or what they are answered.

        Args:
            client: its address.
            over_tls: whether its connection to the proxy is TLS.
        """
        return self.asked(client, over_tls=over_tls) if self._asks else self._nobody

    @property
    def nobody(self) -> SignedIn:
        """Who comes by a way on which nobody can be asked."""
        return self._nobody

    def is_nobody(self, signed_in: SignedIn | None) -> bool:
        """Ask whether somebody goes through without having signed in."""
        return signed_in is self._nobody

    def asked(self, client: str, *, over_tls: bool) -> Challenge:
        """Give how a client is asked to sign in."""
        return challenge(
            client,
            over_tls=over_tls,
            negotiate=self._tickets is not None,
            basic=self._takes_passwords,
        )

    async def proved(
        self, values: Sequence[str], client: str, *, over_tls: bool
    ) -> Proved | Challenge:
        """Say who sent these credentials, or what the client is to be answered.

        Args:
            values: of every Proxy-Authorization header, at least one.
            client: its address.
            over_tls: whether its connection to the proxy is TLS.
        """
        credentials = parse_credentials(values)
        answer, source, is_whole = refused("no credentials"), "", True
        if isinstance(credentials, Password):
            # One that came where anybody can read it is not even tried.
            if self._takes_passwords and may_send_password(client, over_tls=over_tls):
                answer = await self._of_password(credentials, client)
                source = _PASSWORD
        elif isinstance(credentials, Ticket) and self._tickets is not None:
            answer, is_whole = await self._of_ticket(self._tickets, credentials, client)
            source = _TICKET
        self._note(answer)
        if answer.accepted and answer.user:
            return Proved(self._person(answer, source, is_whole=is_whole), answer.token)
        if answer.outcome is Outcome.UNAVAILABLE:
            return Proved(self._nobody) if not self._asks else Challenge((), 503)
        return self.asked(client, over_tls=over_tls)

    async def renew(self) -> None:
        """Ask the directory again of everybody who is here; to be called every few seconds.

        Whoever is in it no longer must sign in again, or has no group where a ticket proved who they are.
        While it cannot be asked, all stay who they are until their own end.
        """
        if self._passwords is None:
            return
        at = self._now()
        due = [person for person in list(self._here.values()) if person.due <= at]
        for number, person in enumerate(due):
            user = person.answer.user
            answer = await self._passwords.groups(user)
            self._note(answer)
            if answer.outcome is Outcome.UNAVAILABLE:
                for one in due[number:]:
                    one.due = at + _AGAIN_SECONDS
                return
            if answer.accepted:
                self._last(person, answer)
            elif person.by_ticket:
                self._last(person, Answer(Outcome.ACCEPTED, user))
            else:
                person.until = 0.0
                self._passwords.forget(user)
                self._here.pop(user, None)

    def put_people(self, people: People) -> None:
        """Place people by another people.yaml in which they sign in as before; from any thread."""
        self._terms.people = people

    def end(self) -> None:
        """Have everybody sign in again, elsewhere; from any thread."""
        self._terms.have_ended = True

    def _person(self, answer: Answer, source: str, *, is_whole: bool) -> SignedIn:
        person = self._here.get(answer.user)
        if person is None:
            person = self._here[answer.user] = SignedIn(self._terms, answer, source)
        elif not is_whole and not person.is_over(self._now()):
            # What the directory said last holds until its own end.
            return person
        self._last(person, replace(answer, token=b""))
        if not is_whole:
            person.due = self._now() + _AGAIN_SECONDS
        return person

    def _last(self, person: SignedIn, answer: Answer) -> None:
        at = self._now()
        due = at + max(self._asked_again_seconds, _AGAIN_SECONDS)
        person.lasts(answer, due, at + LASTING_SECONDS)

    def _note(self, answer: Answer) -> None:
        """Tell of a directory that cannot be asked, and now and then that it still cannot."""
        at = self._now()
        if answer.outcome is Outcome.UNAVAILABLE and at >= self._told_again:
            self._told_again = at + _TOLD_SECONDS
            self._told(f"nobody can sign in to the proxy: {answer.reason}")

    async def _of_password(self, credentials: Password, client: str) -> Answer:
        if self._passwords is None:
            return refused("no directory")
        user, password = credentials.user, credentials.password
        known = self._passwords.known(user, password)
        if known is not None:
            return known
        if self._failures.are_many(client):
            return refused("too many wrong passwords of this address")
        answer = await self._passwords.check(user, password)
        self._failures.note(client, answer)
        return answer

    async def _of_ticket(
        self, tickets: TicketCheck, credentials: Ticket, client: str
    ) -> tuple[Answer, bool]:
        """Accept a ticket, with the groups of the directory; say whether that could be asked."""
        if self._failures.are_many(client):
            return refused("too many wrong tickets of this address"), True
        answer = await tickets.accept(credentials.token)
        self._failures.note(client, answer)
        if not answer.accepted or self._passwords is None:
            return answer, True
        groups = await self._passwords.groups(answer.user)
        if groups.accepted:
            # By the directory's spelling of the name: a ticket carries the one that was typed.
            return replace(groups, token=answer.token), True
        self._note(groups)
        return answer, groups.outcome is not Outcome.UNAVAILABLE
