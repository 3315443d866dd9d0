"""The centre of a trust on a machine in a namespace: PostgreSQL by TCP, NATS, and who writes tables."""

import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb
import psycopg

from schoolgate.core.nats_files import Files, centre_text
from tests.gateway import COMMAND, PATIENCE_SECONDS, eventually
from tests.nats import Server
from tests.system import trust
from tests.system.conftest import program
from tests.system.namespaces import Machine

CENTRE4 = "10.99.0.1"
HOST = "centre.trust.example"
LEAVES_PORT, CLIENTS_PORT = 7422, 4222
_BINARIES = sorted(Path("/usr/lib/postgresql").glob("*/bin"))
_ACCESS = f"""\
local all all trust
host all postgres {CENTRE4}/32 trust
host all all 10.99.0.0/24 scram-sha-256
"""


@contextmanager
def standing_in(machine: Machine) -> Iterator[ThreadPoolExecutor]:
    """Give threads whose sockets are a machine's."""

    def enter() -> None:
        with Path("/run/netns", machine.name).open("rb") as place:
            os.setns(place.fileno(), os.CLONE_NEWNET)

    with ThreadPoolExecutor(initializer=enter) as threads:
        yield threads


@dataclass
class Database:
    """PostgreSQL of a machine, reached by TCP; it is the account's of Debian."""

    machine: Machine
    directory: Path
    process: "subprocess.Popen[str] | None" = None

    @property
    def owner(self) -> str:
        """The URL by which the centre itself owns the trust's database."""
        return f"postgresql://postgres@{CENTRE4}/trust"

    def make(self) -> None:
        """Make an empty server."""
        shutil.chown(self.directory, "postgres", "postgres")
        data = str(self.directory / "data")
        made = ("initdb", "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-sync")
        ended = self.machine.run(*self._as_postgres(*made))
        assert ended.returncode == 0, ended.stdout + ended.stderr
        Path(data, "pg_hba.conf").write_text(_ACCESS)

    def start(self) -> None:
        """Start it, and wait until it answers."""
        command = ("postgres", "-D", str(self.directory / "data"), "-k", str(self.directory))
        listens = ("-c", f"listen_addresses={CENTRE4}", "-c", "max_connections=200")
        log = self.directory / "log"
        self.process = self.machine.start(*self._as_postgres(*command, *listens), log=log)
        assert eventually(self._answers), log.read_text()

    def kill(self) -> None:
        """Kill it at once, and see it buried: until then a new server takes it for one that runs."""
        assert self.process is not None
        # runuser waits for the server, and ends with it.
        runuser = self.process.pid
        for pid in Path(f"/proc/{runuser}/task/{runuser}/children").read_text().split():
            os.kill(int(pid), signal.SIGKILL)
        self.process.wait(PATIENCE_SECONDS)
        self.machine.processes.remove(self.process)

    def asked(self, query: str, *values: object, database: str = "trust") -> list[Any]:
        """Ask past the lines, as who owns all."""
        url = f"postgresql://postgres@/{database}?host={self.directory}"
        with psycopg.connect(url, autocommit=True) as connection:
            found = connection.execute(query.encode(), values)
            return found.fetchall() if found.description else []

    def _answers(self) -> bool:
        with suppress(psycopg.Error):
            return self.asked("SELECT 1", database="postgres") == [(1,)]
        return False

    def _as_postgres(self, name: str, *arguments: str) -> Sequence[str]:
        return "runuser", "-u", "postgres", "--", str(_BINARIES[-1] / name), *arguments


@dataclass
class Centre:
    """What runs at the centre."""

    machine: Machine
    files: Path
    database: Database
    nats: Server
    consumer: "subprocess.Popen[str] | None" = field(default=None, repr=False)

    @property
    def tables(self) -> Path:
        """Where the events are."""
        return self.files / "tables"

    @property
    def figures(self) -> Path:
        """What is told to Prometheus."""
        return self.files / "figures.prom"

    def command(self, name: str, *arguments: str) -> list[str]:
        """Give a command of the trust that speaks to NATS."""
        user = self.files / "centre.user"
        user.write_text(":".join(trust.CENTRE.values()) + "\n")
        reached = ("--nats", f"nats://127.0.0.1:{CLIENTS_PORT}", "--user-file", str(user))
        return [*COMMAND, "trust", name, *reached, *arguments]

    def consume(self) -> None:
        """Start who writes tables."""
        out = ("--out", str(self.tables), "--metrics", str(self.figures))
        pace = ("--every", "1", "--wait", "10")
        self.consumer = self.machine.start(
            *self.command("consume", *out, *pace), log=self.files / "consume.log"
        )

    def end_consumer(self, number: int) -> int:
        """End who writes tables."""
        assert self.consumer is not None
        self.consumer.send_signal(number)
        self.machine.processes.remove(self.consumer)
        return self.consumer.wait(PATIENCE_SECONDS)

    def gathered(self, columns: str) -> list[Any]:
        """Give some columns of every row."""
        if not list(self.tables.glob("school=*/*/*/*.parquet")):
            return []
        with duckdb.connect() as duck:
            rows = f"read_parquet('{self.tables}/school=*/*/*/*.parquet', union_by_name=true)"
            return duck.execute(f"SELECT {columns} FROM {rows}").fetchall()

    def count(self, school: str, gateway: str) -> int:
        """Give how many events of a gateway have come."""
        return self.gathered("school, gateway").count((school, gateway))


@contextmanager
def centre(machine: Machine, files: Path, gateways: Sequence[tuple[str, str]]) -> Iterator[Centre]:
    """Run the servers of the centre, for some gateways, whose keys are made here too."""
    if not _BINARIES:
        program("postgres")
    place = Path(tempfile.mkdtemp(prefix="pg-"))
    keys = trust.make_keys(files, gateways, HOST)
    text = centre_text(
        gateways, f"127.0.0.1:{CLIENTS_PORT}", f"{CENTRE4}:{LEAVES_PORT}",
        Files(str(files / "centre"), str(keys)),
    )  # fmt: skip
    nats = trust.server(files / "centre.conf", text, CLIENTS_PORT, machine.command())
    here = Centre(machine, files, Database(machine, place), nats)
    try:
        here.database.make()
        here.database.start()
        here.database.asked("CREATE DATABASE trust", database="postgres")
        nats.start()
        yield here
    finally:
        nats.end(signal.SIGKILL)
        machine.stop()
        shutil.rmtree(place, ignore_errors=True)
