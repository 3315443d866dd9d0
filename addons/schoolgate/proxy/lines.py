"""What is known of a client's connection as such, kept with it and gone with it."""

from dataclasses import dataclass

from mitmproxy.connection import Client

from schoolgate.services.callers import Caller

# An attribute of the connection itself, as those of flows are in `transactions`.
_LINE = "schoolgate_line"


@dataclass(frozen=True, slots=True)
class Line:
    """A client's connection.

    Attributes:
        caller: who is on it.
        is_tunnel: what comes on it now is for a site, and says nothing to the proxy.
    """

    caller: Caller
    is_tunnel: bool


def keep(client: Client, line: Line) -> None:
    """Note who is on a connection."""
    setattr(client, _LINE, line)


def of(client: Client) -> Line | None:
    """Give what is known of a connection; nothing before anything was asked on it."""
    return getattr(client, _LINE, None)
