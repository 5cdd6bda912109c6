"""After the call: each track's records become one sealed object under a new key, and the live keys are destroyed.

Runs on worker threads. The same code seals what a crash left behind: there the records come from the files.
"""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Engine, select

from tallylight.catalogue.errors import TrackGoneError
from tallylight.catalogue.projections import Chronicle
from tallylight.catalogue.tables import party as parties
from tallylight.catalogue.tables import track as tracks
from tallylight.clock import Clock
from tallylight.conversation.events import Event, RecordingFailed, TrackErased, TrackSealed
from tallylight.database.engine import read_only
from tallylight.database.writer import Transaction, Writer
from tallylight.health.alarms import AlarmKind, Alarms
from tallylight.health.checks import TrackAccount, check_tracks
from tallylight.health.metrics import Metrics
from tallylight.ids import ConversationId, EpochId, PartyId, TrackId, WorkspaceId, new_id
from tallylight.law.vocabulary import Role
from tallylight.vault.frame import SOURCE_OURS, SOURCE_PARTY, Frame
from tallylight.vault.keys import Epoch, EpochKind, KeyRing
from tallylight.vault.objects import ObjectStore
from tallylight.vault.seal import SealedObject, seal
from tallylight.vault.tables import delete_epochs, insert_epoch, read_epochs

logger = logging.getLogger(__name__)

COMMIT_S = 60.0
"""How long sealing waits for the database before it leaves a track to the next start."""

ReadFrames = Callable[[Epoch], Sequence[Frame]]


@dataclass(frozen=True, kw_only=True)
class UnsealedTrack:
    track: TrackId
    party: PartyId
    role: Role
    project: str


@dataclass(frozen=True, kw_only=True)
class Sealer:
    """Seals the tracks of one conversation after another."""

    workspace: WorkspaceId
    clock: Clock
    engine: Engine
    writer: Writer
    keyring: KeyRing
    objects: ObjectStore
    chronicle: Chronicle
    alarms: Alarms
    metrics: Metrics
    read: ReadFrames
    release: Callable[[TrackId], None]

    def seal_conversation(
        self, conversation: ConversationId, project: str, expected_ms: Mapping[TrackId, int], offset_ms: int
    ) -> bool:
        """Seal every track of an ended conversation; False where something stays in the live log for the next start.

        `expected_ms`: admitted media per track, where that is known.
        """
        whole = True
        for unsealed in self._unsealed(conversation, project):
            try:
                self._seal(conversation, unsealed, expected_ms.get(unsealed.track), offset_ms)
            except Exception as error:
                if self._is_erased(unsealed.track):
                    continue
                whole = False
                logger.exception("a track of conversation %s was not sealed", conversation)
                self.alarms.raise_alarm(
                    AlarmKind.SEALING_FAILED, type(error).__name__, conversation=conversation, track=unsealed.track
                )
        return whole

    def _unsealed(self, conversation: ConversationId, project: str) -> list[UnsealedTrack]:
        with read_only(self.engine) as connection:
            found = connection.execute(
                select(tracks.c.track, tracks.c.party, parties.c.role)
                .join(
                    parties,
                    (parties.c.workspace == tracks.c.workspace)
                    & (parties.c.conversation == tracks.c.conversation)
                    & (parties.c.party == tracks.c.party),
                )
                .where(
                    tracks.c.workspace == self.workspace,
                    tracks.c.conversation == conversation,
                    tracks.c.state.in_(("open", "closed")),
                )
                .order_by(tracks.c.track)
            ).all()
        return [
            UnsealedTrack(track=TrackId(row.track), party=PartyId(row.party), role=Role(row.role), project=project)
            for row in found
        ]

    def _is_erased(self, track: TrackId) -> bool:
        """Whether an erasure was faster: then there is nothing to seal."""
        with read_only(self.engine) as connection:
            state = connection.execute(
                select(tracks.c.state).where(tracks.c.workspace == self.workspace, tracks.c.track == track)
            ).scalar_one_or_none()
        return state in {"erasing", "erased"}

    def _seal(
        self, conversation: ConversationId, unsealed: UnsealedTrack, expected_ms: int | None, offset_ms: int
    ) -> None:
        track = unsealed.track
        with read_only(self.engine) as connection:
            rows = read_epochs(connection, track, kind=EpochKind.LIVE, workspace=self.workspace)
        epochs = [self.keyring.open_epoch(row) for row in rows]
        frames = [frame for epoch in epochs for frame in self.read(epoch)]
        own_source = SOURCE_OURS if unsealed.role is Role.SYSTEM else SOURCE_PARTY
        events: list[Event] = []
        sealed: SealedObject | None = None
        key: Epoch | None = None
        if frames:
            key = self.keyring.new_epoch(
                project=unsealed.project,
                track=track,
                epoch=EpochId(new_id(self.clock.wall_ms())),
                kind=EpochKind.SEALED,
            )
            sealed = seal(frames, key, self.objects, own_source=own_source)
            events.append(
                TrackSealed(
                    track=track,
                    stored_ms=sealed.stored_ms,
                    expected_ms=sealed.stored_ms if expected_ms is None else expected_ms,
                    size=sealed.size,
                    offset_ms=offset_ms,
                )
            )
        else:
            events.append(TrackErased(track=track, why="empty", offset_ms=offset_ms))
        stored_ms = sealed.stored_ms if sealed is not None else 0
        missing_ms = 0 if expected_ms is None else max(0, expected_ms - stored_ms)
        if missing_ms:
            events.append(
                RecordingFailed(
                    party=unsealed.party, track=track, why="stored less", missing_ms=missing_ms, offset_ms=offset_ms
                )
            )

        def register(transaction: Transaction) -> None:
            if key is not None:
                insert_epoch(transaction.connection, key.row)
            delete_epochs(transaction.connection, track, kind=EpochKind.LIVE, workspace=self.workspace)
            self.chronicle.record(
                transaction,
                conversation,
                events,
                actor="engine",
                objects={track: sealed.path} if sealed is not None else {},
            )

        try:
            self.writer.submit(register, workspace=self.workspace).result(COMMIT_S)
        except TrackGoneError:
            # The object's key was never stored: it goes as it came.
            if sealed is not None:
                self.objects.delete(sealed.path)
            raise
        for epoch in epochs:
            self.keyring.forget(epoch.id)
        self.release(track)
        if expected_ms is not None:
            check_tracks(
                conversation,
                [TrackAccount(track=track, expected_ms=expected_ms, stored_ms=stored_ms)],
                alarms=self.alarms,
                metrics=self.metrics,
            )
