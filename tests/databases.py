"""A database for a test: a file, or one of its own on the server that SCHOOLGATE_TEST_DATABASE names."""

import os
import secrets
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
from sqlalchemy import make_url

from schoolgate.storage.connections import is_postgresql

# ``postgresql://…/postgres``; a database TEMPLATE with our schema is there beside it.
SERVER = os.environ.get("SCHOOLGATE_TEST_DATABASE", "")
TEMPLATE = "schoolgate_template"


@contextmanager
def fresh(file: Path) -> Iterator[str]:
    """Give the URL of a database that nobody else uses."""
    if not SERVER:
        yield f"sqlite:///{file}"
        return
    name = f"test_{secrets.token_hex(6)}"
    with psycopg.connect(SERVER, autocommit=True) as server:
        server.execute(f"CREATE DATABASE {name} TEMPLATE {TEMPLATE}".encode())
        try:
            yield on_server(SERVER, name)
        finally:
            server.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())


def on_server(server: str, name: str) -> str:
    """Give the URL of another database of a server."""
    return make_url(server).set(database=name).render_as_string(hide_password=False)


def bytes_of(url: str) -> bytes:
    """Give every byte that a database keeps: its files, and of one on a server also what a dump says."""
    if not is_postgresql(make_url(url)):
        file = Path(str(make_url(url).database))
        return b"".join(path.read_bytes() for path in file.parent.glob(f"{file.name}*"))
    with psycopg.connect(url, autocommit=True) as server:
        # Files of tables that were written anew go with it.
        server.execute("CHECKPOINT")
        found = server.execute("SELECT oid FROM pg_database WHERE datname = current_database()")
        [number] = found.fetchone() or ()
        [directory] = server.execute("SHOW data_directory").fetchone() or ()
    files = [path for path in Path(directory, "base", str(number)).iterdir() if path.is_file()]
    dump = subprocess.run(["pg_dump", "--dbname", url], check=True, capture_output=True).stdout
    return dump + b"".join(path.read_bytes() for path in files)
