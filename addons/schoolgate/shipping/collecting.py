"""Takes what a stream of NATS JetStream has, as a durable consumer, and acknowledges it once it is kept."""

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Protocol

from schoolgate.core.shipment import STREAM, NoShipmentError, Shipment, named, stream, unpacked
from schoolgate.shipping.nats_access import Access, opened

if TYPE_CHECKING:
    from nats.aio.client import Client
    from nats.aio.msg import Msg
    from nats.js.client import JetStreamContext

_SOURCE = "Nats-Stream-Source"
# What is read in a row without a look at the connection, which the server ends when nobody reads from it.
_AT_ONCE = 32
_FETCH_SECONDS = 0.5
_MOST_LINES = 500_000


@dataclass(frozen=True, slots=True)
class Pace:
    """How much at a time.

    Attributes:
        every_seconds: after which what has come is written.
        most_pending: messages that are under way; the server gives no more until some are acknowledged.
        wait_seconds: after which the server gives again what was not acknowledged.
    """

    every_seconds: float = 10.0
    most_pending: int = 4_000
    wait_seconds: float = 120.0


class Keeping(Protocol):
    """What keeps messages."""

    def add(self, school: str, gateway: str, shipment: Shipment, arrived: datetime) -> None:
        """Take one."""

    def refused(self, subject: str, reason: str) -> None:
        """Be told of one that is none."""

    def lines(self) -> int:
        """Give how many lines wait to be written."""

    def write(self, waiting: int) -> None:
        """Write what waits; after it that is on the disk.

        Args:
            waiting: messages that the stream still has.

        Raises:
            UnavailableError: when that cannot be done.
        """


class Collector:
    """Reads the stream of the centre.

    Args:
        access: to the server.
        name: of the durable consumer.
        pace: how much at a time.
        is_ending: asked whether to end.
    """

    def __init__(
        self, access: Access, name: str, pace: Pace, is_ending: Callable[[], bool]
    ) -> None:
        self._access = access
        self._name = name
        self._pace = pace
        self._is_ending = is_ending

    def run(self, keeping: Keeping, *, until_empty: bool = False) -> None:
        """Take messages until told to end.

        Args:
            keeping: keeps them.
            until_empty: end when the stream has no more.

        Raises:
            OSError: when the connection ended, or the server does not let us.
            UnavailableError: when they cannot be kept.
        """
        asyncio.run(self._run(keeping, until_empty=until_empty))

    async def _run(self, keeping: Keeping, *, until_empty: bool) -> None:
        client = await opened(self._access, f"schoolgate {self._name}")
        try:
            await self._collect(client, keeping, until_empty=until_empty)
        except _errors() as error:
            raise OSError(f"{self._access.url}: {error or type(error).__name__}") from error
        finally:
            await client.close()

    async def _collect(self, client: "Client", keeping: Keeping, *, until_empty: bool) -> None:
        got = await self._subscribed(client.jetstream())
        under_way: list[Msg] = []
        due = time.monotonic() + self._pace.every_seconds
        while not self._is_ending():
            try:
                came = await got.fetch(_AT_ONCE, _FETCH_SECONDS)
            except TimeoutError:
                # nats-py's own, and asyncio's.
                came = []
                if not client.is_connected:
                    raise OSError("the connection has ended") from None
            _take(came, keeping)
            under_way += came
            is_full = (
                keeping.lines() >= _MOST_LINES or len(under_way) >= self._pace.most_pending // 2
            )
            if is_full or time.monotonic() >= due or (until_empty and not came):
                await self._kept(client, got, under_way, keeping)
                if until_empty and not came and not under_way:
                    return
                under_way = []
                due = time.monotonic() + self._pace.every_seconds
        await self._kept(client, got, under_way, keeping)

    async def _subscribed(self, context: "JetStreamContext") -> Any:
        from nats.js.api import AckPolicy, ConsumerConfig  # noqa: PLC0415

        config = ConsumerConfig(
            durable_name=self._name,
            ack_policy=AckPolicy.EXPLICIT,
            ack_wait=self._pace.wait_seconds,
            max_ack_pending=self._pace.most_pending,
        )
        # As the durable consumer is to be, also where there was one with another pace.
        await context.add_consumer(STREAM, config)
        return await context.pull_subscribe_bind(self._name, STREAM)

    async def _kept(
        self, client: "Client", got: Any, under_way: Sequence["Msg"], keeping: Keeping
    ) -> None:
        """Write what has come, in a thread, and tell the server."""
        waiting = (await got.consumer_info()).num_pending
        await asyncio.to_thread(keeping.write, waiting)
        for message in under_way:
            await message.ack()
        await client.flush()


def _take(messages: Sequence["Msg"], keeping: Keeping) -> None:
    for message in messages:
        whose = named(message.subject)
        if whose is None:
            keeping.refused(message.subject, "its subject is no gateway's")
        elif not _is_from(message, *whose):
            keeping.refused(message.subject, "it came from another gateway's stream")
        else:
            try:
                shipment = unpacked(message.data)
            except NoShipmentError as error:
                keeping.refused(message.subject, str(error))
            else:
                arrived = message.metadata.timestamp.astimezone(UTC)
                keeping.add(*whose, shipment, arrived)


def _is_from(message: "Msg", school: str, gateway: str) -> bool:
    """Ask whether a message came out of the stream of whom its subject names.

    The centre's server writes down from which of its sources it has a message, by the name of the stream; a
    subject is what the server of a leaf says. What was published at the centre itself has no source.
    """
    said = (message.headers or {}).get(_SOURCE)
    if said is None:
        return True
    return said.split(" ")[0].split(":")[0] == stream(school, gateway)


def _errors() -> tuple[type[Exception], ...]:
    from nats.errors import Error  # noqa: PLC0415

    return (Error,)
