"""To NATS JetStream, for the centre of a trust: batches that are known to have come when the stream says so.

One batch at a time, so that nothing overtakes; what was sent and not acknowledged is sent again, and the
server drops what has the same id within two minutes, the centre whatever it has already (docs/trust.md).
"""

import asyncio
import threading
from collections.abc import Coroutine, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import orjson

from schoolgate.core.errors import UnavailableError
from schoolgate.core.shipment import Shipment, message_id, packed, stream, subject
from schoolgate.shipping.nats_access import Access, opened
from schoolgate.shipping.receivers import Place, Record, RefusedByReceiverError

if TYPE_CHECKING:
    from nats.aio.client import Client
    from nats.js.client import JetStreamContext

_ANSWER_SECONDS, _ALL_SECONDS = 10.0, 40.0
_WINDOW_SECONDS = 120
_DAY_SECONDS = 86_400


class JetStream:
    """Publishes to a stream, which it makes where there is none.

    Args:
        access: to the server.
        school: of this gateway.
        gateway: its name there.
        keep_days: after which the stream forgets.
        keep_megabytes: beyond which it forgets the oldest.
    """

    settle_seconds = 0.0

    def __init__(
        self,
        access: Access,
        school: str,
        gateway: str,
        keep_days: float = 14,
        keep_megabytes: int = 8_192,
    ) -> None:
        self._access = access
        self._school, self._gateway = school, gateway
        self._keep = keep_days * _DAY_SECONDS, keep_megabytes * 1_000_000
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._client: Client | None = None
        self._stream: JetStreamContext | None = None

    def send(self, records: Sequence[Record], place: Place | None = None) -> None:
        """Publish them as one message, and wait until it is kept."""
        assert place is not None
        shipment = Shipment(
            place.source,
            place.start,
            place.after,
            place.ends,
            [orjson.dumps(dict(record)) for record in records],
            frozenset().union(*records),
        )
        self._done(self._publish(shipment))

    def check(self) -> None:
        """Nothing is under way: each batch was acknowledged."""

    def close(self) -> None:
        """Let the connection go, and the thread that holds it."""
        if self._loop is None or self._thread is None:
            return
        if self._client is not None:
            with suppress(OSError):
                self._done(self._client.close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(_ANSWER_SECONDS)
        self._loop = self._thread = self._client = self._stream = None

    async def _publish(self, shipment: Shipment) -> None:
        where = subject(self._school, self._gateway)
        if self._stream is None:
            self._client = await opened(self._access, f"schoolgate {where}")
            self._stream = await self._made(self._client)
        from nats.errors import MaxPayloadError  # noqa: PLC0415 - installed, since it is connected

        try:
            await self._stream.publish(
                where,
                packed(shipment),
                timeout=_ANSWER_SECONDS,
                headers={"Nats-Msg-Id": message_id(self._school, self._gateway, shipment)},
            )
        except MaxPayloadError as error:
            raise RefusedByReceiverError(str(error)) from error

    async def _made(self, client: "Client") -> "JetStreamContext":
        """Give the stream, made where there is none, and kept as long as the settings say."""
        from nats.js.api import StorageType, StreamConfig  # noqa: PLC0415
        from nats.js.errors import NotFoundError  # noqa: PLC0415

        context = client.jetstream(timeout=_ANSWER_SECONDS)
        seconds, size = self._keep
        config = StreamConfig(
            name=stream(self._school, self._gateway),
            subjects=[subject(self._school, self._gateway)],
            storage=StorageType.FILE,
            max_age=seconds,
            max_bytes=size,
            duplicate_window=min(_WINDOW_SECONDS, seconds),
        )
        assert config.name is not None
        try:
            there = (await context.stream_info(config.name)).config
        except NotFoundError:
            await context.add_stream(config)
        else:
            if (there.max_age, there.max_bytes) != self._keep:
                await context.update_stream(config)
        return context

    def _done[T](self, work: Coroutine[Any, Any, T]) -> T:
        """Have it done by the thread in which the connection lives, which answers the server meanwhile."""
        if self._loop is None:
            self._loop = asyncio.new_event_loop()
            self._thread = threading.Thread(
                target=_run, args=(self._loop,), name="nats", daemon=True
            )
            self._thread.start()
        future = asyncio.run_coroutine_threadsafe(work, self._loop)
        try:
            return future.result(_ALL_SECONDS)
        except (OSError, RefusedByReceiverError):
            raise
        except UnavailableError as error:
            raise OSError(str(error)) from error
        except Exception as error:
            future.cancel()
            raise OSError(f"{self._access.url}: {error or type(error).__name__}") from error


def _run(loop: asyncio.AbstractEventLoop) -> None:
    """Run a loop to its end, and leave nothing behind."""
    loop.run_forever()
    left = asyncio.all_tasks(loop)
    for task in left:
        task.cancel()
    if left:
        loop.run_until_complete(asyncio.wait(left))
    loop.close()
