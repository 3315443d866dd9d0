"""Supervisions: somebody whose access is withdrawn works under a colleague's eyes for a time."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the table."""
    op.create_table(
        "supervisions",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("starts", sa.String(32), nullable=False),
        sa.Column("ends", sa.String(32), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("created_at", sa.String(32), nullable=False),
        sa.Column("lifted_at", sa.String(32)),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_supervisions")),
        sa.CheckConstraint("ends > starts", name=op.f("ck_supervisions_ends_after_start")),
    )
    op.create_index(op.f("ix_supervisions_ends"), "supervisions", ["ends"])
