"""The filter's addons, put together once for our own master and for a stock mitmdump alike."""

import resource
import secrets
from collections.abc import Callable, Container, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from mitmproxy.connection import Client

from schoolgate.core.approvals import school_day
from schoolgate.core.content import SeenSites
from schoolgate.core.hosts import IpNetwork
from schoolgate.monitoring import Journal, Metrics
from schoolgate.proxy.destinations import Destinations
from schoolgate.proxy.filter import Filter
from schoolgate.proxy.gate.answers import Answers
from schoolgate.proxy.gate.door import Desk
from schoolgate.proxy.gate.gate import Bounds, Gate
from schoolgate.proxy.gate.leaves import Leaves
from schoolgate.proxy.gate.pac_door import PacDoor
from schoolgate.proxy.gate.portal_door import PortalDoor
from schoolgate.proxy.guard import Guard
from schoolgate.proxy.handshakes import Handshakes
from schoolgate.proxy.interstitial import Warnings
from schoolgate.proxy.master import ProxyMaster
from schoolgate.proxy.metering import Metering
from schoolgate.proxy.pages import Pages
from schoolgate.proxy.picture_hook import PictureHook
from schoolgate.proxy.recorder import Recorder
from schoolgate.proxy.surroundings import Surroundings
from schoolgate.proxy.tools import Tools
from schoolgate.services.acceptances import Acceptances
from schoolgate.services.callers import Callers
from schoolgate.services.clients import Clients
from schoolgate.services.engines import Engines
from schoolgate.services.metering import Meter
from schoolgate.services.pinning import Pinning
from schoolgate.services.signs import Signs
from schoolgate.services.tickets import Tickets


@dataclass(frozen=True, slots=True)
class PortalPlace:
    """Where the portal is.

    Attributes:
        url: under which people ask for it.
        socket: where the gateway hands requests to it.
    """

    url: str
    socket: Path


@dataclass(frozen=True, slots=True)
class FilterAddons:
    """The guard and the addons it stands around."""

    guard: Guard
    destinations: Destinations
    addons: tuple[object, ...]
    tools: Tools
    portal: PortalPlace | None = None
    pac_door: PacDoor | None = None

    def gate(self, behind: ProxyMaster, desk: Desk | None = None) -> Gate:
        """Make the gate that stands in front; needs a running event loop.

        Args:
            behind: the proxy that these addons are in.
            desk: where workers give connections to each other.
        """
        tools = self.tools
        leaves = Leaves(behind.leaf)
        return Gate(
            engines=tools.engines,
            clients=tools.clients,
            callers=tools.callers,
            clock=tools.clock,
            answers=Answers(tools.pages, tools.recorder, tools.surroundings),
            leaves=leaves,
            resolver=self.destinations,
            behind=behind,
            recorder=tools.recorder,
            metrics=tools.metrics,
            bounds=Bounds.within(resource.getrlimit(resource.RLIMIT_NOFILE)[0]),
            desk=desk,
            portal_door=PortalDoor(self.portal.url, self.portal.socket, leaves.context)
            if self.portal
            else None,
            pac_door=self.pac_door,
            tunnel_ports=tools.tunnel_ports,
        )


def make_addons(
    engines: Engines,
    metrics: Metrics,
    journal: Journal,
    clock: Callable[[], datetime],
    cut: Callable[[Client], None],
    allowed: Sequence[IpNetwork] = (),
    hosts: Mapping[str, str] | None = None,
    clients: Clients | None = None,
    callers: Callers | None = None,
    warnings: Warnings | None = None,
    portal: PortalPlace | None = None,
    tickets: Tickets | None = None,
    pac_door: PacDoor | None = None,
    tunnel_ports: Container[int] = range(65_536),
    pinning: Pinning | None = None,
    metering: Metering | None = None,
    signs: Signs | None = None,
    seen: SeenSites | None = None,
    picture_hook: PictureHook | None = None,
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
        clients: who asks; without it everybody is a stranger.
        callers: what must be found out of connections; without it nothing.
        warnings: who clicked through which warning; without it that is known here only.
        portal: where the portal is; None where there is none.
        tickets: signs what block pages tell the portal; without it they do not link its forms.
        pac_door: gives browsers the PAC file; None where there is none.
        tunnel_ports: to which tunnels may lead.
        pinning: finds programs that trust no certificate of the gateway's; without it nobody is told.
        metering: the budgets of audio and video; without it they are counted here only.
        signs: looks for signs of harm; without it nobody does.
        seen: the sites that the school has seen; without it those since the start.
        picture_hook: asks what pictures show; without it nobody does.
    """
    is_in_need = signs.is_in_need if signs is not None else Signs.nobody_is
    pages = Pages(lambda: engines.current, clock, portal.url if portal else "", tickets, is_in_need)
    guard = Guard(pages, metrics.filter_errors, cut)
    destinations = Destinations(
        guard, allowed, hosts, aliases=lambda: engines.current.policy.aliases
    )
    tools = Tools(
        engines=engines,
        clients=clients or Clients(),
        callers=callers or Callers(),
        clock=clock,
        pages=pages,
        warnings=warnings or Warnings(secrets.token_bytes(32), Acceptances(engines)),
        destinations=destinations,
        recorder=Recorder(journal, metrics, signs=signs),
        metrics=metrics,
        cut=cut,
        metering=metering or Metering(Meter(lambda: school_day(clock())), secrets.token_bytes(32)),
        tunnel_ports=tunnel_ports,
        pinning=pinning or Pinning(),
        surroundings=Surroundings(seen),
        picture_hook=picture_hook,
    )
    addons = (destinations, Handshakes(guard, tools), Filter(guard, tools))
    return FilterAddons(guard, destinations, addons, tools, portal, pac_door)
