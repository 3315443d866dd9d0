"""Opens the sockets of an address, before there is anybody who serves it.

They belong to the supervisor: what waits to be accepted outlives the worker that should have done
it, and its replacement goes on with the same socket.
"""

import contextlib
import logging
import socket
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from schoolgate.workers import steering

logger = logging.getLogger(__name__)

# The kernel lowers it to net.core.somaxconn.
BACKLOG = 4096

_ANY6, _ANY4 = "::", "0.0.0.0"  # noqa: S104 - what the technician asked for


@dataclass(frozen=True, slots=True)
class Listeners:
    """The sockets of one address.

    Attributes:
        rows: for each worker its sockets, one for each family that the address has.
        steered: whether each client address always reaches the same worker.
    """

    rows: Sequence[Sequence[socket.socket]]
    steered: bool

    @property
    def address(self) -> tuple[str, int]:
        """Host and port, the port as it was chosen when 0 was asked for."""
        host, port, *_ = self.rows[0][0].getsockname()
        return host, port

    def close(self) -> None:
        """Stop to listen; what was not accepted is reset."""
        for one in self.all():
            one.close()

    def all(self) -> Iterator[socket.socket]:
        """Give every socket."""
        for row in self.rows:
            yield from row


def open_listeners(
    host: str,
    port: int,
    workers: int,
    attach: Callable[[socket.socket, int], None] = steering.attach,
) -> Listeners:
    """Listen on an address with a socket for each worker.

    Args:
        host: an address, or a name of this machine. ``::`` is every address of both families,
            ``0.0.0.0`` every address of IPv4.
        port: 0 for one that is free.
        workers: how many sockets share it.
        attach: steers a group of sockets; where it is refused with OSError the kernel spreads
            connections by a hash of both ends, which is told once.

    Raises:
        OSError: when the address is in use or not ours.
    """
    steered = True
    columns: list[list[socket.socket]] = []
    with contextlib.ExitStack() as opened:
        for family, place in _places(host, port):
            column = _column(family, _with_port(place, port), workers, opened)
            port = column[0].getsockname()[1]
            steered = steered and _steer(column, attach)
            for one in column:
                # In this order, which is the one that the program counts in.
                one.listen(BACKLOG)
            columns.append(column)
        opened.pop_all()
    return Listeners(tuple(zip(*columns, strict=True)), steered)


def open_datagram_sockets(host: str, port: int) -> list[socket.socket]:
    """Take an address for datagrams, with a socket for each family that it has; nobody shares them.

    Args:
        host: as for `open_listeners`.
        port: 0 for one that is free.

    Raises:
        OSError: when the address is in use or not ours.
    """
    found: list[socket.socket] = []
    with contextlib.ExitStack() as opened:
        for family, place in _places(host, port, socket.SOCK_DGRAM):
            one = opened.enter_context(socket.socket(family, socket.SOCK_DGRAM))
            one.setblocking(False)
            if family == socket.AF_INET6:
                one.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            one.bind(_with_port(place, port))
            port = one.getsockname()[1]
            found.append(one)
        opened.pop_all()
    return found


def _places(
    host: str, port: int, kind: socket.SocketKind = socket.SOCK_STREAM
) -> Iterator[tuple[int, tuple[Any, ...]]]:
    seen = set()
    # Two sockets instead of one for both: behind that one, IPv4 addresses would be written as
    # IPv6 ones, and the program would read them where they are not.
    for name in (_ANY6, _ANY4) if host == _ANY6 else (host,):
        for family, _, _, _, place in socket.getaddrinfo(
            name, port, type=kind, flags=socket.AI_PASSIVE
        ):
            if (family, place) not in seen:
                seen.add((family, place))
                yield family, place


def _with_port(place: tuple[Any, ...], port: int) -> tuple[Any, ...]:
    return (place[0], port, *place[2:])


def _column(
    family: int, place: tuple[Any, ...], workers: int, opened: contextlib.ExitStack
) -> list[socket.socket]:
    column: list[socket.socket] = []
    for number in range(workers):
        one = opened.enter_context(socket.socket(family, socket.SOCK_STREAM))
        one.setblocking(False)
        one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            one.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        # The first takes the address for itself, so that two gateways cannot share it by mistake,
        # and lets the others join it afterwards.
        if number > 0:
            one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        one.bind(place if number == 0 else column[0].getsockname())
        if number == 0 and workers > 1:
            one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        column.append(one)
    return column


def _steer(column: Sequence[socket.socket], attach: Callable[[socket.socket, int], None]) -> bool:
    if len(column) == 1:
        return True
    try:
        attach(column[0], len(column))
    except OSError as error:
        logger.warning(
            "The kernel does not steer clients to workers (%s): "
            "the connections of one client are spread over all of them.",
            error.strerror or error,
        )
        return False
    return True
