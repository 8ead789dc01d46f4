"""Digests of files that came in by other ways, and who learns them."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "learned_digests",
        sa.Column("key", sa.LargeBinary, primary_key=True),
        sa.Column("identity", sa.Text, nullable=False),
        sa.Column("sha256", sa.LargeBinary, nullable=False),
    )
    op.create_table("wanted_digests", sa.Column("key", sa.LargeBinary, primary_key=True))
    op.create_table(
        "upkeep",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("token", sa.Text, nullable=False),
        sa.Column("expires_at_ms", sa.Integer, nullable=False),
        sa.Column("scrubbed", sa.LargeBinary, nullable=False),
    )


def downgrade() -> None:
    """Remove the tables."""
    op.drop_table("upkeep")
    op.drop_table("wanted_digests")
    op.drop_table("learned_digests")
