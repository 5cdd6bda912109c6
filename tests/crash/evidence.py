"""What lies on the disk: at the instant of a crash, and after the restart."""

import shutil
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa

from tallylight.app.store import Store, open_store
from tallylight.catalogue.explanation import Explanation, explain
from tallylight.catalogue.queries import ConversationEntry, TrackEntry, list_conversations
from tallylight.catalogue.tables import track as tracks
from tallylight.database.engine import FILE_NAME, open_database, read_only
from tallylight.database.events import StoredEvent, read_stream
from tallylight.database.export import verify_ledger
from tallylight.ids import ConversationId, EpochId, TrackId
from tallylight.law.pack import default_pack
from tallylight.law.vocabulary import Role
from tallylight.vault.frame import SOURCE_OURS, SOURCE_PARTY, Frame, FrameKind
from tallylight.vault.keys import EpochKind
from tallylight.vault.record import Located, walk
from tallylight.vault.recovery import EpochRecords, log_files, scan
from tallylight.vault.seal import read_object
from tallylight.vault.tables import key as keys
from tallylight.vault.tables import read_epochs

RecordName = tuple[EpochId, bytes, int]
"""Key, nonce prefix and index: what must never be used twice."""


@dataclass(frozen=True, kw_only=True)
class Wreck:
    """A data folder as a kill left it. The database is looked at in a copy: the restart finds it untouched."""

    epochs: Mapping[EpochId, EpochRecords]
    live_keys: frozenset[EpochId]
    """Live keys that are committed."""
    track_states: Mapping[TrackId, str]
    records: Mapping[RecordName, bytes]
    """Every record's bytes."""

    @property
    def durable(self) -> dict[TrackId, tuple[int, int]]:
        """Media ms of the party and of ours, in whole records under a committed key."""
        found: dict[TrackId, tuple[int, int]] = {}
        for epoch, records in self.epochs.items():
            if epoch in self.live_keys:
                party_ms, ours_ms = found.get(records.track, (0, 0))
                found[records.track] = (party_ms + records.party_ms, ours_ms + records.ours_ms)
        return found

    @property
    def undecided(self) -> list[EpochRecords]:
        """Records of tracks nobody ever committed: there must be none."""
        return [records for records in self.epochs.values() if records.track not in self.track_states]


def look_at_wreck(data: Path, scratch: Path) -> Wreck:
    """Read the folder of a dead server."""
    scratch.mkdir(exist_ok=True)
    for name in (FILE_NAME, f"{FILE_NAME}-wal"):
        (scratch / name).unlink(missing_ok=True)
        if (data / name).exists():
            shutil.copyfile(data / name, scratch / name)
    (scratch / f"{FILE_NAME}-shm").unlink(missing_ok=True)
    engine = open_database(scratch)
    try:
        with read_only(engine) as connection:
            live = connection.execute(sa.select(keys.c.epoch).where(keys.c.kind == int(EpochKind.LIVE))).scalars()
            live_keys = frozenset(map(EpochId, live))
            states = {TrackId(row.track): row.state for row in connection.execute(sa.select(tracks))}
    finally:
        engine.dispose()
    records: dict[RecordName, bytes] = {}
    for path in log_files(data / "live"):
        content = path.read_bytes()
        for found in walk(content):
            if isinstance(found, Located):
                header = found.header
                used = (header.epoch, header.prefix, header.index)
                written = content[found.offset : found.offset + header.size]
                assert records.setdefault(used, written) == written, "one key and nonce, two records"
    return Wreck(epochs=scan(data / "live").epochs, live_keys=live_keys, track_states=states, records=records)


class House:
    """A data folder, looked at as the commands do."""

    def __init__(self, store: Store) -> None:
        self.store = store
        with read_only(store.engine) as connection:
            page = list_conversations(connection, workspace=store.workspace, keys=store.keyring, limit=5000)
        self.conversations = page.conversations

    def of_caller(self, number: str) -> list[ConversationEntry]:
        """The conversations of this caller."""
        return [
            entry
            for entry in self.conversations
            if any(party.role is Role.CUSTOMER and party.address == number for party in entry.parties)
        ]

    def tracks(self, role: Role | None = None) -> Iterable[TrackEntry]:
        for entry in self.conversations:
            for party in entry.parties:
                if role is None or party.role is role:
                    yield from party.tracks

    def frames(self, track: TrackEntry) -> list[Frame]:
        """The media frames of a sealed track, decrypted."""
        assert track.path is not None, track
        with read_only(self.store.engine) as connection:
            (row,) = read_epochs(connection, track.track, kind=EpochKind.SEALED, workspace=self.store.workspace)
        epoch = self.store.keyring.open_epoch(row)
        found = read_object(self.store.objects, track.path, epoch)
        return [frame for frame in found if frame.kind is FrameKind.MEDIA]

    def stored(self, track: TrackEntry) -> tuple[int, int]:
        """Media ms of the party and of ours in a sealed track."""
        frames = self.frames(track)
        return (
            sum(frame.duration_ms for frame in frames if frame.source == SOURCE_PARTY),
            sum(frame.duration_ms for frame in frames if frame.source == SOURCE_OURS),
        )

    def keyed(self) -> set[str]:
        """Tracks with a key, live or sealed."""
        with read_only(self.store.engine) as connection:
            return set(connection.execute(sa.select(keys.c.track)).scalars())

    def events(self, conversation: ConversationId) -> list[StoredEvent]:
        """A conversation's history, as it is stored."""
        with read_only(self.store.engine) as connection:
            return read_stream(connection, conversation, workspace=self.store.workspace)

    def explained(self, conversation: ConversationId, at_ms: int | None = None) -> Explanation:
        """What `tallylight explain` says."""
        with read_only(self.store.engine) as connection:
            return explain(
                connection,
                workspace=self.store.workspace,
                conversation=conversation,
                today=default_pack(),
                at_ms=at_ms,
            )

    def epochs(self) -> set[str]:
        """Every key that is committed."""
        with read_only(self.store.engine) as connection:
            return set(connection.execute(sa.select(keys.c.epoch)).scalars())

    def object_paths(self) -> set[str]:
        return set(self.store.objects.list())

    def object_heads(self) -> list[bytes]:
        """The header of every object: its salt and its nonce prefix."""
        return [self.store.objects.get_range(path, 0, 40) for path in self.store.objects.list()]

    def verify_ledger(self) -> int:
        """Entries of the ledger, all of them verified."""
        return verify_ledger(self.store.engine, self.store.ledger_key, workspace=self.store.workspace).entries


def look_inside(data: Path) -> House:
    """Open the folder, beside a server or without one; `close` what is returned."""
    return House(open_store(data))
