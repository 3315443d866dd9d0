"""Who is at which address at this moment, as one snapshot that is replaced whole."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from math import inf
from types import MappingProxyType

from schoolgate.core.bindings import Binding, BindingState
from schoolgate.core.errors import BadAddressError
from schoolgate.core.hardware import is_randomised
from schoolgate.core.hosts import IpAddress
from schoolgate.core.identity import UNKNOWN, Claim, Facts, Identity, Rank, identify
from schoolgate.core.people import Device, Network, People, WireGuardPeer
from schoolgate.core.prefixes import Prefixes, client_address, parsed_address
from schoolgate.identity.facts import Lease, Neighbour, Session

# More addresses than a school has; a client that goes through its /64 must not fill the memory.
_REMEMBERED = 65_536

_DISPUTED = "two devices are said to be at this address"


@dataclass(frozen=True, slots=True)
class Hardware:
    """The device at an address, as leases and the neighbour table know it.

    Attributes:
        mac: its hardware address, normalised; "" when sources name different ones.
        hostname: as its lease has it.
        until: seconds since 1970 from which on this is no longer known.
        source: who says so.
    """

    mac: str
    hostname: str = ""
    until: float = inf
    source: str = "leases"

    @property
    def randomised(self) -> bool:
        """Whether the device made its hardware address up."""
        return bool(self.mac) and is_randomised(self.mac)


@dataclass(frozen=True, slots=True)
class Known:
    """Everything a directory is made of.

    Attributes:
        people: what the school wrote down.
        leases: of all DHCP servers; of two for one address in one source the later counts.
        neighbours: of this machine.
        bindings: of the sign-in page.
        sessions: of RADIUS accounting.
        strictest_first: ids of the policy's groups, the strictest first.
        unread: rank of a source that cannot be asked at this moment → what it is. Of whom it might
            have spoken and what is kept of it does not, no lower source gives a group.
    """

    people: People = field(default_factory=People)
    leases: Sequence[Lease] = ()
    neighbours: Sequence[Neighbour] = ()
    bindings: Sequence[Binding] = ()
    sessions: Sequence[Session] = ()
    strictest_first: Sequence[str] = ()
    unread: Mapping[Rank, str] = field(default_factory=lambda: MappingProxyType({}))


class Directory:
    """A snapshot of who is where; built in a thread, read from the event loop without a lock.

    It never changes in what it answers. What was worked out for an address is remembered, so that
    the second look costs a dictionary access; an answer is worked out anew when a lease, a binding
    or a session that it rests on ends.
    """

    def __init__(self, known: Known) -> None:
        """Index what is known; the cost grows with the leases, not with the networks' sizes."""
        self._known = known
        self._hardware = _hardware(known.leases, known.neighbours)
        people = known.people
        self._networks = Prefixes[Network](
            (prefix, network) for network in people.networks for prefix in network.ranges
        )
        self._peers = Prefixes[WireGuardPeer](
            (prefix, peer) for peer in people.wireguard for prefix in peer.allowed_ips
        )
        self._devices_by_mac = _grouped(
            (mac, device) for device in people.devices for mac in device.macs
        )
        self._devices_by_address = _grouped(
            (client_address(str(a)), device) for device in people.devices for a in device.addresses
        )
        current = [b for b in known.bindings if b.state is not BindingState.ENDED]
        self._bindings_by_mac = _grouped((b.mac, b) for b in current if b.mac)
        self._bindings_by_address = _grouped((b.address, b) for b in current if not b.mac)
        self._sessions_by_mac = _grouped((s.mac, s) for s in known.sessions if s.mac)
        self._sessions_by_address = _grouped((a, s) for s in known.sessions for a in s.addresses)
        self._sessions_by_prefix = Prefixes[Session](
            (prefix, session) for session in known.sessions for prefix in session.prefixes
        )
        self._remembered: dict[str | tuple[str, Claim], tuple[Identity, float]] = {}

    def identify(self, address: str, at: float, signed_in: Claim | None = None) -> Identity:
        """Say who is at an address; what is no address is nobody's.

        Args:
            address: of the client, in any spelling.
            at: seconds since 1970; what ended at an earlier call stays ended.
            signed_in: what proxy authentication on this connection proved.
        """
        key = address if signed_in is None else (address, signed_in)
        remembered = self._remembered.get(key)
        if remembered is not None and at < remembered[1]:
            return remembered[0]
        return self._worked_out(key, address, at, signed_in)

    def hardware(self, address: str) -> Hardware | None:
        """Give the device at an address, or None."""
        try:
            return self._hardware.get(client_address(address))
        except BadAddressError:
            return None

    def has_the_hardware_of(self, other: "Directory") -> bool:
        """Ask whether the same devices are at the same addresses, as another snapshot has them."""
        return self._hardware == other._hardware

    def addresses_of(self, mac: str) -> tuple[str, ...]:
        """Give every address of a device, such as the privacy addresses it made itself."""
        return tuple(a for a, hardware in self._hardware.items() if hardware.mac == mac != "")

    def claims(self, address: str, at: float) -> list[Claim]:
        """Give everything that is claimed of an address, for ``explain``.

        Raises:
            BadAddressError: when it is no address.
        """
        parsed = parsed_address(address)
        text = str(parsed)
        hardware = self._hardware.get(text)
        if hardware is not None and at >= hardware.until:
            hardware = None
        claims = [
            *self._bindings(text, hardware),
            *self._sessions(parsed, text, hardware),
            *self._peer(parsed),
            *self._devices(text, hardware),
            *self._network(parsed),
        ]
        spoken = {claim.rank for claim in claims}
        if hardware is not None:
            spoken.add(Rank.DEVICE)
        claims += (
            Claim(rank, source, withheld="cannot be read")
            for rank, source in self._known.unread.items()
            if rank not in spoken
        )
        return claims

    def _worked_out(
        self, key: str | tuple[str, Claim], address: str, at: float, signed_in: Claim | None
    ) -> Identity:
        try:
            claims = self.claims(address, at)
            text = client_address(address)
        except BadAddressError:
            return UNKNOWN
        if signed_in is not None:
            claims.append(signed_in)
        identity = identify(text, Facts(claims, at, self._known.strictest_first))
        until = min((claim.until for claim in claims if claim.until > at), default=inf)
        hardware = self._hardware.get(text)
        if hardware is not None and hardware.until > at:
            until = min(until, hardware.until)
        if len(self._remembered) >= _REMEMBERED:
            self._remembered.clear()
        self._remembered[key] = (identity, until)
        return identity

    def _bindings(self, address: str, hardware: Hardware | None) -> Iterable[Claim]:
        if hardware is not None and hardware.mac:
            for binding in self._bindings_by_mac.get(hardware.mac, ()):
                yield _of_binding(binding, hardware.until)
        for binding in self._bindings_by_address.get(address, ()):
            claim = _of_binding(binding, inf)
            if hardware is not None and not hardware.mac:
                yield _withheld(claim, _DISPUTED, hardware)
            else:
                yield claim

    def _sessions(
        self, parsed: IpAddress, address: str, hardware: Hardware | None
    ) -> Iterable[Claim]:
        mac = hardware.mac if hardware is not None else ""
        found = list(self._sessions_by_address.get(address, ()))
        by_prefix = self._sessions_by_prefix.longest(parsed)
        if by_prefix is not None and by_prefix not in found:
            found.append(by_prefix)
        for session in found:
            claim = _of_session(session, inf)
            if hardware is not None and not mac:
                yield _withheld(claim, _DISPUTED, hardware)
            elif hardware is not None and session.mac and session.mac != mac:
                yield _withheld(claim, "another device is at this address now", hardware)
            else:
                yield claim
        if hardware is not None and mac:
            for session in self._sessions_by_mac.get(mac, ()):
                if session not in found:
                    yield _of_session(session, hardware.until)

    def _peer(self, parsed: IpAddress) -> Iterable[Claim]:
        peer = self._peers.longest(parsed)
        if peer is not None:
            yield Claim(
                Rank.WIREGUARD,
                f"WireGuard peer {peer.public_key[:8]}…",
                user=peer.user,
                device=peer.device,
                device_kind=peer.device_kind,
                group=peer.membership.group,
                also=peer.membership.also,
            )

    def _devices(self, address: str, hardware: Hardware | None) -> Iterable[Claim]:
        for device in self._devices_by_address.get(address, ()):
            yield _of_device(device, f"device {device.id}, by its address", inf)
        if hardware is None:
            return
        if not hardware.mac:
            yield Claim(Rank.DEVICE, hardware.source, until=hardware.until, withheld=_DISPUTED)
            return
        for device in self._devices_by_mac.get(hardware.mac, ()):
            if device.hostname and device.hostname != hardware.hostname:
                continue
            made_up = ", which it made up itself" if hardware.randomised else ""
            source = f"device {device.id}, by its hardware address{made_up} ({hardware.source})"
            yield _of_device(device, source, hardware.until)

    def _network(self, parsed: IpAddress) -> Iterable[Claim]:
        network = self._networks.longest(parsed)
        if network is not None:
            yield Claim(
                Rank.NETWORK,
                f"network {network.id}",
                network=network.id,
                group=network.membership.group,
                also=network.membership.also,
            )


def _grouped[K, V](pairs: Iterable[tuple[K, V]]) -> dict[K, tuple[V, ...]]:
    lists: dict[K, list[V]] = {}
    for key, value in pairs:
        lists.setdefault(key, []).append(value)
    return {key: tuple(values) for key, values in lists.items()}


def _hardware(leases: Iterable[Lease], neighbours: Iterable[Neighbour]) -> dict[str, Hardware]:
    """Bring leases and neighbours together.

    A neighbour that was confirmed a moment ago and is another than the lease says makes the
    address disputed: either may be an impostor. One that was not may be the last device there.
    """
    by_address: dict[str, Hardware] = {}
    for lease in leases:
        if not lease.mac:
            continue
        before = by_address.get(lease.address)
        if before is not None and before.mac != lease.mac:
            until = max(before.until, lease.until)
            by_address[lease.address] = Hardware(
                "", "", until, _said("leases", before.mac, lease.mac)
            )
        else:
            by_address[lease.address] = Hardware(lease.mac, lease.hostname, lease.until)
    confirmed: dict[str, set[str]] = {}
    remembered: dict[str, set[str]] = {}
    for neighbour in neighbours:
        table = confirmed if neighbour.confirmed else remembered
        table.setdefault(neighbour.address, set()).add(neighbour.mac)
    for address, macs in confirmed.items():
        by_address[address] = _with_neighbours(by_address.get(address), macs)
    for address, macs in remembered.items():
        if address not in by_address:
            by_address[address] = _with_neighbours(None, macs)
    return by_address


def _with_neighbours(lease: Hardware | None, macs: set[str]) -> Hardware:
    """Give the device at an address for which neighbours answered (on one network or on several)."""
    if len(macs) > 1 or (lease is not None and lease.mac not in macs):
        said = sorted(macs | ({lease.mac} if lease is not None else set()))
        return Hardware("", "", inf, _said("neighbours", *said))
    if lease is not None:
        return lease
    return Hardware(next(iter(macs)), source="neighbours")


def _said(source: str, *macs: str) -> str:
    return f"{source} ({', '.join(mac for mac in macs if mac)})"


def _withheld(claim: Claim, why: str, hardware: Hardware) -> Claim:
    """Give a claim that names nobody and keeps lower ones from giving a group."""
    until = min(claim.until, hardware.until)
    return Claim(claim.rank, claim.source, until=until, withheld=why)


def _of_binding(binding: Binding, until: float) -> Claim:
    banned = binding.state is BindingState.BANNED
    return Claim(
        Rank.SIGN_IN,
        f"sign-in of {binding.user}",
        user=binding.user,
        group="" if banned else binding.group,
        also=frozenset() if banned else binding.also,
        until=min(binding.until, until),
        withheld="this sign-in is banned" if banned else "",
    )


def _of_session(session: Session, until: float) -> Claim:
    return Claim(
        Rank.RADIUS,
        f"RADIUS session {session.id} at {session.nas}",
        user=session.user,
        group=session.group,
        also=session.also,
        until=min(session.until, until),
    )


def _of_device(device: Device, source: str, until: float) -> Claim:
    return Claim(
        Rank.DEVICE,
        source,
        user=device.user,
        device=device.id,
        device_kind=device.kind,
        group=device.membership.group,
        also=device.membership.also,
        until=until,
    )
