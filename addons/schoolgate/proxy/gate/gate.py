"""The gate: takes every connection, decides what can be decided by name, and leaves the rest."""

import asyncio
import contextlib
import logging
import socket
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Container, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import Any, Protocol

from schoolgate.core.errors import BadAddressError
from schoolgate.core.policy import TlsAction
from schoolgate.core.policy.decision import PRIVATE_DESTINATION
from schoolgate.identity import Challenge
from schoolgate.monitoring import Metrics
from schoolgate.proxy.admission import CREDENTIALS
from schoolgate.proxy.gate.answers import Answers
from schoolgate.proxy.gate.arrival import Arrival
from schoolgate.proxy.gate.door import Desk, Door
from schoolgate.proxy.gate.explicit import Explicit
from schoolgate.proxy.gate.heads import Head
from schoolgate.proxy.gate.leaves import Leaves
from schoolgate.proxy.gate.original import Place, original_destination
from schoolgate.proxy.gate.pac_door import PacDoor
from schoolgate.proxy.gate.page_end import PageEnd
from schoolgate.proxy.gate.poller import IN, IN_OR_END, Poller
from schoolgate.proxy.gate.portal_door import PortalDoor
from schoolgate.proxy.gate.redirected import Redirected
from schoolgate.proxy.gate.relay import Relay
from schoolgate.proxy.gate.tunnels import Tunnels
from schoolgate.proxy.recorder import Recorder
from schoolgate.proxy.transactions import Transaction
from schoolgate.services.callers import Asking, Caller, Callers, Entry
from schoolgate.services.clients import Clients
from schoolgate.services.engines import Engines

logger = logging.getLogger(__name__)

TICK_SECONDS = 0.05
_WARNED_EVERY_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Bounds:
    """What one client, and all together, may hold open.

    Attributes:
        of_client: connections of one address; a page opens 6 a site, and a room behind one address
            has 30 browsers.
        arrivals: connections of which nothing is known yet, and block pages; the one that waited
            longest makes room for the next.
        step_seconds: for each of the head of a request, the connection to a site, the ClientHello.
        kept_seconds: between a block page and the next request on the same connection.
        checking_seconds: until a directory has said who somebody is; it has a deadline of its own.
    """

    of_client: int = 2_000
    arrivals: int = 4_000
    step_seconds: float = 10.0
    kept_seconds: float = 60.0
    checking_seconds: float = 90.0

    @classmethod
    def within(cls, descriptors: int) -> "Bounds":
        """Give bounds that are met before a process that may open so many files has none left.

        A spliced tunnel takes six of them, an arrival one.
        """
        most = cls()
        return cls(
            of_client=min(most.of_client, descriptors // 16),
            arrivals=min(most.arrivals, descriptors // 4),
        )


class Behind(Protocol):
    """What reads the connections that the gate does not carry."""

    def take(
        self,
        connection: socket.socket,
        destination: tuple[str, int] | None,
        caller: Caller | None,
    ) -> "asyncio.Future[None]":
        """Take a connection with its bytes unread; the future is done when it is closed."""


class Resolver(Protocol):
    """Gives the addresses of a site."""

    def known(self, host: str, port: int) -> list[Any]:
        """Give those that were looked up a moment ago; none where that must be done."""

    async def resolve(self, host: str, port: int) -> list[Any]:
        """Give addresses as `socket.getaddrinfo` does.

        Raises:
            BadAddressError: when the host can be the name of nothing.
            OSError: when there are none, or none that may be reached.
        """


class Gate:
    """The gate of one worker; made inside a running event loop.

    Args:
        engines: the engine in force.
        clients: who asks.
        callers: what must be found out of connections.
        clock: gives the time, aware.
        answers: makes the pages.
        leaves: makes TLS contexts.
        resolver: gives addresses.
        behind: takes what must be read.
        recorder: told of tunnels.
        metrics: counts.
        bounds: what may be held open.
        desk: where connections of other workers' clients are given to them; without it they stay.
        portal_door: leads to the portal; None where there is none.
        pac_door: gives browsers the PAC file; None where there is none.
        original: says where a redirected connection was going; raises OSError for one that was not.
        tunnel_ports: to which tunnels may lead.
    """

    def __init__(
        self,
        *,
        engines: Engines,
        clients: Clients,
        callers: Callers,
        clock: Callable[[], datetime],
        answers: Answers,
        leaves: Leaves,
        resolver: Resolver,
        behind: Behind,
        recorder: Recorder,
        metrics: Metrics,
        bounds: Bounds = Bounds(),
        desk: Desk | None = None,
        portal_door: PortalDoor | None = None,
        pac_door: PacDoor | None = None,
        original: Callable[[socket.socket], Place] = original_destination,
        tunnel_ports: Container[int] = range(65_536),
    ) -> None:
        self.bounds = bounds
        self.engines = engines
        self.clients = clients
        self.callers = callers
        self.clock = clock
        self.answers = answers
        self.leaves = leaves
        self.portal_door = portal_door
        self.pac_door = pac_door
        self.original = original
        self.tunnel_ports = tunnel_ports
        self.loop = asyncio.get_running_loop()
        self.poller = Poller(self.loop, self._fault)
        # In the order of their deadlines within a step; the longest-waiting comes first.
        self.arrivals: dict[Arrival, None] = {}
        self.tunnels = Tunnels(self._still_passes, self._count)
        self._resolver = resolver
        self._behind = behind
        self._recorder = recorder
        self._metrics = metrics
        later = self.loop.call_later
        self._door = Door(
            self.poller, self._arrive, later, self._count, self._arrive_elsewhere, clients.introduce
        )
        self._side_door = Door(self.poller, self._arrive_redirected, later, self._count)
        self._desk = desk
        self._of_client: Counter[str] = Counter()
        self._tasks: set[asyncio.Future[Any]] = set()
        self._logged: set[type[Exception]] = set()
        self._tick_handle: asyncio.TimerHandle | None = None
        self._warn_again = 0.0
        self._engine = engines.current

    # -- opening and closing ----------------------------------------------------------------------

    @contextlib.asynccontextmanager
    async def serving(
        self, listeners: Sequence[socket.socket], redirected: Sequence[socket.socket] = ()
    ) -> "AsyncIterator[Gate]":
        """Accept on listening sockets, which stay open, and close everything else at the end.

        Args:
            listeners: where clients speak to a proxy.
            redirected: where the connections come that clients believe to be with a site.
        """
        self._door.open(listeners, self._desk)
        self._side_door.open(redirected, None)
        self._tick()
        try:
            yield self
        finally:
            self._close()

    def stop_accepting(self) -> None:
        """Accept no more; what is open goes on. The listening sockets stay as they are."""
        self._door.close()
        self._side_door.close()

    @property
    def connections(self) -> int:
        """How many clients' connections are open, mitmproxy's among them."""
        return self._of_client.total()

    @property
    def connected(self) -> int:
        """How many client addresses have one open."""
        return len(self._of_client)

    def _close(self) -> None:
        """Close everything that the gate holds, and record it."""
        self.stop_accepting()
        if self._tick_handle is not None:
            self._tick_handle.cancel()
        for arrival in list(self.arrivals):
            arrival.close()
        self.tunnels.close()
        for task in self._tasks:
            task.cancel()
        self.poller.close()
        if self.portal_door is not None:
            self.portal_door.close()

    # -- what arrivals ask for --------------------------------------------------------------------

    def put_off(self, arrival: Arrival, seconds: float) -> None:
        """Give an arrival more time."""
        self.arrivals.pop(arrival, None)
        arrival.deadline = time.monotonic() + seconds
        self.arrivals[arrival] = None

    def resolve(self, host: str, port: int, done: Callable[[list[Any] | OSError], None]) -> None:
        """Look addresses up without waiting; ``done`` may be called before this returns."""
        known = self._resolver.known(host, port)
        if known:
            done(known)
            return

        async def look_up() -> None:
            try:
                found: list[Any] | OSError = await self._resolver.resolve(host, port)
            except OSError as error:
                found = error
            except BadAddressError as error:
                found = OSError(str(error))
            try:
                done(found)
            except Exception as error:  # noqa: BLE001 - this is the boundary
                self._fault(done, error)

        self._keep(asyncio.ensure_future(look_up()))

    def find_out(self, peer: str, head: Head, done: Callable[[Caller | Challenge], None]) -> None:
        """Find out who asks for a tunnel; ``done`` may be called before this returns."""
        entry = self.callers.current
        asking = _asking(entry, peer, head)

        async def ask() -> None:
            try:
                done(await entry.find_out(asking))
            except Exception as error:  # noqa: BLE001 - this is the boundary
                self._fault(done, error)

        self._keep(asyncio.ensure_future(ask()))

    def hand_on(self, connection: socket.socket, peer: str, head: Head) -> bool:
        """Give a tunnel that a load balancer asks for to the worker of its client; False if that is this."""
        entry = self.callers.current
        if self._desk is None or not entry.is_shared(peer):
            return False
        client = entry.named(_asking(entry, peer, head))
        return bool(client) and self._desk.give(connection, client)

    def give(self, connection: socket.socket, client: str) -> bool:
        """Give a connection to the worker of its client; False if that is this."""
        return self._desk is not None and self._desk.give(connection, client)

    def is_now(self, before: str, address: str) -> bool:
        """Note whose connection it is; False where they have more than they may."""
        if before == address:
            return True
        self.left(before)
        self._of_client[address] += 1
        return self._of_client[address] <= self.bounds.of_client

    def hand_over(
        self,
        connection: socket.socket,
        destination: tuple[str, int] | None,
        caller: Caller,
    ) -> None:
        """Leave a connection to who reads it."""
        task = self._behind.take(connection, destination, caller)
        task.add_done_callback(lambda _: self.left(caller.address))

    def named(self, peer: str, head: Head) -> str:
        """Give the address of who asks for a tunnel; "" where it cannot be known."""
        entry = self.callers.current
        return entry.named(_asking(entry, peer, head))

    def lead_to_portal(self, connection: socket.socket, address: str, *, tls: bool) -> None:
        """Leave a connection to the door of the portal.

        Args:
            connection: its bytes unread.
            address: whose it is; without TLS that of a load balancer may stand for its clients'.
            tls: whether the client is about to speak TLS.
        """
        assert self.portal_door is not None
        entry = self.callers.current
        shared = entry if not tls and entry.is_shared(address) else None
        lead = self.portal_door.lead(connection, address, tls=tls, shared=shared)
        task = asyncio.ensure_future(lead)
        self._keep(task)
        task.add_done_callback(partial(self._led, address))

    def _led(self, address: str, task: "asyncio.Future[None]") -> None:
        self.left(address)
        error = None if task.cancelled() else task.exception()
        if isinstance(error, Exception):
            self._count(error)

    def carry(
        self, connection: socket.socket, upstream: socket.socket, transaction: Transaction
    ) -> None:
        """Join a client and a site."""
        address = transaction.request.client.address

        def ended() -> None:
            transaction.bytes_up, transaction.bytes_down = relay.up.moved, relay.down.moved
            self.tunnels.ended()
            self.left(address)
            self._recorder.tunnel_ended(transaction, transaction.elapsed_ms)

        relay = Relay(self.poller, connection, upstream, ended)
        self.tunnels.add(relay, transaction)
        try:
            self._connected(transaction, TlsAction.PASS)
            self._recorder.decided(transaction)
        except BaseException:
            relay.close()
            raise

    def unreached(self, transaction: Transaction) -> None:
        """Note a tunnel that may pass and whose site cannot be reached."""
        self._connected(transaction, TlsAction.PASS)
        self._recorder.decided(transaction)
        self._recorder.tunnel_ended(transaction, transaction.elapsed_ms)

    def refused(self, transaction: Transaction) -> None:
        """Note that a refused tunnel is over."""
        if transaction.recorded:
            self._connected(transaction, TlsAction.REFUSE)
        else:
            # Nothing was asked inside: a client that does not trust the CA, or that gave up.
            self.ended_early(transaction)

    def ended_early(self, transaction: Transaction) -> None:
        """Note a connection that was refused without a page."""
        if transaction.tls is TlsAction.REFUSE:
            self._connected(transaction, TlsAction.REFUSE)
        self._recorder.decided(transaction)
        self._recorder.tunnel_ended(transaction, transaction.elapsed_ms)

    def _connected(self, transaction: Transaction, action: TlsAction) -> None:
        if not transaction.is_test:
            self._metrics.connections.labels(tls=action).inc()

    def left(self, address: str) -> None:
        """Note that a connection of a client is closed."""
        self._of_client[address] -= 1
        if not self._of_client[address]:
            del self._of_client[address]

    # -- the work -------------------------------------------------------------------------------

    def _arrive(self, connection: socket.socket, address: str, is_handed: bool) -> None:
        is_full = self._of_client[address] >= self.bounds.of_client
        entry = self.callers.current
        if is_full and not entry.is_shared(address) and not entry.announces(address):
            connection.close()
            self._warn_of(address)
            return
        self._make_room(address)
        self._begin(Explicit(self, connection, address, self._deadline(), is_handed=is_handed))

    def _arrive_redirected(self, connection: socket.socket, address: str, _handed: bool) -> None:
        self._arrive_elsewhere(connection, address, None)

    def _arrive_elsewhere(
        self, connection: socket.socket, address: str, place: tuple[str, int] | None
    ) -> None:
        if self._of_client[address] >= self.bounds.of_client:
            connection.close()
            self._warn_of(address)
            return
        self._make_room(address)
        original = None if place is None else Place(*place)
        self._begin(Redirected(self, connection, address, self._deadline(), original))

    def _deadline(self) -> float:
        return time.monotonic() + self.bounds.step_seconds

    def _make_room(self, address: str) -> None:
        self._of_client[address] += 1
        if len(self.arrivals) >= self.bounds.arrivals:
            next(iter(self.arrivals)).close()

    def _begin(self, arrival: Arrival) -> None:
        self.arrivals[arrival] = None
        self.poller.watch(arrival.fileno(), IN_OR_END, arrival.ready)
        try:
            # What it has to say is there already, more often than not.
            arrival.ready(IN)
        except Exception as error:  # noqa: BLE001 - this is the boundary
            self._fault(arrival.ready, error)

    def _warn_of(self, address: str) -> None:
        moment = time.monotonic()
        if moment >= self._warn_again:
            self._warn_again = moment + _WARNED_EVERY_SECONDS
            logger.warning(
                "%s has %s connections open; it gets no more.", address, self.bounds.of_client
            )

    def _tick(self) -> None:
        self._tick_handle = self.loop.call_later(TICK_SECONDS, self._tick)
        moment = time.monotonic()
        for arrival in [a for a in self.arrivals if a.deadline < moment]:
            arrival.close()
        engine = self.engines.current
        if engine is not self._engine:
            self._engine = engine
            self.tunnels.changed(moment)
        self.tunnels.look(moment)

    def still_refused(self, transaction: Transaction) -> bool:
        """Decide a refused tunnel again, with the rules, the opened sites and the time as they are now."""
        if transaction.decision is PRIVATE_DESTINATION:
            # Refused by its address, of which the rules about its name know nothing.
            return self.callers.may_stay(transaction.signed_in)
        return self._decide_again(transaction, TlsAction.REFUSE)

    def _still_passes(self, transaction: Transaction) -> bool:
        return self._decide_again(transaction, TlsAction.PASS)

    def _decide_again(self, transaction: Transaction, action: TlsAction) -> bool:
        """Tell if the answer is the same; a refusal is put down with the rules that it rests on."""
        if not self.callers.may_stay(transaction.signed_in):
            return False
        engine, now = self.engines.current, self.clock()
        request = transaction.request
        # Who is there, and in which group, may have changed.
        client = self.clients.at(request.client.address, engine.policy, transaction.signed_in)
        if client is not request.client:
            request = replace(request, client=client)
        answer = engine.decide_host(request.url.host, request.client, now, request.shapes)
        if answer.action is not TlsAction.PASS:
            transaction.engine, transaction.at = engine, now
            transaction.request, transaction.decision = request, answer.decision
        return answer.action is action

    def _keep(self, task: "asyncio.Future[Any]") -> None:
        if not task.done():
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    def _fault(self, callback: Callable[..., None], error: Exception) -> None:
        """Close what a callback that raised belongs to: nothing passes by a fault."""
        self._count(error)
        owner = getattr(callback, "__self__", None)
        if isinstance(owner, Arrival | PageEnd | Relay):
            owner.close()

    def _count(self, error: Exception) -> None:
        self._metrics.filter_errors.labels(hook="gate").inc()
        if type(error) not in self._logged:
            self._logged.add(type(error))
            logger.error("Fault at the gate: the connection is closed.", exc_info=error)


def _asking(entry: Entry, peer: str, head: Head) -> Asking:
    headers = head.headers
    return Asking(
        peer,
        [headers[entry.header]] if entry.header in headers else (),
        [headers[CREDENTIALS]] if CREDENTIALS in headers else (),
    )
