"""What a device's connections become: joined with the filter or the name server, or ended."""

import asyncio
import socket
from collections.abc import Awaitable, Callable
from contextlib import closing
from typing import Any

import pytest

from schoolgate.wireguard import Peer
from schoolgate.wireguard.kinds import Ways
from schoolgate.wireguard.pairs import Pairs
from schoolgate.wireguard.streams import MOST_STREAMS, Streams, Surroundings
from tests.gateway import eventually

PEER = Peer("tablet", "key", ("10.99.0.2", "fd00:99::2"))


class FakeStream:
    """A device's side of a connection."""

    def __init__(self, source: str, target: str, port: int) -> None:
        self._names = {"peername": (source, 40_000), "sockname": (target, port)}
        self.comes: asyncio.Queue[bytes] = asyncio.Queue()
        self.got = b""
        self.has_ended = self.is_closed = False
        self.told = asyncio.Event()

    async def read(self, _n: int) -> bytes:
        return await self.comes.get()

    def write(self, data: bytes) -> None:
        self.got += data
        self.told.set()

    async def drain(self) -> None:
        await asyncio.sleep(0)

    def write_eof(self) -> None:
        self.has_ended = True
        self.told.set()

    def close(self) -> None:
        self.is_closed = True
        self.told.set()

    def get_extra_info(self, name: Any) -> Any:
        return self._names[name]

    async def until(self, done: Callable[[], bool]) -> None:
        async with asyncio.timeout(30):
            while not done():
                self.told.clear()
                await self.told.wait()


class Entrance:
    """Keeps what it is given."""

    def __init__(self) -> None:
        self.given: list[tuple[socket.socket, str, tuple[str, int] | None]] = []
        self.is_full = False

    def give(self, connection: socket.socket, client: str, place: tuple[str, int] | None) -> bool:
        if not self.is_full:
            self.given.append((connection.dup(), client, place))
        return not self.is_full


class Stage:
    """A device's connections and all around them."""

    def __init__(self, pairs: Pairs, name_server: tuple[str, int]) -> None:
        self.entrance, self.refused, self.ends = Entrance(), list[str](), 0
        ways = Ways(frozenset({"10.99.0.1"}), 8080)
        around = Surroundings(ways, self.entrance, name_server, pairs, self.refused.append)
        self.streams = Streams(PEER, around, self._ended)

    def _ended(self) -> None:
        self.ends += 1
        self.streams.close()

    async def taken(self, stream: FakeStream) -> socket.socket:
        """Give the filter's end of a connection."""
        before = len(self.entrance.given)
        await self.streams.tcp(stream)
        assert await asyncio.to_thread(eventually, lambda: len(self.entrance.given) > before)
        connection = self.entrance.given[-1][0]
        connection.setblocking(False)
        return connection


def play(story: Callable[[Stage], Awaitable[None]]) -> None:
    """Run a story beside a name server that answers with what it was asked, backwards."""

    async def run() -> None:
        class Backwards(asyncio.DatagramProtocol):
            def connection_made(self, transport: Any) -> None:
                self._transport = transport

            def datagram_received(self, data: bytes, addr: Any) -> None:
                self._transport.sendto(data[::-1], addr)

        loop = asyncio.get_running_loop()
        transport, _ = await loop.create_datagram_endpoint(Backwards, ("127.0.0.1", 0))
        with closing(transport), closing(Pairs()) as pairs:
            stage = Stage(pairs, transport.get_extra_info("sockname"))
            await story(stage)
            stage.streams.close()
            for connection, _, _ in stage.entrance.given:
                connection.close()

    asyncio.run(run())


@pytest.mark.parametrize(
    ("source", "target", "port", "want"),
    [
        ("10.99.0.2", "198.51.100.1", 443, ("10.99.0.2", ("198.51.100.1", 443))),
        ("fd00:99::2", "2001:DB8::1", 80, ("fd00:99::2", ("2001:db8::1", 80))),
        ("10.99.0.2", "10.99.0.1", 8080, ("10.99.0.2", None)),
    ],
)
def test_the_web_goes_to_the_filter_in_the_devices_name(
    source: str, target: str, port: int, want: tuple[str, Any]
) -> None:
    async def story(stage: Stage) -> None:
        stream, loop = FakeStream(source, target, port), asyncio.get_running_loop()
        stream.comes.put_nowait(b"hello")
        connection = await stage.taken(stream)
        assert stage.entrance.given[0][1:] == want
        assert await loop.sock_recv(connection, 100) == b"hello"
        await loop.sock_sendall(connection, b"there")
        await stream.until(lambda: stream.got == b"there")
        # Each side ends by itself.
        stream.comes.put_nowait(b"")
        assert await loop.sock_recv(connection, 100) == b""
        connection.shutdown(socket.SHUT_RDWR)
        await stream.until(lambda: stream.is_closed)
        assert stage.refused == []

    play(story)


def test_what_the_filter_ends_is_counted_until_the_device_has_ended_it_too() -> None:
    async def story(stage: Stage) -> None:
        stream = FakeStream("10.99.0.2", "198.51.100.1", 443)
        connection = await stage.taken(stream)
        connection.close()
        await stream.until(lambda: stream.has_ended)
        for _ in range(3):
            stream.comes.put_nowait(b"still here")
        await asyncio.sleep(0)
        assert len(stage.streams) == 1
        stream.comes.put_nowait(b"")
        await stream.until(lambda: stream.is_closed)

    play(story)


@pytest.mark.parametrize(
    ("source", "port", "want"),
    [
        ("10.99.0.2", 853, "dns_over_tls"),
        ("10.99.0.2", 22, "others"),
        ("10.99.0.3", 443, "spoofed"),
        ("fd00:99::3", 53, "spoofed"),
    ],
)
def test_all_else_ends_and_is_counted(source: str, port: int, want: str) -> None:
    async def story(stage: Stage) -> None:
        stream = FakeStream(source, "198.51.100.1", port)
        await stage.streams.tcp(stream)
        await stream.until(lambda: stream.has_ended)
        stream.comes.put_nowait(b"")
        await stream.until(lambda: stream.is_closed)
        datagram = FakeStream(source, "198.51.100.1", port)
        await stage.streams.udp(datagram)
        await datagram.until(lambda: datagram.is_closed)
        assert stage.refused == [want, want]
        assert stage.entrance.given == []
        assert datagram.got == b""

    play(story)


def test_when_no_worker_takes_it_a_connection_ends() -> None:
    async def story(stage: Stage) -> None:
        stage.entrance.is_full = True
        stream = FakeStream("10.99.0.2", "198.51.100.1", 443)
        await stage.streams.tcp(stream)
        await stream.until(lambda: stream.has_ended)

    play(story)


def test_questions_for_names_are_answered_one_after_the_other() -> None:
    async def story(stage: Stage) -> None:
        stream = FakeStream("10.99.0.2", "8.8.8.8", 53)
        stream.comes.put_nowait(b"abc")
        stream.comes.put_nowait(b"def")
        await stage.streams.udp(stream)
        await stream.until(lambda: stream.got == b"cbafed")
        stream.comes.put_nowait(b"")
        await stream.until(lambda: stream.is_closed)

    play(story)


def test_without_a_name_server_a_question_ends() -> None:
    async def story(stage: Stage) -> None:
        nowhere = Surroundings(Ways(), stage.entrance, ("127.0.0.1", 1), Pairs(), print)
        stream = FakeStream("10.99.0.2", "8.8.8.8", 53)
        streams = Streams(PEER, nowhere, stage.streams.close)
        await streams.tcp(stream)
        await stream.until(lambda: stream.is_closed)
        nowhere.pairs.close()

    play(story)


def test_more_connections_than_a_device_needs_end_all_of_them() -> None:
    async def story(stage: Stage) -> None:
        opened = [FakeStream("10.99.0.2", "198.51.100.1", 22) for _ in range(MOST_STREAMS)]
        for stream in opened:
            await stage.streams.tcp(stream)
        assert (len(stage.streams), stage.ends) == (MOST_STREAMS, 0)
        last = FakeStream("10.99.0.2", "198.51.100.1", 443)
        await stage.streams.tcp(last)
        assert stage.ends == 1
        for stream in (*opened, last):
            await stream.until(lambda stream=stream: stream.is_closed)  # type: ignore[misc]

    play(story)
