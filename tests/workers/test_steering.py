"""Which worker a client reaches: the programs as values, and in the kernel."""

import ipaddress
import random
import socket
import struct
from collections import Counter

import pytest

from schoolgate.workers import steering

OFFSET = 0xFFF00000


def run(program: bytes, header: bytes) -> int:
    """Run a program as the kernel does, as far as it uses the machine.

    The numbers are those of the kernel's <linux/bpf_common.h>, written out here a second time.
    """
    a = x = 0
    for code, _, _, k in struct.iter_unpack("HBBI", program):
        match code:
            case 0x20:
                [a] = struct.unpack_from("!I", header, k - OFFSET)
            case 0x07:
                x = a
            case 0xAC:
                a ^= x
            case 0x94:
                a %= k
            case 0x16:
                return a
            case _:
                raise AssertionError(f"no such instruction: {code:#x}")
    raise AssertionError("the program does not end")


def header(client: str) -> bytes:
    """Give the header of a packet from a client, as RFC 791 and RFC 8200 have it."""
    source = ipaddress.ip_address(client).packed
    noise = random.Random(client).randbytes(40)
    if len(source) == 4:
        return noise[:12] + source + noise[16:20]
    return noise[:8] + source + noise[24:40]


def chosen(client: str, sockets: int) -> int:
    family = socket.AF_INET6 if ":" in client else socket.AF_INET
    return run(steering.program(family, sockets), header(client))


@pytest.mark.parametrize(
    ("client", "sockets", "want"),
    [
        ("0.0.0.0", 4, 0),
        ("10.0.0.7", 4, 3),
        ("10.0.0.8", 4, 0),
        ("10.0.1.7", 10, (10 * 2**24 + 256 + 7) % 10),
        ("255.255.255.255", 256, 255),
        ("::", 4, 0),
        ("::7", 4, 3),
        ("0:7::", 4, 3),
        ("0:0:0:7::", 4, 3),
        ("::7:0:0", 4, 3),
        ("0:1:0:2:0:4:0:8", 256, 15),
        ("fd00::1", 256, 1),
    ],
)  # fmt: skip
def test_the_address_of_the_client_alone_chooses(client: str, sockets: int, want: int) -> None:
    assert chosen(client, sockets) == want
    assert steering.place_of(client, sockets) == want


@pytest.mark.parametrize("sockets", [2, 3, 4, 6, 8, 16, 64])
@pytest.mark.parametrize("network", ["10.20.0.0/22", "2001:db8:5:6::/118"])
def test_the_addresses_of_a_network_are_spread_evenly(network: str, sockets: int) -> None:
    clients = ipaddress.ip_network(network)
    found = Counter(chosen(str(client), sockets) for client in clients)
    assert len(found) == sockets
    assert max(found.values()) - min(found.values()) <= 1 + clients.num_addresses // sockets // 4


@pytest.mark.parametrize("sockets", [2, 3, 8])
def test_random_interfaces_and_many_networks_are_spread_too(sockets: int) -> None:
    """As IPv6 has them: a network for each room, an address that each device makes up (RFC 8981)."""
    made = random.Random(5)
    clients = [
        str(ipaddress.IPv6Address((0x20010DB8_00050000 + room) << 64 | made.getrandbits(64)))
        for room in range(100)
        for _ in range(20)
    ]
    found = Counter(chosen(client, sockets) for client in clients)
    assert len(found) == sockets
    assert min(found.values()) > 0.7 * len(clients) / sockets
