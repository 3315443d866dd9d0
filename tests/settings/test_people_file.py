"""people.yaml: what it compiles to, and every way in which it can be wrong."""

from ipaddress import ip_address, ip_network
from pathlib import Path

import pytest

from schoolgate.core.errors import ConfigurationError
from schoolgate.core.people import (
    Device,
    ForwardedHeader,
    KerberosSettings,
    LdapSettings,
    LeaseKind,
    LeaseSource,
    LoadBalancers,
    Membership,
    NestedGroups,
    Network,
    People,
    RadiusSettings,
    Unsigned,
    WireGuardPeer,
)
from schoolgate.settings import load_people
from tests.gateway import ROOT

GROUPS = ("guests", "pupils", "staff", "governors", "class-4b")

PEOPLE = """\
networks:
  wired:
    ranges: [10.1.0.0/16, 2001:db8:1::/48]
    group: staff
  byod:
    ranges: 10.9.0.0/16
devices:
  ipad-3:
    kind: school-mobile
    mac: 00-1B-44-11-3A-B7
    group: pupils
    also: [class-4b]
  laptop-9:
    mac: [001b.4411.3ab8, "00:1b:44:11:3a:b9"]
    address: [10.1.0.9, 2001:db8:1::9]
    hostname: Laptop-9.
    user: ann@school.example
people:
  SCHOOL\\Ann: {group: staff, also: [governors]}
wireguard:
  - public_key: xTIBA5rboUvnH4htodjb6e697QjLERt1NAB4mZqp8Dg=
    allowed_ips: 10.200.0.7/32
    device: ipad-3
leases:
  - {kind: dnsmasq, file: /var/lib/misc/dnsmasq.leases}
  - {kind: kea6, file: leases/kea6.csv}
neighbours: false
load_balancers:
  ranges: [10.0.0.5/32]
  header: forwarded
sign_in:
  hours: 2
  domains: [school.example, SCHOOL]
  basic: true
  ldap:
    servers: [ldaps://dc1.school.example, "ldap://dc2.school.example:1389"]
    ca_file: school-ca.pem
    bind_dn: cn=search,dc=school,dc=example
    bind_password_file: /etc/schoolgate/ldap.secret
    base_dn: dc=school,dc=example
    user_filter: (sAMAccountName={user})
    groups:
      CN=Teachers,DC=school,DC=example: {group: staff}
      Class 4B: {also: [class-4b]}
    default_group: pupils
    nested: chain
    remember_minutes: 5
  kerberos:
    keytab: http.keytab
    service: HTTP/proxy.school.example
    realm: SCHOOL.EXAMPLE
  radius:
    listen: 127.0.0.1:1813
    clients: {10.0.0.2/32: controller.secret}
    user_names_verified: true
    classes: {pupil: {group: pupils}}
    silence_minutes: 15
"""


def load(directory: Path, text: str) -> People:
    file = directory / "people.yaml"
    file.write_text(text)
    return load_people(file, GROUPS)


def test_everything_is_compiled(tmp_path: Path) -> None:
    people = load(tmp_path, PEOPLE)
    assert people.networks == (
        Network("wired", (ip_network("10.1.0.0/16"), ip_network("2001:db8:1::/48")),
                Membership("staff")),
        Network("byod", (ip_network("10.9.0.0/16"),)),
    )  # fmt: skip
    pupil = Membership("pupils", frozenset({"class-4b"}))
    assert people.devices == (
        Device("ipad-3", "school-mobile", frozenset({"00:1b:44:11:3a:b7"}), membership=pupil),
        Device(
            "laptop-9",
            "",
            frozenset({"00:1b:44:11:3a:b8", "00:1b:44:11:3a:b9"}),
            (ip_address("10.1.0.9"), ip_address("2001:db8:1::9")),
            "laptop-9",
            "ann",
        ),
    )
    assert people.people == {"ann": Membership("staff", frozenset({"governors"}))}
    # What the list says of the device holds for the peer.
    assert people.wireguard == (
        WireGuardPeer(
            "xTIBA5rboUvnH4htodjb6e697QjLERt1NAB4mZqp8Dg=",
            (ip_network("10.200.0.7/32"),),
            device="ipad-3",
            device_kind="school-mobile",
            membership=pupil,
        ),
    )
    assert people.leases == (
        LeaseSource(LeaseKind.DNSMASQ, Path("/var/lib/misc/dnsmasq.leases")),
        LeaseSource(LeaseKind.KEA6, tmp_path / "leases/kea6.csv"),
    )
    assert people.neighbours is False
    assert people.load_balancers == LoadBalancers(
        (ip_network("10.0.0.5/32"),), ForwardedHeader.FORWARDED
    )


def test_how_people_sign_in(tmp_path: Path) -> None:
    sign_in = load(tmp_path, PEOPLE).sign_in
    assert (sign_in.longest_seconds, sign_in.basic) == (7200, True)
    assert sign_in.unsigned is Unsigned.ASKED
    assert sign_in.domains == ("school.example", "SCHOOL")
    assert sign_in.ldap == LdapSettings(
        servers=("ldaps://dc1.school.example", "ldap://dc2.school.example:1389"),
        ca_file=tmp_path / "school-ca.pem",
        bind_dn="cn=search,dc=school,dc=example",
        bind_password_file=Path("/etc/schoolgate/ldap.secret"),
        base_dn="dc=school,dc=example",
        user_filter="(sAMAccountName={user})",
        user_attribute="sAMAccountName",
        groups=(
            ("CN=Teachers,DC=school,DC=example", Membership("staff")),
            ("Class 4B", Membership("", frozenset({"class-4b"}))),
        ),
        default_group="pupils",
        nested=NestedGroups.CHAIN,
        remember_seconds=300,
    )
    assert sign_in.kerberos == KerberosSettings(
        tmp_path / "http.keytab", "HTTP/proxy.school.example", "SCHOOL.EXAMPLE"
    )
    assert sign_in.radius == RadiusSettings(
        "127.0.0.1:1813",
        ((ip_network("10.0.0.2/32"), tmp_path / "controller.secret"),),
        user_names_verified=True,
        classes={"pupil": Membership("pupils")},
        silence_seconds=900,
    )


@pytest.mark.parametrize("text", ["", "# nothing yet\n", "networks: {}\n"])
def test_nothing_of_it_is_needed(tmp_path: Path, text: str) -> None:
    assert load(tmp_path, text) == People() == load_people(tmp_path / "absent.yaml", GROUPS)


def test_the_file_in_the_docs_is_one(tmp_path: Path) -> None:
    text = (ROOT / "docs" / "identity.md").read_text().partition("```yaml\n")[2].partition("```")[0]
    people = load(tmp_path, text)
    assert people.networks
    assert people.sign_in.ldap
    assert people.sign_in.radius


KEY = "xTIBA5rboUvnH4htodjb6e697QjLERt1NAB4mZqp8Dg="
IPAD = "devices:\n  ipad: {address: 10.0.0.1}\n"
RADIUS = "    listen: 127.0.0.1:1813\n    clients: {10.0.0.2/32: secret}\n"
SECOND = f"  - {{public_key: {KEY}, allowed_ips: 10.0.0.2/32}}\n"


@pytest.mark.parametrize(
    ("text", "want"),
    [
        ("netwoks: {}\n", "1: unknown key 'netwoks' (did you mean 'networks'?)"),
        ("networks:\n  a: {ranges: [10.0.0.0/8], grup: staff}\n",
         "2: unknown key 'grup' (did you mean 'group'?)"),
        ("networks:\n  a: {group: staff}\n", "2: the key 'ranges' is missing"),
        ("networks:\n  a: {ranges: []}\n", "2: 'networks.a.ranges': value should have at least 1"),
        ("networks:\n  a:\n    ranges: [10.0.0.1/8]\n", "3: 'networks.a.ranges.0."),
        ("networks:\n  a b: {ranges: [10.0.0.0/8]}\n", "'a b' is not of the form some-words"),
        ("networks:\n  a:\n    ranges: [10.0.0.0/8]\n    group: staf\n",
         "4: unknown group 'staf' (did you mean 'staff'?)"),
        ("networks:\n  a: {ranges: [10.0.0.0/8]}\n  b:\n    ranges: [10.0.0.0/8]\n",
         "4: '10.0.0.0/8' belongs to the network 'a' already"),
        ("networks:\n  a: {ranges: [10.0.0.0/8, '::ffff:10.0.0.0/104']}\n",
         "2: '10.0.0.0/8' belongs to the same network already"),
        ("devices:\n  a: {group: staff}\n",
         "2: nothing says how 'a' is recognised (give its 'mac' or its 'address')"),
        ("devices:\n  a:\n    address: 10.0.0.1\n    hostname: x\n",
         "4: a host name proves nothing without the hardware address beside it (give the 'mac' too)"),
        ("devices:\n  a: {mac: 'x'}\n", "2: 'devices.a.mac.0': 'x' is not a hardware address"),
        ("devices:\n  a: {mac: 10:20:30:40:50:11}\n", "put it in quotation marks"),
        ("devices:\n  a: {mac: 01-00-5e-00-00-01}\n", "is not the hardware address of one device"),
        ("devices:\n  a: {mac: 001b44113ab7}\n  b: {mac: '00:1B:44:11:3A:B7'}\n",
         "3: '00:1b:44:11:3a:b7' belongs to the device 'a' already"),
        ("devices:\n  a: {address: 10.0.0.1}\n  b: {address: '::ffff:10.0.0.1'}\n",
         "3: '10.0.0.1' belongs to the device 'a' already"),
        ("devices:\n  a: {address: 10.0.0.1, also: [class-4c]}\n",
         "2: unknown group 'class-4c' (did you mean 'class-4b'?)"),
        ("people:\n  ann: {group: staff}\n  Ann: {group: pupils}\n",
         "3: 'ann' belongs to the person 'ann' already"),
        ("wireguard:\n  - {public_key: x, allowed_ips: [10.0.0.1/32]}\n",
         "is not a WireGuard public key"),
        (f"wireguard:\n  - public_key: {KEY}\n    allowed_ips: 10.0.0.1/32\n    device: ipd\n{IPAD}",
         "4: unknown device 'ipd' (did you mean 'ipad'?)"),
        (f"wireguard:\n  - {{public_key: {KEY}, allowed_ips: 10.0.0.1/32}}\n{SECOND}",
         f"3: '{KEY}' belongs to the peer 'number 1' already"),
        ("leases:\n  - {kind: isc, file: x}\n", "2: 'leases.0.kind': input should be 'dnsmasq', "),
        ("load_balancers:\n  ranges: [0.0.0.0/0]\n", "2: would believe everybody"),
        ("sign_in:\n  basic: true\n", "2: nothing says which passwords are right (add 'ldap')"),
        ("sign_in:\n  unsigned: open\n", "2: 'sign_in.unsigned': input should be 'asked' or 'strictest'"),
        ("sign_in:\n  hours: 0\n", "2: 'sign_in.hours': input should be greater than 0"),
        ("sign_in:\n  kerberos: {keytab: x, service: HTTP, realm: R}\n",
         "'HTTP' is not a service such as HTTP/proxy.school.example"),
        ("sign_in:\n  radius: {listen: 'x', clients: {10.0.0.1/32: s}}\n",
         "'x' is not an address such as 127.0.0.1:8080"),
        ("sign_in:\n  radius: {listen: '127.0.0.1:1813', clients: {}}\n", "should have at least 1"),
        (f"sign_in:\n  radius:\n    default_group: pupil\n{RADIUS}",
         "3: unknown group 'pupil' (did you mean 'pupils'?)"),
    ],
)  # fmt: skip
def test_a_fault_is_named_with_its_line(tmp_path: Path, text: str, want: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        load(tmp_path, text)
    told = str(caught.value)
    assert want in told
    assert f"{tmp_path / 'people.yaml'}:" in told


LDAP = """\
sign_in:
  ldap:
    servers: ldaps://dc1
    ca_file: ca.pem
    bind_dn: cn=search
    bind_password_file: secret
    base_dn: dc=school
"""


@pytest.mark.parametrize(
    ("old", "new", "want"),
    [
        ("ldaps://dc1", "https://dc1", "3: 'sign_in.ldap.servers.0': 'https://dc1' is not an address"),
        ("ldaps://dc1", "ldaps://dc1:x", "is not an address such as ldaps://dc1.school.example"),
        ("ldaps://dc1", "ldaps://user@dc1", "is not an address"),
        ("ldaps://dc1", "[]", "3: 'sign_in.ldap.servers'"),
        ("    ca_file: ca.pem\n", "", "2: the key 'ca_file' is missing"),
        ("dc=school\n", "dc=school\n    user_filter: (uid=user)\n", "with {user} in it"),
        ("dc=school\n", "dc=school\n    user_filter: uid={user}\n", "in brackets"),
        ("dc=school\n", "dc=school\n    group_filter: (member=x)\n", "in it"),
        ("dc=school\n", "dc=school\n    groups: {Staff: {group: stuff}}\n",
         "8: unknown group 'stuff' (did you mean 'staff'?)"),
        ("dc=school\n", "dc=school\n    default_group: stuff\n", "8: unknown group 'stuff'"),
        ("dc=school\n", "dc=school\n    timeout_seconds: 100\n", "less than or equal to 60"),
    ],
)  # fmt: skip
def test_a_fault_in_the_directory_is_named_with_its_line(
    tmp_path: Path, old: str, new: str, want: str
) -> None:
    assert load(tmp_path, LDAP).sign_in.ldap is not None
    with pytest.raises(ConfigurationError) as caught:
        load(tmp_path, LDAP.replace(old, new))
    assert want in str(caught.value)


def test_all_faults_are_named_at_once(tmp_path: Path) -> None:
    text = "devices:\n  a: {group: x}\n  b: {mac: 001b44113ab7, group: y}\n"
    with pytest.raises(ConfigurationError) as caught:
        load(tmp_path, text)
    assert len(caught.value.faults) == 3
