"""Clients that never stop asking, and what became of each connection."""

import contextlib
import http.client
import ssl
import threading
from collections.abc import Iterator, Sequence
from urllib.parse import urlsplit

from tests.gateway import PATIENCE_SECONDS, Gateway, eventually
from tests.origin import Origin

CHUNK = 65_536


class Client:
    """Asks for small pages from one address, over HTTP and decrypted HTTPS, each on a new connection.

    Attributes:
        done: how many were answered.
        failures: what went wrong with the others.
    """

    def __init__(self, gate: Gateway, site: Origin, address: str) -> None:
        self.address = address
        self.done = 0
        self.failures: list[str] = []
        self._gate, self._site = gate, site
        self._context = ssl.create_default_context(cafile=str(gate.ca_file))
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stopping.set()
        self._thread.join(PATIENCE_SECONDS)

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                with contextlib.closing(self._ask(self.done % 4 == 3)) as connection:
                    answer = connection.getresponse()
                    answer.read()
                if answer.status == 200:
                    self.done += 1
                else:
                    self.failures.append(str(answer.status))
            except (OSError, http.client.HTTPException) as error:
                self.failures.append(repr(error))

    def _ask(self, encrypted: bool) -> http.client.HTTPConnection:
        host, port, source = *place_of(self._gate), (self.address, 0)
        if not encrypted:
            plain = http.client.HTTPConnection(host, port, PATIENCE_SECONDS, source)
            plain.request("GET", f"http://origin.test:{self._site.http_port}/")
            return plain
        secure = http.client.HTTPSConnection(
            host, port, timeout=PATIENCE_SECONDS, source_address=source, context=self._context
        )
        secure.set_tunnel("origin.test", self._site.https_port)
        secure.request("GET", "/")
        return secure


class Download:
    """One long answer from one address, read only as far as the test asks."""

    def __init__(self, gate: Gateway, site: Origin, address: str, size: int) -> None:
        self.size = size
        self._connection = http.client.HTTPConnection(
            *place_of(gate), PATIENCE_SECONDS, (address, 0)
        )
        self._connection.request("GET", f"http://origin.test:{site.http_port}/bytes/{size}")
        self._answer = self._connection.getresponse()
        self.read = len(self._answer.read(CHUNK))

    def finish(self) -> int:
        """Read the rest, and give how much there was."""
        while chunk := self._answer.read(CHUNK):
            self.read += len(chunk)
        self._connection.close()
        return self.read


def place_of(gate: Gateway) -> tuple[str, int]:
    parts = urlsplit(gate.proxy)
    assert parts.hostname is not None
    assert parts.port is not None
    return parts.hostname, parts.port


@contextlib.contextmanager
def clients(gate: Gateway, site: Origin, addresses: Sequence[str]) -> Iterator[list[Client]]:
    """Have some ask until the end."""
    asking = [Client(gate, site, address) for address in addresses]
    for client in asking:
        client.start()
    try:
        more(asking)
        yield asking
    finally:
        for client in asking:
            client.stop()


def more(asking: Sequence[Client], answers: int = 8) -> None:
    """Wait until each has been answered some more times."""
    goals = [client.done + answers for client in asking]
    assert eventually(
        lambda: all(client.done >= goal for client, goal in zip(asking, goals, strict=True))
    )
