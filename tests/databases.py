"""A database for a test: a file, or one of its own on the server that SCHOOLGATE_TEST_DATABASE names."""

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
from sqlalchemy import make_url

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
