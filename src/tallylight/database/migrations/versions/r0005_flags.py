"""Whose consent a member of staff attested, and who is known to be a minor.

Revision ID: 0005
"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Nobody's, of those stored before."""
    op.add_column("party", sa.Column("attested", sa.Boolean))
    op.add_column("party", sa.Column("minor", sa.Boolean))
