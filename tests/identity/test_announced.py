"""The PROXY protocol: who comes, and what is not believed."""

import ipaddress
import re
import socket

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schoolgate.core.people import ForwardedHeader, LoadBalancers
from schoolgate.identity import (
    MAX_ANNOUNCEMENT_BYTES,
    Announcers,
    NoAnnouncementError,
    read_announcement,
)

SIGNATURE = b"\r\n\r\n\x00\r\nQUIT\n"
TAIL = b"CONNECT a.example:443 HTTP/1.1\r\n\r\n"


def second(command: int, kind: int, body: bytes) -> bytes:
    return SIGNATURE + bytes([command, kind]) + len(body).to_bytes(2) + body


def tcp4(client: str, more: bytes = b"") -> bytes:
    places = socket.inet_aton(client) + socket.inet_aton("10.0.0.1")
    return second(0x21, 0x11, places + b"\x12\x67\x1f\x90" + more)


def tcp6(client: str) -> bytes:
    places = socket.inet_pton(socket.AF_INET6, client) + socket.inet_pton(socket.AF_INET6, "::1")
    return second(0x21, 0x21, places + b"\x12\x67\x1f\x90")


@pytest.mark.parametrize(
    ("data", "client"),
    [
        pytest.param(b"PROXY TCP4 10.9.9.9 10.0.0.1 4711 8080\r\n", "10.9.9.9", id="1, IPv4"),
        pytest.param(b"PROXY TCP6 2001:DB8::9 ::1 4711 8080\r\n", "2001:db8::9", id="1, IPv6"),
        pytest.param(b"PROXY UNKNOWN\r\n", "", id="1, unknown"),
        pytest.param(b"PROXY UNKNOWN ffff::1 ffff::2 1 2\r\n", "", id="1, unknown with words"),
        pytest.param(tcp4("10.9.9.9"), "10.9.9.9", id="2, IPv4"),
        pytest.param(tcp4("10.9.9.9", b"\x04\x00\x02ab"), "10.9.9.9", id="2, with more"),
        pytest.param(tcp6("2001:db8::9"), "2001:db8::9", id="2, IPv6"),
        pytest.param(tcp6("::ffff:10.9.9.9"), "10.9.9.9", id="2, IPv4 as IPv6"),
        pytest.param(second(0x20, 0, b""), "", id="2, for itself"),
    ],
)
def test_who_comes_is_read_and_nothing_after_it(data: bytes, client: str) -> None:
    assert read_announcement(data + TAIL) == (client, len(data))
    for end in range(len(data)):
        assert read_announcement(data[:end]) is None


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(TAIL, id="none"),
        pytest.param(b"PROXY TCP4 10.9.9.9\r\n", id="half"),
        pytest.param(b"PROXY TCP4 2001:db8::9 ::1 1 2\r\n", id="another family"),
        pytest.param(b"PROXY TCP6 10.9.9.9 10.0.0.1 1 2\r\n", id="another family, IPv6"),
        pytest.param(b"PROXY TCP4 10.9.9.999 10.0.0.1 1 2\r\n", id="no address"),
        pytest.param(b"PROXY TCP4 10.9.9.9 10.0.0.999 1 2\r\n", id="no address of its own"),
        pytest.param(b"PROXY TCP4 10.9.9.9 ::1 1 2\r\n", id="one of another family"),
        pytest.param(b"PROXY TCP4 10.9.9.9 10.0.0.1 1 65536\r\n", id="no port"),
        pytest.param(b"PROXY TCP4 10.9.9.9 10.0.0.1 1 2\n" + b"x" * 107, id="another end"),
        pytest.param(b"PROXY " + b"x" * 107 + b"\r\n", id="too long"),
        pytest.param(second(0x11, 0x11, bytes(12)), id="another version"),
        pytest.param(second(0x21, 0x12, bytes(12)), id="UDP"),
        pytest.param(second(0x21, 0x11, bytes(11)), id="too short"),
        pytest.param(second(0x21, 0x11, bytes(MAX_ANNOUNCEMENT_BYTES)), id="2, too long"),
    ],
)
def test_what_is_none_ends(data: bytes) -> None:
    with pytest.raises(NoAnnouncementError):
        read_announcement(data)


@given(st.binary(max_size=300))
def test_whatever_comes_is_read_or_refused(data: bytes) -> None:
    for start in (b"", b"PROXY ", SIGNATURE):
        try:
            found = read_announcement(start + data)
        except NoAnnouncementError:
            continue
        assert found is None or found.size <= len(start + data)


def naively(line: bytes) -> str | None:
    """Read a line of version 1 word by word; None where it is none."""
    words = line.decode("latin-1").removesuffix("\r\n").split(" ")
    if words[:2] == ["PROXY", "UNKNOWN"]:
        return ""
    try:
        _, family, client, own, port, other = words
        version = {"TCP4": 4, "TCP6": 6}[family]
        found = [ipaddress.ip_address(client), ipaddress.ip_address(own)]
    except (ValueError, KeyError):
        return None
    numbers = [int(word) for word in (port, other) if re.fullmatch("[0-9]{1,5}", word)]
    if len(numbers) < 2 or max(numbers) > 65535 or {one.version for one in found} != {version}:
        return None
    return str(found[0])


PLACES = st.one_of(
    # Not those that stand for an address of the other family, which have a form of their own.
    st.ip_addresses(v=4).map(str),
    st.ip_addresses(v=6, network="2001:db8::/32").map(str),
    st.sampled_from(["1.2.3", "1.2.3.4.5", "::g", "localhost", "", "1.2.3.256", "fe80::1%eth0"]),
)
PORTS = st.one_of(
    st.integers(0, 70_000).map(str), st.sampled_from(["", "-1", "+1", "1e3", "000001"])
)


@given(st.sampled_from(["TCP4", "TCP6", "TCP", "UDP4", "UNKNOWN"]), PLACES, PLACES, PORTS, PORTS)
def test_a_line_is_read_as_word_by_word(
    family: str, client: str, own: str, port: str, other: str
) -> None:
    line = f"PROXY {family} {client} {own} {port} {other}\r\n".encode()
    want = naively(line)
    if want is None:
        with pytest.raises(NoAnnouncementError):
            read_announcement(line + TAIL)
    else:
        assert read_announcement(line + TAIL) == (want, len(line))


@pytest.mark.parametrize(
    ("peer", "want"),
    [("10.0.0.5", True), ("::ffff:10.0.0.5", True), ("10.0.1.5", False), ("", False)],
)
def test_only_listed_machines_announce(peer: str, want: bool) -> None:
    listed = (ipaddress.ip_network("10.0.0.0/28"),)
    found = Announcers(LoadBalancers(listed, ForwardedHeader.PROXY_PROTOCOL))
    assert found.announces(peer) is want
