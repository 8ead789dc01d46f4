"""The feed, and what people say about files."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "changes",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("at_ms", sa.BigInteger, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("key", sa.LargeBinary),
        sa.Column("subject", sa.Text),
        sa.Column("identity", sa.Text),
        sa.Column("content", sa.Text, nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_index("changes_by_key", "changes", ["key", "id"])
    op.create_table(
        "feed",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("pruned", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "feed_gaps",
        sa.Column("first", sa.Integer, primary_key=True),
        sa.Column("last", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "comments",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("key", sa.LargeBinary, nullable=False),
        sa.Column("at_ms", sa.BigInteger, nullable=False),
        sa.Column("author", sa.Text, nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("media_time_s", sa.Float),
        sa.Column("byte_offset", sa.BigInteger),
        sqlite_autoincrement=True,
    )
    op.create_index("comments_by_key", "comments", ["key", "id"])


def downgrade() -> None:
    """Remove the tables."""
    op.drop_table("comments")
    op.drop_table("feed_gaps")
    op.drop_table("feed")
    op.drop_table("changes")
