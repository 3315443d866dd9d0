"""The tunnels of devices at home beside the workers: a process of its own, which alone has their keys."""

import asyncio
import contextlib
import signal
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from schoolgate.monitoring import share
from schoolgate.monitoring.tunnel_metrics import TunnelMetrics
from schoolgate.services.network import Ways
from schoolgate.settings import Settings
from schoolgate.settings.machine import split_address
from schoolgate.wireguard import ensure_key, kinds
from schoolgate.workers import Entrance, Link

_BEAT_SECONDS = 0.2


@dataclass(frozen=True, slots=True)
class TunnelPlace:
    """What the process is given.

    Attributes:
        settings: of this machine.
        sockets: where devices come in.
        entrance: into the workers.
        figures: directory for the metrics.
    """

    settings: Settings
    sockets: Sequence[socket.socket]
    entrance: Entrance
    figures: Path


def keep_tunnels(place: TunnelPlace, link: Link) -> None:
    """Serve devices at home until told to end.

    Raises:
        UnavailableError: when the key or the devices cannot be read.
    """
    share(place.figures, link.seat)
    private_key = ensure_key(place.settings.wireguard_dir)
    asyncio.run(_serve(place, private_key, link))


async def _serve(place: TunnelPlace, private_key: str, link: Link) -> None:
    # Loaded by this process alone: it has threads of its own.
    from schoolgate.wireguard.pairs import Pairs  # noqa: PLC0415
    from schoolgate.wireguard.serving import Place, serving  # noqa: PLC0415
    from schoolgate.wireguard.streams import Surroundings  # noqa: PLC0415

    settings, metrics = place.settings, TunnelMetrics()
    for kind in kinds.REFUSED:
        # The first of its kind must show as a rise from nothing.
        metrics.refused.labels(kind=kind)
    pairs = Pairs()
    around = Surroundings(
        ways_of(settings),
        place.entrance,
        split_address(settings.wireguard.name_server),
        pairs,
        lambda kind: metrics.refused.labels(kind=kind).inc(),
    )
    loop, ending = asyncio.get_running_loop(), asyncio.Event()
    with contextlib.closing(pairs):
        here = Place(place.sockets, settings.wireguard_dir, private_key)
        async with serving(here, around) as switch:
            loop.add_signal_handler(signal.SIGTERM, ending.set)
            loop.add_reader(link, ending.set)
            link.ready()
            while not ending.is_set():
                link.beat()
                metrics.open.set(switch.open_tunnels)
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(ending.wait(), _BEAT_SECONDS)
            link.ending()
            loop.remove_reader(link)


def ways_of(settings: Settings) -> kinds.Ways:
    """Say where what comes out of a tunnel may go."""
    own = (*settings.network.addresses, *settings.wireguard.own_addresses)
    return kinds.Ways(frozenset(map(str, own)), Ways.of(settings).proxy_port)
