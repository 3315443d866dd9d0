"""Proxy authentication: what a client sent, checked, becomes a claim, or it is asked to sign in."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from schoolgate.core.identity import Claim
from schoolgate.core.people import People
from schoolgate.identity.answers import Answer, placed, refused
from schoolgate.identity.credentials import (
    Challenge,
    Password,
    Ticket,
    challenge,
    may_send_password,
    parse_credentials,
)

# A connection is long over by then; a person who was taken out of the directory must not stay in.
_CLAIM_SECONDS = 3600.0


class PasswordCheck(Protocol):
    """What `ldap.LdapDirectory` is."""

    async def check(self, user: str, password: str) -> Answer:
        """Check a password."""

    async def groups(self, user: str) -> Answer:
        """Give the groups of a person who is proved already."""


class TicketCheck(Protocol):
    """What `KerberosAcceptor` is."""

    async def accept(self, token: bytes) -> Answer:
        """Check a ticket."""


@dataclass(frozen=True, slots=True)
class Proved:
    """Somebody proved who they are.

    Attributes:
        claim: for `Directory.identify` on this connection.
        token: the acceptor's last word, which the answer may carry in ``Proxy-Authenticate``.
    """

    claim: Claim
    token: bytes = b""


class ProxyAuthentication:
    """Decides who is on a connection; belongs to one event loop."""

    def __init__(
        self,
        people: People,
        passwords: PasswordCheck | None,
        tickets: TicketCheck | None,
        now: Callable[[], float],
    ) -> None:
        """Prepare.

        Args:
            people: what the school wrote down; without ``sign_in.basic`` no password is taken.
            passwords: checks them, and gives the groups of those who showed a ticket.
            tickets: checks them.
            now: gives seconds since 1970.
        """
        self._people = people
        self._passwords = passwords
        self._tickets = tickets
        self._now = now

    @property
    def offered(self) -> bool:
        """Whether anybody can sign in to the proxy at all."""
        return self._tickets is not None or self._takes_passwords

    async def proved(
        self, values: Sequence[str], client: str, *, over_tls: bool
    ) -> Proved | Challenge:
        """Say who sent these credentials, or what the client is to be answered.

        Args:
            values: of every Proxy-Authorization header.
            client: its address.
            over_tls: whether its connection to the proxy is TLS.
        """
        credentials = parse_credentials(values)
        answer = refused("no credentials")
        source = ""
        if isinstance(credentials, Password):
            # One that came where anybody can read it is not even tried.
            if self._takes_passwords and may_send_password(client, over_tls=over_tls):
                answer = await self._of_password(credentials)
                source = "password to the proxy"
        elif isinstance(credentials, Ticket) and self._tickets is not None:
            answer = await self._of_ticket(self._tickets, credentials)
            source = "Kerberos ticket"
        claim = placed(answer, self._people).claim(source, self._now() + _CLAIM_SECONDS)
        if claim is not None:
            return Proved(claim, answer.token)
        return challenge(
            client,
            over_tls=over_tls,
            negotiate=self._tickets is not None,
            basic=self._takes_passwords,
        )

    @property
    def _takes_passwords(self) -> bool:
        return self._people.sign_in.basic and self._passwords is not None

    async def _of_password(self, credentials: Password) -> Answer:
        if self._passwords is None:
            return refused("no directory")
        return await self._passwords.check(credentials.user, credentials.password)

    async def _of_ticket(self, tickets: TicketCheck, credentials: Ticket) -> Answer:
        """Accept a ticket, with the groups of the directory; without these the person has none."""
        answer = await tickets.accept(credentials.token)
        if not answer.accepted or self._passwords is None:
            return answer
        groups = await self._passwords.groups(answer.user)
        if not groups.accepted:
            return answer
        # By the directory's spelling of the name: a ticket carries the one that was typed.
        return replace(groups, token=answer.token)
