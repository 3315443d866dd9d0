"""The directory that a thread keeps up to date."""

import json
import threading
from dataclasses import replace
from ipaddress import ip_network
from pathlib import Path

import pytest

from schoolgate.core.people import Device, LeaseKind, LeaseSource, Membership, Network, People
from schoolgate.identity import Binding, Directory, LiveDirectory, write_sessions

AT = 1_700_000_000.0
LATER = int(AT) + 3600
MAC = "00:1b:44:11:3a:b7"
DEVICE = Device("ipad-3", macs=frozenset({MAC}), membership=Membership("pupils"))


def group(live: LiveDirectory, address: str = "10.0.0.7") -> str:
    return live.current.identify(address, AT).group


def people(tmp_path: Path, *, neighbours: bool = False) -> People:
    source = LeaseSource(LeaseKind.DNSMASQ, tmp_path / "leases")
    return People(devices=(DEVICE,), leases=(source,), neighbours=neighbours)


def test_a_look_brings_what_changed_and_says_each_fault_once(tmp_path: Path) -> None:
    seen: list[Directory] = []
    faults: list[str] = []
    live = LiveDirectory(
        people(tmp_path), now=lambda: AT, on_change=seen.append, on_fault=faults.append
    )
    first = live.current
    for _ in range(3):
        live.look()
    assert (live.current, len(faults), live.faults) == (first, 1, tuple(faults))
    (tmp_path / "leases").write_text(f"{LATER} {MAC} 10.0.0.7 * *\n")
    live.look()
    live.look()
    assert seen == [live.current]
    assert group(live) == "pupils"
    assert live.faults == ()


def test_neighbours_are_asked_every_few_seconds(tmp_path: Path) -> None:
    asked: list[float] = []
    now = AT

    def read() -> str:
        asked.append(now)
        return json.dumps([{"dst": "10.0.0.7", "lladdr": MAC, "state": ["STALE"]}])

    live = LiveDirectory(people(tmp_path, neighbours=True), now=lambda: now, read_neighbours=read)
    for now in (AT, AT + 1, AT + 3, AT + 4, AT + 60, AT):  # noqa: B007 - read by the closures
        live.look()
    assert asked == [AT, AT + 4, AT + 60, AT]
    assert group(live) == "pupils"


def test_a_neighbour_that_was_only_heard_of_again_changes_nothing(tmp_path: Path) -> None:
    states = ["STALE", "REACHABLE", "STALE", "FAILED", "STALE"]
    now = AT

    def read() -> str:
        return json.dumps([{"dst": "10.0.0.7", "lladdr": MAC, "state": [states.pop(0)]}])

    live = LiveDirectory(
        replace(people(tmp_path, neighbours=True), leases=()),
        now=lambda: now,
        read_neighbours=read,
    )
    seen = []
    while states:
        now += 10
        live.look()
        seen.append((id(live.current), group(live)))
    assert [said for _, said in seen] == ["pupils", "pupils", "pupils", "", "pupils"]
    assert len({which for which, _ in seen[:3]}) == 1


def test_bindings_are_in_force_when_the_call_returns(tmp_path: Path) -> None:
    live = LiveDirectory(people(tmp_path), now=lambda: AT)
    binding = Binding("1", "ann", "staff", frozenset(), "10.0.0.7", "", AT, AT + 9)
    live.set_bindings([binding])
    assert group(live) == "staff"
    live.set_bindings([])
    assert group(live) == ""


def test_the_thread_follows_the_files_and_outlives_a_failure(tmp_path: Path) -> None:
    changed = threading.Event()
    failed = threading.Event()

    def on_change(_: Directory) -> None:
        if not failed.is_set():
            failed.set()
            raise RuntimeError
        changed.set()

    leases = tmp_path / "leases"
    leases.write_text("")
    live = LiveDirectory(people(tmp_path), now=lambda: AT, on_change=on_change)
    live.start()
    live.start()
    try:
        leases.write_text(f"{LATER} {MAC} 10.0.0.7 * *\n")
        assert failed.wait(60)
        leases.write_text(f"{LATER} {MAC} 10.0.0.8 * *\n")
        assert changed.wait(60)
        assert group(live, "10.0.0.8") == "pupils"
    finally:
        live.stop()


def test_until_every_source_was_read_strangers_have_no_group(tmp_path: Path) -> None:
    network = Network("wired", (ip_network("10.0.0.0/8"),), Membership("staff"))
    leases = tmp_path / "leases"
    sessions = tmp_path / "sessions"
    table = ["not yet"]
    now = AT
    live = LiveDirectory(
        replace(people(tmp_path, neighbours=True), networks=(network,)),
        now=lambda: now,
        read_neighbours=lambda: table[0],
        session_file=sessions,
        awaits_bindings=True,
    )

    def looked() -> str:
        nonlocal now
        now += 10
        live.look()
        live.look()
        return group(live)

    assert group(live) == ""
    live.set_bindings([])
    assert looked() == ""
    write_sessions(sessions, [], now)
    assert looked() == ""
    leases.write_text("")
    assert looked() == ""
    table[0] = "[]"
    assert looked() == "staff"
    # and again when one of them fails
    leases.unlink()
    assert looked() == ""
    leases.write_text("")
    assert looked() == "staff"
    sessions.unlink()
    assert looked() == ""
    write_sessions(sessions, [], now)
    assert looked() == "staff"
    table[0] = "broken"
    assert looked() == "staff"  # believed for a minute
    now += 60
    write_sessions(sessions, [], now)
    assert looked() == ""


def test_a_lease_is_believed_only_while_the_neighbours_can_be_seen(tmp_path: Path) -> None:
    (tmp_path / "leases").write_text(f"{LATER} {MAC} 10.0.0.7 * *\n")
    table = ["[]"]
    now = AT
    live = LiveDirectory(
        people(tmp_path, neighbours=True), now=lambda: now, read_neighbours=lambda: table[0]
    )
    live.look()
    live.look()
    assert group(live) == "pupils"
    table[0] = "broken"
    now += 100
    live.look()
    assert group(live) == ""


@pytest.mark.parametrize("text", ["", "garbage\n" * 5])
def test_before_anything_is_known_everybody_is_a_stranger(tmp_path: Path, text: str) -> None:
    (tmp_path / "leases").write_text(text)
    live = LiveDirectory(people(tmp_path), now=lambda: AT)
    live.look()
    live.look()
    assert group(live) == ""
