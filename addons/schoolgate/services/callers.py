"""Who is on a connection: what a load balancer says of it, and who signed in to the proxy on it."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from schoolgate.identity import Announcers, Challenge, ForwardedBy, ProxyAuthentication, SignedIn


class Caller(NamedTuple):
    """Who is on a connection.

    Attributes:
        address: from which they come; "" where that cannot be known.
        signed_in: who proved who they are, or None where nobody is asked to.
        token: what they may be told to finish their sign-in (Kerberos), or nothing.
    """

    address: str
    signed_in: SignedIn | None = None
    token: bytes = b""


class Asking(NamedTuple):
    """What a request to the proxy says of who sends it.

    Attributes:
        peer: address that its connection is from.
        forwarded: values of every header that load balancers write.
        credentials: values of every Proxy-Authorization header.
        over_tls: whether the connection to the proxy is TLS.
        signed_in: who signed in on the connection before.
    """

    peer: str
    forwarded: Sequence[str]
    credentials: Sequence[str]
    over_tls: bool = False
    signed_in: SignedIn | None = None


@dataclass(frozen=True, slots=True)
class Entry:
    """What must be found out about whoever comes; an immutable value.

    Attributes:
        forwarded: the load balancers that are believed.
        authentication: where people sign in.
        announcers: the load balancers that say who comes before anything else.
    """

    forwarded: ForwardedBy | None = None
    authentication: ProxyAuthentication | None = None
    announcers: Announcers | None = None

    @property
    def asks_nothing(self) -> bool:
        """Whether the address that a connection is from, or was announced for, says all."""
        return self.forwarded is None and self.authentication is None

    @property
    def header(self) -> str:
        """The header that load balancers write, lower case; "" where none is believed."""
        return self.forwarded.header if self.forwarded is not None else ""

    def announces(self, peer: str) -> bool:
        """Ask whether whoever connects is to say for whom, before anything else."""
        return self.announcers is not None and self.announcers.announces(peer)

    def is_shared(self, peer: str) -> bool:
        """Ask whether others may come by the same connection: those of load balancers carry many."""
        return self.forwarded is not None and self.forwarded.trusts(peer)

    def named(self, asking: Asking) -> str:
        """Give the address of who asks; "" where it cannot be known."""
        if self.forwarded is None:
            return asking.peer
        return self.forwarded.client(asking.peer, asking.forwarded)

    def unasked(self, peer: str) -> Caller:
        """Give who comes by a way on which nobody can be asked to sign in to the proxy."""
        nobody = self.authentication.nobody if self.authentication is not None else None
        return Caller(peer, nobody)

    async def find_out(self, asking: Asking) -> Caller | Challenge:
        """Say who sends a request, or what they are answered; nothing is decided before."""
        address, authentication = self.named(asking), self.authentication
        if authentication is None:
            return Caller(address)
        over_tls = asking.over_tls
        if asking.credentials:
            found = await authentication.proved(asking.credentials, address, over_tls=over_tls)
            if isinstance(found, Challenge):
                return found
            return Caller(address, found.signed_in, found.token)
        if asking.signed_in is not None and not self.is_shared(asking.peer):
            return Caller(address, asking.signed_in)
        unsigned = authentication.unsigned(address, over_tls=over_tls)
        return unsigned if isinstance(unsigned, Challenge) else Caller(address, unsigned)

    def asked_instead(self, caller: Caller, *, over_tls: bool) -> Challenge | None:
        """Give how somebody who has not signed in is asked to, when something is refused to them."""
        authentication = self.authentication
        if authentication is None or not authentication.is_nobody(caller.signed_in):
            return None
        return authentication.asked(caller.address, over_tls=over_tls)


class Callers:
    """The entry in force: one reference, replaced whole by a thread, read without a lock."""

    def __init__(self, now: Callable[[], float] = time.time) -> None:
        """Begin with one that asks nothing; ``now`` gives seconds since 1970."""
        self.current = Entry()
        self._now = now

    def put(self, entry: Entry) -> None:
        """Put another entry in force."""
        self.current = entry

    def may_stay(self, signed_in: SignedIn | None) -> bool:
        """Ask whether a connection may go on as whose it is; else it ends, and they come again."""
        if signed_in is not None:
            return not signed_in.is_over(self._now())
        return self.current.authentication is None

    async def renew(self) -> None:
        """Ask again after whoever is signed in; to be called every few seconds."""
        authentication = self.current.authentication
        if authentication is not None:
            await authentication.renew()
