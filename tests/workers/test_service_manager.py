"""What systemd is told, heard at a socket such as systemd's."""

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from schoolgate.workers import ServiceManager


class Systemd:
    """The end at which systemd hears."""

    def __init__(self, place: str) -> None:
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(place)
        self.socket.setblocking(False)

    def heard(self) -> list[str]:
        """Give what came since the last look."""
        found = []
        while True:
            try:
                found.append(self.socket.recv(4096).decode())
            except BlockingIOError:
                return found


@pytest.fixture
def systemd(tmp_path: Path) -> Iterator[Systemd]:
    heard = Systemd(str(tmp_path / "notify"))
    with heard.socket:
        yield heard


def test_it_hears_how_the_service_is(systemd: Systemd, tmp_path: Path) -> None:
    environment = {"NOTIFY_SOCKET": str(tmp_path / "notify"), "HOME": "/"}
    manager = ServiceManager(environment)
    assert environment == {"HOME": "/"}  # no other process speaks in its place
    manager.ready()
    manager.alive(1.0)
    manager.reloading(2.5)
    manager.stopping()
    assert systemd.heard() == ["READY=1", "RELOADING=1\nMONOTONIC_USEC=2500000", "STOPPING=1"]


@pytest.mark.parametrize(
    ("variables", "want"),
    [
        pytest.param({"WATCHDOG_USEC": "4000000"}, 3, id="eight times in its time"),
        pytest.param({"WATCHDOG_USEC": "4000000", "WATCHDOG_PID": "7"}, 3, id="ours"),
        pytest.param({"WATCHDOG_USEC": "4000000", "WATCHDOG_PID": "8"}, 0, id="another's"),
        pytest.param({"WATCHDOG_USEC": "often"}, 0, id="no number"),
        pytest.param({}, 0, id="not wanted"),
    ],
)
def test_it_hears_of_life_as_often_as_it_wants(
    systemd: Systemd, tmp_path: Path, variables: dict[str, str], want: int
) -> None:
    manager = ServiceManager({"NOTIFY_SOCKET": str(tmp_path / "notify"), **variables}, lambda: 7)
    for now in (10.0, 10.1, 10.4, 10.5, 10.9, 11.1):
        manager.alive(now)
    assert systemd.heard() == ["WATCHDOG=1"] * want


def test_a_name_without_a_file_is_understood() -> None:
    heard = Systemd("\0schoolgate-test-notify")
    with heard.socket:
        ServiceManager({"NOTIFY_SOCKET": "@schoolgate-test-notify"}).ready()
        assert heard.heard() == ["READY=1"]


@pytest.mark.parametrize("place", ["", "/nowhere/notify"])
def test_where_nobody_hears_nothing_fails(place: str) -> None:
    manager = ServiceManager({"NOTIFY_SOCKET": place, "WATCHDOG_USEC": "1"})
    manager.ready()
    manager.alive(1.0)
