"""Ten thousand clients that never say all of their ClientHello: bounded, dropped, and in nobody's way."""

import resource
import select
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from tests import gateway
from tests.gateway import Gateway, eventually
from tests.hellos import hello
from tests.origin import Origin
from tests.proxy.test_gate import (
    BLOCKED,
    TRUSTED,
    ask_for_tunnel,
    dial,
    get,
    issuer,
    read_head,
    tls,
)

pytestmark = pytest.mark.long

MANY = 10_000
# Of each: a socket in the gateway, and what it keeps of a client; what is unread is the kernel's.
MOST_BYTES_EACH = 8_000


@contextmanager
def descriptors(wanted: int) -> Iterator[None]:
    """Let this process open so many files."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < wanted:
        pytest.fail(f"{wanted} descriptors are needed, {hard} may be had")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, wanted), hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def begin(gate: Gateway, number: int) -> socket.socket:
    """Open a tunnel, and say the first part of a hello."""
    connection = dial(gate, f"127.0.{number % 50 + 1}.9")
    target = (BLOCKED, "origin.test")[number % 2]
    connection.sendall(f"CONNECT {target}:443 HTTP/1.1\r\nHost: {target}:443\r\n\r\n".encode())
    return connection


def test_half_a_hello_holds_little_and_not_for_long(own_config: Path, site: Origin) -> None:
    """Those that waited longest make room, and the rest go when their time is over."""
    half = hello(is_hybrid=True)[:700]
    open_: list[socket.socket] = []
    with descriptors(MANY + 1_000), gateway.running(own_config) as gate:
        with dial(gate) as connection:
            assert ask_for_tunnel(connection, BLOCKED, site.https_port) == 200
        before = gate.resident_bytes()
        try:
            for number in range(MANY):
                connection = begin(gate, number)
                open_.append(connection)
                with suppress(OSError):
                    read_head(connection)
                    connection.sendall(half)
            assert gate.resident_bytes() - before < MANY * MOST_BYTES_EACH
            # Meanwhile others are served.
            with dial(gate) as connection:
                assert ask_for_tunnel(connection, BLOCKED, site.https_port) == 200
                with tls(connection, BLOCKED, gate.ca_file) as encrypted:
                    assert get(encrypted, BLOCKED)[0] == 403
            with dial(gate) as connection:
                assert ask_for_tunnel(connection, TRUSTED, site.https_port) == 200
                with tls(connection, TRUSTED, site.ca_file) as encrypted:
                    assert issuer(encrypted) == "schoolgate test origin CA"
            poller = select.poll()
            left = {connection.fileno() for connection in open_}
            for descriptor in left:
                poller.register(descriptor, select.POLLIN | select.POLLRDHUP)

            def all_closed() -> bool:
                for descriptor, _ in poller.poll(0):
                    poller.unregister(descriptor)
                    left.discard(descriptor)
                return not left

            assert eventually(all_closed), f"{len(left)} are open"
        finally:
            for connection in open_:
                connection.close()
        assert gate.metric(r"schoolgate_filter_errors_total") == 0
