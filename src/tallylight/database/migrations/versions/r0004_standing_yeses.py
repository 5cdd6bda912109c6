"""Standing yeses.

Revision ID: 0004
"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """The table of those who have agreed in advance, each until a stated end."""
    op.create_table(
        "standing_yes",
        sa.Column("workspace", sa.Text, nullable=False),
        sa.Column("subject", sa.LargeBinary(16), nullable=False),
        sa.Column("purpose", sa.Text, nullable=False),
        sa.Column("standing_yes", sa.Text, nullable=False),
        sa.Column("given_ms", sa.BigInteger, nullable=False),
        sa.Column("expires_ms", sa.BigInteger, nullable=False),
        sa.Column("evidence", sa.Text, nullable=False),
        sa.Column("notice", sa.Text, nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("language", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("workspace", "subject", "purpose", name="pk_standing_yes"),
    )
    op.create_index("ix_standing_yes_expires", "standing_yes", ["workspace", "expires_ms"])
