"""Where a connection really goes: names are resolved once, off the loop, and private addresses refused.

Checking a name and connecting to it in two look-ups would leave a gap in which the answer can
change (DNS rebinding). So the check sits in the one look-up from which the connection is made.
"""

import asyncio
import socket
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from mitmproxy.proxy.server_hooks import ServerConnectionHookData

from schoolgate.core.errors import BadAddressError
from schoolgate.core.hosts import IpAddress, IpNetwork, as_ip, is_private
from schoolgate.proxy.guard import Guard, guarded
from schoolgate.proxy.resolver import AddressInfo, Resolver

# How long an answer is kept, whatever it says itself: less would ask for each request, and more
# would outlast what the site's owners have changed.
KEPT_SECONDS_LEAST, KEPT_SECONDS_MOST = 5.0, 3600.0
# A name that does not resolve is not asked for again at once.
FAILURE_KEPT_SECONDS = 5.0
CACHE_SIZE = 10_000


class PrivateDestinationError(OSError):
    """A name leads only to addresses that the proxy must not connect to."""


@dataclass(frozen=True, slots=True)
class _Answer:
    """To which public addresses a name resolved, or why not, and until when (monotonic seconds)."""

    until: float
    public: list[AddressInfo]
    failure: OSError | None = None


class Destinations:
    """An addon that stands between mitmproxy and the resolver.

    Args:
        guard: closes when this fails.
        allowed: private networks that the configuration opens.
        hosts: names with an address of the technician's choice (split horizon).
        resolver: asked for the others.
        aliases: gives names in whose place another one is connected to.
        clock: gives seconds that only grow.
    """

    def __init__(
        self,
        guard: Guard,
        allowed: Sequence[IpNetwork] = (),
        hosts: Mapping[str, str] | None = None,
        resolver: Resolver | None = None,
        aliases: Callable[[], Mapping[str, str]] = dict,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.guard = guard
        # Ports on which the gateway itself listens; never reached through the proxy.
        self.own_ports: set[int] = set()
        self._allowed = tuple(allowed)
        self._hosts = dict(hosts or {})
        self._cache: dict[tuple[str, int], _Answer] = {}
        self._asked: dict[tuple[str, int], asyncio.Future[_Answer]] = {}
        self._resolver = resolver or Resolver()
        self._aliases = aliases
        self._clock = clock

    def load(self, _loader: object) -> None:
        """Take the resolver's place in the running loop, before any connection is made."""
        loop = asyncio.get_running_loop()
        self._system = loop.getaddrinfo
        loop.getaddrinfo = self._getaddrinfo  # type: ignore[method-assign]

    async def done(self) -> None:
        """Let the resolver go."""
        await self._resolver.close()

    async def resolve(self, host: str, port: int) -> list[AddressInfo]:
        """Give where a normalised host may be connected to, the best first.

        Whoever connects must connect to one of these: another look-up could give another answer.

        Raises:
            PrivateDestinationError: when it leads only to where the proxy must not go.
            BadAddressError: when it cannot be the name of anything (RFC 1035, 2.3.4).
            OSError: when the name does not resolve.
        """
        address = _address(host)
        if address is not None:
            if not self._is_open(str(address), port):
                raise PrivateDestinationError(f"{host} is in a private network")
            return [_info(address, port)]
        _check_labels(host)
        return await self._public(host, port)

    def known(self, host: str, port: int) -> list[AddressInfo]:
        """Give where a normalised host may be connected to, as far as that is known without a look-up."""
        answer = self._cache.get((host, port))
        return answer.public if answer is not None and answer.until > self._clock() else []

    def is_known_open(self, host: str, port: int) -> bool:
        """Ask whether a host may be reached, as far as that is known without a look-up."""
        return bool(self.known(host, port))

    async def is_refused(self, host: str, port: int) -> bool:
        """Ask whether a normalised host leads only to where the proxy must not go.

        A name that does not resolve is not refused: the connection fails by itself.

        Raises:
            BadAddressError: when it cannot be the name of anything (RFC 1035, 2.3.4).
        """
        try:
            await self.resolve(host, port)
        except PrivateDestinationError:
            return True
        except OSError:
            return False
        return False

    @guarded
    def server_connect(self, data: ServerConnectionHookData) -> None:
        """Refuse an address literal, which never reaches the resolver."""
        host, port = data.server.address[:2] if data.server.address else ("", 0)
        if _address(host) is not None and not self._is_open(host, port):
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
        return await self._public(host, port)

    async def _public(self, host: str, port: int) -> list[AddressInfo]:
        answer = await self._resolved(host, port)
        if answer.failure is not None:
            raise answer.failure
        if not answer.public:
            raise PrivateDestinationError(f"{host} is in a private network")
        return answer.public

    async def _resolved(self, host: str, port: int) -> _Answer:
        """Give the answer for a name from memory, from who asks already, or by asking."""
        key = (host, port)
        answer = self._cache.get(key)
        if answer is not None and answer.until > self._clock():
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
        name = host.lower().rstrip(".")
        target = self._hosts.get(name) or self._aliases().get(name, host)
        address = as_ip(target)
        try:
            if address is not None:
                found, holds = [_info(address, port)], KEPT_SECONDS_MOST
            else:
                found, holds = await self._resolver.look_up(target, port)
        except OSError as error:
            return _Answer(self._clock() + FAILURE_KEPT_SECONDS, [], error)
        public = [info for info in found if self._is_open(str(info[4][0]), port)]
        kept = min(max(holds, KEPT_SECONDS_LEAST), KEPT_SECONDS_MOST)
        return _Answer(self._clock() + kept, public)

    def _is_open(self, host: str, port: int) -> bool:
        address = as_ip(host)
        if address is None or is_private(address, self._allowed):
            return False
        return not (port in self.own_ports and _is_local(str(address)))


_address = lru_cache(16_384)(as_ip)


@lru_cache(16_384)
def _check_labels(host: str) -> None:
    try:
        host.encode("idna")
    except UnicodeError as error:
        raise BadAddressError(f"{host[:260]!r} has an empty or overlong label") from error


def _info(address: IpAddress, port: int) -> AddressInfo:
    name: tuple[Any, ...] = (str(address), port)
    family = socket.AF_INET
    if address.version == 6:
        name, family = (*name, 0, 0), socket.AF_INET6
    return (family, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", name)


def _is_local(address: str) -> bool:
    """Ask whether an address is one of this machine's: only then can a socket be bound to it."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        try:
            probe.bind((address, 0))
        except OSError:
            return False
    return True
