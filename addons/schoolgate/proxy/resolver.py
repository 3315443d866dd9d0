"""Names to addresses by c-ares: off the event loop's back, and with how long each answer holds.

The C library's resolver blocks a thread for each name and does not tell an answer's TTL. c-ares
reads the same /etc/hosts and /etc/resolv.conf; it knows no other sources of nsswitch.conf.
"""

import asyncio
import errno
import socket
from collections.abc import Sequence
from typing import Any

import aiodns

# A resolver that does not answer is asked again this often, each time for longer.
TIMEOUT_SECONDS, TRIES = 2.0, 3
# However long that takes in the end.
PATIENCE_SECONDS = 10.0

# What the loop's resolver gives: family, type, protocol, canonical name, socket address.
type AddressInfo = Any


class Resolver:
    """Asks the machine's name servers, from within one event loop.

    Args:
        servers: other name servers, as addresses.
        port: theirs.
    """

    def __init__(self, servers: Sequence[str] | None = None, port: int | None = None) -> None:
        self._servers = servers
        self._ports: dict[str, Any] = {"udp_port": port, "tcp_port": port} if port else {}
        self._channel: aiodns.DNSResolver | None = None

    async def look_up(self, host: str, port: int) -> tuple[list[AddressInfo], float]:
        """Give a name's addresses, the best first (RFC 6724), and their TTL in seconds.

        Raises:
            OSError: when there are none, or nobody says so.
        """
        if self._channel is None:
            self._channel = aiodns.DNSResolver(
                self._servers, timeout=TIMEOUT_SECONDS, tries=TRIES, **self._ports
            )
        try:
            found = await asyncio.wait_for(
                self._channel.getaddrinfo(host, port=port, type=socket.SOCK_STREAM),
                PATIENCE_SECONDS,
            )
        except aiodns.error.DNSError as error:
            raise OSError(errno.EHOSTUNREACH, f"{host}: {error.args[-1]}") from error
        except UnicodeError as error:
            raise OSError(errno.EINVAL, f"{host} is no host name") from error
        infos = [
            (node.family, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", _as_text(node.addr))
            for node in found.nodes
        ]
        lives = [node.ttl for node in found.nodes] + [name.ttl for name in found.cnames]
        return infos, float(min(lives, default=0))

    async def close(self) -> None:
        """Let everything go."""
        if self._channel is not None:
            await self._channel.close()
            self._channel = None


def _as_text(address: tuple[Any, ...]) -> tuple[Any, ...]:
    return (address[0].decode(), *address[1:])
