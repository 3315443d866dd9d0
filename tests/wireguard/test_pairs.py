"""Both ends of connections within this machine."""

import asyncio
import socket
from contextlib import closing

from schoolgate.wireguard.pairs import Pairs


def test_each_pair_is_one_connection_whoever_else_connects() -> None:
    async def story() -> None:
        with closing(Pairs()) as pairs:
            listening = pairs._listener.getsockname()
            loop = asyncio.get_running_loop()
            with socket.socket() as stranger:
                stranger.setblocking(False)
                await loop.sock_connect(stranger, listening)
                made = await asyncio.gather(*(pairs.make() for _ in range(50)))
                for number, (own, other) in enumerate(made):
                    said = f"number {number}".encode()
                    await loop.sock_sendall(own, said)
                    assert await loop.sock_recv(other, 100) == said
                    assert own.getsockname() == other.getpeername()
                    own.close()
                    other.close()
                assert await loop.sock_recv(stranger, 1) == b""

    asyncio.run(story())
