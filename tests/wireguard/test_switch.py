"""Messages from outside and their way to the tunnel of their device; nothing else finds one."""

import base64
import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, cast

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from schoolgate.wireguard import Peer, Sight
from schoolgate.wireguard.messages import mac_key
from schoolgate.wireguard.switch import Switch
from schoolgate.wireguard.tunnel import Tunnel
from tests.wireguard.initiating import initiation

GATEWAY = X25519PrivateKey.generate()
KEY = base64.b64encode(GATEWAY.private_bytes_raw()).decode()
FIRST, SECOND = (X25519PrivateKey.generate() for _ in range(2))
ANSWER = b"\x02\0\0\0" + bytes(4) + b"\7\0\0\0" + bytes(80)
DATA = bytes(24)


def public(key: X25519PrivateKey) -> str:
    return base64.b64encode(key.public_key().public_bytes_raw()).decode()


def moment(number: int) -> bytes:
    return number.to_bytes(12, "big")


class Inner:
    """The end of a tunnel: what it was sent, and what it says."""

    def __init__(self) -> None:
        self.says: list[bytes] = []

    def recv(self, _most: int) -> bytes:
        if not self.says:
            raise BlockingIOError
        return self.says.pop(0)


@dataclass
class FakeTunnel:
    """What a switch needs of one."""

    peer: Peer
    where: Any = None
    moment: bytes = b""
    sight: Sight = field(default_factory=Sight)
    idle_since: float = 0.0
    indices: list[bytes] = field(default_factory=list)
    inner: Inner | None = field(default_factory=Inner)
    streams: tuple[()] = ()
    sent: list[bytes] = field(default_factory=list)
    ended: bool = False

    @property
    def mac_key(self) -> bytes:
        return mac_key(base64.b64decode(self.peer.public_key))

    def initiated(self, message: bytes) -> None:
        self.sent.append(message)

    send = initiated

    def close(self) -> None:
        self.inner = None

    def end(self) -> None:
        self.ended = True


class Stage:
    """A switch with two devices, and a line to it."""

    def __init__(self, outer: socket.socket, line: socket.socket) -> None:
        self.outer, self.line = outer, line
        self.refused: list[str] = []
        self.at = 1000.0
        self.tunnels: dict[str, FakeTunnel] = {}
        self.switch = Switch(KEY, self._made, self.refused.append, lambda: self.at, lambda: self.at)
        self.peers = (Peer("first", public(FIRST), ("a",)), Peer("second", public(SECOND), ("b",)))
        self.switch.put(self.peers)

    def _made(self, peer: Peer, _heard: Callable[[Tunnel], None]) -> Tunnel:
        made = self.tunnels[peer.name] = FakeTunnel(peer)
        return cast("Tunnel", made)

    def comes(self, message: bytes) -> None:
        self.line.send(message)
        self.switch.from_outside(self.outer)

    def begins(self, key: X25519PrivateKey, number: int) -> None:
        self.comes(initiation(key, GATEWAY.public_key(), moment(number)))

    def says(self, name: str, message: bytes) -> bytes:
        """Have the end of a tunnel say something, and give what comes out."""
        tunnel = self.tunnels[name]
        assert tunnel.inner is not None
        tunnel.inner.says.append(message)
        self.switch.from_inside(cast("Tunnel", tunnel))
        return self.line.recv(2000)


@pytest.fixture
def stage() -> Iterator[Stage]:
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as outer,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as line,
    ):
        for one in (outer, line):
            one.bind(("127.0.0.1", 0))
            one.setblocking(False)
        line.connect(outer.getsockname())
        yield Stage(outer, line)


def test_a_first_message_comes_to_the_tunnel_of_its_key(stage: Stage) -> None:
    stage.begins(SECOND, 1)
    stage.begins(FIRST, 1)
    assert [len(stage.tunnels[name].sent) for name in ("first", "second")] == [1, 1]
    assert stage.refused == []


def test_sessions_of_all_ends_have_numbers_of_their_own(stage: Stage) -> None:
    numbers = {}
    for name, key in (("first", FIRST), ("second", SECOND)):
        stage.begins(key, 1)
        numbers[name] = stage.says(name, ANSWER)[4:8]
    assert numbers["first"] != numbers["second"]
    for name, number in numbers.items():
        stage.comes(b"\x04\0\0\0" + number + DATA)
        assert stage.tunnels[name].sent[1:] == [b"\x04\0\0\0" + bytes(4) + DATA]
    assert stage.says("first", b"\x04\0\0\0data") == b"\x04\0\0\0data"
    sights = stage.switch.sights()
    assert sights[public(FIRST)] == Sight(1000.0, 1000.0, 148 + 32, 92 + 8)


@pytest.mark.parametrize(
    ("message", "want"),
    [
        pytest.param(b"", [], id="nothing"),
        pytest.param(b"\x04\0\0\0abcd" + DATA, [], id="no session"),
        pytest.param(ANSWER, [], id="an answer"),
        pytest.param(b"\x03\0\0\0" + bytes(60), [], id="a cookie"),
        pytest.param(bytes(148), [], id="noise"),
        pytest.param(
            initiation(X25519PrivateKey.generate(), GATEWAY.public_key(), moment(1)),
            ["unknown"],
            id="an unknown device",
        ),
    ],
)
def test_what_is_no_devices_comes_nowhere(stage: Stage, message: bytes, want: list[str]) -> None:
    stage.comes(message)
    assert stage.refused == want
    assert not any(tunnel.sent for tunnel in stage.tunnels.values())


@pytest.mark.parametrize(("number", "want"), [(4, 1), (5, 1), (6, 2)])
def test_a_copied_message_begins_nothing(stage: Stage, number: int, want: int) -> None:
    stage.begins(FIRST, 5)
    stage.begins(FIRST, number)
    assert len(stage.tunnels["first"].sent) == want
    assert stage.refused == ["replayed"] * (2 - want)


def test_a_flood_of_first_messages_is_not_looked_into(stage: Stage) -> None:
    for _ in range(260):
        stage.begins(X25519PrivateKey.generate(), 1)
    assert set(stage.refused) == {"unknown", "flood"}
    assert stage.refused.count("unknown") == 200
    stage.at += 1
    stage.begins(FIRST, 1)
    assert len(stage.tunnels["first"].sent) == 1


def test_who_is_removed_or_has_another_key_is_cut_off_and_the_others_are_not(stage: Stage) -> None:
    stage.begins(FIRST, 1)
    number = stage.says("first", ANSWER)[4:8]
    first, second = stage.tunnels["first"], stage.tunnels["second"]
    another = X25519PrivateKey.generate()
    stage.switch.put((Peer("first", public(another), ("a",)), stage.peers[1]))
    assert (first.ended, second.ended) == (True, False)
    stage.comes(b"\x04\0\0\0" + number + DATA)
    stage.begins(FIRST, 2)
    assert len(first.sent) == 1
    assert stage.refused == ["unknown"]
    stage.begins(another, 1)
    assert len(stage.tunnels["first"].sent) == 1
    stage.switch.close()
    assert stage.tunnels["first"].ended
    assert second.ended


def test_another_group_cuts_nobody_off(stage: Stage) -> None:
    stage.switch.put((Peer("first", public(FIRST), ("a",), "staff"), stage.peers[1]))
    assert not stage.tunnels["first"].ended


def test_a_session_is_over_after_three_minutes_and_the_oldest_make_room(stage: Stage) -> None:
    numbers = []
    for number in range(9):
        stage.begins(FIRST, number + 1)
        numbers.append(stage.says("first", ANSWER)[4:8])
    tunnel = stage.tunnels["first"]
    tunnel.sent.clear()
    for one in numbers:
        stage.comes(b"\x04\0\0\0" + one + DATA)
    assert len(tunnel.sent) == 8
    stage.at += 181
    stage.comes(b"\x04\0\0\0" + numbers[-1] + DATA)
    assert len(tunnel.sent) == 8
    stage.switch.tidy()
    assert tunnel.indices == []


def test_an_end_that_nobody_uses_is_let_go(stage: Stage) -> None:
    stage.begins(FIRST, 1)
    assert stage.switch.open_tunnels == 2
    stage.at += 599
    stage.switch.tidy()
    assert stage.tunnels["first"].inner is not None
    stage.at += 2
    stage.switch.tidy()
    assert stage.switch.open_tunnels == 0
