"""Media types are found out anew: many more kinds of files are told apart."""

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Forget what is known; each is learned again when somebody asks for its file."""
    op.execute("DELETE FROM media_types")


def downgrade() -> None:
    """What was forgotten stays forgotten."""
