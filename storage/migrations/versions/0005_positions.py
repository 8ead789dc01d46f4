"""How far people have come in films and books."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "positions",
        sa.Column("key", sa.LargeBinary, primary_key=True),
        sa.Column("owner", sa.Text, primary_key=True),
        sa.Column("at_ms", sa.BigInteger, nullable=False),
        sa.Column("position_s", sa.Float, nullable=False),
        sa.Column("duration_s", sa.Float),
        sa.Column("is_finished", sa.Boolean, nullable=False),
    )


def downgrade() -> None:
    """Remove the table."""
    op.drop_table("positions")
