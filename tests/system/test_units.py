"""The units of systemd: what systemd itself says of them, and what the gateway tells it."""

import os
import re
import signal
import socket
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests import gateway
from tests.gateway import PATIENCE_SECONDS, ROOT
from tests.system.conftest import program

UNITS = sorted([*ROOT.glob("deploy/systemd/*.service"), *ROOT.glob("deploy/trust/*.service")])
# Tenths, of systemd-analyze's ten.
MOST_EXPOSED = 20


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.stem)
def test_systemd_finds_no_fault(unit: Path, tmp_path: Path) -> None:
    for each in UNITS:
        # What is not installed here is not the question.
        ours = r"/usr/(bin/schoolgate|lib/schoolgate/\S+)"
        text = re.sub(ours, "/bin/echo", each.read_text())
        (tmp_path / each.name).write_text(text)
    ended = subprocess.run(
        [program("systemd-analyze"), "verify", "--man=no", str(tmp_path / unit.name)],
        capture_output=True,
        text=True,
        check=False,
    )
    # It ends with 0 where it knows a key not.
    assert (ended.returncode, ended.stderr) == (0, "")


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.stem)
def test_little_of_the_machine_is_within_its_reach(unit: Path) -> None:
    ended = subprocess.run(
        [
            program("systemd-analyze"), "security", "--offline=true",
            f"--threshold={MOST_EXPOSED}", str(unit),
        ],
        capture_output=True,
        text=True,
        check=False,
    )  # fmt: skip
    assert ended.returncode == 0, ended.stdout[-400:]


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.stem)
def test_each_command_of_a_unit_is_there(unit: Path) -> None:
    for arguments in re.findall(r"/usr/bin/schoolgate (.*)", unit.read_text()):
        ended = gateway.schoolgate(*arguments.split(), "--help")
        assert ended.returncode == 0, arguments


def test_systemd_hears_that_the_gateway_serves_lives_reloads_and_stops(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
    monkeypatch.setenv("WATCHDOG_USEC", "1600000")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(str(tmp_path / "notify"))

        def hear(until: Callable[[str], bool], seconds: float = PATIENCE_SECONDS) -> bool:
            end = time.monotonic() + seconds
            while (left := end - time.monotonic()) > 0:
                systemd.settimeout(left)
                try:
                    if until(systemd.recv(4096).decode()):
                        return True
                except TimeoutError:
                    break
            return False

        with gateway.running(gateway.write_config(tmp_path)) as own:
            assert hear(lambda said: said == "READY=1")
            assert all(hear(lambda said: said == "WATCHDOG=1") for _ in range(3))
            own.process.send_signal(signal.SIGHUP)
            assert hear(lambda said: said.startswith("RELOADING=1\nMONOTONIC_USEC="))
            assert hear(lambda said: said == "READY=1")
            # Whoever hangs says nothing, and is ended by systemd.
            os.kill(own.process.pid, signal.SIGSTOP)
            while hear(lambda _: True, 0.5):
                continue
            os.kill(own.process.pid, signal.SIGCONT)
            assert hear(lambda said: said == "WATCHDOG=1")
        assert hear(lambda said: said == "STOPPING=1")
