"""Connects from many addresses, and sees which socket of a group each one reaches.

As a program of its own: ``spread.py LISTEN HOST ADDRESS…`` prints for each address the numbers of the
sockets that its connections reached.
"""

import json
import selectors
import socket
import sys
from collections.abc import Sequence
from contextlib import closing

from schoolgate.workers import Listeners, open_listeners

SOCKETS = 4
CONNECTIONS = 5


def reached(listeners: Listeners, host: str, clients: Sequence[str]) -> dict[str, list[int]]:
    """Give for each client address the numbers of the sockets that its connections reached."""
    found: dict[str, list[int]] = {client: [] for client in clients}
    port = listeners.address[1]
    with selectors.DefaultSelector() as waiting:
        for number, row in enumerate(listeners.rows):
            for listener in row:
                waiting.register(listener, selectors.EVENT_READ, number)
        for client in [*clients] * CONNECTIONS:
            family = socket.AF_INET6 if ":" in client else socket.AF_INET
            with socket.socket(family) as connection:
                connection.bind((client, 0))
                connection.connect((host, port))
                [(key, _)] = waiting.select(20)
                found[client].append(key.data)
                key.fileobj.accept()[0].close()  # type: ignore[union-attr]
    return found


def main() -> None:
    host, to, *clients = sys.argv[1:]
    with closing(open_listeners(host, 0, SOCKETS)) as listeners:
        print(json.dumps({"steered": listeners.steered, **reached(listeners, to, clients)}))


if __name__ == "__main__":
    main()
