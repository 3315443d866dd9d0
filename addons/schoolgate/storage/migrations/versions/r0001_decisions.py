"""The first schema: grants, suspensions, the audit trail and versions."""

import sqlalchemy as sa
from alembic import op

from schoolgate.storage.migrations.append_only import make_append_only

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create every table and the rows of `versions`."""
    _create_grants()
    _create_suspensions()
    _create_audit()
    _create_versions()


def _create_grants() -> None:
    op.create_table(
        "grants",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("entry", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("starts", sa.String(32), nullable=False),
        sa.Column("ends", sa.String(32), nullable=False),
        sa.Column("decided_by", sa.String(32), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("created_at", sa.String(32), nullable=False),
        sa.Column("revoked_at", sa.String(32)),
        sa.Column("revoked_reason", sa.Text()),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_grants")),
        sa.CheckConstraint("ends > starts", name=op.f("ck_grants_ends_after_start")),
    )
    op.create_index(op.f("ix_grants_ends"), "grants", ["ends"])


def _create_suspensions() -> None:
    op.create_table(
        "suspensions",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("starts", sa.String(32), nullable=False),
        sa.Column("ends", sa.String(32), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("created_at", sa.String(32), nullable=False),
        sa.Column("lifted_at", sa.String(32)),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_suspensions")),
        sa.CheckConstraint("ends > starts", name=op.f("ck_suspensions_ends_after_start")),
    )
    op.create_index(op.f("ix_suspensions_ends"), "suspensions", ["ends"])


def _create_audit() -> None:
    op.create_table(
        "audit",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("at", sa.String(32), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("action", sa.String(32), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("detail", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit")),
    )
    make_append_only("audit")


def _create_versions() -> None:
    versions = op.create_table(
        "versions",
        sa.Column("name", sa.String(32), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("label", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_versions")),
    )
    names = ("overlay", "policy", "lists")
    op.bulk_insert(versions, [{"name": name, "version": 0, "label": ""} for name in names])
