"""What one device sends through its tunnel, as connections: each goes where it may, or ends."""

import asyncio
import contextlib
import logging
import socket
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any, Protocol

from schoolgate.core.prefixes import client_address
from schoolgate.wireguard.kinds import Way, Ways
from schoolgate.wireguard.pairs import Pairs
from schoolgate.wireguard.peers import Peer

logger = logging.getLogger(__name__)

# Each takes 128 KB in the tunnel's own TCP; a browser opens 256 at most.
MOST_STREAMS = 400
_CHUNK_BYTES = 65_536
_MOST_QUESTIONS = 200
_NAME_SECONDS = 5.0
# A device asks for both families from one port.
_NEXT_QUESTION_SECONDS = 1.0
_LONGEST_ANSWER = 4096
# The device has said that it sends no more, or is gone.
_HALF_OPEN_SECONDS = 300.0


class Stream(Protocol):
    """A TCP connection, or what goes between two UDP ports, as mitmproxy_rs gives it."""

    async def read(self, n: int) -> bytes:
        """Give what came; nothing when no more comes."""

    def write(self, data: bytes) -> None:
        """Send."""

    async def drain(self) -> None:
        """Wait until there is room."""

    def write_eof(self) -> None:
        """Send no more."""

    def close(self) -> None:
        """End it."""

    def get_extra_info(self, name: Any) -> Any:
        """Tell addresses."""


class Entrance(Protocol):
    """The way into the filter, as `workers.Entrance`."""

    def give(self, connection: socket.socket, client: str, place: tuple[str, int] | None) -> bool:
        """Give a connection to the worker of a client; False when it cannot take it."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What all devices' connections have in common.

    Attributes:
        ways: where they may go.
        entrance: into the filter.
        name_server: which answers questions for names: address and port.
        pairs: makes connections within this machine.
        refused: told of each that goes nowhere, by its kind.
    """

    ways: Ways
    entrance: Entrance
    name_server: tuple[str, int]
    pairs: Pairs
    refused: Callable[[str], None]


class Streams:
    """The connections of one device.

    Args:
        peer: the device; whatever comes under another address than its own ends.
        around: where things go.
        too_many: called when there are more than a device needs; it should end the tunnel.
    """

    def __init__(self, peer: Peer, around: Surroundings, too_many: Callable[[], None]) -> None:
        self._own = frozenset(peer.addresses)
        self._name = peer.name
        self._around = around
        self._too_many = too_many
        self._connections: set[asyncio.Task[None]] = set()
        self._questions: set[asyncio.Task[None]] = set()

    def __len__(self) -> int:
        return len(self._connections)

    def close(self) -> None:
        """End all at once."""
        for task in (*self._connections, *self._questions):
            task.cancel()

    async def tcp(self, stream: Stream) -> None:
        """Take a connection."""
        if len(self._connections) < MOST_STREAMS:
            self._keep(stream, self._tcp(stream), self._connections)
            return
        stream.close()
        logger.warning(
            "%s has %s connections open in its tunnel; all of them end.", self._name, MOST_STREAMS
        )
        self._too_many()

    async def udp(self, stream: Stream) -> None:
        """Take what goes between two ports."""
        if len(self._questions) < _MOST_QUESTIONS:
            self._keep(stream, self._udp(stream), self._questions)
        else:
            stream.close()

    def _keep(
        self,
        stream: Stream,
        work: Coroutine[Any, Any, None],
        running: set[asyncio.Task[None]],
    ) -> None:
        task = asyncio.ensure_future(self._guarded(work))
        running.add(task)

        def gone(_task: asyncio.Task[None]) -> None:
            # Also of one that was cancelled before it began.
            running.discard(task)
            work.close()
            with contextlib.suppress(OSError):
                stream.close()

        task.add_done_callback(gone)

    async def _guarded(self, work: Coroutine[Any, Any, None]) -> None:
        try:
            await work
        except (OSError, TimeoutError) as error:
            logger.debug("A connection of %s ends: %s", self._name, error)
        except Exception:  # nothing passes by a fault
            logger.exception("A connection of %s ends.", self._name)

    def _way(self, stream: Stream, protocol: str) -> tuple[str, tuple[str, int], Way | None]:
        """Give the client, where it sends something to, and where that goes."""
        client = client_address(str(stream.get_extra_info("peername")[0]))
        address, port = stream.get_extra_info("sockname")[:2]
        place = client_address(str(address)), int(port)
        if client not in self._own:
            self._around.refused("spoofed")
            return client, place, None
        way = self._around.ways.of(protocol, *place)
        if way not in (Way.WEB, Way.PROXY, Way.NAMES):
            self._around.refused(way)
            return client, place, None
        return client, place, way

    async def _tcp(self, stream: Stream) -> None:
        client, place, way = self._way(stream, "tcp")
        if way is None:
            await _ended(stream)
            return
        if way is Way.NAMES:
            connection = await self._name_server()
        else:
            connection, theirs = await self._around.pairs.make()
            with theirs:
                announced = place if way is Way.WEB else None
                is_taken = self._around.entrance.give(theirs, client, announced)
            if not is_taken:
                connection.close()
                await _ended(stream)
                return
        with connection:
            await _joined(stream, connection)

    async def _name_server(self) -> socket.socket:
        connection = _socket(self._around.name_server[0], socket.SOCK_STREAM)
        try:
            async with asyncio.timeout(_NAME_SECONDS):
                loop = asyncio.get_running_loop()
                await loop.sock_connect(connection, self._around.name_server)
        except BaseException:
            connection.close()
            raise
        return connection

    async def _udp(self, stream: Stream) -> None:
        _, _, way = self._way(stream, "udp")
        if way is not Way.NAMES:
            return
        loop = asyncio.get_running_loop()
        with _socket(self._around.name_server[0], socket.SOCK_DGRAM) as server:
            await loop.sock_connect(server, self._around.name_server)
            while True:
                async with asyncio.timeout(_NEXT_QUESTION_SECONDS):
                    question = await stream.read(_CHUNK_BYTES)
                if not question:
                    return
                server.send(question)
                async with asyncio.timeout(_NAME_SECONDS):
                    stream.write(await loop.sock_recv(server, _LONGEST_ANSWER))


def _socket(address: str, kind: int) -> socket.socket:
    made = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, kind)
    made.setblocking(False)
    return made


async def _joined(stream: Stream, connection: socket.socket) -> None:
    """Carry what both sides say until both have ended."""
    down = asyncio.ensure_future(_down(stream, connection))
    try:
        await _up(stream, connection)
        async with asyncio.timeout(_HALF_OPEN_SECONDS):
            await asyncio.wait({down})
    finally:
        down.cancel()


async def _up(stream: Stream, connection: socket.socket) -> None:
    loop = asyncio.get_running_loop()
    try:
        while data := await stream.read(_CHUNK_BYTES):
            await loop.sock_sendall(connection, data)
        connection.shutdown(socket.SHUT_WR)
    except OSError:
        await _ended(stream)


async def _down(stream: Stream, connection: socket.socket) -> None:
    loop = asyncio.get_running_loop()
    with contextlib.suppress(OSError):
        while data := await loop.sock_recv(connection, _CHUNK_BYTES):
            stream.write(data)
            await stream.drain()
    with contextlib.suppress(OSError):
        stream.write_eof()


async def _ended(stream: Stream) -> None:
    """End a connection from here, and wait until the device has done so too: until then it takes memory."""
    with contextlib.suppress(OSError):
        stream.write_eof()
        while await stream.read(_CHUNK_BYTES):
            pass
