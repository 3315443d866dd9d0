"""Accounting as a real FreeRADIUS client sends it."""

import ipaddress
import subprocess
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from schoolgate.core.people import Membership, People, RadiusSettings
from schoolgate.identity import (
    AccountingListener,
    LiveDirectory,
    read_sessions,
    write_sessions,
)
from tests.system.conftest import program

pytestmark = pytest.mark.long

SECRET = "the secret of the wireless controller"
PATIENCE_SECONDS = 60
RADIUS = RadiusSettings(
    listen="127.0.0.1:0",
    clients=((ipaddress.ip_network("127.0.0.1/32"), Path("secret")),),
    user_names_verified=True,
    classes={"pupil": Membership("pupils", frozenset({"class-4b"}))},
    silence_seconds=1800,
)
PEOPLE = People(people={"ann": Membership("staff")}, neighbours=False)
START = {
    "Acct-Status-Type": "Start",
    "Acct-Session-Id": '"5F3A"',
    "User-Name": '"ann"',
    "NAS-Identifier": '"controller"',
    "Calling-Station-Id": '"00-1B-44-11-3A-B7"',
    "Framed-IP-Address": "10.9.0.8",
    "Framed-IPv6-Address": "2001:db8:9::8",
    "Framed-IPv6-Prefix": "2001:db8:a::/64",
}


class Stage:
    """A listener and the directory that it feeds."""

    def __init__(self, directory: Path, radius: RadiusSettings) -> None:
        secret = directory / "secret"
        secret.write_text(SECRET + "\n")
        secret.chmod(0o600)
        self.now = 1_700_000_000.0
        self.live = LiveDirectory(PEOPLE, ("pupils", "staff"), now=lambda: self.now)
        self.listener = AccountingListener(
            PEOPLE,
            replace(radius, clients=tuple((net, secret) for net, _ in radius.clients)),
            self.live.set_sessions,
            now=lambda: self.now,
        )
        self.listener.start()

    def send(
        self, said: dict[str, str], secret: str = SECRET, seconds: float = PATIENCE_SECONDS / 2
    ) -> bool:
        """Say whether it was answered in time, and the answer was genuine."""
        done = subprocess.run(
            [program("radclient"), "-r", "1", "-t", str(seconds), f"127.0.0.1:{self.listener.port}",
             "acct", secret],
            input=", ".join(f"{name} = {value}" for name, value in said.items()) + "\n",
            capture_output=True,
            text=True,
            timeout=PATIENCE_SECONDS,
            check=False,
        )  # fmt: skip
        return done.returncode == 0

    def becomes(self, address: str, want: tuple[str, str]) -> bool:
        """Wait until user and group at an address are these."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < deadline:
            found = self.live.current.identify(address, self.now)
            if (found.user, found.group) == want:
                return True
            time.sleep(0.05)
        return False


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    stage = Stage(tmp_path, RADIUS)
    yield stage
    stage.listener.stop()


def test_a_session_from_its_start_to_its_end(stage: Stage) -> None:
    assert stage.send(START)
    for address in ("10.9.0.8", "2001:db8:9::8", "2001:db8:a::1234"):
        assert stage.becomes(address, ("ann", "staff"))
    assert stage.send(
        {**START, "Acct-Status-Type": "Interim-Update", "Framed-IP-Address": "10.9.0.9"}
    )
    assert stage.becomes("10.9.0.9", ("ann", "staff"))
    assert stage.becomes("10.9.0.8", ("", ""))
    assert stage.send({**START, "Acct-Status-Type": "Stop"})
    assert stage.becomes("10.9.0.9", ("", ""))


def test_the_class_says_the_group_and_a_name_may_not(tmp_path: Path) -> None:
    stage = Stage(tmp_path, replace(RADIUS, user_names_verified=False))
    assert stage.send({**START, "Class": "0x" + b"pupil".hex()})
    assert stage.becomes("10.9.0.8", ("", "pupils"))
    assert stage.live.current.identify("10.9.0.8", stage.now).also == {"class-4b"}
    assert stage.send({**START, "Acct-Session-Id": '"2"', "Framed-IP-Address": "10.9.0.10"})
    assert stage.becomes("10.9.0.10", ("", ""))
    stage.listener.stop()


def test_a_session_of_which_nothing_is_heard_any_more_ends(stage: Stage) -> None:
    assert stage.send(START)
    assert stage.becomes("10.9.0.8", ("ann", "staff"))
    stage.now += 1799
    assert stage.send({**START, "Acct-Status-Type": "Interim-Update"})
    stage.now += 1799
    assert stage.becomes("10.9.0.8", ("ann", "staff"))
    stage.now += 1
    assert stage.becomes("10.9.0.8", ("", ""))


@pytest.mark.parametrize("status", ["Accounting-On", "Accounting-Off"])
def test_a_controller_that_restarts_has_no_sessions(stage: Stage, status: str) -> None:
    other = {**START, "NAS-Identifier": '"other"', "Framed-IP-Address": "10.9.0.20",
             "Calling-Station-Id": '"00-1B-44-11-3A-B8"'}  # fmt: skip
    assert stage.send(START)
    assert stage.send(other)
    assert stage.becomes("10.9.0.8", ("ann", "staff"))
    assert stage.send({"Acct-Status-Type": status, "NAS-Identifier": '"controller"'})
    assert stage.becomes("10.9.0.8", ("", ""))
    assert stage.becomes("10.9.0.20", ("ann", "staff"))


def test_the_stronger_proof_is_checked_where_it_is_there(stage: Stage) -> None:
    assert stage.send({**START, "Message-Authenticator": "0x00"})
    assert stage.becomes("10.9.0.8", ("ann", "staff"))


def test_who_does_not_know_the_secret_or_is_not_listed_gets_no_answer(
    stage: Stage, tmp_path: Path
) -> None:
    assert not stage.send(START, secret="guessed", seconds=2)
    assert stage.listener.heard.refused == 1
    assert not stage.send({**START, "Message-Authenticator": "0x00"}, secret="guessed", seconds=2)
    elsewhere = Stage(
        tmp_path, replace(RADIUS, clients=((ipaddress.ip_network("192.0.2.0/24"), Path("x")),))
    )
    assert not elsewhere.send(START, seconds=2)
    elsewhere.listener.stop()
    assert stage.becomes("10.9.0.8", ("", ""))


def test_sessions_reach_other_processes_and_outlive_a_restart(tmp_path: Path) -> None:
    file = tmp_path / "sessions.json"
    stage = Stage(tmp_path, RADIUS)
    stage.listener.stop()
    first = listener_into(file, stage)
    first.start()
    stage.listener = first
    assert stage.send(START)
    worker = LiveDirectory(PEOPLE, now=lambda: stage.now, session_file=file)
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not read_sessions(file).sessions and time.monotonic() < deadline:
        time.sleep(0.05)
    worker.look()
    assert worker.current.identify("10.9.0.8", stage.now).user == "ann"
    first.stop()
    second = listener_into(file, stage)
    second.start()
    stage.listener = second
    assert stage.send({**START, "Acct-Status-Type": "Stop"})
    while read_sessions(file).sessions and time.monotonic() < deadline:
        time.sleep(0.05)
    worker.look()
    assert worker.current.identify("10.9.0.8", stage.now).user == ""
    second.stop()


def listener_into(file: Path, stage: Stage) -> AccountingListener:
    secret = file.with_name("secret")
    return AccountingListener(
        PEOPLE,
        replace(RADIUS, clients=((ipaddress.ip_network("127.0.0.0/8"), secret),)),
        lambda sessions: write_sessions(file, sessions, stage.now),
        kept=read_sessions(file).sessions,
        now=lambda: stage.now,
    )
