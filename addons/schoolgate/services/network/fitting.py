"""What in the settings does not fit together, as sentences that say what to do."""

from collections.abc import Iterable, Iterator
from ipaddress import collapse_addresses

from schoolgate.core.hosts import IpNetwork, as_ip
from schoolgate.core.people import People
from schoolgate.services.network.ways import Ways
from schoolgate.settings import Settings
from schoolgate.settings.machine import split_address
from schoolgate.settings.network import NetworkSettings


def misfits(settings: Settings) -> Iterator[str]:
    """Give them; none where this machine is no gateway."""
    ways, network = Ways.of(settings), settings.network
    if not network.is_used:
        return
    if ways.proxy_port is None and ways.transparent_port is None:
        yield (
            "No device can reach the filter: set proxy.listen to an address of the school's network, "
            "or proxy.transparent_listen."
        )
    yield from _transparent(settings)
    yield from _tunnels(settings)
    if not network.outside and (network.bypass or network.open):
        yield "network.bypass and network.open do nothing without network.outside."
    if network.leases and not network.name_servers:
        yield "Devices that get an address here ask this machine for names: set network.name_servers."
    if not network.administration:
        yield (
            "Nobody can administer this machine by SSH once the rules are loaded: "
            "set network.administration."
        )


def strays(network: NetworkSettings, people: People) -> Iterator[str]:
    """Say which networks with a group of their own the packet filter does not bring to the filter.

    Args:
        network: how this machine stands.
        people: names the networks.
    """
    if not network.is_used:
        return
    for named in people.networks:
        for place in named.ranges:
            if network.clients and not _covers(network.clients, place):
                yield (
                    f"The network {named.id} ({place}) gets nothing here: "
                    "add it to network.clients, or take it out of people.yaml."
                )
            elif _covers(network.bypass, place):
                yield (
                    f"The network {named.id} ({place}) goes round the filter, and no rule of its "
                    "group holds: take it out of network.bypass, or out of people.yaml."
                )


def _covers(networks: Iterable[IpNetwork], place: IpNetwork) -> bool:
    """Ask whether all of a network lies in others, which may touch."""
    if place.version == 4:
        four = (one for one in networks if one.version == 4)
        return any(place.subnet_of(one) for one in collapse_addresses(four))
    six = (one for one in networks if one.version == 6)
    return any(place.subnet_of(one) for one in collapse_addresses(six))


def _transparent(settings: Settings) -> Iterator[str]:
    address = settings.proxy.transparent_listen
    if address is None:
        return
    host, port = split_address(address)
    place = as_ip(host)
    if place is None or not place.is_unspecified:
        yield (
            f"Redirected connections come to the address of their interface, and not to {host}: "
            f'set proxy.transparent_listen to "[::]:{port}".'
        )
    elif place.version == 4 and any(one.version == 6 for one in settings.network.addresses):
        yield (
            "Redirected connections of IPv6 are refused: "
            f'set proxy.transparent_listen to "[::]:{port}".'
        )
    if port == split_address(settings.proxy.listen)[1]:
        yield "proxy.transparent_listen needs a port that is not the one of proxy.listen."


def _tunnels(settings: Settings) -> Iterator[str]:
    tunnels, network = settings.wireguard, settings.network
    if tunnels.listen is None:
        return
    ways = Ways.of(settings)
    if ways.tunnel_port is None:
        yield (
            "Devices at home cannot reach this machine: "
            'set wireguard.listen to an address outside, e.g. "[::]:51820".'
        )
    if not tunnels.endpoint:
        yield "Devices at home are not told where this gateway is: set wireguard.endpoint."
    if not network.outside:
        yield "wireguard.listen does nothing without network.outside."
    for one in tunnels.ranges:
        if any(address in one for address in network.addresses):
            yield f"The addresses of tunnels, {one}, are those of the school: set wireguard.ranges."
