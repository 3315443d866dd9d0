"""What the filter works with."""

from collections.abc import Callable, Container
from dataclasses import dataclass, field
from datetime import datetime

from mitmproxy.connection import Client as ClientConnection

from schoolgate.monitoring import Metrics
from schoolgate.proxy.destinations import Destinations
from schoolgate.proxy.interstitial import Warnings
from schoolgate.proxy.metering import Metering
from schoolgate.proxy.pages import Pages
from schoolgate.proxy.picture_hook import PictureHook
from schoolgate.proxy.recorder import Recorder
from schoolgate.proxy.surroundings import Surroundings
from schoolgate.services.callers import Callers
from schoolgate.services.clients import Clients
from schoolgate.services.engines import Engines
from schoolgate.services.pinning import Pinning


@dataclass(frozen=True, slots=True)
class Tools:
    """What the filter works with.

    Attributes:
        engines: the engine in force.
        clients: who asks.
        callers: what must be found out of connections.
        clock: gives the time, aware.
        pages: the answers that people see.
        warnings: who clicked through which warning.
        destinations: where names really lead.
        recorder: journal and metrics.
        metrics: for what concerns connections rather than requests.
        cut: closes a client's connection at once.
        tunnel_ports: to which tunnels may lead.
        pinning: told of clients that take a certificate of the gateway's, and of those that do not.
        metering: the budgets of audio and video.
        surroundings: what is known of pages from around them.
        picture_hook: asks what pictures show; None where nobody is asked.
    """

    engines: Engines
    clients: Clients
    callers: Callers
    clock: Callable[[], datetime]
    pages: Pages
    warnings: Warnings
    destinations: Destinations
    recorder: Recorder
    metrics: Metrics
    cut: Callable[[ClientConnection], None]
    metering: Metering
    picture_hook: PictureHook | None = None
    tunnel_ports: Container[int] = range(65_536)
    pinning: Pinning = field(default_factory=Pinning)
    surroundings: Surroundings = field(default_factory=Surroundings)
