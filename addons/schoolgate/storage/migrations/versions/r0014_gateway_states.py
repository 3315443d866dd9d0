"""How each gateway of a school is, as it says itself."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the table."""
    op.create_table(
        "gateway_states",
        sa.Column("gateway", sa.String(40), nullable=False),
        sa.Column("school", sa.String(40), nullable=False),
        sa.Column("program", sa.String(40), nullable=False),
        sa.Column("started_at", sa.String(32), nullable=False),
        sa.Column("bundle", sa.BigInteger(), nullable=False),
        sa.Column("bundle_version", sa.BigInteger(), nullable=False),
        sa.Column("ring", sa.String(40), nullable=False),
        sa.Column("policy", sa.String(16), nullable=False),
        sa.Column("lists", sa.Integer(), nullable=False),
        sa.Column("lists_made", sa.String(32)),
        sa.Column("index_made", sa.String(32)),
        sa.Column("workers_wanted", sa.Integer(), nullable=False),
        sa.Column("workers_up", sa.Integer(), nullable=False),
        sa.Column("selftest_failures", sa.Integer()),
        sa.Column("kept_requests", sa.Integer(), nullable=False),
        sa.Column("unsent_since", sa.String(32)),
        sa.Column("faults", sa.String(400), nullable=False),
        sa.Column("clock", sa.String(32), nullable=False),
        sa.Column("reported_at", sa.String(32), nullable=False),
        sa.PrimaryKeyConstraint("gateway", name=op.f("pk_gateway_states")),
    )
