"""Connections that workers hand to each other, with every byte that is unread."""

import socket
from collections.abc import Iterator
from contextlib import closing

import pytest

from schoolgate.workers import Exchange, steering

WORKERS = 4


@pytest.fixture
def exchange() -> Iterator[Exchange]:
    with closing(Exchange(WORKERS)) as made:
        yield made


@pytest.fixture
def connection() -> Iterator[tuple[socket.socket, socket.socket]]:
    """A client's end and the gateway's, with something to read."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        theirs.sendall(b"CONNECT")
        yield ours, theirs


@pytest.mark.parametrize(
    ("client", "owner"), [("10.0.0.4", 1), ("10.0.0.5", 2), ("10.0.0.6", 3), ("2001:db8::3", 4)]
)
def test_a_connection_comes_to_the_worker_of_its_client(
    exchange: Exchange, connection: tuple[socket.socket, socket.socket], client: str, owner: int
) -> None:
    ours, theirs = connection
    giver = owner % WORKERS + 1
    assert exchange.desk(giver).give(ours, client)
    ours.close()
    for number in range(1, WORKERS + 1):
        taken = exchange.desk(number).take()
        assert (taken is not None) is (number == owner)
        if taken is not None:
            with taken.connection as one:
                assert one.recv(100) == b"CONNECT"
                one.sendall(b"200")
                assert theirs.recv(100) == b"200"
            assert (taken.client, taken.place) == ("", None)


def test_the_workers_own_clients_stay(
    exchange: Exchange, connection: tuple[socket.socket, socket.socket]
) -> None:
    assert not exchange.desk(2).give(connection[0], "10.0.0.5")
    assert exchange.desk(2).take() is None


def test_when_a_worker_takes_nothing_the_connection_stays_where_it_is(
    exchange: Exchange, connection: tuple[socket.socket, socket.socket]
) -> None:
    ours, theirs = connection
    desk = exchange.desk(1)
    given = 0
    while desk.give(ours, "10.0.0.5"):
        given += 1
        # As many as the kernel queues (net.unix.max_dgram_qlen), and bytes that it sends.
        assert given < 100_000
    assert given > 0
    theirs.sendall(b"x")
    assert ours.recv(100) == b"CONNECTx"
    while (taken := exchange.desk(2).take()) is not None:
        taken.connection.close()
        given -= 1
    assert given == 0
    assert desk.give(ours, "10.0.0.5")


@pytest.mark.parametrize("place", [None, ("2001:db8::1", 443)])
@pytest.mark.parametrize("client", ["10.99.0.5", "fd00:99::ff03"])
def test_who_is_no_worker_says_whose_a_connection_is_and_where_it_was_going(
    exchange: Exchange,
    connection: tuple[socket.socket, socket.socket],
    client: str,
    place: tuple[str, int] | None,
) -> None:
    assert exchange.entrance().give(connection[0], client, place)
    for number in range(1, WORKERS + 1):
        taken = exchange.desk(number).take()
        assert (taken is not None) is (steering.place_of(client, WORKERS) + 1 == number)
        if taken is not None:
            assert (taken.client, taken.place) == (client, place)
            with taken.connection as one:
                assert one.recv(100) == b"CONNECT"


def test_when_a_worker_takes_nothing_the_entrance_is_closed(
    exchange: Exchange, connection: tuple[socket.socket, socket.socket]
) -> None:
    entrance, given = exchange.entrance(), 0
    while entrance.give(connection[0], "10.99.0.5", None):
        given += 1
        assert given < 100_000
    while (taken := exchange.desk(2).take()) is not None:
        taken.connection.close()
    assert given > 0
    assert entrance.give(connection[0], "10.99.0.5", None)


@pytest.mark.parametrize(
    ("place", "stands_for"),
    [
        (None, None),
        (("192.0.2.1", 443), None),
        (("192.0.2.1", 443), ("pupils", "")),
        (("2001:db8::1", 80), ("staff", "wifi")),
    ],
)
def test_who_comes_in_by_the_entrance_brings_whose_it_is_and_for_whom_it_stands(
    exchange: Exchange,
    connection: tuple[socket.socket, socket.socket],
    place: tuple[str, int] | None,
    stands_for: tuple[str, str] | None,
) -> None:
    entrance = exchange.entrance()
    assert entrance.workers == WORKERS
    assert entrance.give(connection[0], "10.0.0.5", place, stands_for)
    taken = exchange.desk(2).take()
    assert taken is not None
    with taken.connection as one:
        assert one.recv(100) == b"CONNECT"
    assert taken[1:] == ("10.0.0.5", place, stands_for)
