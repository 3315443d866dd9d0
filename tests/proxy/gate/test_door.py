"""What is handed over at the door, by whom, and as whose it comes in."""

import socket
from collections.abc import Callable
from typing import Any, cast

import pytest

from schoolgate.proxy.gate.door import Door
from schoolgate.proxy.gate.poller import Poller
from schoolgate.workers import Exchange

PLACE = ("198.51.100.1", 443)


class Watched:
    """A poller of which only one descriptor is of interest."""

    def watch(self, _descriptor: int, _events: int, callback: Callable[[int], None]) -> None:
        self.callback = callback

    def forget(self, _descriptor: int) -> None:
        """Nothing is watched by itself."""


@pytest.mark.parametrize(
    ("place", "takes_elsewhere", "want"),
    [
        pytest.param(None, True, [("proxy", "10.99.0.2", True)], id="to the proxy"),
        pytest.param(PLACE, True, [("site", "10.99.0.2", PLACE)], id="to a site"),
        pytest.param(PLACE, False, [], id="to a site, where none are taken"),
    ],
)
def test_what_comes_from_a_tunnel_is_the_devices(
    place: tuple[str, int] | None, takes_elsewhere: bool, want: list[Any]
) -> None:
    came: list[Any] = []

    def to_proxy(connection: socket.socket, client: str, is_handed: bool) -> None:
        came.append(("proxy", client, is_handed))
        connection.close()

    def to_site(connection: socket.socket, client: str, place: tuple[str, int]) -> None:
        came.append(("site", client, place))
        connection.close()

    exchange, watched = Exchange(1), Watched()
    elsewhere = to_site if takes_elsewhere else None
    door = Door(cast("Poller", watched), to_proxy, lambda *_: None, came.append, elsewhere)
    door.open([], exchange.desk(1))
    ours, theirs = socket.socketpair()
    with ours, theirs:
        assert exchange.entrance().give(ours, "10.99.0.2", place)
        ours.close()
        watched.callback(1)
        assert theirs.recv(1) == b""
    exchange.close()
    assert came == want
