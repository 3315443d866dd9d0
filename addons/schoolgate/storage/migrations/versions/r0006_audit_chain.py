"""The audit trail becomes a chain of hashes over pseudonyms; names and texts move beside it."""

import json
import secrets
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from alembic import op

from schoolgate.core.approvals.audit import FIRST, Beside, commitment, sealed
from schoolgate.storage.migrations.append_only import make_append_only

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

# As `storage.audit` tells them apart when this was written.
_PERSONAL = ("user", "device", "client", "cli", "account")


def upgrade() -> None:
    """Create the chain and write what was recorded before into it."""
    connection = op.get_bind()
    query = sa.text("SELECT at, actor, action, subject, detail FROM audit ORDER BY id")
    kept = connection.execute(query).mappings().all()
    op.drop_table("audit")
    tables = _create_tables()
    head = _fill(connection, tables, [dict(row) for row in kept])
    versions = sa.table("versions", sa.column("name"), sa.column("version"), sa.column("label"))
    op.bulk_insert(versions, [{"name": "audit", "version": len(kept), "label": head}])
    make_append_only("audit")


def _create_tables() -> tuple[sa.Table, sa.Table, sa.Table]:
    audit = op.create_table(
        "audit",
        sa.Column("id", sa.Integer(), nullable=False, autoincrement=False),
        sa.Column("at", sa.String(32), nullable=False),
        sa.Column("actor", sa.String(80), nullable=False),
        sa.Column("action", sa.String(32), nullable=False),
        sa.Column("subject", sa.String(80), nullable=False),
        sa.Column("commitment", sa.String(64), nullable=False),
        sa.Column("previous", sa.String(64), nullable=False),
        sa.Column("hash", sa.String(64), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit")),
    )
    details = op.create_table(
        "audit_details",
        sa.Column("audit_id", sa.Integer(), nullable=False, autoincrement=False),
        sa.Column("salt", sa.String(64), nullable=False),
        sa.Column("content", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("audit_id", name=op.f("pk_audit_details")),
    )
    pseudonyms = op.create_table(
        "pseudonyms",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("pseudonym", sa.String(80), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_pseudonyms")),
        sa.UniqueConstraint("pseudonym", name=op.f("uq_pseudonyms_pseudonym")),
    )
    return audit, details, pseudonyms


def _fill(
    connection: sa.Connection, tables: tuple[sa.Table, sa.Table, sa.Table], kept: list[Any]
) -> str:
    """Write entries in their order; give the hash of the last one."""
    audit, details, pseudonyms = tables
    known: dict[str, str] = {}

    def pseudonym(name: str) -> str:
        kind, colon, _ = name.partition(":")
        if (colon and kind not in _PERSONAL) or name == "everyone":
            return name
        return known.setdefault(name, f"p-{secrets.token_hex(8)}")

    previous = FIRST
    for number, row in enumerate(kept, start=1):
        detail = row["detail"]
        detail = json.loads(detail) if isinstance(detail, str) else detail
        content = {"actor": row["actor"], "subject": row["subject"], "detail": detail}
        beside = Beside(secrets.token_hex(16), content)
        entry = sealed(
            number,
            datetime.fromisoformat(row["at"]),
            pseudonym(row["actor"]),
            row["action"],
            pseudonym(row["subject"]),
            commitment(beside),
            previous,
        )
        at = entry.at.isoformat(timespec="microseconds")
        values = {name: getattr(entry, name) for name in audit.c.keys()} | {"at": at}  # noqa: SIM118
        connection.execute(audit.insert().values(**values))
        connection.execute(
            details.insert().values(audit_id=number, salt=beside.salt, content=content)
        )
        previous = entry.hash
    for name, stands_for in known.items():
        connection.execute(pseudonyms.insert().values(name=name, pseudonym=stands_for))
    return previous
