"""The kernel's own table of neighbours, in a network of the test's own."""

import os
import subprocess

import pytest

from schoolgate.identity import Neighbour
from schoolgate.identity.neighbours import neighbour_table, parse_neighbours
from tests.system.conftest import program

MAC = "00:1b:44:11:3a:b7"
SCRIPT = f"""\
ip link add sg0 type veth peer name sg1 && ip link set sg1 up && ip link set sg0 up
ip neigh replace 10.9.0.3 lladdr {MAC} dev sg0 nud permanent
ip neigh replace 2001:db8:9::aaaa lladdr {MAC} dev sg0 nud reachable
ip neigh replace 2001:db8:9::bbbb lladdr {MAC} dev sg0 nud stale
ip neigh replace fe80::1 lladdr {MAC} dev sg0 nud reachable
ip neigh replace 10.9.0.4 lladdr {MAC} dev sg0 nud failed
ip -json neigh show
"""


def test_all_addresses_of_a_device_are_found() -> None:
    unshare, shell = program("unshare"), program("sh")
    program("ip")
    if os.geteuid() != 0:
        pytest.skip("needs root for a network namespace")
    done = subprocess.run(
        [unshare, "--net", shell, "-ec", SCRIPT], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert set(parse_neighbours(done.stdout)) == {
        Neighbour("10.9.0.3", MAC, confirmed=True),
        Neighbour("2001:db8:9::aaaa", MAC, confirmed=True),
        Neighbour("2001:db8:9::bbbb", MAC),
    }


def test_the_table_of_this_machine_can_be_read() -> None:
    program("ip")
    assert isinstance(parse_neighbours(neighbour_table()), tuple)
