"""What a request or a connection looks like, whatever site it is for: what rules call a shape."""

from enum import StrEnum
from functools import lru_cache

from schoolgate.core.hosts import as_ip, is_private


class Shape(StrEnum):
    """A sign that something goes round the filter; each is closed where no rule says otherwise.

    Of several, the first here is the one that is named.

    Attributes:
        ADDRESS: the site is named by a public IP address, of which no list says anything.
        ODD_PORT: a tunnel to a port that is not one of the web's.
        OLD_TLS: a client that offers TLS 1.1 or older and nothing else (RFC 8996).
        HIDDEN_NAME: a server name that is encrypted (ESNI, the drafts before ECH).
        NO_NAME: a ClientHello without a server name (RFC 6066), though the tunnel is to a name.
        DOH: a DNS query over HTTPS, to whatever host (RFC 8484).
        NESTED: addresses within addresses, deeper than anybody needs.
    """

    ADDRESS = "address"
    ODD_PORT = "odd-port"
    OLD_TLS = "old-tls"
    HIDDEN_NAME = "hidden-name"
    NO_NAME = "no-name"
    DOH = "doh"
    NESTED = "nested"

    @property
    def condition(self) -> str:
        """The pseudo-category of what has this shape."""
        return f"shape:{self.value}"


NOTES = {
    Shape.ADDRESS: "Sites are reached by their names: of a bare address nobody knows what is there.",
    Shape.ODD_PORT: "Tunnels lead to the ports of the web; other programs have no way through here.",
    Shape.NO_NAME: "The connection does not say which site it is for.",
    Shape.HIDDEN_NAME: "The connection hides which site it is for.",
    Shape.OLD_TLS: "The program speaks a version of TLS that is no longer safe. Bring it up to date.",
    Shape.DOH: "Names are looked up by the school's own resolver.",
    Shape.NESTED: "The address leads through one service after another.",
}
_ADDRESS = (Shape.ADDRESS,)


def shapes_of_host(host: str) -> tuple[Shape, ...]:
    """Give the shapes that a normalised host alone has; one without any costs a comparison."""
    # By the WHATWG URL standard a name whose last label is a number is an IPv4 address.
    if host and (host[-1] == "]" or "0" <= host[-1] <= "9"):
        return _of_address(host)
    return ()


@lru_cache(4096)
def _of_address(host: str) -> tuple[Shape, ...]:
    address = as_ip(host)
    # Where private ones may be reached, the technician has opened their network.
    return _ADDRESS if address is not None and not is_private(address) else ()
