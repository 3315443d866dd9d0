"""Runs the revisions with Alembic, in a transaction of the caller's."""

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection


def migration_config(connection: Connection | None = None) -> Config:
    """Give Alembic's configuration, without a file, for a connection in a transaction of ours."""
    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", "schoolgate.storage:migrations")
    config.set_main_option("path_separator", "os")
    return config


def run_all(connection: Connection) -> None:
    """Run the revisions that a database lacks.

    Args:
        connection: the only writer.
    """
    command.upgrade(migration_config(connection), "head")
