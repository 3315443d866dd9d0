"""An address for Prometheus to ask, of a program of the centre that shows its figures by itself."""

import contextlib
import socket
from collections.abc import Callable, Iterator

from prometheus_client import CollectorRegistry

from schoolgate.core.errors import UnavailableError
from schoolgate.monitoring import MetricsEndpoint
from schoolgate.settings.machine import split_address


def metrics_listener(address: str) -> socket.socket:
    """Listen where Prometheus asks.

    Args:
        address: host and port.

    Raises:
        UnavailableError: when that cannot be.
    """
    host, port = split_address(address)
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family)
    except OSError as error:
        raise UnavailableError(
            f"The metrics cannot be served on {address}: {error.strerror}. "
            "Stop what uses it, or give --metrics another address."
        ) from error


@contextlib.contextmanager
def asked(
    address: str, registry: CollectorRegistry, healthy: Callable[[], list[str]]
) -> Iterator[None]:
    """Show figures at an address while the block runs; nowhere where it is empty.

    Args:
        address: host and port.
        registry: the figures.
        healthy: gives a sentence for each thing that is wrong.

    Raises:
        UnavailableError: when that cannot be.
    """
    if not address:
        yield
        return
    endpoint = MetricsEndpoint(registry, healthy)
    endpoint.start(metrics_listener(address))
    try:
        yield
    finally:
        endpoint.stop()
