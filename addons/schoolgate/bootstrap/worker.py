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

from schoolgate import authority
from schoolgate.bootstrap.gateway import Gateway, Prepared, upstream_bundle_file
from schoolgate.bootstrap.rules import Rules
from schoolgate.core.errors import SchoolgateError
from schoolgate.monitoring import share
from schoolgate.settings import Settings
from schoolgate.workers import Desk, LetterBox, Link, Order
from schoolgate.workers.metering import MeterLine

if TYPE_CHECKING:
    from schoolgate.proxy.gate import Gate
    from schoolgate.proxy.master import ProxyMaster

logger = logging.getLogger(__name__)

# Bits that a worker shows on the board.
JOURNAL_FAULT = 1

_BEAT_SECONDS = 0.2
_BEATS_A_SECOND = round(1 / _BEAT_SECONDS)
_TIDY_SECONDS = 60.0
_RENEW_SECONDS = 5.0
_LOOK_AT_CA_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Place:
    """What a worker is given.

    Attributes:
        settings: of this machine.
        listeners: where it accepts.
        redirected: where it accepts what the packet filter turns here.
        desk: where it gives connections to other workers, and takes theirs.
        letters: where it tells them what is counted by one of them alone.
        own_ports: of the gateway, which nobody is to reach through the proxy.
        figures: directory for the metrics.
        last_good: the rules if the files have faults; None where that is an error.
        prepared: the rules as they were read before there were workers.
    """

    settings: Settings
    listeners: Sequence[socket.socket]
    redirected: Sequence[socket.socket]
    desk: Desk
    letters: LetterBox
    own_ports: Sequence[int]
    figures: Path
    last_good: Rules | None
    prepared: Prepared


def work(place: Place, link: Link) -> None:
    """Serve until told to end.

    Raises:
        SchoolgateError: when it cannot start.
    """
    share(place.figures, link.seat)
    with Gateway(place.settings, link.number, place.last_good, place.prepared) as gateway:
        asyncio.run(_serve(place, gateway, link))


async def _serve(place: Place, gateway: Gateway, link: Link) -> None:
    from schoolgate.proxy.master import ProxyMaster, ProxyOptions  # noqa: PLC0415

    settings = place.settings
    # Before it is read: a change in between must be seen.
    signs = authority.mark(settings.ca_dir)
    options = ProxyOptions(settings.ca_dir, upstream_bundle_file(settings))
    # The addons close connections of a master that is made with them.
    masters: list[ProxyMaster] = []
    filtering = gateway.addons(lambda client: masters[0].cut(client))  # noqa: PLW0108
    filtering.destinations.own_ports.update(place.own_ports)
    master = ProxyMaster(options, filtering.guard, filtering.addons)
    masters.append(master)
    async with (
        master.started(),
        filtering.gate(master, place.desk).serving(place.listeners, place.redirected) as gate,
        asyncio.TaskGroup() as tasks,
    ):
        ending = master.should_exit
        recorder, engines = filtering.tools.recorder, filtering.tools.engines
        recorder.share(place.letters)

        def hear() -> None:
            recorder.hear(engines.current, filtering.tools.clock())

        meter = gateway.meter
        line = MeterLine(settings.meter_socket, meter.opened, meter.hear, meter.lost)
        meter.over(line)
        running = [
            tasks.create_task(line.run()),
            tasks.create_task(_beat(gateway, gate, link)),
            tasks.create_task(_tidy()),
            tasks.create_task(_renew(gateway)),
            tasks.create_task(_follow_ca(settings.ca_dir, signs, gateway, master, gate)),
        ]

        def obey() -> None:
            if link.order() is Order.DRAIN:
                gate.stop_accepting()
                # Whoever relieves this worker reads them.
                loop.remove_reader(place.letters)
                tasks.create_task(asyncio.to_thread(gateway.drain))
                running.append(tasks.create_task(_drain(gate, ending)))
            else:
                ending.set()

        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGTERM, ending.set)
        loop.add_reader(link, obey)
        loop.add_reader(place.letters, hear)
        # Everything up to here lives as long as the process: the collector need not walk it.
        gc.collect()
        gc.freeze()
        link.ready()
        await ending.wait()
        link.ending()
        loop.remove_reader(link)
        loop.remove_reader(place.letters)
        for task in running:
            task.cancel()
    gateway.metrics.flush()


async def _beat(gateway: Gateway, gate: "Gate", link: Link) -> None:
    loop, metrics, turn = asyncio.get_running_loop(), gateway.metrics, 0
    while True:
        if turn % _BEATS_A_SECOND == 0:
            gateway.show_what_ends()
            metrics.clients.set(gate.connected)
            metrics.open.set(gate.connections)
            metrics.journal_waiting.set(gateway.journal.waiting)
        turn += 1
        metrics.flush()
        link.beat(JOURNAL_FAULT if gateway.journal.faults() else 0, _mark(gateway))
        due = loop.time() + _BEAT_SECONDS
        await asyncio.sleep(_BEAT_SECONDS)
        metrics.late_seconds.observe(max(0.0, loop.time() - due))


def _mark(gateway: Gateway) -> int:
    """Give the policy in force as a number: 48 bits of its SHA-256."""
    return int(gateway.engines.current.policy.version, 16)


async def _tidy() -> None:
    from schoolgate.proxy.economies import give_back_memory  # noqa: PLC0415 - as above

    while True:
        await asyncio.sleep(_TIDY_SECONDS)
        await asyncio.to_thread(give_back_memory)


async def _renew(gateway: Gateway) -> None:
    while True:
        await asyncio.sleep(_RENEW_SECONDS)
        await gateway.renew_sign_ins()


async def _follow_ca(
    directory: Path, signs: tuple[int, ...], gateway: Gateway, master: "ProxyMaster", gate: "Gate"
) -> None:
    """Sign with another CA once there is one that can be used; until then with the one before."""
    from schoolgate.proxy.master import read_signer  # noqa: PLC0415 - as above

    while True:
        await asyncio.sleep(_LOOK_AT_CA_SECONDS)
        found = await asyncio.to_thread(authority.mark, directory)
        if found == signs:
            continue
        signs = found
        try:
            info = await asyncio.to_thread(authority.describe, directory)
            signer = await asyncio.to_thread(read_signer, directory)
        except (SchoolgateError, OSError, ValueError) as error:
            logger.error("The CA that signed goes on, until the gateway starts anew: %s", error)  # noqa: TRY400
            gateway.metrics.reload_errors.inc()
            continue
        master.sign_with(signer)
        gate.leaves.forget()
        gateway.metrics.ca_expires(info.not_after)
        logger.warning("Another CA signs now: %s", info.sha256)


async def _drain(gate: "Gate", ending: asyncio.Event) -> None:
    # What was accepted a moment ago may not be counted yet: two looks must find nothing.
    empty_looks = 0
    while empty_looks < 2:
        await asyncio.sleep(_BEAT_SECONDS)
        empty_looks = 0 if gate.connections else empty_looks + 1
    ending.set()
