"""What each person was given of audio and video today."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the table."""
    op.create_table(
        "stream_accounts",
        sa.Column("who", sa.Text(), nullable=False),
        sa.Column("day", sa.String(10), nullable=False),
        sa.Column("milliseconds", sa.BigInteger(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("streams", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("who", "day", name=op.f("pk_stream_accounts")),
    )
