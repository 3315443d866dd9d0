"""Triggers that refuse every change of a table but new rows, in the words of each database."""

from alembic import op


def make_append_only(table: str) -> None:
    """Refuse UPDATE and DELETE, and TRUNCATE where there is one."""
    said = "the audit trail is append only"
    if op.get_bind().dialect.name == "sqlite":
        # Copying the table in a batch migration drops its triggers: put them back there.
        for change in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER {table}_refuses_{change.lower()} BEFORE {change} ON {table} "
                f"BEGIN SELECT RAISE(ABORT, '{said}'); END"
            )
        return
    op.execute(
        f"CREATE OR REPLACE FUNCTION {table}_refuses() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ BEGIN RAISE EXCEPTION '{said}'; END $$"
    )
    op.execute(
        f"CREATE TRIGGER {table}_refuses_changes BEFORE UPDATE OR DELETE OR TRUNCATE ON {table} "
        f"FOR EACH STATEMENT EXECUTE FUNCTION {table}_refuses()"
    )
