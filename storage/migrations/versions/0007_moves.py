"""Moves that are under way, and the feed by the names that files had."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table and the index."""
    op.create_table(
        "moves",
        sa.Column("token", sa.Text, primary_key=True),
        sa.Column("old", sa.LargeBinary, nullable=False),
        sa.Column("new", sa.LargeBinary, nullable=False),
        sa.Column("identity", sa.Text, nullable=False),
        if_not_exists=True,
    )
    moved = sa.text("kind = 'moved'")
    op.create_index("changes_by_origin", "changes", ["subject", "id"], sqlite_where=moved, if_not_exists=True)


def downgrade() -> None:
    """Remove both."""
    op.drop_index("changes_by_origin", "changes")
    op.drop_table("moves")
