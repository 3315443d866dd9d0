"""The rules of nftables: nothing is forwarded that is not named, and the web is turned to the filter.

Loaded in one transaction, again and again: the table is made anew each time. That workers stop
opens nothing, as it is their ports that connections are turned to.
"""

import hashlib
from collections.abc import Iterable, Iterator, Sequence

from schoolgate.services.network.ways import Ways
from schoolgate.settings.network import Network, OpenSettings

TABLE = "schoolgate"

# RFC 4890, 4.3 and 4.4: without these IPv6 does not work; the ones of the link cannot be forwarded.
_ICMP6_ERRORS = "destination-unreachable, packet-too-big, time-exceeded, parameter-problem"
_ICMP6_LINK = (
    "nd-router-solicit, nd-router-advert, nd-neighbor-solicit, nd-neighbor-advert, "
    "mld-listener-query, mld-listener-report, mld-listener-done, mld2-listener-report"
)
_ICMP4 = "destination-unreachable, time-exceeded, parameter-problem, echo-request"
# IKE, IPsec through NAT, L2TP, OpenVPN, PPTP, WireGuard, and what is no TCP or UDP at all.
_TUNNEL_PORTS = "{ 500, 1194, 1701, 1723, 4500, 51820 }"
_TUNNEL_PROTOCOLS = "{ gre, esp, ah, 4, 41 }"
_VRRP = 112
_FAMILIES = ((4, "ip"), (6, "ip6"))
_KNOWN = "ct state vmap { established : accept, related : accept, invalid : drop }"
COUNTERS = ("quic", "dns", "dns_over_tls", "tunnels", "others")


def ruleset(ways: Ways) -> str:
    """Give the file for ``nft -f``; the table is marked with its `edition`."""
    return (
        '# Made by "schoolgate gateway rules" from the settings; a change here is lost.\n'
        # Adding it first lets the deletion succeed where there is none; all of it is one transaction.
        f"table inet {TABLE}\ndelete table inet {TABLE}\n\ntable inet {TABLE} {{\n"
        f'\tcomment "{edition(ways)}"\n' + _body(ways) + "}\n"
    )


def edition(ways: Ways) -> str:
    """Give what tells these rules from others; it stands in the loaded table."""
    return hashlib.sha256(_body(ways).encode()).hexdigest()[:16]


def _body(ways: Ways) -> str:
    lines = (
        *(f"counter {name} {{ }}" for name in COUNTERS),
        *_sets(ways),
        # Programs that hear nothing wait, and people with them.
        *_chain("refused", "", ("meta l4proto tcp reject with tcp reset", "reject")),
        *_chain(
            "redirected",
            "type nat hook prerouting priority dstnat; policy accept;",
            _redirected(ways),
        ),
        *_chain("input", "type filter hook input priority filter; policy drop;", _input(ways)),
        *_chain("served", "", _served(ways)),
        *_chain(
            "arriving",
            "type filter hook prerouting priority mangle; policy accept;",
            _arriving(ways),
        ),
        *_chain(
            "forward", "type filter hook forward priority filter; policy drop;", _forward(ways)
        ),
        *_chain("leaving", "", _leaving(ways)),
        *_masquerade(ways),
    )
    return "".join(f"\t{line}\n" for line in lines)


def _sets(ways: Ways) -> Iterator[str]:
    network = ways.network
    for name, networks in (
        ("bypass", network.bypass),
        ("clients", network.clients),
        ("administration", network.administration),
    ):
        for version in (4, 6):
            found = sorted({str(one) for one in networks if one.version == version})
            elements = f" elements = {{ {', '.join(found)} }};" if found else ""
            # What is in another one already is no fault.
            yield (
                f"set {name}{version} {{ type ipv{version}_addr; flags interval; auto-merge;"
                f"{elements} }}"
            )


def _chain(name: str, hook: str, rules: Iterable[str]) -> Iterator[str]:
    yield f"chain {name} {{"
    if hook:
        yield f"\t{hook}"
    for rule in rules:
        yield f"\t{rule}"
    yield "}"


def _redirected(ways: Ways) -> Iterator[str]:
    yield f"iifname != {_interfaces(ways.network.inside)} return"
    yield from _from("bypass", "return")
    if ways.answers_names:
        yield "meta l4proto { tcp, udp } th dport 53 redirect to :53"
    if ways.transparent_port is not None:
        yield f"tcp dport {{ 80, 443 }} redirect to :{ways.transparent_port}"
    elif ways.proxy_port is not None:
        # The PAC file is looked for at port 80 of this machine.
        yield f"fib daddr type local tcp dport 80 redirect to :{ways.proxy_port}"


def _input(ways: Ways) -> Iterator[str]:
    yield from _of_tunnels(ways)
    yield _KNOWN
    yield 'iifname "lo" accept'
    yield f"icmp type {{ {_ICMP4} }} accept"
    yield f"icmpv6 type {{ {_ICMP6_ERRORS}, echo-request, {_ICMP6_LINK} }} accept"
    for version, family in _FAMILIES:
        yield f"{family} saddr @administration{version} tcp dport 22 accept"
        other = _these(one for one in ways.network.pair if one.version == version)
        if other:
            yield f"{family} saddr {other} meta l4proto {_VRRP} accept"
    # This machine may have its own address from a provider.
    yield "udp dport 68 udp sport 67 accept"
    yield "udp dport 546 udp sport 547 accept"
    if ways.tunnel_port is not None:
        # From inside, too: a device keeps its tunnel when it comes to school.
        both = _interfaces((*ways.network.inside, *ways.network.outside))
        yield f"iifname {both} udp dport {ways.tunnel_port} accept"
    yield f"iifname {_interfaces(ways.network.inside)} jump served"


def _of_tunnels(ways: Ways) -> Iterator[str]:
    """Drop whatever claims an address of a tunnel: what comes by one is no packet any more here."""
    for version, family in _FAMILIES:
        places = _these(one for one in ways.tunnel_ranges if one.version == version)
        if places:
            yield f'iifname != "lo" {family} saddr {places} counter name others drop'


def _served(ways: Ways) -> Iterator[str]:
    if ways.network.leases:
        # Before anybody has an address.
        yield "udp dport 67 accept"
    yield "udp dport 547 accept"
    yield from _strangers(ways.network.clients)
    if ways.proxy_port is not None:
        yield f"tcp dport {ways.proxy_port} accept"
    if ways.transparent_port is not None:
        yield f"tcp dport {ways.transparent_port} ct status dnat accept"
    if ways.answers_names:
        yield "meta l4proto { tcp, udp } th dport 53 accept"
    yield "counter name others goto refused"


def _arriving(ways: Ways) -> Iterator[str]:
    """Refuse here already what would not be forwarded: a kernel that forwards nothing says nothing."""
    yield f"iifname != {_interfaces(ways.network.inside)} return"
    yield "ct state { established, related } return"
    yield "fib daddr type != unicast return"
    if ways.answers_names:
        yield "meta l4proto { tcp, udp } th dport 53 return"
    if ways.transparent_port is not None:
        yield "tcp dport { 80, 443 } return"
    yield "jump leaving"


def _forward(ways: Ways) -> Iterator[str]:
    network = ways.network
    yield from _of_tunnels(ways)
    yield _KNOWN
    if network.outside:
        inside, outside = _interfaces(network.inside), _interfaces(network.outside)
        yield f"iifname {inside} oifname {outside} jump leaving"
    yield "counter name others"


def _leaving(ways: Ways) -> Iterator[str]:
    yield from _strangers(ways.network.clients)
    yield from _from("bypass", "accept")
    for part in ways.network.open:
        yield from _open(part)
    yield "udp dport { 80, 443 } counter name quic reject"
    yield "meta l4proto { tcp, udp } th dport 853 counter name dns_over_tls goto refused"
    yield "meta l4proto { tcp, udp } th dport 53 counter name dns goto refused"
    yield f"meta l4proto {{ tcp, udp }} th dport {_TUNNEL_PORTS} counter name tunnels goto refused"
    yield f"meta l4proto {_TUNNEL_PROTOCOLS} counter name tunnels drop"
    yield "counter name others goto refused"


def _open(part: OpenSettings) -> Iterator[str]:
    for version, family in _FAMILIES:
        places = _these(one for one in part.to if one.version == version)
        for protocol, ports in (("tcp", part.tcp), ("udp", part.udp)):
            if places and ports:
                yield f"{family} daddr {places} {protocol} dport {_these(ports)} accept"


def _masquerade(ways: Ways) -> Iterator[str]:
    network = ways.network
    if network.masquerade and network.outside:
        hook = "type nat hook postrouting priority srcnat; policy accept;"
        yield from _chain("outwards", hook, [f"oifname {_interfaces(network.outside)} masquerade"])


def _from(name: str, verdict: str) -> Iterator[str]:
    for version, family in _FAMILIES:
        yield f"{family} saddr @{name}{version} {verdict}"


def _strangers(clients: Sequence[Network]) -> Iterator[str]:
    if clients:
        for version, family in _FAMILIES:
            yield f"{family} saddr != @clients{version} counter name others drop"


def _interfaces(names: Sequence[str]) -> str:
    return "{ " + ", ".join(f'"{name}"' for name in names) + " }"


def _these(items: Iterable[object]) -> str:
    found = list(dict.fromkeys(str(item) for item in items))
    return "{ " + ", ".join(found) + " }" if found else ""
