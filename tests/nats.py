"""Debian's nats-server, started on a configuration of the test's own, and ended as the test says."""

import asyncio
import json
import signal
import subprocess
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from nats.aio.client import Client

from tests.gateway import PATIENCE_SECONDS, eventually
from tests.system.conftest import program


@dataclass
class Server:
    """A server of NATS."""

    config: Path
    url: str
    process: "subprocess.Popen[bytes] | None" = None
    # What runs it elsewhere, such as in a namespace.
    within: Sequence[str] = ()
    log: Path = field(init=False)

    def __post_init__(self) -> None:
        self.log = self.config.with_suffix(".log")

    def start(self) -> None:
        """Start it, and wait until it takes connections."""
        self.log.touch()
        before = self.log.read_bytes().count(b"Server is ready")
        with self.log.open("ab") as output:
            command = [*self.within, program("nats-server"), "-c", str(self.config)]
            self.process = subprocess.Popen(command, stdout=output, stderr=output)
        assert eventually(lambda: self.log.read_bytes().count(b"Server is ready") > before), (
            self.log.read_text()
        )

    def end(self, number: int = signal.SIGTERM) -> None:
        """End it."""
        if self.process is not None:
            self.process.send_signal(number)
            self.process.wait(PATIENCE_SECONDS)
            self.process = None


@contextmanager
def serving(config: Path, url: str) -> Iterator[Server]:
    """Run a server."""
    server = Server(config, url)
    server.start()
    try:
        yield server
    finally:
        server.end()


def plain(directory: Path, port: int) -> tuple[Path, str]:
    """Write the configuration of a server with JetStream for anybody; give it and the address."""
    file = directory / "nats.conf"
    file.write_text(
        f'listen: "127.0.0.1:{port}"\njetstream {{ store_dir: "{directory / "store"}" }}\n'
    )
    return file, f"nats://127.0.0.1:{port}"


def asked[T](url: str, what: Callable[[Client], Awaitable[T]], **options: Any) -> T:
    """Connect, do something, and let the connection go."""

    async def done() -> T:
        client = Client()
        try:
            await client.connect(url, allow_reconnect=False, **options)
            return await what(client)
        finally:
            await client.close()

    return asyncio.run(done())


def api(url: str, what: str, text: Any = None, **options: Any) -> dict[str, Any]:
    """Ask JetStream's API, such as ``STREAM.INFO.JOURNAL``."""

    async def done(client: Client) -> dict[str, Any]:
        payload = json.dumps(text).encode() if text is not None else b""
        answer = await client.request(f"$JS.API.{what}", payload, timeout=PATIENCE_SECONDS)
        found: dict[str, Any] = json.loads(answer.data)
        return found

    return asked(url, done, **options)
