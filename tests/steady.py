"""Clients that ask a gateway for pages at a steady pace, and write down what came of each request."""

import http.client
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import cycle
from urllib.parse import urlsplit

from tests.gateway import PATIENCE_SECONDS

# Each at another worker, where there are two: the last bits of an address say whose it is.
DEVICES = ("127.0.3.2", "127.0.3.3")


@dataclass(frozen=True, slots=True)
class Asked:
    """A request.

    Attributes:
        device: address of who asked.
        url: of the page.
        due: when it was to be sent, in seconds of the performance counter.
        seconds: from then to the end of the answer: a client that is held up counts as one that waits.
        status: of the answer; 0 where none came.
    """

    device: str
    url: str
    due: float
    seconds: float
    status: int


@dataclass
class Steady:
    """What was asked so far, by every device in its order."""

    found: list[Asked] = field(default_factory=list)

    def between(self, first: float, last: float) -> list[Asked]:
        """Give the requests that were due within a time."""
        return [one for one in list(self.found) if first <= one.due < last]

    def reached(self) -> dict[str, float]:
        """Give when the last request of each device was due that was answered."""
        return {one.device: one.due for one in list(self.found)}

    def statuses(self, url: str, device: str) -> list[int]:
        """Give what a device was answered about a page, in order."""
        return [one.status for one in list(self.found) if (one.url, one.device) == (url, device)]


@contextmanager
def asking(
    proxy: str, urls: Sequence[str], pause_seconds: float, devices: Sequence[str] = DEVICES
) -> Iterator[Steady]:
    """Ask for the pages in turns, from each device on a connection that is kept."""
    steady, ending = Steady(), threading.Event()
    threads = [
        threading.Thread(target=_ask, args=(steady, ending, proxy, urls, pause_seconds, device))
        for device in devices
    ]
    for thread in threads:
        thread.start()
    try:
        yield steady
    finally:
        ending.set()
        for thread in threads:
            thread.join()


def _ask(
    steady: Steady,
    ending: threading.Event,
    proxy: str,
    urls: Sequence[str],
    pause_seconds: float,
    device: str,
) -> None:
    place = urlsplit(proxy)
    connection = http.client.HTTPConnection(
        str(place.hostname), place.port, PATIENCE_SECONDS, (device, 0)
    )
    due = time.perf_counter()
    for url in cycle(urls):
        if ending.wait(max(0.0, due - time.perf_counter())):
            break
        status = _status(connection, url)
        steady.found.append(Asked(device, url, due, time.perf_counter() - due, status))
        due += pause_seconds
    connection.close()


def _status(connection: http.client.HTTPConnection, url: str) -> int:
    try:
        connection.request("GET", url)
        answer = connection.getresponse()
        answer.read()
    except (OSError, http.client.HTTPException):
        connection.close()
        return 0
    return answer.status
