"""Where a gateway listens: every address is opened before anything runs, and closed with the block."""

import contextlib
import socket
from collections.abc import Iterator, Sequence

from schoolgate.core.errors import UnavailableError
from schoolgate.settings import Settings
from schoolgate.settings.machine import split_address
from schoolgate.workers import Listeners, open_datagram_sockets, open_listeners


@contextlib.contextmanager
def metrics_listener(settings: Settings) -> Iterator[Listeners]:
    """Listen where metrics and health are asked for.

    Raises:
        UnavailableError: when the address is in use or not this machine's.
    """
    with _listening("metrics", "metrics cannot be served", settings.metrics.listen, 1) as one:
        yield one


@contextlib.contextmanager
def proxy_listeners(settings: Settings) -> Iterator[Listeners]:
    """Listen where browsers find the proxy, with a socket for each worker.

    Raises:
        UnavailableError: when the address is in use or not this machine's.
    """
    proxy = settings.proxy
    with _listening("proxy", "proxy cannot listen", proxy.listen, proxy.workers) as all_of_them:
        yield all_of_them


@contextlib.contextmanager
def transparent_listeners(settings: Settings) -> Iterator[Listeners]:
    """Listen where redirected connections arrive; the settings name where.

    Raises:
        UnavailableError: when the address is in use or not this machine's.
    """
    proxy = settings.proxy
    assert proxy.transparent_listen is not None
    trouble = "proxy cannot take redirected connections"
    with _listening(
        "proxy", trouble, proxy.transparent_listen, proxy.workers, "transparent_listen"
    ) as found:
        yield found


@contextlib.contextmanager
def portal_listener(settings: Settings) -> Iterator[Listeners]:
    """Listen where the portal is asked.

    Raises:
        UnavailableError: when the address is in use or not this machine's.
    """
    with _listening("portal", "portal cannot be served", settings.portal.listen, 1) as one:
        yield one


@contextlib.contextmanager
def tunnel_sockets(settings: Settings) -> Iterator[Sequence[socket.socket]]:
    """Open the sockets by which devices at home come in; none where there is no such way.

    Raises:
        UnavailableError: when the address is in use or not this machine's.
    """
    if settings.wireguard.listen is None:
        yield ()
        return
    host, port = split_address(settings.wireguard.listen)
    try:
        sockets = open_datagram_sockets(host, port)
    except OSError as error:
        raise UnavailableError(
            f"The tunnels for devices at home cannot be served on {host}:{port}: {error.strerror}. "
            "Stop what uses it, or set wireguard.listen to another address."
        ) from error
    with contextlib.ExitStack() as opened:
        for one in sockets:
            opened.enter_context(one)
        yield sockets


@contextlib.contextmanager
def _listening(
    section: str, trouble: str, address: str, workers: int, key: str = "listen"
) -> Iterator[Listeners]:
    host, port = split_address(address)
    try:
        listeners = open_listeners(host, port, workers)
    except OSError as error:
        raise UnavailableError(
            f"The {trouble} on {host}:{port}: {error.strerror}. "
            f"Stop what uses it, or set {section}.{key} to another address."
        ) from error
    with contextlib.closing(listeners):
        yield listeners


def url_of(listeners: Listeners) -> str:
    """Give the URL of an address."""
    return f"http://{place_of(listeners.rows[0][0])}"


def place_of(one: socket.socket) -> str:
    """Give host and port of a socket, as people write them."""
    host, port = one.getsockname()[:2]
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
