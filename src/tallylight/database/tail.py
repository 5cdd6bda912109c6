"""The growing end of a workspace's ledger, inside the writer's transaction."""

import os
from collections.abc import Callable, Mapping

from sqlalchemy import Connection
from sqlalchemy.engine.interfaces import DBAPICursor

from tallylight.database.tables import event
from tallylight.ids import WorkspaceId
from tallylight.ledger.commitment import SALT_SIZE, JsonValue, canonical_json, commit, encode_leaf
from tallylight.ledger.merkle import Frontier, leaf_hash

SEQUENCES_KEPT = 50_000
"""Streams whose last sequence number a `Tail` remembers before it forgets them all."""


class _Statements:
    """The hot path's SQL in the driver's own spelling: through SQLAlchemy each would cost as much as an event."""

    def __init__(self, dialect: str) -> None:
        mark, lock = ("?", "") if dialect == "sqlite" else ("%s", " FOR UPDATE")
        columns = [column.name for column in event.columns]
        self.insert = f"INSERT INTO event ({', '.join(columns)}) VALUES ({', '.join([mark] * len(columns))})"
        self.last_sequence = f"SELECT max(sequence) FROM event WHERE workspace = {mark} AND stream = {mark}"
        self.make_head = (
            f"INSERT INTO ledger_head (workspace, size, frontier) VALUES ({mark}, 0, {mark}) ON CONFLICT DO NOTHING"
        )
        self.lock_head = f"SELECT frontier FROM ledger_head WHERE workspace = {mark}{lock}"
        self.move_head = f"UPDATE ledger_head SET size = {mark}, frontier = {mark} WHERE workspace = {mark}"


class Tail:
    """Numbers and hashes what is appended, and writes the rows. Belongs to one writer thread.

    `begin` reads the head under the database's lock in each batch, since other processes append too. What is
    remembered across batches are the streams' sequence numbers, and only while the head is still the one left behind.
    """

    def __init__(self, workspace: WorkspaceId, dialect: str, entropy: Callable[[int], bytes] = os.urandom) -> None:
        self._workspace = workspace
        self._sql = _Statements(dialect)
        self._entropy = entropy
        self._frontier = Frontier()
        self._stored = Frontier()
        self._sequences: dict[str, int] = {}
        self._rows: list[tuple[object, ...]] = []
        self._cursor: DBAPICursor | None = None

    @property
    def frontier(self) -> Frontier:
        """The head, with what this batch has appended so far."""
        return self._frontier

    def begin(self, connection: Connection) -> None:
        """Lock and read the head. First thing in a batch, inside its transaction."""
        self._cursor = cursor = connection.connection.cursor()
        blob = self._lock_head(cursor)
        if blob is None:
            cursor.execute(self._sql.make_head, (self._workspace, Frontier().serialise()))
            blob = self._lock_head(cursor)
        head = Frontier.parse(blob or b"")
        if head != self._stored or len(self._sequences) > SEQUENCES_KEPT:
            self._sequences.clear()
        self._frontier = self._stored = head
        self._rows.clear()

    def append(
        self,
        *,
        stream: str,
        type: str,
        version: int,
        occurred_ms: int,
        recorded_ms: int,
        actor: str,
        payload: Mapping[str, JsonValue],
    ) -> int:
        """Take one event into the tree; its row waits for `flush`. Returns the leaf number."""
        sequence = self._sequences.get(stream)
        if sequence is None:
            sequence = self._next_sequence(stream)
        content = canonical_json(payload)
        salt = self._entropy(SALT_SIZE)
        commitment = commit(salt, content.encode())
        leaf = self._frontier.size
        encoded = encode_leaf(
            leaf=leaf,
            stream=stream,
            sequence=sequence,
            type=type,
            version=version,
            occurred_ms=occurred_ms,
            recorded_ms=recorded_ms,
            actor=actor,
            commitment=commitment,
        )
        self._frontier = self._frontier.append(leaf_hash(encoded))
        self._sequences[stream] = sequence + 1
        self._rows.append(
            (
                self._workspace,
                leaf,
                stream,
                sequence,
                type,
                version,
                occurred_ms,
                recorded_ms,
                actor,
                content,
                salt,
                commitment,
            )
        )
        return leaf

    def flush(self) -> None:
        """Write the rows that wait."""
        if self._rows:
            rows, self._rows = self._rows, []
            self._open_cursor().executemany(self._sql.insert, rows)

    def rewind(self, frontier: Frontier) -> None:
        """Forget what was appended since `frontier`: the unit of work was rolled back."""
        self._frontier = frontier
        self._rows.clear()
        self._sequences.clear()

    def finish(self) -> None:
        """Write the rows and the new head. Last thing before the commit."""
        self.flush()
        cursor = self._open_cursor()
        if self._frontier != self._stored:
            cursor.execute(self._sql.move_head, (self._frontier.size, self._frontier.serialise(), self._workspace))
        cursor.close()
        self._cursor = None

    def committed(self) -> None:
        """The batch is durable."""
        self._stored = self._frontier

    def lost(self) -> None:
        """The batch was not committed, or nobody knows: remember nothing."""
        self._stored = self._frontier = Frontier()
        self._rows.clear()
        self._sequences.clear()
        self._cursor = None

    def _next_sequence(self, stream: str) -> int:
        cursor = self._open_cursor()
        cursor.execute(self._sql.last_sequence, (self._workspace, stream))
        row = cursor.fetchone()
        return 0 if row is None or row[0] is None else int(row[0]) + 1

    def _lock_head(self, cursor: DBAPICursor) -> bytes | None:
        cursor.execute(self._sql.lock_head, (self._workspace,))
        row = cursor.fetchone()
        return None if row is None else bytes(row[0])

    def _open_cursor(self) -> DBAPICursor:
        if self._cursor is None:
            raise RuntimeError("a transaction was used after its unit of work had ended")
        return self._cursor
