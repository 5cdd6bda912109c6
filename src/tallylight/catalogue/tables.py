"""The catalogue's tables. Everything here can be built again from the event table, except whose it is, which events never
say: addresses stand encrypted in `party` alone, and a standing yes by a keyed hash of one.

The workspace leads every key and index. Ids are UUID text, times integer ms UTC, media time integer ms.
"""

import sqlalchemy as sa

from tallylight.database.metadata import metadata

conversation = sa.Table(
    "conversation",
    metadata,
    sa.Column("workspace", sa.Text, nullable=False),
    sa.Column("conversation", sa.Text, nullable=False),
    sa.Column("project", sa.Text, nullable=False),
    sa.Column("channel", sa.Text, nullable=False),
    sa.Column("direction", sa.Text, nullable=False),
    sa.Column("started_ms", sa.BigInteger, nullable=False),
    sa.Column("ended_ms", sa.BigInteger),
    sa.Column("deadline_ms", sa.BigInteger),  # of who took part and how they answered; NULL: that is gone
    sa.Column("settings", sa.Text, nullable=False),
    sa.Column("pack", sa.Text, nullable=False),
    sa.Column("state", sa.Text, nullable=False),  # live | ended | interrupted
    sa.Column("outcome", sa.Text),
    sa.Column("trial", sa.Boolean, nullable=False),
    sa.Column("node", sa.Text, nullable=False),
    sa.Column("fence", sa.BigInteger, nullable=False),
    sa.Column("alarms", sa.Text, nullable=False),  # JSON array of {kind, party, track, missing_ms}
    sa.PrimaryKeyConstraint("workspace", "conversation"),
)
sa.Index("ix_conversation_started", conversation.c.workspace, conversation.c.started_ms, conversation.c.conversation)
sa.Index(
    "ix_conversation_live",
    conversation.c.workspace,
    conversation.c.node,
    sqlite_where=conversation.c.state == "live",
    postgresql_where=conversation.c.state == "live",
)
sa.Index(
    "ix_conversation_deadline",
    conversation.c.workspace,
    conversation.c.deadline_ms,
    conversation.c.conversation,
    sqlite_where=conversation.c.deadline_ms.is_not(None),
    postgresql_where=conversation.c.deadline_ms.is_not(None),
)

party = sa.Table(
    "party",
    metadata,
    sa.Column("workspace", sa.Text, nullable=False),
    sa.Column("conversation", sa.Text, nullable=False),
    sa.Column("party", sa.Text, nullable=False),
    sa.Column("role", sa.Text, nullable=False),
    sa.Column("joined_ms", sa.BigInteger, nullable=False),  # media time
    sa.Column("consent", sa.Text, nullable=False),  # given | refused | withdrawn | none
    sa.Column("attested", sa.Boolean),  # that yes is somebody else's word
    sa.Column("minor", sa.Boolean),  # known to be one
    sa.Column("lamp", sa.Text, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("talked_ms", sa.BigInteger, nullable=False),
    sa.Column("blind", sa.LargeBinary(16)),
    sa.Column("address_enc", sa.LargeBinary),
    sa.PrimaryKeyConstraint("workspace", "conversation", "party"),
)
sa.Index(
    "ix_party_blind",
    party.c.workspace,
    party.c.blind,
    sqlite_where=party.c.blind.is_not(None),
    postgresql_where=party.c.blind.is_not(None),
)

track = sa.Table(
    "track",
    metadata,
    sa.Column("workspace", sa.Text, nullable=False),
    sa.Column("track", sa.Text, nullable=False),
    sa.Column("conversation", sa.Text, nullable=False),
    sa.Column("party", sa.Text, nullable=False),
    sa.Column("purpose", sa.Text, nullable=False),
    sa.Column("proof_ground", sa.Text),  # why a proof of consent outlives an erasure; NULL: it does not
    sa.Column("state", sa.Text, nullable=False),  # open | closed | sealed | erasing | erased
    sa.Column("deadline_ms", sa.BigInteger, nullable=False),
    sa.Column("floor_ms", sa.BigInteger),  # until when law has it kept, whatever is asked; NULL: no law does
    sa.Column("receipt", sa.Integer),  # the number of the voice receipt it belongs to
    sa.Column("expected_ms", sa.BigInteger, nullable=False),
    sa.Column("stored_ms", sa.BigInteger, nullable=False),
    sa.Column("path", sa.Text),
    sa.Column("size", sa.BigInteger),
    sa.PrimaryKeyConstraint("workspace", "track"),
)
sa.Index("ix_track_conversation", track.c.workspace, track.c.conversation)
sa.Index(
    "ix_track_deadline",
    track.c.workspace,
    track.c.deadline_ms,
    track.c.track,
    sqlite_where=track.c.state != "erased",
    postgresql_where=track.c.state != "erased",
)

copy = sa.Table(
    "copy",
    metadata,
    sa.Column("workspace", sa.Text, nullable=False),
    sa.Column("track", sa.Text, nullable=False),
    sa.Column("location", sa.Text, nullable=False),
    sa.Column("state", sa.Text, nullable=False),  # present | gone
    sa.Column("confirmed_ms", sa.BigInteger),
    sa.PrimaryKeyConstraint("workspace", "track", "location"),
)

standing_yes = sa.Table(
    "standing_yes",
    metadata,
    sa.Column("workspace", sa.Text, nullable=False),
    sa.Column("subject", sa.LargeBinary(16), nullable=False),  # keyed hash, under a key no other index has
    sa.Column("purpose", sa.Text, nullable=False),  # as the operator calls it
    sa.Column("standing_yes", sa.Text, nullable=False),
    sa.Column("given_ms", sa.BigInteger, nullable=False),
    sa.Column("expires_ms", sa.BigInteger, nullable=False),
    sa.Column("evidence", sa.Text, nullable=False),
    sa.Column("notice", sa.Text, nullable=False),  # SHA-256 of text
    sa.Column("text", sa.Text, nullable=False),
    sa.Column("language", sa.Text, nullable=False),
    sa.PrimaryKeyConstraint("workspace", "subject", "purpose"),
)
sa.Index("ix_standing_yes_expires", standing_yes.c.workspace, standing_yes.c.expires_ms)

settings_version = sa.Table(
    "settings_version",
    metadata,
    sa.Column("workspace", sa.Text, nullable=False),
    sa.Column("hash", sa.Text, nullable=False),
    sa.Column("content", sa.Text, nullable=False),
    sa.PrimaryKeyConstraint("workspace", "hash"),
)

pack_version = sa.Table(
    "pack_version",
    metadata,
    sa.Column("workspace", sa.Text, nullable=False),
    sa.Column("hash", sa.Text, nullable=False),
    sa.Column("content", sa.Text, nullable=False),
    sa.PrimaryKeyConstraint("workspace", "hash"),
)

reasoning = sa.Table(
    "reasoning",
    metadata,
    sa.Column("workspace", sa.Text, nullable=False),
    sa.Column("hash", sa.Text, nullable=False),
    sa.Column("content", sa.Text, nullable=False),  # JSON {actions, reasons} of rulings, in every word
    sa.PrimaryKeyConstraint("workspace", "hash"),
)
