"""The numbers by which processes notice a change: each change raises that of what it changes."""

from sqlalchemy import Connection, select, update

from schoolgate.storage import schema
from schoolgate.storage.postgresql import notify

OVERLAY = "overlay"
BINDINGS = "bindings"


def version_of(connection: Connection, name: str) -> int:
    """Give the number that every change of something raises."""
    query = select(schema.versions.c.version).where(schema.versions.c.name == name)
    version: int = connection.execute(query).scalar_one()
    return version


def raise_version(connection: Connection, name: str) -> None:
    """Note a change, in the transaction that makes it; with its commit every process is told."""
    version = schema.versions.c.version
    chosen = update(schema.versions).where(schema.versions.c.name == name)
    connection.execute(chosen.values(version=version + 1))
    if connection.dialect.name == "postgresql":
        notify(connection)
