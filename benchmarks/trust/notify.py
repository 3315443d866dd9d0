r"""How long a decision takes from its commit on PostgreSQL to those who listen, and to a real gateway.

Every listener is a connection of its own to a real server, in this one process, on the channel of one
school: the worst case, as schools do not hear each other. From the commit until each has its notification.
Then a real gateway of two workers on a school's own role: from the commit of a grant until its site opens,
the client's own request included.

    python -m benchmarks.trust.notify            print
    python -m benchmarks.trust.notify --write    and write docs/scale.md
"""

import argparse
import contextlib
import os
import platform
import selectors
import statistics
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import psycopg
from sqlalchemy import Engine, text

from benchmarks.page import write_section
from schoolgate.core.approvals import Role, Subject
from schoolgate.core.categories import ListEntry
from schoolgate.storage import DecisionStore, open_database
from schoolgate.storage.connections import reading, writing
from schoolgate.storage.postgresql import channel_of, notify
from schoolgate.storage.schools import add_school
from tests import gateway, origin
from tests.databases import on_server
from tests.gateway import CUT
from tests.system import postgres

LISTENERS = 500
ROUNDS = 50
PAGE = Path(__file__).resolve().parents[2] / "docs" / "scale.md"
_PAUSE_SECONDS = 0.0005
_MILLISECONDS = 1000
_SPARE_CONNECTIONS = 60


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.trust.notify",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--write", action="store_true", help="write docs/scale.md")
    parser.add_argument("--listeners", type=int, default=LISTENERS)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    arguments = parser.parse_args()
    said = section(arguments.listeners, arguments.rounds)
    print(said)
    if arguments.write:
        write_section("notify", said, PAGE)


def section(listeners: int, rounds: int) -> str:
    """Give the table."""
    before = os.getloadavg()[0]
    with postgres.running(listeners + _SPARE_CONNECTIONS) as server:
        with psycopg.connect(server, autocommit=True) as connection:
            connection.execute("CREATE DATABASE trust")
        owner = on_server(server, "trust")
        url = add_school(owner, "hermitage").url
        engine = open_database(url)
        last, every = fan_out(owner, engine, listeners, rounds)
        version = _version(engine)
        seen = until_open(url, engine, rounds)
        engine.dispose()
    return f"""\
## From a decision to who listens

Printed by `python -m benchmarks.trust.notify` on {datetime.now(UTC):%Y-%m-%d}, {platform.machine()}, Python \
{platform.python_version()}, PostgreSQL {version}, {len(os.sched_getaffinity(0))} CPUs, which server, \
listeners and gateway share (load average {before:.1f} before it began); {rounds} rounds.

| from the commit until | median ms | max ms |
|---|---|---|
| each of {listeners} listeners on one channel has its notification | {_row(every)} |
| the last of them has | {_row(last)} |
| a real gateway of two workers opens the site | {_row(seen)} |"""


def _row(seconds: list[float]) -> str:
    milliseconds = [each * _MILLISECONDS for each in seconds]
    return f"{statistics.median(milliseconds):.1f} | {max(milliseconds):.1f}"


def _version(engine: Engine) -> str:
    with reading(engine) as connection:
        return str(connection.execute(text("SHOW server_version")).scalar_one()).split()[0]


def fan_out(
    owner: str, engine: Engine, listeners: int, rounds: int
) -> tuple[list[float], list[float]]:
    """Give the seconds of the last listener of each round, and of every listener."""
    with reading(engine) as connection:
        channel = channel_of(connection)
    last, every = [], []
    with contextlib.ExitStack() as opened, selectors.DefaultSelector() as selector:
        for _ in range(listeners):
            # The role of a school may not have so many.
            listener = opened.enter_context(psycopg.connect(owner, autocommit=True))
            listener.execute(f'LISTEN "{channel}"'.encode())
            selector.register(listener.fileno(), selectors.EVENT_READ, listener)
        for _ in range(rounds):
            with writing(engine) as connection:
                notify(connection)
            times = _heard(selector, listeners, time.perf_counter())
            last.append(max(times))
            every += times
    return last, every


def _heard(selector: selectors.BaseSelector, listeners: int, began: float) -> list[float]:
    times: list[float] = []
    while len(times) < listeners:
        for key, _ in selector.select():
            key.data.pgconn.consume_input()
            while key.data.pgconn.notifies() is not None:
                times.append(time.perf_counter() - began)
    return times


def until_open(url: str, engine: Engine, rounds: int) -> list[float]:
    """Give the seconds from the commit of a grant until a real gateway lets its site through."""
    store, everyone = DecisionStore(engine), Subject.parse("everyone")
    with tempfile.TemporaryDirectory() as folder, origin.running(Path(folder)) as site:
        proxy = {**gateway.to_origin(site), "workers": 2}
        config = gateway.write_config(Path(folder), proxy=proxy, database=url)
        with gateway.running(config) as running, running.client() as client:
            page, found = f"http://www.ebay.co.uk:{site.http_port}/", []
            entry = ListEntry.parse("ebay.co.uk", "grant", "grant")
            for _ in range(rounds):
                now = datetime.now(UTC)
                made = store.add_grant(
                    entry, everyone, now, now + timedelta(hours=1), Role.HEADTEACHER,
                    reason="measured", actor="benchmark", now=now,
                )  # fmt: skip
                began = time.perf_counter()
                _until(client, page, httpx.codes.OK)
                found.append(time.perf_counter() - began)
                store.revoke_grant(made.id, datetime.now(UTC), "benchmark", "measured")
                _until(client, page, httpx.codes.FORBIDDEN)
    return found


def _until(client: httpx.Client, page: str, status: int) -> None:
    while _status(client, page) != status:
        time.sleep(_PAUSE_SECONDS)


def _status(client: httpx.Client, page: str) -> int:
    try:
        return client.get(page).status_code
    except CUT:
        # An answer that was under way when its site was closed.
        return 0


if __name__ == "__main__":
    main()
