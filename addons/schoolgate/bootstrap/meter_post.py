"""The accounts of viewing beside the workers: the one process that owns them."""

import asyncio
import contextlib
import signal
import time
from collections.abc import Sequence
from pathlib import Path

from schoolgate.bootstrap.clock import today
from schoolgate.core.errors import UnavailableError
from schoolgate.monitoring import share
from schoolgate.monitoring.meter_metrics import MeterMetrics
from schoolgate.services.ledger import Keeper, Ledger
from schoolgate.settings import Settings
from schoolgate.storage import StreamAccounts, is_postgresql, open_database
from schoolgate.workers import Link
from schoolgate.workers.metering import Answer, MeterDesk

_BEAT_SECONDS = 0.2


def keep_meter(settings: Settings, figures: Path, link: Link) -> None:
    """Own the accounts until told to end.

    Args:
        settings: of this machine.
        figures: directory for the metrics.
        link: with the supervisor.

    Raises:
        UnavailableError: when the database or the socket cannot be used.
    """
    share(figures, link.seat)
    metrics = MeterMetrics()
    table = StreamAccounts(open_database(settings.database_url))
    # Made with the ledger, which is made with what the keeper opens.
    desks: list[MeterDesk] = []

    def tell(answers: Sequence[tuple[int, Answer]]) -> None:
        desks[0].tell(answers)

    keeper = Keeper(
        table,
        today,
        lambda _: metrics.store_errors.inc(),
        # Only a server has more gateways than this one.
        tell if is_postgresql(settings.database_url) else None,
    )

    def count(group: str, outcome: str, seconds: float) -> None:
        metrics.seconds.labels(group=group, outcome=outcome).inc(seconds)

    ledger = Ledger(keeper.open(), count, time.monotonic)
    desks.append(MeterDesk(ledger.take, ledger.gone))
    asyncio.run(_serve(settings, ledger, keeper, desks[0], link))


async def _serve(
    settings: Settings, ledger: Ledger, keeper: Keeper, desk: MeterDesk, link: Link
) -> None:
    loop, ending = asyncio.get_running_loop(), asyncio.Event()
    loop.add_signal_handler(signal.SIGTERM, ending.set)
    loop.add_reader(link, ending.set)
    async with contextlib.AsyncExitStack() as opened:
        try:
            await opened.enter_async_context(desk.serving(settings.meter_socket))
        except OSError as error:
            raise UnavailableError(
                f"The accounts of viewing cannot be served at {settings.meter_socket}: {error.strerror}."
            ) from error
        link.ready()
        saving = loop.create_task(keeper.keep(ledger))
        while not ending.is_set():
            link.beat()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(ending.wait(), _BEAT_SECONDS)
        link.ending()
        loop.remove_reader(link)
        saving.cancel()
    await keeper.save(ledger)
