"""Where a connection really goes: names are resolved once, off the loop, and private addresses refused.

Checking a name and connecting to it in two look-ups would leave a gap in which the answer can
change (DNS rebinding). So the check sits in the one look-up from which the connection is made.
"""

import asyncio
import socket
import time
from collections.abc import Mapping, Sequence
from typing import Any

from mitmproxy.proxy.server_hooks import ServerConnectionHookData

from schoolgate.core.hosts import IpNetwork, as_ip, is_private
from schoolgate.proxy.guard import Guard, guarded

# The system's resolver does not say how long an answer holds.
CACHE_SECONDS = 60.0
CACHE_SIZE = 10_000

# What the loop's resolver gives: family, type, protocol, canonical name, socket address.
type AddressInfo = Any


class PrivateDestinationError(OSError):
    """A name leads only to addresses that the proxy must not connect to."""


class Destinations:
    """An addon that stands between mitmproxy and the resolver.

    Args:
        guard: closes when this fails.
        allowed: private networks that the configuration opens.
        hosts: names with an address of the technician's choice (split horizon).
    """

    def __init__(
        self,
        guard: Guard,
        allowed: Sequence[IpNetwork] = (),
        hosts: Mapping[str, str] | None = None,
    ) -> None:
        self.guard = guard
        self._allowed = tuple(allowed)
        self._hosts = dict(hosts or {})
        self._cache: dict[tuple[str, int], tuple[float, list[AddressInfo]]] = {}

    def load(self, _loader: object) -> None:
        """Take the resolver's place in the running loop, before any connection is made."""
        loop = asyncio.get_running_loop()
        self._system = loop.getaddrinfo
        loop.getaddrinfo = self._getaddrinfo  # type: ignore[method-assign]

    async def is_refused(self, host: str, port: int) -> bool:
        """Ask whether a normalised host leads only into private networks.

        A name that does not resolve is not refused: the connection fails by itself.
        """
        address = as_ip(host)
        if address is not None:
            return is_private(address, self._allowed)
        try:
            await self._getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except PrivateDestinationError:
            return True
        except OSError:
            return False
        return False

    @guarded
    def server_connect(self, data: ServerConnectionHookData) -> None:
        """Refuse an address literal, which never reaches the resolver."""
        host = data.server.address[0] if data.server.address else ""
        address = as_ip(host)
        if address is not None and is_private(address, self._allowed):
            data.server.error = f"{host} is in a private network"

    async def _getaddrinfo(
        self,
        host: str | bytes | None,
        port: int | str | bytes | None,
        *,
        family: int = 0,
        type: int = 0,  # noqa: A002 - the name that asyncio calls it by
        proto: int = 0,
        flags: int = 0,
    ) -> list[AddressInfo]:
        """Resolve as the loop does, without the addresses that are refused.

        Raises:
            PrivateDestinationError: when no address is left.
            OSError: when the name does not resolve.
        """
        if not isinstance(host, str) or not isinstance(port, int) or flags & socket.AI_PASSIVE:
            return await self._system(
                host, port, family=family, type=type, proto=proto, flags=flags
            )
        key = (host, port)
        until, found = self._cache.get(key, (0.0, []))
        if until < time.monotonic():
            target = self._hosts.get(host.lower().rstrip("."), host)
            found = await self._system(target, port, type=socket.SOCK_STREAM)
            if len(self._cache) >= CACHE_SIZE:
                self._cache.clear()
            self._cache[key] = (time.monotonic() + CACHE_SECONDS, found)
        public = [info for info in found if self._is_open(info)]
        if not public:
            raise PrivateDestinationError(f"{host} is in a private network")
        return public

    def _is_open(self, info: AddressInfo) -> bool:
        address = as_ip(str(info[4][0]))
        return address is not None and not is_private(address, self._allowed)
