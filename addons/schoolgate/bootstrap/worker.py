"""What one worker does: accepts on its sockets, filters, and ends as its supervisor says."""

import asyncio
import gc
import logging
import signal
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from schoolgate.bootstrap.gateway import Gateway, upstream_bundle_file
from schoolgate.bootstrap.rules import Rules
from schoolgate.monitoring import share
from schoolgate.settings import Settings
from schoolgate.workers import Desk, Link, Order

if TYPE_CHECKING:
    from schoolgate.proxy.gate import Gate

logger = logging.getLogger(__name__)

# Bits that a worker shows on the board.
JOURNAL_FAULT = 1

_BEAT_SECONDS = 0.2
_BEATS_A_SECOND = round(1 / _BEAT_SECONDS)
_TIDY_SECONDS = 60.0
_RENEW_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Place:
    """What a worker is given.

    Attributes:
        settings: of this machine.
        listeners: where it accepts.
        desk: where it gives connections to other workers, and takes theirs.
        own_ports: of the gateway, which nobody is to reach through the proxy.
        figures: directory for the metrics.
        last_good: the rules if the files have faults; None where that is an error.
    """

    settings: Settings
    listeners: Sequence[socket.socket]
    desk: Desk
    own_ports: Sequence[int]
    figures: Path
    last_good: Rules | None


def work(place: Place, link: Link) -> None:
    """Serve until told to end.

    Raises:
        SchoolgateError: when it cannot start.
    """
    share(place.figures, link.seat)
    with Gateway(place.settings, link.number, place.last_good) as gateway:
        asyncio.run(_serve(place, gateway, link))


async def _serve(place: Place, gateway: Gateway, link: Link) -> None:
    from schoolgate.proxy.master import ProxyMaster, ProxyOptions  # noqa: PLC0415

    settings = place.settings
    options = ProxyOptions(settings.ca_dir, upstream_bundle_file(settings))
    # The addons close connections of a master that is made with them.
    masters: list[ProxyMaster] = []
    filtering = gateway.addons(lambda client: masters[0].cut(client))  # noqa: PLW0108
    filtering.destinations.own_ports.update(place.own_ports)
    master = ProxyMaster(options, filtering.guard, filtering.addons)
    masters.append(master)
    async with (
        master.started(),
        filtering.gate(master, place.desk).serving(place.listeners) as gate,
        asyncio.TaskGroup() as tasks,
    ):
        ending = master.should_exit
        running = [
            tasks.create_task(_beat(gateway, link)),
            tasks.create_task(_tidy()),
            tasks.create_task(_renew(gateway)),
        ]

        def obey() -> None:
            if link.order() is Order.DRAIN:
                gate.stop_accepting()
                tasks.create_task(asyncio.to_thread(gateway.drain))
                running.append(tasks.create_task(_drain(gate, ending)))
            else:
                ending.set()

        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGTERM, ending.set)
        loop.add_reader(link, obey)
        # Everything up to here lives as long as the process: the collector need not walk it.
        gc.collect()
        gc.freeze()
        link.ready()
        await ending.wait()
        link.ending()
        loop.remove_reader(link)
        for task in running:
            task.cancel()
    gateway.metrics.flush()


async def _beat(gateway: Gateway, link: Link) -> None:
    turn = 0
    while True:
        if turn % _BEATS_A_SECOND == 0:
            gateway.count_grants()
        turn += 1
        gateway.metrics.flush()
        link.beat(JOURNAL_FAULT if gateway.journal.faults() else 0)
        await asyncio.sleep(_BEAT_SECONDS)


async def _tidy() -> None:
    from schoolgate.proxy.economies import give_back_memory  # noqa: PLC0415 - as above

    while True:
        await asyncio.sleep(_TIDY_SECONDS)
        await asyncio.to_thread(give_back_memory)


async def _renew(gateway: Gateway) -> None:
    while True:
        await asyncio.sleep(_RENEW_SECONDS)
        await gateway.renew_sign_ins()


async def _drain(gate: "Gate", ending: asyncio.Event) -> None:
    # What was accepted a moment ago may not be counted yet: two looks must find nothing.
    empty_looks = 0
    while empty_looks < 2:
        await asyncio.sleep(_BEAT_SECONDS)
        empty_looks = 0 if gate.connections else empty_looks + 1
    ending.set()
