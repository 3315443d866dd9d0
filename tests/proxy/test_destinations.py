"""Names are looked up once for as long as their answer holds, and never lead into private networks."""

import asyncio
import ipaddress
import socket
import struct
import threading
import warnings
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from schoolgate.core.errors import BadAddressError

with warnings.catch_warnings():
    # Those of mitmproxy's own dependencies.
    warnings.simplefilter("ignore")
    from schoolgate.proxy.destinations import Destinations, PrivateDestinationError
    from schoolgate.proxy.resolver import Resolver

PUBLIC = "93.184.215.14"
# Name to TTL and addresses; what is not here does not exist.
ZONE: dict[str, tuple[int, list[str]]] = {
    "brief.test": (1, [PUBLIC]),
    "usual.test": (300, [PUBLIC]),
    "lasting.test": (1_000_000, [PUBLIC]),
    "inside.test": (300, ["10.0.0.1"]),
    "both.test": (300, ["192.168.1.1", PUBLIC]),
    "six.test": (300, ["2606:2800:21f:cb07:6820:80da:af6b:8b2c"]),
    "empty.test": (300, []),
}


@contextmanager
def name_server() -> Iterator[int]:
    """Answer from the zone, and give the port."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 0))

        def serve() -> None:
            while True:
                query, client = server.recvfrom(4096)
                if query == b"end":
                    return
                server.sendto(answer(query), client)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        try:
            yield server.getsockname()[1]
        finally:
            server.sendto(b"end", server.getsockname())
            thread.join(10)


def answer(query: bytes) -> bytes:
    """Answer one question (RFC 1035, 4.1)."""
    labels, at = [], 12
    while size := query[at]:
        labels.append(query[at + 1 : at + 1 + size].decode())
        at += 1 + size
    (kind,) = struct.unpack("!H", query[at + 1 : at + 3])
    question, name = query[12 : at + 5], ".".join(labels)
    seconds, addresses = ZONE.get(name, (0, None))
    packed = [ipaddress.ip_address(address).packed for address in addresses or ()]
    records = [x for x in packed if len(x) == (4 if kind == 1 else 16)]
    code = 0x8180 if addresses is not None else 0x8183
    head = query[:2] + struct.pack("!5H", code, 1, len(records), 0, 0)
    return (
        head
        + question
        + b"".join(
            b"\xc0\x0c" + struct.pack("!HHIH", kind, 1, seconds, len(x)) + x for x in records
        )
    )


class Clock:
    """A time that passes when told to."""

    seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


class Counting(Resolver):
    """Counts how often it is asked: c-ares has a cache of its own, by the real time."""

    def __init__(self, port: int, asked: Counter[str]) -> None:
        super().__init__(["127.0.0.1"], port)
        self._asked = asked

    async def look_up(self, host: str, port: int) -> tuple[list[Any], float]:
        self._asked[host] += 1
        return await super().look_up(host, port)


def with_destinations(work: Callable[[Destinations, Clock, Counter[str]], Awaitable[Any]]) -> Any:
    """Run something with destinations that ask the name server."""

    async def run() -> Any:
        clock = Clock()
        asked: Counter[str] = Counter()
        with name_server() as port:
            resolver = Counting(port, asked)
            guard: Any = None
            named = {"split.test": PUBLIC}
            destinations = Destinations(
                guard, (), named, resolver, {"safe.test": "usual.test"}.copy, clock
            )
            try:
                return await work(destinations, clock, asked)
            finally:
                await destinations.done()

    return asyncio.run(run())


@pytest.mark.parametrize(
    ("host", "want"),
    [
        ("usual.test", [PUBLIC]),
        ("both.test", [PUBLIC]),
        ("six.test", ["2606:2800:21f:cb07:6820:80da:af6b:8b2c"]),
        ("split.test", [PUBLIC]),
        # Another is connected to in its place.
        ("safe.test", [PUBLIC]),
        (PUBLIC, [PUBLIC]),
        ("[2606:2800:21f:cb07:6820:80da:af6b:8b2c]", ["2606:2800:21f:cb07:6820:80da:af6b:8b2c"]),
        ("inside.test", PrivateDestinationError),
        ("10.0.0.1", PrivateDestinationError),
        ("[::1]", PrivateDestinationError),
        # From /etc/hosts.
        ("localhost", PrivateDestinationError),
        ("absent.test", OSError),
        ("empty.test", OSError),
        ("a..b", BadAddressError),
        ("x" * 64 + ".test", BadAddressError),
    ],
)
def test_a_host_leads_to_public_addresses_or_nowhere(
    host: str, want: "list[str] | type[Exception]"
) -> None:
    async def resolve(destinations: Destinations, *_: Any) -> list[Any]:
        found = await destinations.resolve(host, 443)
        assert all(info[4][1] == 443 for info in found)
        return [info[4][0] for info in found]

    if isinstance(want, list):
        assert with_destinations(resolve) == want
    else:
        with pytest.raises(want) as caught:
            with_destinations(resolve)
        assert isinstance(caught.value, PrivateDestinationError) == (
            want is PrivateDestinationError
        )


@pytest.mark.parametrize(
    ("host", "after_seconds", "want"),
    [
        ("usual.test", 299, 1),
        ("usual.test", 301, 2),
        # Asked for at most every five seconds, and at least every hour.
        ("brief.test", 4, 1),
        ("brief.test", 6, 2),
        ("lasting.test", 3599, 1),
        ("lasting.test", 3601, 2),
        ("absent.test", 4, 1),
        ("absent.test", 6, 2),
    ],
)
def test_an_answer_holds_as_long_as_it_says_within_bounds(
    host: str, after_seconds: float, want: int
) -> None:
    async def ask_twice(destinations: Destinations, clock: Clock, asked: Counter[str]) -> int:
        await destinations.is_refused(host, 443)
        clock.seconds = after_seconds
        await destinations.is_refused(host, 443)
        return asked[host]

    assert with_destinations(ask_twice) == want


def test_who_asks_while_another_does_waits_for_the_same_answer() -> None:
    async def ask_at_once(destinations: Destinations, _: Clock, asked: Counter[str]) -> int:
        await asyncio.gather(*(destinations.resolve("usual.test", 443) for _ in range(20)))
        return asked["usual.test"]

    assert with_destinations(ask_at_once) == 1


def test_what_is_known_needs_no_look_up() -> None:
    async def known(destinations: Destinations, clock: Clock, _: Counter[str]) -> list[bool]:
        seen = [destinations.is_known_open("usual.test", 443)]
        for host in ("usual.test", "inside.test"):
            await destinations.is_refused(host, 443)
        seen += [destinations.is_known_open(x, 443) for x in ("usual.test", "inside.test")]
        clock.seconds = 301
        return [*seen, destinations.is_known_open("usual.test", 443)]

    assert with_destinations(known) == [False, True, False, False]
