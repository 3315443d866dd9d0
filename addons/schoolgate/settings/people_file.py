"""A school's networks, devices and people as they stand in `config/local/people.yaml`."""

import re
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path
from types import MappingProxyType

from schoolgate.core.errors import ConfigurationError, Fault
from schoolgate.core.hosts import IpNetwork
from schoolgate.core.people import (
    Device,
    KerberosSettings,
    LdapSettings,
    LeaseSource,
    LoadBalancers,
    Membership,
    Network,
    People,
    RadiusSettings,
    SignInSettings,
    WireGuardPeer,
    sign_in_name,
)
from schoolgate.core.prefixes import client_address
from schoolgate.documents import (
    Document,
    Loc,
    parse_document,
    read_text,
    suggestion,
    validate,
)
from schoolgate.settings.people_text import (
    DeviceText,
    KerberosText,
    LdapText,
    MemberText,
    PeerText,
    PeopleText,
    RadiusText,
    SignInText,
)


def load_people(file: Path, groups: Collection[str]) -> People:
    """Read who and what is known; a file that is not there says nothing.

    Relative paths are from the directory that the file is in.

    Args:
        file: the YAML file.
        groups: ids of the policy's groups, primary and further ones.

    Raises:
        ConfigurationError: with every fault, each with its file and line.
    """
    if not file.exists():
        return People()
    text = read_text(file)
    has_keys = any(line.split("#")[0].strip() for line in text.splitlines())
    document = parse_document(str(file), text if has_keys else "{}")
    parsed = validate(document, PeopleText)
    faults = list(_Checks(document, parsed, groups).all())
    if faults:
        raise ConfigurationError(faults)
    return _Compiler(file.absolute().parent).people(parsed)


class _Checks:
    """What the form cannot say: names that exist, and that nothing is meant twice."""

    def __init__(self, document: Document, text: PeopleText, groups: Collection[str]) -> None:
        self._document = document
        self._text = text
        self._groups = frozenset(groups)

    def all(self) -> Iterator[Fault]:
        """Give every fault."""
        for loc, member in self._members():
            yield from self._member(loc, member)
        yield from self._default_groups()
        yield from self._networks()
        yield from self._devices()
        yield from self._people()
        yield from self._wireguard()
        yield from self._load_balancers()
        yield from self._sign_in()

    def _members(self) -> Iterator[tuple[Loc, MemberText]]:
        text, sign_in = self._text, self._text.sign_in
        tables: list[tuple[Loc, dict[str, MemberText]]] = [
            (("networks",), dict(text.networks)),
            (("devices",), dict(text.devices)),
            (("people",), dict(text.people)),
            (("sign_in", "ldap", "groups"), dict(sign_in.ldap.groups) if sign_in.ldap else {}),
            (
                ("sign_in", "radius", "classes"),
                dict(sign_in.radius.classes) if sign_in.radius else {},
            ),
        ]
        for loc, table in tables:
            for name, member in table.items():
                yield (*loc, name), member
        for i, peer in enumerate(text.wireguard):
            yield ("wireguard", i), peer

    def _member(self, loc: Loc, member: MemberText) -> Iterator[Fault]:
        if member.group:
            yield from self._known((*loc, "group"), member.group)
        for i, name in enumerate(member.also):
            yield from self._known((*loc, "also", i), name)

    def _default_groups(self) -> Iterator[Fault]:
        sign_in = self._text.sign_in
        for name, settings in (("ldap", sign_in.ldap), ("radius", sign_in.radius)):
            if settings is not None and settings.default_group:
                loc = ("sign_in", name, "default_group")
                yield from self._known(loc, settings.default_group)

    def _known(self, loc: Loc, group: str) -> Iterator[Fault]:
        if group not in self._groups:
            hint = suggestion(group, self._groups)
            yield self._document.fault(loc, f"unknown group '{group}'", hint)

    def _networks(self) -> Iterator[Fault]:
        seen: dict[IpNetwork, str] = {}
        for name, network in self._text.networks.items():
            for i, prefix in enumerate(network.ranges):
                loc = ("networks", name, "ranges", i)
                yield from self._once(seen, prefix, name, loc, "network")

    def _devices(self) -> Iterator[Fault]:
        macs: dict[str, str] = {}
        addresses: dict[str, str] = {}
        for name, device in self._text.devices.items():
            loc: Loc = ("devices", name)
            if not device.mac and not device.address:
                hint = "give its 'mac' or its 'address'"
                yield self._document.fault(loc, f"nothing says how '{name}' is recognised", hint)
            if device.hostname and not device.mac:
                message = "a host name proves nothing without the hardware address beside it"
                yield self._document.fault((*loc, "hostname"), message, "give the 'mac' too")
            for i, mac in enumerate(device.mac):
                yield from self._once(macs, mac, name, (*loc, "mac", i), "device")
            for i, address in enumerate(device.address):
                place = (*loc, "address", i)
                yield from self._once(
                    addresses, client_address(str(address)), name, place, "device"
                )

    def _people(self) -> Iterator[Fault]:
        seen: dict[str, str] = {}
        domains = self._text.sign_in.domains
        for name in self._text.people:
            yield from self._once(
                seen, sign_in_name(name, domains), name, ("people", name), "person"
            )

    def _wireguard(self) -> Iterator[Fault]:
        keys: dict[str, str] = {}
        ranges: dict[IpNetwork, str] = {}
        for i, peer in enumerate(self._text.wireguard):
            loc: Loc = ("wireguard", i)
            name = f"number {i + 1}"
            yield from self._once(keys, peer.public_key, name, (*loc, "public_key"), "peer")
            for j, prefix in enumerate(peer.allowed_ips):
                yield from self._once(ranges, prefix, name, (*loc, "allowed_ips", j), "peer")
            if peer.device and peer.device not in self._text.devices:
                hint = suggestion(peer.device, self._text.devices)
                yield self._document.fault(
                    (*loc, "device"), f"unknown device '{peer.device}'", hint
                )

    def _load_balancers(self) -> Iterator[Fault]:
        for i, prefix in enumerate(self._text.load_balancers.ranges):
            if prefix.prefixlen == 0:
                yield self._document.fault(
                    ("load_balancers", "ranges", i), "would believe everybody", "name the machines"
                )

    def _sign_in(self) -> Iterator[Fault]:
        sign_in = self._text.sign_in
        if sign_in.basic and sign_in.ldap is None:
            message = "nothing says which passwords are right"
            yield self._document.fault(("sign_in", "basic"), message, "add 'ldap'")

    def _once[K](
        self, seen: dict[K, str], key: K, name: str, loc: Loc, kind: str
    ) -> Iterator[Fault]:
        if key in seen:
            owner = f"the {kind} '{seen[key]}'" if seen[key] != name else f"the same {kind}"
            yield self._document.fault(loc, f"'{key}' belongs to {owner} already")
        seen.setdefault(key, name)


class _Compiler:
    """Makes values of what was read."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def people(self, text: PeopleText) -> People:
        domains = text.sign_in.domains
        return People(
            networks=tuple(
                Network(name, network.ranges, _membership(network))
                for name, network in text.networks.items()
            ),
            devices=tuple(_device(name, device, domains) for name, device in text.devices.items()),
            people=MappingProxyType(
                {sign_in_name(n, domains): _membership(m) for n, m in text.people.items()}
            ),
            wireguard=tuple(_peer(peer, text.devices, domains) for peer in text.wireguard),
            leases=tuple(LeaseSource(lease.kind, self._path(lease.file)) for lease in text.leases),
            neighbours=text.neighbours,
            load_balancers=LoadBalancers(text.load_balancers.ranges, text.load_balancers.header),
            sign_in=self._sign_in(text.sign_in),
        )

    def _sign_in(self, text: SignInText) -> SignInSettings:
        return SignInSettings(
            longest_seconds=text.hours * 3600,
            domains=text.domains,
            basic=text.basic,
            unsigned=text.unsigned,
            ldap=self._ldap(text.ldap) if text.ldap else None,
            kerberos=self._kerberos(text.kerberos) if text.kerberos else None,
            radius=self._radius(text.radius) if text.radius else None,
        )

    def _ldap(self, text: LdapText) -> LdapSettings:
        return LdapSettings(
            servers=text.servers,
            ca_file=self._path(text.ca_file),
            bind_dn=text.bind_dn,
            bind_password_file=self._path(text.bind_password_file),
            base_dn=text.base_dn,
            user_filter=text.user_filter,
            user_attribute=text.user_attribute or _first_attribute(text.user_filter),
            group_base_dn=text.group_base_dn,
            group_filter=text.group_filter,
            groups=tuple((name, _membership(member)) for name, member in text.groups.items()),
            default_group=text.default_group,
            nested=text.nested,
            timeout_seconds=text.timeout_seconds,
            deadline_seconds=text.deadline_seconds,
            remember_seconds=text.remember_minutes * 60,
        )

    def _kerberos(self, text: KerberosText) -> KerberosSettings:
        return KerberosSettings(self._path(text.keytab), text.service, text.realm)

    def _radius(self, text: RadiusText) -> RadiusSettings:
        return RadiusSettings(
            listen=text.listen,
            clients=tuple((net, self._path(file)) for net, file in text.clients.items()),
            user_names_verified=text.user_names_verified,
            classes=MappingProxyType({n: _membership(m) for n, m in text.classes.items()}),
            default_group=text.default_group,
            silence_seconds=text.silence_minutes * 60,
        )

    def _path(self, path: Path) -> Path:
        return self._directory / path


def _first_attribute(user_filter: str) -> str:
    """Give the attribute that a filter compares with the name, the first if there are several."""
    found = re.search(r"\(([A-Za-z][A-Za-z0-9-]*)=\{user\}\)", user_filter)
    return found[1] if found else "uid"


def _membership(text: MemberText) -> Membership:
    return Membership(text.group, frozenset(text.also))


def _device(name: str, text: DeviceText, domains: Iterable[str]) -> Device:
    return Device(
        id=name,
        kind=text.kind,
        macs=frozenset(text.mac),
        addresses=text.address,
        hostname=text.hostname.casefold().rstrip("."),
        user=sign_in_name(text.user, tuple(domains)),
        membership=_membership(text),
    )


def _peer(
    text: PeerText, devices: dict[str, DeviceText], domains: tuple[str, ...]
) -> WireGuardPeer:
    # What the list of devices says of the device holds for the peer where it says nothing itself.
    device = devices.get(text.device, DeviceText())
    return WireGuardPeer(
        public_key=text.public_key,
        allowed_ips=text.allowed_ips,
        user=sign_in_name(text.user or device.user, domains),
        device=text.device,
        device_kind=text.kind or device.kind,
        membership=_membership(text if text.group or text.user else device),
    )
