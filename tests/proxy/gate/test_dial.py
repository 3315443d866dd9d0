"""Whoever can be reached is reached, whatever the other addresses are worth."""

import asyncio
import select
import socket
from typing import Any

from schoolgate.proxy.gate.dial import Dial
from schoolgate.proxy.gate.poller import IN, Poller
from tests.gateway import PATIENCE_SECONDS


def outcome(*addresses: Any, events: int | None = None) -> tuple[bool, bool]:
    """Dial, and say whether there is a connection and whether an error was told.

    With ``events`` the first attempt is told of these before anything happened to it.
    """

    async def dialled() -> tuple[bool, bool]:
        loop = asyncio.get_running_loop()
        faults: list[Exception] = []
        poller = Poller(loop, lambda _, error: faults.append(error))
        done: asyncio.Future[tuple[bool, bool]] = loop.create_future()

        def settled(connection: socket.socket | None, error: OSError | None) -> None:
            is_connected = False
            if connection is not None:
                with connection:
                    is_connected = bool(connection.getpeername())
            done.set_result((is_connected, error is not None))

        dial = Dial(loop, poller, addresses, settled)
        dial.start()
        if events is not None:
            [attempt] = dial._attempts
            dial._settled(attempt, events)
        try:
            return await asyncio.wait_for(done, PATIENCE_SECONDS)
        finally:
            assert faults == []
            poller.close()

    return asyncio.run(dialled())


# A kernel without IPv6 answers so to a socket of that family.
UNKNOWN_FAMILY = (socket.AF_DECnet, socket.SOCK_STREAM, 0, "", ("::1", 1))


def test_an_address_of_a_family_that_the_kernel_does_not_know_is_passed_over() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        here = (socket.AF_INET, socket.SOCK_STREAM, 0, "", listener.getsockname())
        assert outcome(UNKNOWN_FAMILY, here) == (True, False)
    assert outcome(UNKNOWN_FAMILY) == (False, True)


def test_what_is_told_of_another_socket_settles_nothing() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        here = (socket.AF_INET, socket.SOCK_STREAM, 0, "", listener.getsockname())
        assert outcome(here, events=IN | select.EPOLLPRI) == (True, False)
