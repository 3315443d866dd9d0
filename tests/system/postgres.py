"""A PostgreSQL server from Debian, for the time of a test session."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg

from schoolgate.storage import open_database
from tests.databases import TEMPLATE, on_server
from tests.system.conftest import program

# Debian keeps the server's own programs apart, by version.
_PLACES = sorted(Path("/usr/lib/postgresql").glob("*/bin"))
# It refuses to run as root.
_ACCOUNT = "postgres"


@contextmanager
def running() -> Iterator[str]:
    """Run a server that listens on a socket alone, and give the URL of its first database."""
    if not _PLACES:
        program("postgres")
    directory = Path(tempfile.mkdtemp(prefix="pg-"))
    try:
        if os.getuid() == 0:
            shutil.chown(directory, _ACCOUNT, _ACCOUNT)
        data = str(directory / "data")
        _run("initdb", "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-sync")
        started = f"-k {directory} -c listen_addresses='' -c max_connections=200"
        _run("pg_ctl", "-D", data, "-o", started, "-w", "-l", str(directory / "log"), "start")
        try:
            url = f"postgresql://postgres@/postgres?host={directory}"
            with psycopg.connect(url, autocommit=True) as server:
                server.execute(f"CREATE DATABASE {TEMPLATE}".encode())
            open_database(on_server(url, TEMPLATE)).dispose()
            yield url
        finally:
            _run("pg_ctl", "-D", data, "-m", "immediate", "-w", "stop")
    finally:
        shutil.rmtree(directory, ignore_errors=True)


def restart(url: str) -> None:
    """Stop and start the server that a URL leads to."""
    directory = url.partition("host=")[2]
    data = f"{directory}/data"
    _run("pg_ctl", "-D", data, "-m", "fast", "-w", "-l", f"{directory}/log", "restart")


def _run(name: str, *arguments: str) -> None:
    command = [str(_PLACES[-1] / name), *arguments]
    if os.getuid() == 0:
        command = ["runuser", "-u", _ACCOUNT, "--", *command]
    ended = subprocess.run(
        command, cwd="/", stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False,
        stdin=subprocess.DEVNULL,
    )  # fmt: skip
    assert ended.returncode == 0, ended.stdout
