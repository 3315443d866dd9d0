"""Which worker an IPv6 client reaches, in the kernel, from addresses of a namespace of its own."""

import ipaddress
import json
import os
import subprocess
import sys

import pytest

from tests.gateway import ROOT
from tests.system.conftest import program
from tests.workers.spread import CONNECTIONS, SOCKETS

# Rooms with a network each, and interfaces of both kinds: counted and made up.
CLIENTS = [f"fd00:5:{room}::{device:x}" for room in range(1, 5) for device in (1, 2, 3)] + [
    f"fd00:5:9:0:{head}" for head in ("a8bb:ccff:fedd:ee01", "1234:5678:9abc:def0", "8:7:6:5")
]


def folded(client: str) -> int:
    """Give the four words of an address by exclusive or."""
    number, words = int(ipaddress.IPv6Address(client)), 0
    for shift in (96, 64, 32, 0):
        words ^= number >> shift & 0xFFFFFFFF
    return words


@pytest.mark.parametrize("host", ["::", "fd00:5::1"])
def test_each_ipv6_client_reaches_one_worker_and_all_of_them_reach_all(host: str) -> None:
    if os.geteuid() != 0:
        pytest.skip("a network namespace needs root")
    ip, unshare = program("ip"), program("unshare")
    added = " && ".join(
        f"{ip} -6 addr add {address}/128 dev lo nodad" for address in ["fd00:5::1", *CLIENTS]
    )
    to = "::1" if host == "::" else host
    command = f'{ip} link set lo up && {added} && exec "$@"'
    spread = [sys.executable, "-m", "tests.workers.spread", host, to, *CLIENTS]
    done = subprocess.run(
        [unshare, "--net", "sh", "-c", command, "sh", *spread],
        cwd=ROOT, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found.pop("steered") is True
    assert found == {client: [folded(client) % SOCKETS] * CONNECTIONS for client in CLIENTS}
    assert {numbers[0] for numbers in found.values()} == set(range(SOCKETS))
