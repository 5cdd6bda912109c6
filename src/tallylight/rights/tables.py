"""Standing objections: a keyed hash and how it was raised, nothing that names anybody."""

import sqlalchemy as sa

from tallylight.database.metadata import metadata

objection = sa.Table(
    "objection",
    metadata,
    sa.Column("workspace", sa.Text, nullable=False),
    sa.Column("subject", sa.LargeBinary(16), nullable=False),  # keyed hash, under a key no other index has
    sa.Column("objection", sa.Text, nullable=False),
    sa.Column("raised_ms", sa.BigInteger, nullable=False),
    sa.Column("evidence", sa.Text, nullable=False),
    sa.PrimaryKeyConstraint("workspace", "subject"),
)
