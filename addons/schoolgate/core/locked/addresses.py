"""Of which hosts and parts an address lies on or below, each an entry of a list may name."""

from collections.abc import Iterator
from urllib.parse import unquote_plus

# A name has 127 labels and a path thousands of segments; whoever asks must not choose what it costs.
MOST_HOSTS = 10
MOST_PARTS = 16
_MOST_ENCODINGS = 10


def hosts_around(host: str) -> Iterator[str]:
    """Give a normalised host, and what it lies below: the nearest first, never a bare label.

    Of an address only itself. Of a deep name itself and the last `MOST_HOSTS` of those above it.
    """
    yield host
    # A name's last label is never a number, an IPv4 address's always is (WHATWG URL, 3.5).
    if host[-1:].isdigit() or host.startswith("["):
        return
    labels = host.split(".")
    for start in range(max(1, len(labels) - MOST_HOSTS), len(labels) - 1):
        yield ".".join(labels[start:])


def paths_around(path: str) -> Iterator[str]:
    """Give a comparable path and all above it, the whole site last."""
    while len(path) > 1:
        yield path
        path = path[: path.rfind("/")]
    yield "/"


def folded_pieces(query: str) -> list[str]:
    """Give the parameters of a query as they are compared: decoded however often, case folded."""
    for _ in range(_MOST_ENCODINGS):
        decoded = unquote_plus(query)
        if decoded == query:
            break
        query = decoded
    return [piece for piece in query.casefold().replace(";", "&").split("&") if piece]
