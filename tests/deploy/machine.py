"""A Debian 13 over a tree that stays as it is: its files alone, or booted by systemd-nspawn.

Neither has a network: what is installed there cannot ask an index for anything.
"""

import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.deploy.debian import run
from tests.gateway import PATIENCE_SECONDS, eventually
from tests.system.conftest import program

# In mounts of its own, so that nothing of it outlives it: $1 is the tree, $2 a directory for changes.
_OVERLAY = """
mkdir -p "$2/upper" "$2/work" "$2/root"
mount -t overlay overlay -o "lowerdir=$1,upperdir=$2/upper,workdir=$2/work" "$2/root"
"""
# systemd 257 wants version 2 of cgroups, which may be elsewhere or mixed with version 1 here. $3 is a name.
_BOOT = f"""{_OVERLAY}
umount -R -l /sys/fs/cgroup || true
mount -t cgroup2 cgroup2 /sys/fs/cgroup
mkdir "/sys/fs/cgroup/$3"
echo $$ > "/sys/fs/cgroup/$3/cgroup.procs"
systemd-nspawn --quiet --boot --directory="$2/root" --machine="$3" --private-network \
  --register=no --keep-unit --link-journal=no --console=pipe 2>&1 || true
echo $$ > /sys/fs/cgroup/cgroup.procs
find "/sys/fs/cgroup/$3" -depth -type d -exec rmdir {{}} +
"""
_FILES = f"""{_OVERLAY}
mount -t proc proc "$2/root/proc"
mount -t tmpfs tmpfs "$2/root/tmp"
mount -t tmpfs tmpfs "$2/root/run"
cp "$3" "$2/root/schoolgate.deb"
exec chroot "$2/root" /bin/sh -ec "$4"
"""
ENVIRONMENT = {
    "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    "LC_ALL": "C.UTF-8",
    "HOME": "/root",
    "COLUMNS": "200",
}


def in_files(tree: Path, changes: Path, package: Path, script: str) -> str:
    """Run a script in the tree, with the package at /schoolgate.deb; nothing is booted."""
    command = [
        "unshare",
        "--mount",
        "--net",
        "--pid",
        "--fork",
        "--kill-child",
        "sh",
        "-ec",
        _FILES,
    ]
    names = [program("env"), "-i", *(f"{name}={value}" for name, value in ENVIRONMENT.items())]
    return run([*names, *command, "sh", str(tree), str(changes), str(package), script])


@dataclass(frozen=True, slots=True)
class Machine:
    """A machine that is booted.

    Attributes:
        init: the process id of its systemd, seen from here.
    """

    init: int

    def ask(self, *command: str) -> "subprocess.CompletedProcess[str]":
        """Run a command in it, which has nobody to ask."""
        return subprocess.run(
            [program("nsenter"), "--all", "--target", str(self.init), *command],
            env=ENVIRONMENT,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=600,
            check=False,
        )

    def run(self, *command: str) -> str:
        """Run a command in it that must succeed, and give what it said."""
        ended = self.ask(*command)
        assert ended.returncode == 0, f"{command} ended with {ended.returncode}:\n{ended.stdout}"
        return ended.stdout

    def curl(self, *arguments: str) -> str:
        """Run this machine's curl in the network of the other; "" when it gets no answer."""
        command = [program("nsenter"), "--net", "--target", str(self.init), program("curl")]
        ended = subprocess.run(
            [*command, "--silent", "--max-time", "3", "--noproxy", "none", *arguments],
            capture_output=True,
            text=True,
            check=False,
        )
        return ended.stdout

    def path(self, name: str) -> Path:
        """Give a file of it, as it is seen from here."""
        return Path(f"/proc/{self.init}/root") / name.removeprefix("/")

    def state_of(self, unit: str, *names: str) -> dict[str, str]:
        """Give properties of a unit."""
        said = self.run("systemctl", "show", unit, f"--property={','.join(names)}")
        return dict(line.split("=", 1) for line in said.splitlines())

    def main_process(self, unit: str) -> int:
        """Give the main process of a unit, as a process id of here; 0 for none."""
        inside = int(self.state_of(unit, "MainPID")["MainPID"])
        return next((pid for pid in self._processes() if _ids(pid)[-1] == inside), 0)

    def workers(self) -> list[int]:
        """Give the workers of the proxy, as process ids of here."""
        return [pid for pid in self._processes() if _name(pid).startswith("sg worker")]

    def _processes(self) -> list[int]:
        own = _namespace(self.init)
        every = [int(each.name) for each in Path("/proc").iterdir() if each.name.isdecimal()]
        return sorted(pid for pid in every if _namespace(pid) == own)


@contextmanager
def booted(tree: Path, changes: Path, name: str = "machine") -> Iterator[Machine]:
    """Boot a machine over a tree, and power it off.

    Where this machine cannot boot one, that is a skip that says why.

    Args:
        tree: that stays as it is.
        changes: a directory for what changes.
        name: that no other one has which runs at the same time.
    """
    name = f"schoolgate-{os.getpid()}-{name}"
    log = changes / "console.log"
    for each in ("unshare", "nsenter", "systemd-nspawn"):
        program(each)
    with log.open("w") as console:
        process = subprocess.Popen(
            ["unshare", "--mount", "sh", "-ec", _BOOT, "sh", str(tree), str(changes), name],
            stdin=subprocess.DEVNULL,
            stdout=console,
            stderr=subprocess.STDOUT,
        )
    machine: Machine | None = None
    try:
        end = time.monotonic() + 2 * PATIENCE_SECONDS
        while machine is None and process.poll() is None and time.monotonic() < end:
            time.sleep(0.2)
            machine = _started(process.pid)
        if machine is None:
            pytest.skip(f"systemd-nspawn boots nothing here: {log.read_text()[-1000:]}")
        yield machine
    finally:
        if machine is not None:
            machine.ask("systemctl", "--no-block", "poweroff")
        else:
            for pid in _children(process.pid):
                os.kill(pid, 9)
        if not eventually(lambda: process.poll() is not None):
            for pid in _children(process.pid):
                os.kill(pid, 9)
        process.wait(PATIENCE_SECONDS)


def _started(process: int) -> Machine | None:
    """Give the machine when its systemd has started everything, or found that something failed."""
    inits = [pid for nspawn in _children(process) for pid in _children(nspawn)]
    if not inits or _name(inits[0]) != "systemd":
        return None
    machine = Machine(inits[0])
    is_up = machine.ask("systemctl", "is-system-running").stdout.strip() in ("running", "degraded")
    return machine if is_up else None


def _children(pid: int) -> list[int]:
    try:
        return [int(each) for each in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []


def _name(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/comm").read_text().strip()
    except OSError:
        return ""


def _namespace(pid: int) -> str:
    try:
        return str(Path(f"/proc/{pid}/ns/pid").readlink())
    except OSError:
        return ""


def _ids(pid: int) -> list[int]:
    """Give the ids of a process, from the outermost namespace to its own."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return [0]
    return [int(each) for line in lines if line.startswith("NSpid:") for each in line.split()[1:]]
