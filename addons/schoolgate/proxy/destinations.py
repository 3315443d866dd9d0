"""Where a connection really goes: names are resolved once, off the loop, and private addresses refused.

Checking a name and connecting to it in two look-ups would leave a gap in which the answer can
change (DNS rebinding). So the check sits in the one look-up from which the connection is made.
"""

import asyncio
import socket
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from mitmproxy.proxy.server_hooks import ServerConnectionHookData

from schoolgate.core.errors import BadAddressError
from schoolgate.core.hosts import IpNetwork, as_ip, is_private
from schoolgate.proxy.guard import Guard, guarded

# The system's resolver does not say how long an answer holds.
KEPT_SECONDS = 60.0
# A name that does not resolve is not asked for again at once.
FAILURE_KEPT_SECONDS = 5.0
CACHE_SIZE = 10_000
# A name server that does not answer holds a thread; others must still find one.
RESOLVER_THREADS = 64
RESOLVER_TIMEOUT_SECONDS = 10.0

# What the loop's resolver gives: family, type, protocol, canonical name, socket address.
type AddressInfo = Any


class PrivateDestinationError(OSError):
    """A name leads only to addresses that the proxy must not connect to."""


@dataclass(frozen=True, slots=True)
class _Answer:
    """What a name resolved to, or why not, and until when that holds (monotonic seconds)."""

    until: float
    found: list[AddressInfo]
    failure: OSError | None = None


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
        # Ports on which the gateway itself listens; never reached through the proxy.
        self.own_ports: set[int] = set()
        self._allowed = tuple(allowed)
        self._hosts = dict(hosts or {})
        self._cache: dict[tuple[str, int], _Answer] = {}
        self._asked: dict[tuple[str, int], asyncio.Future[_Answer]] = {}
        self._threads = ThreadPoolExecutor(RESOLVER_THREADS, thread_name_prefix="resolver")

    def load(self, _loader: object) -> None:
        """Take the resolver's place in the running loop, before any connection is made."""
        loop = asyncio.get_running_loop()
        self._system = loop.getaddrinfo
        loop.getaddrinfo = self._getaddrinfo  # type: ignore[method-assign]

    def done(self) -> None:
        """Let the threads go."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def is_refused(self, host: str, port: int) -> bool:
        """Ask whether a normalised host leads only to where the proxy must not go.

        A name that does not resolve is not refused: the connection fails by itself.

        Raises:
            BadAddressError: when it cannot be the name of anything (RFC 1035, 2.3.4).
        """
        address = as_ip(host)
        if address is not None:
            return not self._is_open(str(address), port)
        try:
            host.encode("idna")
        except UnicodeError as error:
            raise BadAddressError(f"{host[:260]!r} has an empty or overlong label") from error
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
        host, port = data.server.address[:2] if data.server.address else ("", 0)
        if as_ip(host) is not None and not self._is_open(host, port):
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
        answer = await self._resolved(host, port)
        if answer.failure is not None:
            raise answer.failure
        public = [info for info in answer.found if self._is_open(str(info[4][0]), port)]
        if not public:
            raise PrivateDestinationError(f"{host} is in a private network")
        return public

    async def _resolved(self, host: str, port: int) -> _Answer:
        """Give the answer for a name from memory, from who asks already, or by asking."""
        key = (host, port)
        answer = self._cache.get(key)
        if answer is not None and answer.until > time.monotonic():
            return answer
        asked = self._asked.get(key)
        if asked is None:
            asked = self._asked[key] = asyncio.ensure_future(self._ask(host, port))
            asked.add_done_callback(lambda _: self._asked.pop(key, None))
        # Whoever gives up waiting must not take the answer from the others.
        answer = await asyncio.shield(asked)
        if len(self._cache) >= CACHE_SIZE:
            self._cache.clear()
        self._cache[key] = answer
        return answer

    async def _ask(self, host: str, port: int) -> _Answer:
        target = self._hosts.get(host.lower().rstrip("."), host)
        loop = asyncio.get_running_loop()
        try:
            asking = loop.run_in_executor(
                self._threads, lambda: socket.getaddrinfo(target, port, type=socket.SOCK_STREAM)
            )
            found = await asyncio.wait_for(asking, RESOLVER_TIMEOUT_SECONDS)
        except (OSError, UnicodeError) as error:
            failure = error if isinstance(error, OSError) else OSError(f"{host} is no host name")
            return _Answer(time.monotonic() + FAILURE_KEPT_SECONDS, [], failure)
        return _Answer(time.monotonic() + KEPT_SECONDS, list(found))

    def _is_open(self, host: str, port: int) -> bool:
        address = as_ip(host)
        if address is None or is_private(address, self._allowed):
            return False
        return not (port in self.own_ports and _is_local(str(address)))


def _is_local(address: str) -> bool:
    """Ask whether an address is one of this machine's: only then can a socket be bound to it."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        try:
            probe.bind((address, 0))
        except OSError:
            return False
    return True
