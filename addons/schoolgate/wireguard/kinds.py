"""Where what comes out of a tunnel goes: to the filter, to the name server, or nowhere."""

from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum


class Way(StrEnum):
    """Where something goes; those from QUIC on are refused, and counted under these names."""

    WEB = "web"
    """To the filter, as a connection that its client believes to be with a site."""
    PROXY = "proxy"
    """To the filter, as a client that speaks to a proxy."""
    NAMES = "names"
    QUIC = "quic"
    DNS_OVER_TLS = "dns_over_tls"
    TUNNELS = "tunnels"
    OTHERS = "others"


# What devices at home sent and went nowhere, by what it is counted as.
REFUSED = (
    Way.QUIC, Way.DNS_OVER_TLS, Way.TUNNELS, Way.OTHERS, "spoofed", "flood", "unknown", "replayed",
)  # fmt: skip
# As in the rules of the packet filter: IKE, IPsec through NAT, L2TP, OpenVPN, PPTP, WireGuard.
TUNNEL_PORTS = (500, 1194, 1701, 1723, 4500, 51820)
_WEB_PORTS = (80, 443)
_NAMES, _NAMES_OVER_TLS = 53, 853


@dataclass(frozen=True, slots=True)
class Ways:
    """What there is to go to.

    Attributes:
        own: addresses of this gateway, in their one form.
        proxy_port: where it is spoken to as a proxy; None for nowhere.
    """

    own: Collection[str] = ()
    proxy_port: int | None = None

    def of(self, protocol: str, address: str, port: int) -> Way:
        """Say where something goes.

        Args:
            protocol: ``tcp`` or ``udp``.
            address: to which it was sent, in its one form.
            port: to which.
        """
        is_stream = protocol == "tcp"
        if port == _NAMES:
            return Way.NAMES
        if port in _WEB_PORTS:
            return Way.WEB if is_stream else Way.QUIC
        if is_stream and port == self.proxy_port and address in self.own:
            return Way.PROXY
        if port == _NAMES_OVER_TLS:
            return Way.DNS_OVER_TLS
        return Way.TUNNELS if port in TUNNEL_PORTS else Way.OTHERS
