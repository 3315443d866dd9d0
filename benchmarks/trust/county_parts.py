"""Parts of a simulated county, each in a process of its own: who publishes, listens, asks and approves."""

import asyncio
import os
import selectors
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, date, datetime
from itertools import batched, islice
from multiprocessing.synchronize import Barrier, Event

import nats
import orjson
import psycopg

from benchmarks.journal.events import Day, Web
from schoolgate.core.shipment import Shipment, message_id, packed, subject
from schoolgate.services.scopes import Extent
from schoolgate.shipping.fields import Personal, Sites, Terms, chosen
from schoolgate.storage import ApprovalStore, open_database
from tests.services import requested

LINES = 350
_BLOCKS, _UNDER_WAY, _PATIENCE = 40, 64, 300.0


@dataclass(frozen=True, slots=True)
class Published:
    """What one process has published.

    Attributes:
        messages: that were acknowledged.
        used: seconds of a processor.
        began: of the monotonic clock.
        ended: likewise, once the last was acknowledged.
    """

    messages: int
    used: float
    began: float
    ended: float


def school(gateway: int) -> str:
    """Give the school of a gateway: each has two."""
    return f"school-{gateway // 2}"


def blocks() -> list[list[bytes]]:
    """Give what gateways send: lines of a school, without names and sites."""
    terms = Terms(Personal.PSEUDONYMS, Sites.NONE, b"s" * 32)
    now = datetime.now(UTC).isoformat(timespec="milliseconds")
    lines = islice(Day(Web(), date(2026, 11, 2), 40_000).lines(), _BLOCKS * LINES)
    records = [{**chosen(orjson.loads(line), terms), "ts": now} for line in lines]
    return [[orjson.dumps(one) for one in some] for some in batched(records, LINES)]


def publish(
    url: str,
    gateways: range,
    rate: float,
    seconds: float,
    some: list[list[bytes]],
    together: Barrier,
    tell: Callable[["Published"], None],
) -> None:
    """Publish messages of some gateways in turn, so many events a second, or as many as go.

    Args:
        url: of the server of NATS.
        gateways: by number.
        rate: events a second, of all of these.
        seconds: for how long.
        some: what they send, again and again.
        together: is waited for before the first.
        tell: is told what was acknowledged.
    """
    names = frozenset(name for lines in some for line in lines for name in orjson.loads(line))

    async def run() -> int:
        client = await nats.connect(url)
        stream = client.jetstream(publish_async_max_pending=_UNDER_WAY)
        began, sent = time.monotonic(), 0
        while time.monotonic() < began + seconds:
            gateway, round_ = gateways[sent % len(gateways)], sent // len(gateways)
            lines, first = some[(round_ + gateway) % _BLOCKS], round_ * LINES * 10
            ends = list(range(first + 10, first + 10 * LINES + 10, 10))
            one = Shipment("day#1", first, ends[-1], ends, lines, names)
            await stream.publish_async(
                subject(school(gateway), f"gw{gateway}"),
                packed(one),
                headers={"Nats-Msg-Id": message_id(school(gateway), f"gw{gateway}", one)},
                wait_stall=60,
            )
            sent += 1
            ahead = began + sent * LINES / rate - time.monotonic()
            if ahead > 0:
                await asyncio.sleep(ahead)
        await stream.publish_async_completed()
        await client.close()
        return sent

    together.wait(_PATIENCE)
    began, before = time.monotonic(), time.process_time()
    count = asyncio.run(run())
    tell(Published(count, time.process_time() - before, began, time.monotonic()))


def listen(
    url: str,
    channels: list[str],
    common: str,
    ready: Event,
    ending: Event,
    tell: Callable[[tuple[list[tuple[float, float]], float]], None],
) -> None:
    """Listen as gateways do: each on its school's channel, and all on a common one.

    Args:
        url: of the database, as somebody who may have so many connections.
        channels: of each gateway.
        common: which all hear.
        ready: is set once all listen.
        ending: asked whether to end.
        tell: is told when each notification of the common channel came to the first and to the last of all
            (seconds of the monotonic clock), and the seconds of a processor.
    """
    heard, before = list[list[float]](), time.process_time()
    with ExitStack() as opened, selectors.DefaultSelector() as selector:
        for channel in channels:
            one = opened.enter_context(psycopg.connect(url, autocommit=True))
            one.execute(f'LISTEN "{channel}"'.encode())
            one.execute(f'LISTEN "{common}"'.encode())
            times = list[float]()
            heard.append(times)
            selector.register(one.fileno(), selectors.EVENT_READ, (one, times))
        ready.set()
        while not ending.is_set():
            for key, _ in selector.select(0.5):
                one, times = key.data
                one.pgconn.consume_input()
                while (found := one.pgconn.notifies()) is not None:
                    if found.relname == common.encode():
                        times.append(time.monotonic())
    rounds = [(min(times), max(times)) for times in zip(*heard, strict=False)]
    tell((rounds, time.process_time() - before))


def decide(
    urls: list[str],
    pause: float,
    ending: Event,
    tell: Callable[[tuple[list[tuple[int, float]], float, float, float]], None],
) -> None:
    """Ask, review and approve through the services, school by school.

    Args:
        urls: of the schools' databases, each as the school's role.
        pause: seconds between two requests.
        ending: asked whether to end.
        tell: is told for each approval of which school it was and when it was done, then the seconds of a
            processor of requests, of approvals, and of all.
    """
    engines = [open_database(url) for url in urls]
    services = [requested.approvals(ApprovalStore(engine)) for engine in engines]
    done, asking, approving, before = list[tuple[int, float]](), 0.0, 0.0, time.process_time()
    number = 0
    while not ending.is_set():
        number += 1
        which = number % len(services)
        service, now, first = services[which], datetime.now(UTC), time.process_time()
        page = requested.scope(f"https://games.example/play?n={number}", Extent.PAGE, now=now)
        request = service.submit(requested.form(page), requested.TEACHER, now)
        second = time.process_time()
        request = service.act(
            request.id, request.version, requested.REVIEW, requested.LEAD, datetime.now(UTC)
        )
        service.act(
            request.id, request.version, requested.APPROVE, requested.HEAD, datetime.now(UTC)
        )
        done.append((which, time.monotonic()))
        asking += second - first
        approving += time.process_time() - second
        ending.wait(pause)
    for engine in engines:
        engine.dispose()
    tell((done, asking, approving, time.process_time() - before))


def processes() -> int:
    """Give how many processors there are."""
    return len(os.sched_getaffinity(0))
