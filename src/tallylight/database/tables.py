"""The tables of the truth: workspaces, events, the ledger's head, its checkpoints.

Rows of `event` are only appended, in leaf order, to a rowid table: SQLite then never splits a page, so an emptied
payload leaves no copy behind (measured with secure_delete=ON).
"""

from sqlalchemy import BigInteger, Column, ForeignKey, Integer, LargeBinary, Table, Text, UniqueConstraint

from tallylight.database.metadata import metadata

workspace = Table(
    "workspace",
    metadata,
    Column("id", Text, primary_key=True),
    Column("created_ms", BigInteger, nullable=False),
)

event = Table(
    "event",
    metadata,
    Column("workspace", Text, ForeignKey("workspace.id"), primary_key=True),
    Column("leaf", BigInteger, primary_key=True, autoincrement=False),
    Column("stream", Text, nullable=False),
    Column("sequence", BigInteger, nullable=False),
    Column("type", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Column("occurred_ms", BigInteger, nullable=False),
    Column("recorded_ms", BigInteger, nullable=False),
    Column("actor", Text, nullable=False),
    Column("payload", Text),
    Column("salt", LargeBinary),
    Column("commitment", LargeBinary, nullable=False),
    UniqueConstraint("workspace", "stream", "sequence"),
)

ledger_head = Table(
    "ledger_head",
    metadata,
    Column("workspace", Text, ForeignKey("workspace.id"), primary_key=True),
    Column("size", BigInteger, nullable=False),
    Column("frontier", LargeBinary, nullable=False),
)

checkpoint = Table(
    "checkpoint",
    metadata,
    Column("workspace", Text, ForeignKey("workspace.id"), primary_key=True),
    Column("size", BigInteger, primary_key=True, autoincrement=False),
    Column("note", Text, nullable=False),
    Column("signed_ms", BigInteger, nullable=False),
)
