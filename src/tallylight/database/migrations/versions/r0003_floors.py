"""Until when law has a track kept, and the voice receipt it belongs to.

Revision ID: 0003
"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Tracks stored before have neither."""
    op.add_column("track", sa.Column("floor_ms", sa.BigInteger))
    op.add_column("track", sa.Column("receipt", sa.Integer))
