"""Who holds the sockets of a client, and can be asked from wherever only the client is known."""

import weakref
from collections.abc import Callable
from typing import Protocol

from mitmproxy.connection import Client, Connection
from mitmproxy.proxy import commands


class Holder(Protocol):
    """Who has the sockets of a client and of the origins that it asked for."""

    def unsent_bytes(self, to: Connection) -> int:
        """Give how much waits for the peer of a connection to read on."""

    def hold(self, connection: Connection, is_open: Callable[[], bool]) -> None:
        """Leave what comes on a connection in its socket until something is true."""

    def is_through(self, hook: commands.StartHook) -> bool:
        """Run a hook; False where it waits, and must be given to the holder as any command."""


# By the client's id. Weak values: with weak keys none would ever go, as a holder has its client.
_holders: weakref.WeakValueDictionary[str, Holder] = weakref.WeakValueDictionary()


def register(client: Client, holder: Holder) -> None:
    """Note who has a client's sockets, as long as it lives."""
    _holders[client.id] = holder


def holder_of(client: Client) -> Holder | None:
    """Give who has a client's sockets, unless it is mitmproxy's own handler."""
    return _holders.get(client.id)
