"""The filter's addons, put together once for our own master and for a stock mitmdump alike."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from mitmproxy.connection import Client

from schoolgate.core.hosts import IpNetwork
from schoolgate.monitoring import Journal, Metrics
from schoolgate.proxy.destinations import Destinations
from schoolgate.proxy.filter import Filter, Tools
from schoolgate.proxy.guard import Guard
from schoolgate.proxy.interstitial import Warnings
from schoolgate.proxy.pages import Pages
from schoolgate.proxy.recorder import Recorder
from schoolgate.services.engines import Engines


@dataclass(frozen=True, slots=True)
class FilterAddons:
    """The guard and the addons it stands around."""

    guard: Guard
    destinations: Destinations
    addons: tuple[object, ...]


def make_addons(
    engines: Engines,
    metrics: Metrics,
    journal: Journal,
    clock: Callable[[], datetime],
    cut: Callable[[Client], None],
    allowed: Sequence[IpNetwork] = (),
    hosts: Mapping[str, str] | None = None,
) -> FilterAddons:
    """Make the addons.

    Args:
        engines: the engine in force.
        metrics: where to count.
        journal: where to tell.
        clock: gives the time, aware.
        cut: closes a client's connection at once.
        allowed: private networks that may be reached.
        hosts: names with an address of the technician's choice.
    """
    pages = Pages(lambda: engines.current, clock)
    guard = Guard(pages, metrics.filter_errors, cut)
    destinations = Destinations(guard, allowed, hosts)
    tools = Tools(
        engines=engines,
        clock=clock,
        pages=pages,
        warnings=Warnings(),
        destinations=destinations,
        recorder=Recorder(journal, metrics),
        metrics=metrics,
        cut=cut,
    )
    return FilterAddons(guard, destinations, (destinations, Filter(guard, tools)))
