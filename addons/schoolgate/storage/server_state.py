"""How the server of a PostgreSQL database stands, as our own role sees it."""

from dataclasses import dataclass

from sqlalchemy import Engine, text

from schoolgate.storage.connections import reading

_ASKED = text(
    "SELECT split_part(current_setting('server_version'), ' ', 1) AS version, "
    "current_schema() AS schema, pg_is_in_recovery() AS is_copy, "
    "(SELECT count(*) FROM pg_stat_activity WHERE usename = current_user) AS connections, "
    "(SELECT rolconnlimit FROM pg_roles WHERE rolname = current_user) AS most"
)


@dataclass(frozen=True, slots=True)
class ServerState:
    """How it stands.

    Attributes:
        version: of PostgreSQL.
        schema: that our tables are in.
        is_copy: whether it can be read alone.
        connections: of our role.
        most: that our role may have; -1 for no limit.
    """

    version: str
    schema: str
    is_copy: bool
    connections: int
    most: int


def server_state(engine: Engine) -> ServerState:
    """Ask the server.

    Raises:
        UnavailableError: when it cannot be used.
    """
    with reading(engine) as connection:
        row = connection.execute(_ASKED).one()
    return ServerState(row.version, row.schema or "", row.is_copy, row.connections, row.most)
