"""Two machines of a trust, a centre and a gateway, with a line between them and Ansible at the centre."""

import json
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.deploy import debian
from tests.deploy.machine import Machine, booted
from tests.gateway import ROOT

CENTRE, GATEWAY = "centre.trust.test", "gw1.hermitage.test"
ROLES = "/root/ansible"
_ADDRESSES = {CENTRE: "10.99.0.1", GATEWAY: "10.99.0.2"}
_SHARED = "10.20.0.1"
_RECAP = re.compile(r"^(\S+) +: ok=\d+ +changed=(\d+) +unreachable=0 +failed=0 ", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Trust:
    """What runs of it.

    Attributes:
        centre: has Ansible as well, and reaches the gateway by SSH.
        gateway: of the school hermitage.
    """

    centre: Machine
    gateway: Machine

    def play(
        self, *options: str, settings: dict[str, Any] | None = None
    ) -> tuple[str, dict[str, int]]:
        """Run the playbook, which must not fail.

        Args:
            options: of ansible-playbook.
            settings: of the gateway.

        Returns:
            What it said, and how many tasks changed something at each host.
        """
        inventory = json.dumps(_inventory(settings or {}))
        self.centre.path("/root/inventory.json").write_text(inventory)
        said = self.ansible(
            "ansible-playbook", "-i", "/root/inventory.json", *options, "playbook.yml"
        )
        found = {name: int(changed) for name, changed in _RECAP.findall(said)}
        assert found, said[-5000:]
        return said, found

    def ansible(self, *command: str) -> str:
        """Run a command where the roles are."""
        return self.centre.run("env", "-C", ROLES, "ANSIBLE_NOCOLOR=1", *command)


def _inventory(settings: dict[str, Any]) -> dict[str, Any]:
    """Give the inventory, of the gateway as one of a pair whose other half is away."""
    gateway = {
        "ansible_host": _ADDRESSES[GATEWAY],
        "schoolgate_gateway_school": "hermitage",
        "schoolgate_gateway_name": "gw1",
        "schoolgate_gateway_policy": "hermitage",
        "schoolgate_gateway_base": "vanguard",
        "schoolgate_gateway_database": True,
        "schoolgate_gateway_settings": settings,
        "schoolgate_gateway_pair": {"inside": "school", "addresses": [f"{_SHARED}/16"]},
        "schoolgate_gateway_pair_own": "10.20.0.2",
        "schoolgate_gateway_pair_other": "10.20.0.3",
    }
    centre = {"ansible_connection": "local", "schoolgate_centre_gateway_networks": ["10.99.0.0/24"]}
    return {
        "all": {"vars": {"ansible_user": "root", "schoolgate_package": "/root/schoolgate.deb"}},
        "schoolgate_centre": {"hosts": {CENTRE: centre}},
        "schoolgate_gateways": {"hosts": {GATEWAY: gateway}},
    }


@contextmanager
def trust(tree: Path, package: Path, changes: Path) -> Iterator[Trust]:
    """Boot both with nothing of schoolgate's on them, and bring the roles and the package to the centre."""
    for name in ("centre", "gateway"):
        (changes / name).mkdir()
    with (
        booted(tree, changes / "centre", "centre") as centre,
        booted(tree, changes / "gateway", "gateway") as gateway,
    ):
        _join(centre, gateway)
        for machine in (centre, gateway):
            machine.path("/etc/apt/sources.list").write_text(
                f"deb [trusted=yes] file:{debian.ARCHIVE} ./\n"
            )
            machine.run("apt-get", "update")
        _install(gateway, "openssh-server", "python3-apt")
        _install(centre, "ansible-core", "openssh-client", "python3-apt")
        _let_in(centre, gateway)
        shutil.copytree(ROOT / "deploy/trust/ansible", centre.path(ROLES))
        shutil.copy(package, centre.path("/root/schoolgate.deb"))
        yield Trust(centre, gateway)


def _join(centre: Machine, gateway: Machine) -> None:
    """Lay a line between the two, and give the gateway a network of its school."""
    ends = ("type", "veth", "peer", "name", "line", "netns", str(gateway.init))
    debian.run(["ip", "link", "add", "name", "line", "netns", str(centre.init), *ends])
    for machine, name in ((centre, CENTRE), (gateway, GATEWAY)):
        machine.run("ip", "address", "add", f"{_ADDRESSES[name]}/24", "dev", "line")
        machine.run("ip", "link", "set", "line", "up")
        with machine.path("/etc/hosts").open("a") as hosts:
            hosts.writelines(f"{address} {known}\n" for known, address in _ADDRESSES.items())
    gateway.run("ip", "link", "add", "school", "type", "veth", "peer", "name", "devices")
    gateway.run("ip", "address", "add", "10.20.0.2/16", "dev", "school")
    for end in ("school", "devices"):
        gateway.run("ip", "link", "set", end, "up")


def _install(machine: Machine, *packages: str) -> None:
    machine.run("apt-get", "install", "-qq", "--yes", "--no-install-recommends", *packages)


def _let_in(centre: Machine, gateway: Machine) -> None:
    """Let root of the centre into the gateway by a key, and know the gateway by its own."""
    centre.run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", "/root/.ssh/id_ed25519")
    key = centre.path("/root/.ssh/id_ed25519.pub").read_text()
    gateway.run("install", "-d", "-m", "700", "/root/.ssh")
    gateway.path("/root/.ssh/authorized_keys").write_text(key)
    host = gateway.path("/etc/ssh/ssh_host_ed25519_key.pub").read_text()
    centre.path("/root/.ssh/known_hosts").write_text(f"{_ADDRESSES[GATEWAY]} {host}")
