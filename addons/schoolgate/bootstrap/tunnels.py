"""Devices at home, as policy and people.yaml know them, and as the command line changes them."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime
from ipaddress import ip_network

from schoolgate.core.errors import ConfigurationError, Fault, RefusedError
from schoolgate.core.people import Device, Membership, People, WireGuardPeer, sign_in_name
from schoolgate.core.policy import Policy
from schoolgate.documents import suggestion
from schoolgate.settings import Settings
from schoolgate.wireguard import (
    PEERS,
    NamedTwiceError,
    Peer,
    change_peers,
    device_file,
    ensure_key,
    is_public_key,
    new_key,
    public_key,
    read_peers,
)

type Change = Callable[[tuple[Peer, ...]], tuple[Peer, ...]]


def with_devices_at_home(settings: Settings, policy: Policy, people: People) -> People:
    """Give what is known of people with the devices at home in it, if there is a way in for them.

    Raises:
        ConfigurationError: when one is in a group that the policy does not have, or has the key or
            address of a peer in people.yaml.
        UnavailableError: when they cannot be read.
    """
    if settings.wireguard.listen is None:
        return people
    peers = read_peers(settings.wireguard_dir)
    faults = list(_faults(settings, policy, people, peers))
    if faults:
        raise ConfigurationError(faults)
    devices = {device.id: device for device in people.devices}
    domains = people.sign_in.domains
    at_home = (_known(peer, devices.get(peer.name), domains) for peer in peers)
    return replace(people, wireguard=(*people.wireguard, *at_home))


def _faults(
    settings: Settings, policy: Policy, people: People, peers: tuple[Peer, ...]
) -> Iterator[Fault]:
    file = str(settings.wireguard_dir / PEERS)
    keys = {peer.public_key for peer in people.wireguard}
    ranges = [network for peer in people.wireguard for network in peer.allowed_ips]
    for peer in peers:
        if peer.group and peer.group not in policy.groups:
            hint = suggestion(peer.group, policy.groups) or f"remove {peer.name} and add it again"
            yield Fault(file, 0, f"{peer.name} is in the unknown group '{peer.group}'", hint)
        own = [ip_network(address) for address in peer.addresses]
        taken = any(
            one.version == other.version and one.subnet_of(other)  # type: ignore[arg-type]
            for one in own for other in ranges
        )  # fmt: skip
        if peer.public_key in keys or taken:
            yield Fault(file, 0, f"{peer.name} is a peer in {settings.people}, too")


def _known(peer: Peer, device: Device | None, domains: tuple[str, ...]) -> WireGuardPeer:
    """Give it as others know it; what people.yaml says of the device holds where nothing else is said."""
    membership = Membership(peer.group, frozenset())
    if device is not None and not peer.group and not peer.user:
        membership = device.membership
    return WireGuardPeer(
        public_key=peer.public_key,
        allowed_ips=tuple(ip_network(address) for address in peer.addresses),
        user=sign_in_name(peer.user, domains) or (device.user if device else ""),
        device=peer.name,
        device_kind=peer.kind or (device.kind if device else ""),
        membership=membership,
    )


class DevicesAtHome:
    """The devices, as the command line lists and changes them.

    Args:
        settings: of this machine.

    Raises:
        ConfigurationError: when the settings open no way in for them.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._directory = settings.wireguard_dir
        tunnels = settings.wireguard
        for key, value in (("listen", tunnels.listen), ("endpoint", tunnels.endpoint)):
            if not value:
                hint = "see the file, and docs/gateway.md"
                raise ConfigurationError(
                    [Fault(str(settings.file), 0, f"wireguard.{key} is not set", hint)]
                )

    def all(self) -> tuple[Peer, ...]:
        """Give them all."""
        return read_peers(self._directory)

    def add(self, peer: Peer, key: str, now: datetime) -> tuple[Peer, str]:
        """Add a device, and give it with its addresses, and the file that it is told all by.

        Args:
            peer: it, without key, addresses and day.
            key: its public key; "" for a pair that is made now, and of which nothing is kept.
            now: the time, aware.

        Raises:
            RefusedError: when there is one of that name or key, or no address is left.
        """
        private, key = self._pair(key)

        def changed(peers: tuple[Peer, ...]) -> tuple[Peer, ...]:
            taken = frozenset(address for each in peers for address in each.addresses)
            try:
                own = tuple(map(str, self._settings.wireguard.free_addresses(taken)))
            except ValueError as error:
                raise RefusedError(str(error)) from error
            day = now.date().isoformat()
            return (*peers, replace(peer, public_key=key, addresses=own, added=day))

        return self._changed(changed, peer.name, private)

    def renew(self, name: str, key: str) -> tuple[Peer, str]:
        """Give a device another key, and the file; what had the old one is cut off.

        Raises:
            RefusedError: when there is none of that name, or another one has the key.
        """
        private, key = self._pair(key)

        def changed(peers: tuple[Peer, ...]) -> tuple[Peer, ...]:
            old = _named(peers, name)
            new = replace(old, public_key=key)
            return tuple(new if peer is old else peer for peer in peers)

        return self._changed(changed, name, private)

    def remove(self, name: str) -> None:
        """Take a device away; it is cut off within two seconds.

        Raises:
            RefusedError: when there is none of that name.
        """

        def changed(peers: tuple[Peer, ...]) -> tuple[Peer, ...]:
            old = _named(peers, name)
            return tuple(peer for peer in peers if peer is not old)

        change_peers(self._directory, changed)

    def file(self, name: str) -> str:
        """Give the file of a device without its private key, which is not kept here.

        Raises:
            RefusedError: when there is none of that name.
        """
        return self._file(_named(self.all(), name), "")

    def _changed(self, change: Change, name: str, private: str) -> tuple[Peer, str]:
        try:
            peers = change_peers(self._directory, change)
        except NamedTwiceError as error:
            raise RefusedError(str(error)) from error
        peer = _named(peers, name)
        return peer, self._file(peer, private)

    def _file(self, peer: Peer, private: str) -> str:
        tunnels = self._settings.wireguard
        gateway = public_key(ensure_key(self._directory))
        return device_file(peer, private, gateway, tunnels.endpoint, tunnels.own_addresses)

    @staticmethod
    def _pair(key: str) -> tuple[str, str]:
        if key:
            if not is_public_key(key):
                raise RefusedError(f"'{key}' is not a public key of WireGuard")
            return "", key
        private = new_key()
        return private, public_key(private)


def _named(peers: tuple[Peer, ...], name: str) -> Peer:
    for peer in peers:
        if peer.name == name:
            return peer
    hint = suggestion(name, [peer.name for peer in peers])
    raise RefusedError(f"there is no device '{name}'" + (f": {hint}" if hint else ""))
