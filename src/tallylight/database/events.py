"""The event table: the truth. Rows are appended by the writer's `Tail` alone and read by anybody.

Leaf and sequence numbers count from 0, without gaps: leaves per workspace, sequences per stream.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import Connection, RowMapping, Select, select, update

from tallylight.database.errors import LedgerInvalid
from tallylight.database.tables import event, ledger_head
from tallylight.ids import DEFAULT_WORKSPACE, WorkspaceId
from tallylight.ledger.commitment import JsonValue, encode_leaf
from tallylight.ledger.merkle import Frontier, leaf_hash

__all__ = ["JsonValue", "StoredEvent", "empty_payload", "read_after", "read_head", "read_stream"]


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredEvent:
    """One row of the event table."""

    workspace: WorkspaceId
    leaf: int
    stream: str
    sequence: int
    type: str
    version: int
    occurred_ms: int
    recorded_ms: int
    actor: str
    payload_text: str | None
    """The payload's canonical JSON, the bytes the commitment is over; None once erased."""
    salt: bytes | None
    """None once erased."""
    commitment: bytes

    @property
    def payload(self) -> Mapping[str, JsonValue] | None:
        """What happened, or None once erased. LedgerInvalid where it was damaged."""
        if self.payload_text is None:
            return None
        try:
            payload: dict[str, JsonValue] = json.loads(self.payload_text)
        except (TypeError, ValueError):
            raise LedgerInvalid(
                f"The payload of event {self.leaf} is damaged. Run `tallylight ledger verify` and restore a backup."
            ) from None
        return payload

    def leaf_hash(self) -> bytes:
        """The entry's hash in the Merkle tree."""
        return leaf_hash(
            encode_leaf(
                leaf=self.leaf,
                stream=self.stream,
                sequence=self.sequence,
                type=self.type,
                version=self.version,
                occurred_ms=self.occurred_ms,
                recorded_ms=self.recorded_ms,
                actor=self.actor,
                commitment=self.commitment,
            )
        )


def read_stream(
    connection: Connection, stream: str, *, workspace: WorkspaceId = DEFAULT_WORKSPACE, after: int = -1
) -> list[StoredEvent]:
    """The stream's events with a sequence greater than `after`, in order."""
    return _read(
        connection,
        select(event)
        .where(event.c.workspace == workspace, event.c.stream == stream, event.c.sequence > after)
        .order_by(event.c.sequence),
    )


def read_after(
    connection: Connection, leaf: int, limit: int, *, workspace: WorkspaceId = DEFAULT_WORKSPACE
) -> list[StoredEvent]:
    """At most `limit` events with a leaf number greater than `leaf` (-1: from the beginning), in leaf order."""
    return _read(
        connection,
        select(event).where(event.c.workspace == workspace, event.c.leaf > leaf).order_by(event.c.leaf).limit(limit),
    )


def empty_payload(connection: Connection, leaf: int, *, workspace: WorkspaceId = DEFAULT_WORKSPACE) -> bool:
    """Erase one event's payload and salt; the commitment stays. False where there was nothing left to erase.

    Inside a unit of work: `empty_payload(transaction.connection, leaf)`.
    """
    emptied = connection.execute(
        update(event)
        .where(event.c.workspace == workspace, event.c.leaf == leaf, event.c.payload.is_not(None))
        .values(payload=None, salt=None)
    )
    return emptied.rowcount == 1


def read_head(connection: Connection, *, workspace: WorkspaceId = DEFAULT_WORKSPACE) -> Frontier:
    """The ledger's head as stored; the empty tree where nothing was ever appended."""
    blob = connection.execute(select(ledger_head.c.frontier).where(ledger_head.c.workspace == workspace)).scalar()
    return Frontier() if blob is None else Frontier.parse(bytes(blob))


def _read(connection: Connection, query: Select[tuple[object, ...]]) -> list[StoredEvent]:
    return [_stored(row) for row in connection.execute(query).mappings()]


def _stored(row: RowMapping) -> StoredEvent:
    return StoredEvent(
        workspace=WorkspaceId(row["workspace"]),
        leaf=row["leaf"],
        stream=row["stream"],
        sequence=row["sequence"],
        type=row["type"],
        version=row["version"],
        occurred_ms=row["occurred_ms"],
        recorded_ms=row["recorded_ms"],
        actor=row["actor"],
        payload_text=row["payload"],
        salt=None if row["salt"] is None else _blob(row["salt"]),
        commitment=_blob(row["commitment"]),
    )


def _blob(value: object) -> bytes:
    """SQLite keeps whatever somebody put there; what is no blob must fail verification, not reading."""
    return value if isinstance(value, bytes) else repr(value).encode()
