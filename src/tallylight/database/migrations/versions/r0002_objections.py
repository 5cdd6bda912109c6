"""Standing objections.

Revision ID: 0002
"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """The table of those who are never recorded."""
    op.create_table(
        "objection",
        sa.Column("workspace", sa.Text, nullable=False),
        sa.Column("subject", sa.LargeBinary(16), nullable=False),
        sa.Column("objection", sa.Text, nullable=False),
        sa.Column("raised_ms", sa.BigInteger, nullable=False),
        sa.Column("evidence", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("workspace", "subject", name="pk_objection"),
    )
