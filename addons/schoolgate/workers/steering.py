"""Steers each client address to one socket of a group, by a small program that the kernel runs.

The programs are classic BPF as `man 7 socket` describes it for ``SO_ATTACH_REUSEPORT_CBPF``: what
one returns is the number of the socket, counted in the order in which they began to listen.
"""

import ctypes
import ipaddress
import socket
import struct
from collections.abc import Iterator

# Of <asm-generic/socket.h>; the socket module does not name it.
SO_ATTACH_REUSEPORT_CBPF = 51

# Of <linux/bpf_common.h> and <linux/filter.h>.
_LOAD_WORD = 0x20  # BPF_LD | BPF_W | BPF_ABS
_XOR_X = 0xAC  # BPF_ALU | BPF_XOR | BPF_X
_MODULO = 0x94  # BPF_ALU | BPF_MOD | BPF_K
_COPY_TO_X = 0x07  # BPF_MISC | BPF_TAX
_RETURN = 0x16  # BPF_RET | BPF_A
# Where the header of the network layer begins, whatever was read already.
_NETWORK_HEADER = 0xFFF00000  # SKF_NET_OFF, -0x100000

# Where the source address is in the header (RFC 791, RFC 8200).
_SOURCE4 = 12
_SOURCE6 = 8
_IPV6 = 6


def place_of(client: str, sockets: int) -> int:
    """Give the socket that the program chooses for a client, counted from 0.

    Args:
        client: its address, normalised text.
        sockets: how many there are.
    """
    address = ipaddress.ip_address(client)
    folded = int(address)
    if address.version == _IPV6:
        words = struct.unpack("!4I", address.packed)
        folded = words[0] ^ words[1] ^ words[2] ^ words[3]
    return folded % sockets


def program(family: int, sockets: int) -> bytes:
    """Give the program that chooses by the address of the client.

    Args:
        family: ``AF_INET``: the address modulo the number of sockets. ``AF_INET6``: its four words
            folded by exclusive or, modulo that number, so that both network and interface count.
        sockets: how many there are.

    Returns:
        An array of ``struct sock_filter``.
    """
    return b"".join(struct.pack("HBBI", *line) for line in _lines(family, sockets))


def _lines(family: int, sockets: int) -> Iterator[tuple[int, int, int, int]]:
    first = _SOURCE6 if family == socket.AF_INET6 else _SOURCE4
    yield _LOAD_WORD, 0, 0, _NETWORK_HEADER + first
    if family == socket.AF_INET6:
        for word in (1, 2, 3):
            yield _COPY_TO_X, 0, 0, 0
            yield _LOAD_WORD, 0, 0, _NETWORK_HEADER + first + 4 * word
            yield _XOR_X, 0, 0, 0
    yield _MODULO, 0, 0, sockets
    yield _RETURN, 0, 0, 0


def attach(one: socket.socket, sockets: int) -> None:
    """Have the kernel run the program for the group that a bound socket belongs to.

    Args:
        one: any socket of the group, before it listens.
        sockets: how many there are, or will be.

    Raises:
        OSError: when the kernel refuses.
    """
    filters = program(one.family, sockets)
    held = ctypes.create_string_buffer(filters, len(filters))
    # struct sock_fprog; the kernel copies what it points to.
    described = struct.pack("@HP", len(filters) // 8, ctypes.addressof(held))
    one.setsockopt(socket.SOL_SOCKET, SO_ATTACH_REUSEPORT_CBPF, described)
