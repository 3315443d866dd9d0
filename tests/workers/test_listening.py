"""The sockets of one address: shared, steered, for each family its own."""

import logging
import socket
from contextlib import closing

import pytest

from schoolgate.workers import open_datagram_sockets, open_listeners
from tests.workers.spread import CONNECTIONS, SOCKETS, reached

CLIENTS = [f"127.0.0.{number}" for number in range(10, 30)]


def has_ipv6() -> bool:
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        return False
    return True


def refuse(_one: socket.socket, _sockets: int) -> None:
    raise PermissionError(1, "Operation not permitted")


def test_each_client_reaches_one_socket_and_all_of_them_reach_all() -> None:
    with closing(open_listeners("127.0.0.1", 0, SOCKETS)) as listeners:
        assert listeners.steered
        found = reached(listeners, "127.0.0.1", CLIENTS)
    assert all(len(numbers) == CONNECTIONS for numbers in found.values())
    assert {client: set(numbers) for client, numbers in found.items()} == {
        client: {(127 * 2**24 + int(client.rpartition(".")[2])) % SOCKETS} for client in CLIENTS
    }


def test_what_the_kernel_refuses_to_steer_is_spread_and_that_is_said_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with (
        caplog.at_level(logging.WARNING),
        closing(open_listeners("127.0.0.1", 0, SOCKETS, refuse)) as listeners,
    ):
        assert not listeners.steered
        found = reached(listeners, "127.0.0.1", CLIENTS)
    assert [record.message for record in caplog.records] == [
        (
            "The kernel does not steer clients to workers (Operation not permitted): "
            "the connections of one client are spread over all of them."
        )
    ]
    assert {number for numbers in found.values() for number in numbers} == set(range(SOCKETS))


def test_a_single_worker_needs_no_steering() -> None:
    with closing(open_listeners("127.0.0.1", 0, 1, refuse)) as listeners:
        assert reached(listeners, "127.0.0.1", CLIENTS[:2]) == {
            client: [0] * CONNECTIONS for client in CLIENTS[:2]
        }


def test_what_waits_outlives_the_one_that_should_have_taken_it() -> None:
    """The supervisor's descriptor keeps the queue; a worker's is a copy of it."""
    with closing(open_listeners("127.0.0.1", 0, 1)) as listeners:
        [[listener]] = listeners.rows
        with listener.dup(), socket.create_connection(listeners.address) as client:
            pass_on = client.getsockname()
        with listener.dup() as again:
            connection, address = again.accept()
            connection.close()
    assert address == pass_on


@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize("shared", [False, True])
def test_an_address_that_somebody_has_is_refused(workers: int, shared: bool) -> None:
    """Also when they would share it: it may be another gateway."""
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, shared)
        other.bind(("127.0.0.1", 0))
        other.listen()
        with pytest.raises(OSError, match="Address already in use"):
            open_listeners("127.0.0.1", other.getsockname()[1], workers)


def test_a_second_gateway_is_refused() -> None:
    with (
        closing(open_listeners("127.0.0.1", 0, 3)) as listeners,
        pytest.raises(OSError, match="Address already in use"),
    ):
        open_listeners(*listeners.address, 3)


def test_the_address_is_free_once_all_sockets_are_closed() -> None:
    with closing(open_listeners("127.0.0.1", 0, 3)) as listeners:
        address = listeners.address
        assert all(not one.getblocking() for one in listeners.all())
    with closing(open_listeners(*address, 2)) as again:
        assert again.address == address


def test_what_fails_half_way_leaves_nothing_open() -> None:
    opened: list[socket.socket] = []

    def fail(one: socket.socket, _sockets: int) -> None:
        opened.append(one)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        open_listeners("127.0.0.1", 0, 2, fail)
    assert [one.fileno() for one in opened] == [-1]


@pytest.mark.skipif(not has_ipv6(), reason="this machine has no IPv6")
def test_any_address_of_ipv6_is_any_of_both_families_each_with_a_socket_of_its_own() -> None:
    with closing(open_listeners("::", 0, 2)) as listeners:
        families = [[one.family for one in row] for row in listeners.rows]
        assert families == [[socket.AF_INET6, socket.AF_INET]] * 2
        assert len({one.getsockname()[1] for one in listeners.all()}) == 1
        assert reached(listeners, "127.0.0.1", ["127.0.0.2", "127.0.0.3"]) == {
            "127.0.0.2": [0] * CONNECTIONS,
            "127.0.0.3": [1] * CONNECTIONS,
        }
        assert reached(listeners, "::1", ["::1"]) == {"::1": [1] * CONNECTIONS}


def test_any_address_of_ipv4_is_of_ipv4_alone() -> None:
    with closing(open_listeners("0.0.0.0", 0, 2)) as listeners:
        assert {one.family for one in listeners.all()} == {socket.AF_INET}
        assert listeners.address[0] == "0.0.0.0"


def test_a_name_of_this_machine_may_be_given() -> None:
    with closing(open_listeners("localhost", 0, 2)) as listeners:
        assert listeners.address[0] in ("127.0.0.1", "::1")


@pytest.mark.parametrize(
    ("host", "want"),
    [
        ("127.0.0.1", [socket.AF_INET]),
        pytest.param(
            "::",
            [socket.AF_INET6, socket.AF_INET],
            marks=pytest.mark.skipif(not has_ipv6(), reason="no IPv6 here"),
        ),
    ],
)
def test_an_address_for_datagrams_is_one_port_of_each_family(host: str, want: list[int]) -> None:
    sockets = open_datagram_sockets(host, 0)
    try:
        assert [one.family for one in sockets] == want
        ports = {one.getsockname()[1] for one in sockets}
        assert len(ports) == 1
        with pytest.raises(OSError, match="in use"):
            open_datagram_sockets(host, ports.pop())
    finally:
        for one in sockets:
            one.close()
