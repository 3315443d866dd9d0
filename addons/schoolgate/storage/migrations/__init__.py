"""Brings a database to the schema of this code, one revision after the other."""

from sqlalchemy import Connection, Engine, column, inspect, select, table

from schoolgate.core.errors import UnavailableError
from schoolgate.storage.connections import place_of, reading, writing

# The chain, oldest first: a process that finds the last one applied never loads Alembic, which
# takes longer to load than everything else of `storage`. A test compares it with `versions/`.
REVISIONS = (
    "0001", "0002", "0003", "0004", "0005", "0006", "0007", "0008", "0009", "0010", "0011",
    "0012", "0013", "0014",
)  # fmt: skip
# In place of a revision while a database is being moved into this one.
HALF_MOVED = "half-moved"
_APPLIED = table("alembic_version", column("version_num"))


def upgrade(engine: Engine) -> None:
    """Run the revisions that a database lacks; safe when several processes start at once.

    Raises:
        UnavailableError: when the database fails or was written by a newer schoolgate.
    """
    with reading(engine) as connection:
        if _lacks_nothing(connection, engine):
            return
    from schoolgate.storage.migrations.running import run_all  # noqa: PLC0415 - see REVISIONS

    # Asked again, because another process may have upgraded while this one waited for the lock.
    with writing(engine) as connection:
        if not _lacks_nothing(connection, engine):
            run_all(connection)


def _lacks_nothing(connection: Connection, engine: Engine) -> bool:
    current = set[str]()
    if inspect(connection).has_table(_APPLIED.name):
        current.update(connection.execute(select(_APPLIED.c.version_num)).scalars())
    if HALF_MOVED in current:
        raise UnavailableError(
            f"the database {place_of(engine.url)} is half-moved, and nothing is in it yet: run "
            "'schoolgate database move' again, or go on with the database that was moved from"
        )
    unknown = current.difference(REVISIONS)
    if unknown:
        raise UnavailableError(
            f"the database {place_of(engine.url)} was written by a newer schoolgate "
            f"(revision {', '.join(sorted(unknown))} is unknown here): "
            "install that version, or restore an older back-up"
        )
    return current == {REVISIONS[-1]}
