"""Why a block that was made on a report was lifted."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column."""
    with op.batch_alter_table("site_blocks") as blocks:
        blocks.add_column(
            sa.Column("lifted_reason", sa.Text(), nullable=False, server_default=sa.text("''"))
        )
