"""Brings a database to the schema of this code, one revision after the other."""

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine

from schoolgate.core.errors import UnavailableError
from schoolgate.storage.connections import place_of, reading, writing


def migration_config(connection: Connection | None = None) -> Config:
    """Give Alembic's configuration, without a file, for a connection in a transaction of ours."""
    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", "schoolgate.storage:migrations")
    config.set_main_option("path_separator", "os")
    return config


def upgrade(engine: Engine) -> None:
    """Run the revisions that a database lacks; safe when several processes start at once.

    Raises:
        UnavailableError: when the database fails or was written by a newer schoolgate.
    """
    scripts = ScriptDirectory.from_config(migration_config())
    with reading(engine) as connection:
        if _lacks_nothing(connection, scripts, engine):
            return
    # Asked again, because another process may have upgraded while this one waited for the lock.
    with writing(engine) as connection:
        if not _lacks_nothing(connection, scripts, engine):
            command.upgrade(migration_config(connection), "head")


def _lacks_nothing(connection: Connection, scripts: ScriptDirectory, engine: Engine) -> bool:
    current = set(MigrationContext.configure(connection).get_current_heads())
    unknown = current - {script.revision for script in scripts.walk_revisions()}
    if unknown:
        raise UnavailableError(
            f"the database {place_of(engine.url)} was written by a newer schoolgate "
            f"(revision {', '.join(sorted(unknown))} is unknown here): "
            "install that version, or restore an older back-up"
        )
    return current == set(scripts.get_heads())
