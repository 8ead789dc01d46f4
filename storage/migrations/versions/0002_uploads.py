"""Uploads that outlive a request."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "uploads",
        sa.Column("upload_id", sa.Text, primary_key=True),
        sa.Column("owner", sa.Text, nullable=False),
        sa.Column("key", sa.LargeBinary),
        sa.Column("length", sa.BigInteger),
        sa.Column("is_ending", sa.Boolean, nullable=False),
        sa.Column("terms", sa.Text, nullable=False),
        sa.Column("touched_ms", sa.BigInteger, nullable=False),
        sa.Column("synced", sa.BigInteger, nullable=False),
        sa.Column("boot", sa.Text, nullable=False),
        sa.Column("unverified_from", sa.BigInteger),
        sa.Column("wanted_ns", sa.BigInteger),
        sa.Column("sha256", sa.LargeBinary),
        sa.Column("is_new", sa.Boolean),
    )


def downgrade() -> None:
    """Remove the table."""
    op.drop_table("uploads")
