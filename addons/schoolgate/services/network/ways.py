"""Which ways into the filter the settings open."""

from dataclasses import dataclass
from typing import Self

from schoolgate.core.hosts import as_ip
from schoolgate.settings import Settings
from schoolgate.settings.machine import split_address
from schoolgate.settings.network import Network, NetworkSettings


@dataclass(frozen=True, slots=True)
class Ways:
    """The ways in, of a machine that is a gateway.

    Attributes:
        network: where it stands.
        portal: the name of the portal.
        proxy_port: where browsers speak to the proxy; None where only this machine can.
        transparent_port: where the packet filter turns connections; None for no such way.
        tunnel_port: where devices at home come in, of UDP; None for nowhere.
        tunnel_ranges: their addresses, which nobody has who is not in a tunnel.
    """

    network: NetworkSettings
    portal: str
    proxy_port: int | None
    transparent_port: int | None
    tunnel_port: int | None = None
    tunnel_ranges: tuple[Network, ...] = ()

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """Read them from the settings."""
        redirected = settings.proxy.transparent_listen
        tunnels = settings.wireguard
        return cls(
            settings.network,
            settings.portal.host,
            _port_for_others(settings.proxy.listen),
            split_address(redirected)[1] if redirected else None,
            _port_for_others(tunnels.listen) if tunnels.listen else None,
            tunnels.ranges if tunnels.listen else (),
        )

    @property
    def answers_names(self) -> bool:
        """Whether this gateway answers the devices' questions for names."""
        return bool(self.network.name_servers)

    @property
    def proxies(self) -> tuple[str, ...]:
        """Where browsers find the proxy, as ``host:port``."""
        if self.proxy_port is None:
            return ()
        return tuple(
            f"[{address}]:{self.proxy_port}"
            if address.version == 6
            else f"{address}:{self.proxy_port}"
            for address in self.network.addresses
        )

    @property
    def pac_url(self) -> str:
        """Where browsers find the PAC file; "" where they need none."""
        if self.proxy_port is None or not self.network.addresses:
            return ""
        # By address: it must be found before any name is. Port 80 is turned to the proxy.
        return f"http://{self.proxies[0].rpartition(':')[0]}/wpad.dat"


def _port_for_others(listen: str) -> int | None:
    """Give the port of an address, or None where only this machine can reach it."""
    host, port = split_address(listen)
    address = as_ip(host)
    return None if host == "localhost" or (address and address.is_loopback) else port
