r"""How long a suspension takes until every worker applies it, on connections that are open already.

A person has a device at each worker of a real gateway. Of each kind of connection one is open on
each device; then the person is suspended, and the time runs from the commit until both devices have
met it: a request was refused, or a download was cut.

    python -m benchmarks.propagation            print
    python -m benchmarks.propagation --write    and write docs/performance.md
"""

import argparse
import contextlib
import os
import platform
import socket
import ssl
import statistics
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from pathlib import Path

import httpx
import yaml

from benchmarks.page import write_section
from schoolgate.core.approvals import Subject
from schoolgate.settings import load_settings
from schoolgate.storage import DecisionStore, open_database
from tests import gateway, origin
from tests.gateway import PATIENCE_SECONDS, Gateway
from tests.origin import Origin

ROUNDS = 100
WORKERS = 2
# One address for each worker: the last bits of an address say whose it is.
DEVICES = tuple(f"127.0.3.{2 + number}" for number in range(WORKERS))
PERSON = Subject.parse("user:pat")
READ, CARRIED = "origin.test", "www.khanacademy.org"
_PAUSE_SECONDS = 0.0005


@dataclass(frozen=True)
class Place:
    """Where it is measured."""

    gateway: Gateway
    site: Origin
    store: DecisionStore

    def suspend(self) -> float:
        """Suspend the person; give when that was committed, in seconds of the performance counter."""
        now = datetime.now(UTC)
        ends = now + timedelta(hours=1)
        self.store.suspend(PERSON, now, ends, "measured", "benchmark", now=now)
        return time.perf_counter()

    def unsuspend(self) -> None:
        """Undo it, and wait until both devices are let through."""
        self.store.unsuspend(PERSON, datetime.now(UTC), "benchmark")
        for device in DEVICES:
            with self.gateway.client(address=device) as client:
                assert gateway.eventually(lambda client=client: not is_refused(client, self.page))  # type: ignore[misc]

    @property
    def page(self) -> str:
        """A page that is asked for without TLS."""
        return f"http://{READ}:{self.site.http_port}/bytes/5"


# Opens a connection of one device and gives what waits until it is refused something or cut.
type Kind = Callable[[Place, str], contextlib.AbstractContextManager[Callable[[], None]]]


def is_refused(client: httpx.Client, url: str) -> bool:
    """Ask once."""
    return client.get(url).status_code == HTTPStatus.FORBIDDEN


@contextmanager
def asking(place: Place, device: str, *, http2: bool) -> Iterator[Callable[[], None]]:
    """Ask again and again on one connection."""
    url = f"https://{READ}:{place.site.https_port}/bytes/5" if http2 else place.page
    with place.gateway.client(address=device, http2=http2) as client:
        assert not is_refused(client, url)

        def until_refused() -> None:
            while not is_refused(client, url):
                time.sleep(_PAUSE_SECONDS)

        yield until_refused


@contextmanager
def downloading(place: Place, device: str, *, host: str) -> Iterator[Callable[[], None]]:
    """Download without an end through a tunnel."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    for authority in (place.gateway.ca_file, place.site.ca_file):
        context.load_verify_locations(str(authority))
    address, _, port = place.gateway.proxy.removeprefix("http://").partition(":")
    plain = socket.create_connection((address, int(port)), PATIENCE_SECONDS, (device, 0))
    target = f"{host}:{place.site.https_port}"
    plain.sendall(f"CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n\r\n".encode())
    assert b" 200 " in plain.recv(4096)
    with context.wrap_socket(plain, server_hostname=host) as encrypted:
        encrypted.sendall(f"GET /endless HTTP/1.1\r\nHost: {target}\r\n\r\n".encode())
        assert encrypted.recv(4096).startswith(b"HTTP/1.1 200")

        def until_cut() -> None:
            with contextlib.suppress(OSError):
                while encrypted.recv(65_536):
                    pass

        yield until_cut


KINDS: dict[str, Kind] = {
    "HTTP/1.1, the next request": lambda place, device: asking(place, device, http2=False),
    "HTTP/2 within TLS, the next request": lambda place, device: asking(place, device, http2=True),
    "a download that is read, cut": lambda place, device: downloading(place, device, host=READ),
    "a download that is carried unread, cut": lambda place, device: downloading(
        place, device, host=CARRIED
    ),
}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.propagation",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--write", action="store_true", help="write docs/performance.md")
    parser.add_argument("--rounds", type=int, default=ROUNDS, help="suspensions of each kind")
    arguments = parser.parse_args()
    text = section(arguments.rounds)
    print(text)
    if arguments.write:
        write_section("propagation", text)


def section(rounds: int) -> str:
    """Give the table."""
    with staged() as place:
        figures = {
            name: [measured(place, kind) for _ in range(rounds)] for name, kind in KINDS.items()
        }
    rows = "\n".join(
        f"| {name} | {statistics.median(found):.0f} | {max(found):.0f} |"
        for name, found in figures.items()
    )
    return f"""\
## A suspension on open connections

Printed by `python -m benchmarks.propagation` on {datetime.now(UTC):%Y-%m-%d}, {platform.machine()}, Python \
{platform.python_version()}, {len(os.sched_getaffinity(0))} CPUs, which the client shares: {rounds} \
times for each row a person with a device at each of {WORKERS} workers is suspended. From the commit until \
both devices have met it, the client's own request included.

| connection | median ms | max ms |
|---|---|---|
{rows}"""


@contextmanager
def staged() -> Iterator[Place]:
    """Run an origin and a gateway that knows the person by their devices."""
    with tempfile.TemporaryDirectory() as folder, origin.running(Path(folder)) as site:
        base = Path(folder)
        devices = {
            f"device-{number}": {"address": device, "user": PERSON.id, "group": "staff"}
            for number, device in enumerate(DEVICES)
        }
        people = base / "people.yaml"
        people.write_text(yaml.safe_dump({"devices": devices, "neighbours": False}))
        proxy = {**gateway.to_origin(site), "workers": WORKERS}
        config = gateway.write_config(base, people=str(people), proxy=proxy)
        with gateway.running(config) as running:
            # Staff who are known by name are asked for it first.
            assert running.run("declarations", "sign", PERSON.id).returncode == 0
            database = open_database(load_settings(config).database_url)
            try:
                yield Place(running, site, DecisionStore(database))
            finally:
                database.dispose()


def measured(place: Place, kind: Kind) -> float:
    """Give the milliseconds from the commit until both devices have met it."""
    with contextlib.ExitStack() as opened, ThreadPoolExecutor(WORKERS) as threads:
        waits = [opened.enter_context(kind(place, device)) for device in DEVICES]
        at_it = threading.Barrier(WORKERS + 1)

        def met(wait: Callable[[], None]) -> float:
            at_it.wait()
            wait()
            return time.perf_counter()

        found = [threads.submit(met, wait) for wait in waits]
        at_it.wait()
        committed = place.suspend()
        last = max(one.result(PATIENCE_SECONDS) for one in found)
    place.unsuspend()
    return max(last - committed, 0.0) * 1000


if __name__ == "__main__":
    main()
