"""One client's connection and all that mitmproxy opens for it, handled where events arrive.

Stands in for mitmproxy's connection handler, which has a task for each connection, each hook and
each wait, and a lock around them all. What arrives is given to the layers at once; a hook that does
not wait is through before the next command. Order and effects are mitmproxy's own
(`tests/proxy/test_handler.py` compares them).
"""

import asyncio
import contextlib
import logging
import socket
import time
from collections import defaultdict, deque
from collections.abc import Callable
from typing import Any

from mitmproxy import master, options
from mitmproxy.connection import Client, Connection, ConnectionState, Server
from mitmproxy.proxy import commands, context, events, layers, mode_servers, mode_specs, server
from mitmproxy.proxy.server_hooks import (
    ClientConnectedHook,
    ClientDisconnectedHook,
    ServerConnectedHook,
    ServerConnectErrorHook,
    ServerConnectHook,
    ServerConnectionHookData,
    ServerDisconnectedHook,
)

from schoolgate.proxy import economies, holders
from schoolgate.proxy.backpressure import MAX_UNSENT_BYTES, AwaitLow
from schoolgate.proxy.hooks import ClosedAddonManager, Unfinished
from schoolgate.proxy.link import Link

# Upstream connections to one address for one client connection. mitmproxy has 5; it needs one for each
# request of an HTTP/2 client to an origin that speaks only HTTP/1, where 100 small resources with 50 ms
# each take 1.4 s with 5, 0.6 s with 20 and 0.5 s with 40.
MAX_UPSTREAM = 20

_REGULAR = mode_specs.ProxyMode.parse("regular")


class Handler(mode_servers.ProxyConnectionHandler):
    """Carries one client.

    Args:
        of: whose addons are asked.
        client: known by its addresses; its socket comes with `run`.
        told: the options in force.
    """

    transports: dict[Connection, Link]  # type: ignore[assignment]

    def __init__(self, of: master.Master, client: Client, told: options.Options) -> None:
        # Not that of the direct parents, which want streams.
        server.ConnectionHandler.__init__(self, context.Context(client, told))
        self.master = of
        self.max_conns = defaultdict(lambda: asyncio.Semaphore(MAX_UPSTREAM))
        self._loop = asyncio.get_running_loop()
        self._link = self.transports[client] = Link(self, client)
        self._events: deque[events.Event] = deque()
        self._is_busy = False
        # Links to flush when all that arrived is handled.
        self._written: set[Link] = set()
        # Links that are not read until others have sent what they hold.
        self._held: set[Link] = set()
        self._awaiting: list[AwaitLow] = []
        self._timers: dict[commands.RequestWakeup, asyncio.TimerHandle] = {}
        # The loop itself keeps no task alive.
        self._thinking: set[asyncio.Task[None]] = set()
        self._carrying: set[asyncio.Task[None]] = set()
        self._hooks_waiting = 0
        # Hooks that began within a layer and wait, until they come here as commands.
        self._begun: dict[commands.StartHook, Unfinished] = {}
        self._active = self._loop.time()
        self._watch = self._loop.call_later(told.tcp_timeout, self._look_whether_idle)
        holders.register(client, self)

    # -- from the first byte to the last ---------------------------------------------------------

    async def run(
        self,
        connection: socket.socket,
        destination: tuple[str, int] | None = None,
        already: bytes = b"",
    ) -> None:
        """Speak with a client until it is gone; see `ProxyMaster.take`.

        Raises:
            OSError: when the socket is no connection any more.
        """
        inner = self.layer.context
        if destination is None:
            self.layer = layers.modes.HttpProxy(inner)
        else:
            inner.server.address = destination
            self.layer = layers.modes.TransparentProxy(inner)
        try:
            # asyncio does so only for a listener that was made in a certain way; 40 ms an answer.
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            await self._loop.connect_accepted_socket(lambda: self._link, connection)
        except BaseException:
            self._watch.cancel()
            connection.close()
            raise
        await self.converse(already)

    async def converse(self, already: bytes = b"") -> None:
        """Begin, wait for the client to go, and end everything."""
        try:
            await self.handle_hook(ClientConnectedHook(self.client))
            if self.client.error:
                self._finish(self._link)
            else:
                self.handle(events.Start())
                if already:
                    self.received(self._link, already)
                if self._link not in self._held:
                    self._link.read_on()
                await self._link.closed
        finally:
            await self._end()

    def cut(self) -> None:
        """Close the client's connection at once, with all that runs on it."""
        self._loop.call_soon(self._close, self._link)

    async def _end(self) -> None:
        self._watch.cancel()
        for timer in self._timers.values():
            timer.cancel()
        self._awaiting.clear()
        self.client.timestamp_end = time.time()
        await self.handle_hook(ClientDisconnectedHook(self.client))
        for link in list(self.transports.values()):
            self._close(link, "client disconnected")
        while rest := self._carrying | self._thinking:
            await asyncio.wait(rest)
        economies.let_go(self.layer)

    def _look_whether_idle(self) -> None:
        limit = float(self.layer.context.options.tcp_timeout)
        left = limit if self._hooks_waiting else self._active + limit - self._loop.time()
        if left > 0:
            self._watch = self._loop.call_later(left, self._look_whether_idle)
        else:
            self.log(f"Closing connection due to inactivity: {self.client}")
            self._close(self._link)

    # -- what arrives ----------------------------------------------------------------------------

    def received(self, link: Link, data: bytes) -> None:
        """Give the layers what a peer sent."""
        self.handle(events.DataReceived(link.connection, data))
        if self._must_wait(link):
            link.hold()
            self._held.add(link)

    def ended(self, link: Link) -> None:
        """Tell the layers that a peer sends no more, but may still read."""
        if self._is_open(link):
            link.connection.state &= ~ConnectionState.CAN_READ
            self._tell_closed(link)

    def lost(self, link: Link) -> None:
        """Tell the layers that a connection is gone."""
        if self._is_open(link):
            self._close(link)

    def drained(self, _link: Link) -> None:
        """Read on what waited for a peer."""
        self._review()

    async def server_event(self, event: events.Event) -> None:
        """Stand in for mitmproxy's own, which has a lock."""
        self.handle(event)

    def handle(self, event: events.Event) -> None:
        """Give an event to the layers, after those that are there already."""
        self._events.append(event)
        if self._is_busy:
            return
        self._is_busy = True
        try:
            while self._events:
                self._process(self._events.popleft())
        finally:
            self._is_busy = False
            for link in self._written:
                link.flush()
            self._written.clear()
        if self._held or self._awaiting:
            self._review()

    def _process(self, event: events.Event) -> None:
        self._active = self._loop.time()
        try:
            for command in self.layer.handle_event(event):
                if type(command) is commands.SendData:
                    link = self.transports.get(command.connection)
                    if link is not None:
                        link.write(command.data)
                        self._written.add(link)
                elif isinstance(command, commands.StartHook):
                    self._start_hook(command)
                else:
                    self._obey(command)
        except Exception as error:  # noqa: BLE001 - nobody knows what state the layers are in
            self.log(
                "mitmproxy has crashed!", logging.ERROR, (type(error), error, error.__traceback__)
            )
            self.cut()
        if type(event) is events.ConnectionClosed:
            link = self.transports.get(event.connection)
            # Else it may still be used to send.
            if link is not None and event.connection.state is not ConnectionState.CAN_WRITE:
                self._finish(link)

    def _obey(self, command: commands.Command) -> None:
        match command:
            case commands.OpenConnection():
                self._open(command)
            case AwaitLow():
                self._awaiting.append(command)
            case commands.RequestWakeup():
                self._timers[command] = self._loop.call_later(command.delay, self._wake, command)
            case commands.ConnectionCommand() if command.connection not in self.transports:
                # It has been closed already.
                pass
            case commands.CloseTcpConnection():
                self.close_connection(command.connection, command.half_close)
            case commands.CloseConnection():
                self.close_connection(command.connection)
            case commands.Log():
                self.log(command.message, command.level)
            case _:
                raise RuntimeError(f"Unexpected command: {command}")

    def _wake(self, command: commands.RequestWakeup) -> None:
        del self._timers[command]
        self.handle(events.Wakeup(command))

    # -- hooks -----------------------------------------------------------------------------------

    async def handle_hook(self, hook: commands.StartHook) -> None:
        """Run a hook to its end."""
        rest = self._begin(hook)
        if rest is not None:
            await self._through(rest)

    def _begin(self, hook: commands.StartHook) -> Unfinished | None:
        addons = self.master.addons
        assert isinstance(addons, ClosedAddonManager)
        return addons.run(hook)

    def is_through(self, hook: commands.StartHook) -> bool:
        """Run a hook; False where it waits, and must be given to the handler as any command."""
        rest = self._begin(hook)
        if rest is not None:
            self._begun[hook] = rest
        return rest is None

    def _start_hook(self, hook: commands.StartHook) -> None:
        rest = self._begun.pop(hook, None) or self._begin(hook)
        if rest is None:
            self._complete(hook)
        else:
            self._keep(self._finish_hook(hook, rest), self._thinking)

    async def _finish_hook(self, hook: commands.StartHook, rest: Unfinished) -> None:
        await self._through(rest)
        self._complete(hook)

    async def _through(self, rest: Unfinished) -> None:
        # While an addon thinks, the client is not idle.
        self._hooks_waiting += 1
        try:
            await rest
        finally:
            self._hooks_waiting -= 1
            self._active = self._loop.time()

    def _complete(self, hook: commands.StartHook) -> None:
        if hook.blocking:
            self.handle(events.HookCompleted(hook))

    def _keep(self, what: Unfinished, tasks: set[asyncio.Task[None]]) -> asyncio.Task[None]:
        task: asyncio.Task[None] = asyncio.eager_task_factory(self._loop, what)
        if not task.done():
            tasks.add(task)
            task.add_done_callback(tasks.discard)
        return task

    # -- connections to origins ------------------------------------------------------------------

    def _open(self, command: commands.OpenConnection) -> None:
        connection = command.connection
        assert connection not in self.transports
        assert isinstance(connection, Server)
        link = self.transports[connection] = Link(self, connection)
        task = self._keep(self._carry(command, connection, link), self._carrying)
        if not task.done():
            link.opening = task

    async def _carry(self, command: commands.OpenConnection, to: Server, link: Link) -> None:
        """Connect, and stay until the connection is closed."""
        data = ServerConnectionHookData(client=self.client, server=to)
        async with contextlib.AsyncExitStack() as held:
            failure = await self._connect(to, link, data, held)
            if failure is not None:
                self._finish(link)
                self.handle(events.OpenConnectionCompleted(command, failure))
                return
            link.opening = None
            self.handle(events.OpenConnectionCompleted(command, None))
            if link not in self._held:
                link.read_on()
            await link.closed
            to.timestamp_end = time.time()
            await self.handle_hook(ServerDisconnectedHook(data))

    async def _connect(
        self,
        to: Server,
        link: Link,
        data: ServerConnectionHookData,
        held: contextlib.AsyncExitStack,
    ) -> str | None:
        """Give nothing when there is a connection, else why there is none."""
        if not to.address:
            return "Cannot open connection, no hostname given."
        try:
            await self.handle_hook(ServerConnectHook(data))
            if not to.error:
                await held.enter_async_context(self.max_conns[to.address])
                to.timestamp_start = time.time()
                host, port = to.address[:2]
                await self._loop.create_connection(lambda: link, host, port, local_addr=to.sockname)
        except (OSError, UnicodeError, asyncio.CancelledError) as error:
            failure = to.error = str(error) or "connection cancelled"
        else:
            failure = f"Connection killed: {to.error}" if to.error else ""
        if failure:
            await self.handle_hook(ServerConnectErrorHook(data))
            return failure
        assert link.transport is not None
        to.timestamp_tcp_setup = time.time()
        to.state = ConnectionState.OPEN
        to.peername = link.transport.get_extra_info("peername")
        to.sockname = link.transport.get_extra_info("sockname")
        await self.handle_hook(ServerConnectedHook(data))
        return None

    # -- closing ---------------------------------------------------------------------------------

    def close_connection(self, connection: Connection, half_close: bool = False) -> None:
        """Close a connection, or only our half of it."""
        link = self.transports[connection]
        if half_close:
            if not connection.state & ConnectionState.CAN_WRITE:
                return
            try:
                link.write_end()
            except OSError:
                connection.state = ConnectionState.CLOSED
            else:
                connection.state &= ~ConnectionState.CAN_WRITE
        else:
            connection.state = ConnectionState.CLOSED
        if connection.state is ConnectionState.CLOSED:
            self._close(link, "closed by command")

    def _close(self, link: Link, why: str = "closed by the filter") -> None:
        if not self._is_open(link):
            return
        link.connection.state = ConnectionState.CLOSED
        if link.opening is not None:
            link.opening.cancel(why)
        elif link.is_told:
            self._finish(link)
        else:
            self._tell_closed(link)

    def _tell_closed(self, link: Link) -> None:
        if not link.is_told:
            link.is_told = True
            self.handle(events.ConnectionClosed(link.connection))

    def _finish(self, link: Link) -> None:
        if self._is_open(link):
            del self.transports[link.connection]
        self._held.discard(link)
        link.close()

    def _is_open(self, link: Link) -> bool:
        return self.transports.get(link.connection) is link

    # -- back-pressure ---------------------------------------------------------------------------

    def unsent_bytes(self, to: Connection) -> int:
        """Give how much waits for the peer of a connection to read on."""
        link = self.transports.get(to)
        return link.unsent_bytes if link else 0

    def hold(self, connection: Connection, is_open: Callable[[], bool]) -> None:
        """Leave what comes on a connection in its socket until something is true."""
        link = self.transports.get(connection)
        if link is not None:
            link.gate = is_open

    def _must_wait(self, link: Link) -> bool:
        """Ask whether what a link brings would only pile up here."""
        if link.gate is not None:
            if not link.gate():
                return True
            link.gate = None
        everything = self.transports.values()
        if self.client.alpn != b"h2":
            return any(to.is_full for to in everything)
        # One origin that takes no data must not hold up what its client does elsewhere.
        return any(
            to.is_full and (to in (link, self._link) or to.unsent_bytes > MAX_UNSENT_BYTES)
            for to in everything
        )

    def _review(self) -> None:
        """Let go on what need not wait any more."""
        for link in [x for x in self._held if not self._must_wait(x)]:
            self._held.discard(link)
            link.read_on()
        for command in [x for x in self._awaiting if x.backlog.is_low()]:
            if command in self._awaiting:
                self._awaiting.remove(command)
                self.handle(events.Wakeup(command))

    def log(self, message: str, level: int = logging.INFO, exc_info: Any = None) -> None:
        """Log unless nobody listens, which is what costs."""
        if server.logger.isEnabledFor(level):
            super().log(message, level, exc_info)


def client_of(connection: socket.socket, mode: mode_specs.ProxyMode = _REGULAR) -> Client:
    """Describe a client by its connection.

    Raises:
        OSError: when it is not connected any more.
    """
    return Client(
        peername=connection.getpeername(),
        sockname=connection.getsockname(),
        timestamp_start=time.time(),
        proxy_mode=mode,
        state=ConnectionState.OPEN,
    )
