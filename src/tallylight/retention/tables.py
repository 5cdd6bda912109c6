"""Erasures: asked, under way, proved.

While an erasure is unfinished its row holds what a repeat needs: a keyed hash that finds it again, the draft of the
certificate, and, encrypted, fragments of the stored bytes to search for. Fragments are nonces and tags: enough to find
a wrapped key in a file, never enough to unwrap it. All three are emptied when the certificate is written.
"""

import sqlalchemy as sa

from tallylight.database.metadata import metadata

erasure = sa.Table(
    "erasure",
    metadata,
    sa.Column("workspace", sa.Text, nullable=False),
    sa.Column("erasure", sa.Text, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),  # person | retention
    sa.Column("state", sa.Text, nullable=False),  # pending | complete
    sa.Column("actor", sa.Text, nullable=False),
    sa.Column("requested_ms", sa.BigInteger, nullable=False),
    sa.Column("completed_ms", sa.BigInteger),
    sa.Column("subject", sa.LargeBinary(16)),
    sa.Column("draft", sa.Text),
    sa.Column("needles", sa.LargeBinary),
    sa.Column("certificate", sa.Text),
    sa.PrimaryKeyConstraint("workspace", "erasure"),
)
sa.Index(
    "ix_erasure_pending",
    erasure.c.workspace,
    erasure.c.kind,
    sqlite_where=erasure.c.state == "pending",
    postgresql_where=erasure.c.state == "pending",
)
