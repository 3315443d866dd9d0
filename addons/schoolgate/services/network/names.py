"""The configuration of dnsmasq: names for the school's devices, and what browsers ask about filtering."""

from collections.abc import Iterator

from schoolgate.core.canaries import ZONE
from schoolgate.services.network.ways import Ways

_HEAD = '# Made by "schoolgate gateway dnsmasq" from the settings; a change here is lost.\n'
# A network that answers "no such name" wants its own name servers used: Firefox's default DNS over
# HTTPS, and iCloud Private Relay, which asks a person then.
CANARIES = (
    "use-application-dns.net",
    "mask.icloud.com",
    "mask-h2.icloud.com",
    "mask-canary.icloud.com",
    "mask-api.icloud.com",
)


def dnsmasq(ways: Ways) -> str:
    """Give the file for ``/etc/dnsmasq.d``."""
    return _HEAD + "".join(f"{line}\n" for line in (*_names(ways), *_addresses_given(ways)))


def _names(ways: Ways) -> Iterator[str]:
    network = ways.network
    # Interfaces that come later are served too, and no others.
    yield "bind-dynamic"
    for name in network.inside:
        yield f"interface={name}"
    if not ways.answers_names:
        yield "port=0"
        return
    yield "no-resolv"
    for server in network.name_servers:
        yield f"server={server}"
    yield "domain-needed"
    yield "bogus-priv"
    # A name of the internet leads to no address of the school.
    yield "stop-dns-rebind"
    yield "cache-size=10000"
    # Encrypted ClientHello and HTTP/3 are offered by these.
    yield "filter-rr=HTTPS,SVCB"
    for canary in CANARIES:
        yield f"address=/{canary}/"
    own = [ways.portal]
    if not ZONE.endswith(f".{ways.portal}"):
        own.append(ZONE)
    if ways.pac_url:
        own += ["wpad", *([f"wpad.{network.domain}"] if network.domain else [])]
    for name in own:
        for address in network.addresses:
            yield f"address=/{name}/{address}"
    if network.domain:
        yield f"domain={network.domain}"
        yield f"local=/{network.domain}/"


def _addresses_given(ways: Ways) -> Iterator[str]:
    network = ways.network
    if not network.leases:
        return
    yield "dhcp-authoritative"
    for first, last in network.leases:
        yield f"dhcp-range={first},{last},12h"
    if ways.pac_url:
        yield f'dhcp-option=252,"{ways.pac_url}"'
    if any(address.version == 6 for address in network.addresses):
        yield "enable-ra"
        for name in network.inside:
            yield f"dhcp-range=::,constructor:{name},ra-stateless"
