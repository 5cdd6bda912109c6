"""The tables of the first landing.

Revision ID: 0001
"""

import sqlalchemy as sa
from alembic import op

from tallylight.ids import DEFAULT_WORKSPACE

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Every room's tables, and the one default workspace."""
    _database()
    _vault()
    _catalogue()
    _retention()
    op.bulk_insert(
        sa.table("workspace", sa.column("id"), sa.column("created_ms")), [{"id": DEFAULT_WORKSPACE, "created_ms": 0}]
    )


def _database() -> None:
    op.create_table(
        "workspace",
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("created_ms", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_workspace"),
    )
    op.create_table(
        "event",
        sa.Column("workspace", sa.Text, nullable=False),
        sa.Column("leaf", sa.BigInteger, nullable=False, autoincrement=False),
        sa.Column("stream", sa.Text, nullable=False),
        sa.Column("sequence", sa.BigInteger, nullable=False),
        sa.Column("type", sa.Text, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("occurred_ms", sa.BigInteger, nullable=False),
        sa.Column("recorded_ms", sa.BigInteger, nullable=False),
        sa.Column("actor", sa.Text, nullable=False),
        sa.Column("payload", sa.Text),
        sa.Column("salt", sa.LargeBinary),
        sa.Column("commitment", sa.LargeBinary, nullable=False),
        sa.ForeignKeyConstraint(["workspace"], ["workspace.id"], name="fk_event_workspace_workspace"),
        sa.PrimaryKeyConstraint("workspace", "leaf", name="pk_event"),
        sa.UniqueConstraint("workspace", "stream", "sequence", name="uq_event_workspace_stream_sequence"),
    )
    op.create_table(
        "ledger_head",
        sa.Column("workspace", sa.Text, nullable=False),
        sa.Column("size", sa.BigInteger, nullable=False),
        sa.Column("frontier", sa.LargeBinary, nullable=False),
        sa.ForeignKeyConstraint(["workspace"], ["workspace.id"], name="fk_ledger_head_workspace_workspace"),
        sa.PrimaryKeyConstraint("workspace", name="pk_ledger_head"),
    )
    op.create_table(
        "checkpoint",
        sa.Column("workspace", sa.Text, nullable=False),
        sa.Column("size", sa.BigInteger, nullable=False, autoincrement=False),
        sa.Column("note", sa.Text, nullable=False),
        sa.Column("signed_ms", sa.BigInteger, nullable=False),
        sa.ForeignKeyConstraint(["workspace"], ["workspace.id"], name="fk_checkpoint_workspace_workspace"),
        sa.PrimaryKeyConstraint("workspace", "size", name="pk_checkpoint"),
    )


def _vault() -> None:
    op.create_table(
        "project_key",
        sa.Column("workspace", sa.Text, nullable=False),
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("project", sa.Text, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("wrapped", sa.LargeBinary, nullable=False),
        sa.ForeignKeyConstraint(["workspace"], ["workspace.id"], name="fk_project_key_workspace_workspace"),
        sa.PrimaryKeyConstraint("workspace", "id", name="pk_project_key"),
    )
    op.create_index("project_key_version", "project_key", ["workspace", "project", "version"], unique=True)
    op.create_table(
        "key",
        sa.Column("workspace", sa.Text, nullable=False),
        sa.Column("epoch", sa.Text, nullable=False),
        sa.Column("track", sa.Text, nullable=False),
        sa.Column("project_key", sa.Text, nullable=False),
        sa.Column("kind", sa.SmallInteger, nullable=False),
        sa.Column("wrapped", sa.LargeBinary, nullable=False),
        sa.ForeignKeyConstraint(["workspace"], ["workspace.id"], name="fk_key_workspace_workspace"),
        sa.PrimaryKeyConstraint("workspace", "epoch", name="pk_key"),
    )
    op.create_index("key_track", "key", ["workspace", "track"])


def _catalogue() -> None:
    op.create_table(
        "conversation",
        sa.Column("workspace", sa.Text, nullable=False),
        sa.Column("conversation", sa.Text, nullable=False),
        sa.Column("project", sa.Text, nullable=False),
        sa.Column("channel", sa.Text, nullable=False),
        sa.Column("direction", sa.Text, nullable=False),
        sa.Column("started_ms", sa.BigInteger, nullable=False),
        sa.Column("ended_ms", sa.BigInteger),
        sa.Column("deadline_ms", sa.BigInteger),
        sa.Column("settings", sa.Text, nullable=False),
        sa.Column("pack", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("outcome", sa.Text),
        sa.Column("trial", sa.Boolean, nullable=False),
        sa.Column("node", sa.Text, nullable=False),
        sa.Column("fence", sa.BigInteger, nullable=False),
        sa.Column("alarms", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("workspace", "conversation", name="pk_conversation"),
    )
    op.create_index(
        "ix_conversation_live",
        "conversation",
        ["workspace", "node"],
        sqlite_where=sa.text("state = 'live'"),
        postgresql_where=sa.text("state = 'live'"),
    )
    op.create_index(
        "ix_conversation_deadline",
        "conversation",
        ["workspace", "deadline_ms", "conversation"],
        sqlite_where=sa.text("deadline_ms IS NOT NULL"),
        postgresql_where=sa.text("deadline_ms IS NOT NULL"),
    )
    op.create_index("ix_conversation_started", "conversation", ["workspace", "started_ms", "conversation"])
    op.create_table(
        "party",
        sa.Column("workspace", sa.Text, nullable=False),
        sa.Column("conversation", sa.Text, nullable=False),
        sa.Column("party", sa.Text, nullable=False),
        sa.Column("role", sa.Text, nullable=False),
        sa.Column("joined_ms", sa.BigInteger, nullable=False),
        sa.Column("consent", sa.Text, nullable=False),
        sa.Column("lamp", sa.Text, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("talked_ms", sa.BigInteger, nullable=False),
        sa.Column("blind", sa.LargeBinary(16)),
        sa.Column("address_enc", sa.LargeBinary),
        sa.PrimaryKeyConstraint("workspace", "conversation", "party", name="pk_party"),
    )
    op.create_index(
        "ix_party_blind",
        "party",
        ["workspace", "blind"],
        sqlite_where=sa.text("blind IS NOT NULL"),
        postgresql_where=sa.text("blind IS NOT NULL"),
    )
    op.create_table(
        "track",
        sa.Column("workspace", sa.Text, nullable=False),
        sa.Column("track", sa.Text, nullable=False),
        sa.Column("conversation", sa.Text, nullable=False),
        sa.Column("party", sa.Text, nullable=False),
        sa.Column("purpose", sa.Text, nullable=False),
        sa.Column("proof_ground", sa.Text),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("deadline_ms", sa.BigInteger, nullable=False),
        sa.Column("expected_ms", sa.BigInteger, nullable=False),
        sa.Column("stored_ms", sa.BigInteger, nullable=False),
        sa.Column("path", sa.Text),
        sa.Column("size", sa.BigInteger),
        sa.PrimaryKeyConstraint("workspace", "track", name="pk_track"),
    )
    op.create_index("ix_track_conversation", "track", ["workspace", "conversation"])
    op.create_index(
        "ix_track_deadline",
        "track",
        ["workspace", "deadline_ms", "track"],
        sqlite_where=sa.text("state != 'erased'"),
        postgresql_where=sa.text("state != 'erased'"),
    )
    op.create_table(
        "copy",
        sa.Column("workspace", sa.Text, nullable=False),
        sa.Column("track", sa.Text, nullable=False),
        sa.Column("location", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("confirmed_ms", sa.BigInteger),
        sa.PrimaryKeyConstraint("workspace", "track", "location", name="pk_copy"),
    )
    op.create_table(
        "settings_version",
        sa.Column("workspace", sa.Text, nullable=False),
        sa.Column("hash", sa.Text, nullable=False),
        sa.Column("content", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("workspace", "hash", name="pk_settings_version"),
    )
    op.create_table(
        "pack_version",
        sa.Column("workspace", sa.Text, nullable=False),
        sa.Column("hash", sa.Text, nullable=False),
        sa.Column("content", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("workspace", "hash", name="pk_pack_version"),
    )
    op.create_table(
        "reasoning",
        sa.Column("workspace", sa.Text, nullable=False),
        sa.Column("hash", sa.Text, nullable=False),
        sa.Column("content", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("workspace", "hash", name="pk_reasoning"),
    )


def _retention() -> None:
    op.create_table(
        "erasure",
        sa.Column("workspace", sa.Text, nullable=False),
        sa.Column("erasure", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("actor", sa.Text, nullable=False),
        sa.Column("requested_ms", sa.BigInteger, nullable=False),
        sa.Column("completed_ms", sa.BigInteger),
        sa.Column("subject", sa.LargeBinary(16)),
        sa.Column("draft", sa.Text),
        sa.Column("needles", sa.LargeBinary),
        sa.Column("certificate", sa.Text),
        sa.PrimaryKeyConstraint("workspace", "erasure", name="pk_erasure"),
    )
    op.create_index(
        "ix_erasure_pending",
        "erasure",
        ["workspace", "kind"],
        sqlite_where=sa.text("state = 'pending'"),
        postgresql_where=sa.text("state = 'pending'"),
    )
