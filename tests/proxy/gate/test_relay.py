"""Whatever one side of a tunnel sends, the other gets: all, in order, no faster than it takes it."""

import asyncio
import os
import random
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from schoolgate.proxy.gate.poller import Poller
from schoolgate.proxy.gate.relay import SPLICE_AFTER_BYTES, Relay
from tests.gateway import PATIENCE_SECONDS

FLOOD = 8 * 1024 * 1024


@dataclass
class Joined:
    """A relay and the two far ends of it."""

    client: socket.socket
    site: socket.socket
    relay: Relay
    ended: asyncio.Event = field(default_factory=asyncio.Event)


def tcp_pair() -> tuple[socket.socket, socket.socket]:
    """Give two connected, non-blocking sockets."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        one = socket.create_connection(listener.getsockname())
        other, _ = listener.accept()
    for end in (one, other):
        end.setblocking(False)
    return one, other


@asynccontextmanager
async def joined() -> AsyncIterator[Joined]:
    """Join two connections by a relay."""
    loop = asyncio.get_running_loop()
    faults: list[Exception] = []
    poller = Poller(loop, lambda _, error: faults.append(error))
    client, near_client = tcp_pair()
    near_site, site = tcp_pair()
    ended = asyncio.Event()
    relay = Relay(poller, near_client, near_site, ended.set)
    yield Joined(client, site, relay, ended)
    relay.close()
    for end in (client, site):
        end.close()
    assert len(poller) == 0
    poller.close()
    assert not faults


def run(story: Callable[[Joined], Awaitable[None]]) -> None:
    """Run a story on a relay, with an end to patience."""

    async def told() -> None:
        async with joined() as ends:
            await asyncio.wait_for(story(ends), PATIENCE_SECONDS)

    asyncio.run(told())


async def receive(end: socket.socket, size: int) -> bytes:
    """Take exactly so many bytes."""
    data = b""
    while len(data) < size:
        piece = await asyncio.get_running_loop().sock_recv(end, min(65536, size - len(data)))
        assert piece, f"ended after {len(data)} of {size} bytes"
        data += piece
    return data


async def send(end: socket.socket, data: bytes) -> None:
    """Send all."""
    await asyncio.get_running_loop().sock_sendall(end, data)


async def until(true: Callable[[], bool]) -> None:
    """Wait for what another callback of the loop does."""
    while not true():  # noqa: ASYNC110 - the relay tells nobody
        await asyncio.sleep(0.01)


def open_descriptors() -> int:
    """Count what this process has open."""
    return len(list(Path("/proc/self/fd").iterdir()))


@pytest.mark.parametrize("size", [1, 1_000, 65_536, 65_537, SPLICE_AFTER_BYTES + 1, FLOOD])
def test_both_ways_at_once(size: int) -> None:
    """A word, a page, and a flood that is spliced."""
    data = random.Random(size).randbytes(size)

    async def story(ends: Joined) -> None:
        _, _, up, down = await asyncio.gather(
            send(ends.client, data),
            send(ends.site, data[::-1]),
            receive(ends.site, size),
            receive(ends.client, size),
        )
        assert up == data
        assert down == data[::-1]
        assert (ends.relay.up.moved, ends.relay.down.moved) == (size, size)

    run(story)


def test_a_side_that_does_not_read_holds_the_other_back() -> None:
    """What waits in between stays bounded, and nothing is lost once it is read."""
    data = random.Random(1).randbytes(4 * FLOOD)

    async def story(ends: Joined) -> None:
        sending = asyncio.ensure_future(send(ends.client, data))
        last = -1
        while ends.relay.up.moved != last:
            last = ends.relay.up.moved
            await asyncio.sleep(0.2)
        assert not sending.done()
        assert await receive(ends.site, len(data)) == data
        await sending

    run(story)


@pytest.mark.parametrize("size", [0, 10, FLOOD])
def test_one_side_may_end_and_still_listen(size: int) -> None:
    """A half-closed connection carries the other direction to its end (RFC 9293, 3.6)."""

    async def story(ends: Joined) -> None:
        loop = asyncio.get_running_loop()
        await send(ends.client, b"all I say")
        ends.client.shutdown(socket.SHUT_WR)
        assert await receive(ends.site, 9) == b"all I say"
        assert await loop.sock_recv(ends.site, 1) == b""
        _, answer = await asyncio.gather(send(ends.site, b"x" * size), receive(ends.client, size))
        assert len(answer) == size
        assert ends.relay.is_half_closed
        assert ends.relay.is_open
        ends.site.close()
        assert await loop.sock_recv(ends.client, 1) == b""
        await ends.ended.wait()

    run(story)


@pytest.mark.parametrize("who", ["client", "site"])
def test_a_reset_on_one_side_closes_both(who: str) -> None:
    """Nobody is left to take what is on its way."""

    async def story(ends: Joined) -> None:
        gone, other = (ends.client, ends.site) if who == "client" else (ends.site, ends.client)
        gone.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
        gone.close()
        await ends.ended.wait()
        with suppress(ConnectionError):
            assert await asyncio.get_running_loop().sock_recv(other, 1) == b""

    run(story)


def test_a_reset_while_bytes_wait_closes_both() -> None:
    """Also when the side that is full is the one that goes."""

    async def story(ends: Joined) -> None:
        sending = asyncio.ensure_future(send(ends.client, b"x" * 4 * FLOOD))
        await until(lambda: ends.relay.up.is_held)
        ends.site.close()
        await ends.ended.wait()
        with pytest.raises(ConnectionError):
            await sending

    run(story)


def test_nothing_stays_open() -> None:
    """Neither sockets nor pipes."""
    data = b"x" * FLOOD

    async def story(ends: Joined) -> None:
        await asyncio.gather(send(ends.client, data), receive(ends.site, len(data)))
        assert ends.relay.up.pipe is not None

    run(story)
    before = open_descriptors()
    run(story)
    assert open_descriptors() == before


def test_an_idle_half_closed_tunnel_takes_no_processor_time() -> None:
    """A socket whose end was seen must not wake the loop again and again."""

    async def story(ends: Joined) -> None:
        ends.client.shutdown(socket.SHUT_WR)
        await until(lambda: ends.relay.is_half_closed)
        ends.client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
        ends.client.close()
        before = os.times()
        await asyncio.sleep(0.5)
        after = os.times()
        assert after.user + after.system - before.user - before.system < 0.25

    run(story)
