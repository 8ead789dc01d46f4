"""What is known of stored files, and who is committing which key."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "digests",
        sa.Column("key", sa.LargeBinary, primary_key=True),
        sa.Column("identity", sa.Text, nullable=False),
        sa.Column("sha256", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "media_types",
        sa.Column("key", sa.LargeBinary, primary_key=True),
        sa.Column("identity", sa.Text, nullable=False),
        sa.Column("media_type", sa.Text, nullable=False),
    )
    op.create_table(
        "claims",
        sa.Column("key", sa.LargeBinary, primary_key=True),
        sa.Column("token", sa.Text, nullable=False),
        sa.Column("expires_at_ms", sa.Integer, nullable=False),
        sa.Column("etag", sa.Text),
        sa.Column("sha256", sa.LargeBinary),
    )


def downgrade() -> None:
    """Remove the tables."""
    op.drop_table("claims")
    op.drop_table("media_types")
    op.drop_table("digests")
