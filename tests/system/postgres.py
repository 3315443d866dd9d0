"""A PostgreSQL server from Debian, for the time of a test session."""

import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psycopg
from sqlalchemy import make_url

from schoolgate.storage import open_database
from tests.databases import TEMPLATE, on_server
from tests.system.conftest import program

# Debian keeps the server's own programs apart, by version.
_PLACES = sorted(Path("/usr/lib/postgresql").glob("*/bin"))
# It refuses to run as root.
_ACCOUNT = "postgres"


@contextmanager
def running(connections: int = 200) -> Iterator[str]:
    """Run a server that listens on a socket alone, and give the URL of its first database.

    Args:
        connections: that it lets in at once.
    """
    if not _PLACES:
        program("postgres")
    directory = Path(tempfile.mkdtemp(prefix="pg-"))
    try:
        if os.getuid() == 0:
            shutil.chown(directory, _ACCOUNT, _ACCOUNT)
        data = str(directory / "data")
        _run("initdb", "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-sync")
        started = f"-k {directory} -c listen_addresses='' -c max_connections={connections}"
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
    directory = str(make_url(url).query["host"])
    data = f"{directory}/data"
    _run("pg_ctl", "-D", data, "-m", "fast", "-w", "-l", f"{directory}/log", "restart")


@contextmanager
def away(url: str, how: str) -> Iterator[None]:
    """Take the server that a URL leads to away for a time.

    Args:
        url: of any of its databases.
        how: ``stopped`` closes every connection; ``frozen`` answers nothing and closes none.
    """
    directory = str(make_url(url).query["host"])
    data = f"{directory}/data"
    if how == "stopped":
        _run("pg_ctl", "-D", data, "-m", "immediate", "-w", "stop")
        try:
            yield
        finally:
            started = f"-k {directory} -c listen_addresses='' -c max_connections=200"
            _run("pg_ctl", "-D", data, "-o", started, "-w", "-l", f"{directory}/log", "start")
        return
    # Its first process, which makes the others, is stopped before they are counted.
    first = int(Path(data, "postmaster.pid").read_text().split()[0])
    os.kill(first, signal.SIGSTOP)
    told = Path(f"/proc/{first}/task/{first}/children").read_text().split()
    processes = [first, *map(int, told)]
    try:
        for process in processes:
            with suppress(ProcessLookupError):
                os.kill(process, signal.SIGSTOP)
        yield
    finally:
        for process in processes:
            with suppress(ProcessLookupError):
                os.kill(process, signal.SIGCONT)


@contextmanager
def copy_of(url: str) -> Iterator[str]:
    """Run a hot standby of the server that a URL leads to, and give the URL of the same database there."""
    directory = str(make_url(url).query["host"])
    beside = Path(tempfile.mkdtemp(prefix="pg-"))
    try:
        if os.getuid() == 0:
            shutil.chown(beside, _ACCOUNT, _ACCOUNT)
        data = str(beside / "data")
        _run(
            "pg_basebackup", "-h", directory, "-U", "postgres", "-D", data, "-R", "-X", "stream",
            "-c", "fast", "--no-sync",
        )  # fmt: skip
        started = f"-k {beside} -c listen_addresses='' -c max_connections=200"
        _run("pg_ctl", "-D", data, "-o", started, "-w", "-l", str(beside / "log"), "start")
        try:
            there = make_url(url).update_query_dict({"host": str(beside)})
            yield there.render_as_string(hide_password=False)
        finally:
            _run("pg_ctl", "-D", data, "-m", "immediate", "-w", "stop")
    finally:
        shutil.rmtree(beside, ignore_errors=True)


def _run(name: str, *arguments: str) -> None:
    command = [str(_PLACES[-1] / name), *arguments]
    if os.getuid() == 0:
        command = ["runuser", "-u", _ACCOUNT, "--", *command]
    ended = subprocess.run(
        command, cwd="/", stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False,
        stdin=subprocess.DEVNULL,
    )  # fmt: skip
    assert ended.returncode == 0, ended.stdout
