"""A gate whose policy blocks one host, with a journal that remembers and nothing behind it that reads."""

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from cryptography.hazmat.primitives import serialization

from schoolgate.core.policy import Inspection, InspectionMode, Rule, Verdict
from schoolgate.monitoring import Metrics
from schoolgate.monitoring.journal import LazyRecord, Record
from schoolgate.proxy.gate.answers import Answers
from schoolgate.proxy.gate.gate import Bounds, Gate
from schoolgate.proxy.gate.leaves import Leaf, Leaves
from schoolgate.proxy.gate.original import Place, original_destination
from schoolgate.proxy.pages import Pages
from schoolgate.proxy.recorder import Recorder
from schoolgate.proxy.surroundings import Surroundings
from schoolgate.services.callers import Caller, Callers
from schoolgate.services.clients import Clients
from schoolgate.services.engines import Engines
from tests.core.policy.example import NOON, engine, hosts
from tests.gateway import PATIENCE_SECONDS
from tests.origin import issue

NOTHING = Inspection(InspectionMode.NEEDED)
BLOCKED = Rule("games", "C-8", Verdict.BLOCK, hosts=hosts("games.example"))
CONNECT = b"CONNECT %s:443 HTTP/1.1\r\n\r\n"


@dataclass
class Told:
    """A journal that remembers."""

    lines: list[Record] = field(default_factory=list)

    def tell(self, _at: datetime, record: LazyRecord) -> None:
        """Take an event."""
        self.lines.append(record())


@dataclass
class Taken:
    """What stands behind the gate: takes connections and reads nothing."""

    connections: list[tuple[socket.socket, tuple[str, int] | None]] = field(default_factory=list)
    open: list["asyncio.Future[None]"] = field(default_factory=list)

    def take(
        self,
        connection: socket.socket,
        destination: tuple[str, int] | None,
        _caller: Caller | None,
    ) -> "asyncio.Future[None]":
        """Take a connection until `end` is called."""
        self.connections.append((connection, destination))
        self.open.append(asyncio.get_running_loop().create_future())
        return self.open[-1]

    def end(self) -> None:
        """Close all."""
        for (connection, _), ended in zip(self.connections, self.open, strict=True):
            connection.close()
            ended.set_result(None)


class Nowhere:
    """Knows no name."""

    def known(self, _host: str, _port: int) -> list[Any]:
        """Have nothing at hand."""
        return []

    async def resolve(self, host: str, _port: int) -> list[Any]:
        """Find nothing."""
        raise OSError(f"{host} is unknown")


@dataclass
class Stage:
    """A gate and what is around it."""

    gate: Gate
    port: int
    journal: Told
    behind: Taken
    metrics: Metrics

    async def dial(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """Connect to it."""
        return await asyncio.open_connection("127.0.0.1", self.port)

    async def until(self, true: Callable[[], bool]) -> None:
        """Wait for what the gate does."""
        while not true():  # noqa: ASYNC110 - the gate tells nobody
            await asyncio.sleep(0.01)

    def faults(self) -> float:
        """Count the faults of the gate itself."""
        self.metrics.flush()
        value = self.metrics.registry.get_sample_value(
            "schoolgate_filter_errors_total", {"hook": "gate"}
        )
        return value or 0.0


async def closed(reader: asyncio.StreamReader) -> None:
    """Wait until the gate has closed a connection, whatever it left unread."""
    with suppress(ConnectionResetError):
        while await reader.read(65536):
            pass


def no_leaf(_name: str) -> bytes:
    """Make no certificate."""
    raise RuntimeError("no certificate can be made")


def own_leaf(name: str) -> bytes:
    """Make a certificate that nobody trusts."""
    key, certificate = issue(name, None, None)
    return certificate.public_bytes(serialization.Encoding.PEM) + key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


@asynccontextmanager
async def staged(
    bounds: Bounds, leaf: Leaf, original: Callable[[socket.socket], Place] | None = None
) -> AsyncIterator[Stage]:
    """Open a gate whose policy blocks one host; to one that is told where from, all is redirected."""
    engines = Engines(engine(rules=(BLOCKED,)))
    journal, behind, metrics = Told(), Taken(), Metrics()
    recorder = Recorder(journal, metrics)
    pages = Pages(lambda: engines.current, lambda: NOON)
    gate = Gate(
        engines=engines,
        clients=Clients(),
        callers=Callers(),
        clock=lambda: NOON,
        answers=Answers(pages, recorder, Surroundings()),
        leaves=Leaves(leaf),
        resolver=Nowhere(),
        behind=behind,
        recorder=recorder,
        metrics=metrics,
        bounds=bounds,
        original=original or original_destination,
    )
    with socket.create_server(("127.0.0.1", 0), backlog=100) as listener:
        ways: tuple[list[socket.socket], ...] = ([listener],)
        async with gate.serving(*(ways if original is None else ([], *ways))):
            yield Stage(gate, listener.getsockname()[1], journal, behind, metrics)
            behind.end()
            await asyncio.sleep(0)


async def inside_closed_site(stage: Stage) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """Speak TLS with the gate in the place of the blocked host."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    reader, writer = await stage.dial()
    writer.write(CONNECT % b"games.example")
    await reader.readuntil(b"\r\n\r\n")
    await writer.start_tls(context, server_hostname="games.example")
    return reader, writer


def run(
    story: Callable[[Stage], Awaitable[None]],
    bounds: Bounds = Bounds(),  # noqa: B008
    leaf: Leaf = own_leaf,
) -> None:
    """Run a story at a gate, with an end to patience."""

    async def told() -> None:
        async with staged(bounds, leaf) as stage:
            await asyncio.wait_for(story(stage), PATIENCE_SECONDS)

    asyncio.run(told())
