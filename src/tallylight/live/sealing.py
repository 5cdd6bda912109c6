"""After the call: each track's records become one sealed object under a new key, and the live keys are destroyed.

Runs on worker threads. The same code seals what a crash left behind: there the records come from the files.
"""

import logging
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass

from sqlalchemy import Engine, bindparam, literal_column, select

from tallylight.catalogue.errors import TrackGoneError
from tallylight.catalogue.projections import Chronicle
from tallylight.catalogue.tables import party as parties
from tallylight.catalogue.tables import track as tracks
from tallylight.clock import Clock
from tallylight.conversation.events import Event, RecordingFailed, TrackErased, TrackSealed
from tallylight.database.engine import read_only
from tallylight.database.statement import Statement
from tallylight.database.writer import Transaction, Writer
from tallylight.health.alarms import AlarmKind, Alarms
from tallylight.health.checks import TrackAccount, check_tracks
from tallylight.health.metrics import Metrics
from tallylight.ids import ConversationId, EpochId, PartyId, TrackId, WorkspaceId, new_id
from tallylight.law.vocabulary import Role
from tallylight.vault.frame import SOURCE_OURS, SOURCE_PARTY, Frame
from tallylight.vault.keys import Epoch, EpochKind, EpochRow, KeyRing
from tallylight.vault.objects import ObjectStore
from tallylight.vault.seal import SealedObject, seal
from tallylight.vault.tables import delete_epochs, insert_epoch, read_epochs, read_known_epochs

logger = logging.getLogger(__name__)

COMMIT_S = 60.0
"""How long sealing waits for the database before it leaves a track for later."""

ReadFrames = Callable[[Epoch], Sequence[Frame]]


@dataclass(frozen=True, kw_only=True)
class UnsealedTrack:
    """A track of an ended conversation that lies in the live log."""

    track: TrackId
    party: PartyId
    role: Role
    project: str
    epochs: Sequence[EpochRow]
    """Its live keys."""


_UNSEALED = Statement(
    select(tracks.c.track, tracks.c.party, parties.c.role)
    .join(
        parties,
        (parties.c.workspace == tracks.c.workspace)
        & (parties.c.conversation == tracks.c.conversation)
        & (parties.c.party == tracks.c.party),
    )
    .where(
        tracks.c.workspace == bindparam("workspace"),
        tracks.c.conversation == bindparam("conversation"),
        tracks.c.state.in_((literal_column("'open'"), literal_column("'closed'"))),
    )
    .order_by(tracks.c.track)
)


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
        self,
        conversation: ConversationId,
        project: str,
        expected_ms: Mapping[TrackId, int],
        offset_ms: int,
        *,
        again: bool = False,
    ) -> bool:
        """Seal every track of an ended conversation; False where something stays in the live log. Safe to repeat.

        `expected_ms`: admitted media per track, where that is known. `again`: it was tried before, and the alarm raised.
        """
        try:
            unsealed = self._unsealed(conversation, project)
        except Exception as error:
            self._failed(conversation, None, error, again=again)
            return False
        whole = True
        ready: list[_Sealed] = []
        for each in unsealed:
            try:
                ready.append(self._seal(each, expected_ms.get(each.track), offset_ms))
            except Exception as error:
                whole &= self._excused(conversation, each.track, error, again=again)
        for refused in self._unregistered(conversation, ready):
            whole &= self._excused(conversation, refused.sealed.unsealed.track, refused.error, again=again)
        return whole

    def _unregistered(self, conversation: ConversationId, ready: "Sequence[_Sealed]") -> "list[_Refused]":
        """Write the sealed tracks down. Returns those that the database did not take; their objects are gone again."""
        try:
            self._register(conversation, ready)
        except TimeoutError as error:
            # The unit still waits and may yet be written: nothing of it may be undone, nor written twice.
            return [_Refused(each, error) for each in ready]
        except Exception as error:
            if len(ready) > 1:
                # One of them may be the reason, and is not to hold the others up.
                return [refused for each in ready for refused in self._unregistered(conversation, [each])]
            for each in ready:
                self._take_back(each)
            return [_Refused(each, error) for each in ready]
        return []

    def _take_back(self, sealed: "_Sealed") -> None:
        """Remove an object whose key is certainly not stored: nobody can ever read it."""
        if sealed.key is None or sealed.object is None:
            return
        try:
            with read_only(self.engine) as connection:
                known = read_known_epochs(connection, [sealed.key.id], workspace=self.workspace)
            if not known:
                self.objects.delete(sealed.object.path)
        except Exception:
            logger.warning("an object without a key stays until the next start", exc_info=True)

    def _excused(self, conversation: ConversationId, track: TrackId, error: Exception, *, again: bool) -> bool:
        """Whether an erasure was faster than a sealing that failed; otherwise an alarm."""
        try:
            if self._is_erased(track):
                return True
        except Exception:
            logger.exception("whether a track is erased cannot be known")
        self._failed(conversation, track, error, again=again)
        return False

    def _failed(self, conversation: ConversationId, track: TrackId | None, error: Exception, *, again: bool) -> None:
        level = logging.WARNING if again else logging.ERROR
        logger.log(level, "conversation %s was not sealed whole", conversation, exc_info=error)
        if not again:
            self.alarms.raise_alarm(
                AlarmKind.SEALING_FAILED, type(error).__name__, conversation=conversation, track=track
            )

    def _unsealed(self, conversation: ConversationId, project: str) -> list[UnsealedTrack]:
        with read_only(self.engine) as connection:
            found = _UNSEALED.run(connection, {"workspace": self.workspace, "conversation": conversation}).fetchall()
            return [
                UnsealedTrack(
                    track=TrackId(track),
                    party=PartyId(party),
                    role=Role(role),
                    project=project,
                    epochs=tuple(
                        read_epochs(connection, TrackId(track), kind=EpochKind.LIVE, workspace=self.workspace)
                    ),
                )
                for track, party, role in found
            ]

    def _is_erased(self, track: TrackId) -> bool:
        """Whether an erasure was faster: then there is nothing to seal."""
        with read_only(self.engine) as connection:
            state = connection.execute(
                select(tracks.c.state).where(tracks.c.workspace == self.workspace, tracks.c.track == track)
            ).scalar_one_or_none()
        return state in {"erasing", "erased"}

    def _seal(self, unsealed: UnsealedTrack, expected_ms: int | None, offset_ms: int) -> "_Sealed":
        """Put the track's object into the store. Nothing knows of it yet."""
        track = unsealed.track
        epochs = [self.keyring.open_epoch(row) for row in unsealed.epochs]
        frames = [frame for epoch in epochs for frame in self.read(epoch)]
        if not frames:
            if self._is_erased(track):
                # Its records were let go of: that nothing is left of what was admitted is no loss.
                raise TrackGoneError(f"Track {track} was erased before it was sealed.")
            empty = TrackErased(track=track, why="empty", offset_ms=offset_ms)
            return _Sealed(unsealed, epochs, None, None, expected_ms, self._with_loss(empty, unsealed, 0, expected_ms))
        key = self.keyring.new_epoch(
            project=unsealed.project,
            track=track,
            epoch=EpochId(new_id(self.clock.wall_ms())),
            kind=EpochKind.SEALED,
        )
        own_source = SOURCE_OURS if unsealed.role is Role.SYSTEM else SOURCE_PARTY
        made = seal(frames, key, self.objects, own_source=own_source)
        sealed = TrackSealed(
            track=track,
            stored_ms=made.stored_ms,
            expected_ms=made.stored_ms if expected_ms is None else expected_ms,
            size=made.size,
            offset_ms=offset_ms,
        )
        events = self._with_loss(sealed, unsealed, made.stored_ms, expected_ms)
        return _Sealed(unsealed, epochs, key, made, expected_ms, events)

    def _with_loss(
        self, event: TrackSealed | TrackErased, unsealed: UnsealedTrack, stored_ms: int, expected_ms: int | None
    ) -> list[Event]:
        """The event, and what is missing where less was stored than was admitted."""
        missing_ms = 0 if expected_ms is None else expected_ms - stored_ms
        if missing_ms <= 0:
            return [event]
        failed = RecordingFailed(
            party=unsealed.party,
            track=unsealed.track,
            why="stored less",
            missing_ms=missing_ms,
            offset_ms=event.offset_ms,
        )
        return [event, failed]

    def _register(self, conversation: ConversationId, ready: "Sequence[_Sealed]") -> None:
        """Write the tracks down with their new keys, and destroy the old ones, all at once."""
        if not ready:
            return

        def register(transaction: Transaction) -> None:
            for each in ready:
                if each.key is not None:
                    insert_epoch(transaction.connection, each.key.row)
                delete_epochs(
                    transaction.connection, each.unsealed.track, kind=EpochKind.LIVE, workspace=self.workspace
                )
            self.chronicle.record(
                transaction,
                conversation,
                [event for each in ready for event in each.events],
                actor="engine",
                objects={each.unsealed.track: each.object.path for each in ready if each.object is not None},
            )

        def late(written: "Future[None]") -> None:
            if written.exception() is None:
                self._registered(conversation, ready)

        written = self.writer.submit(register, workspace=self.workspace)
        try:
            written.result(COMMIT_S)
        except TimeoutError:
            written.add_done_callback(late)
            raise
        self._registered(conversation, ready)

    def _registered(self, conversation: ConversationId, ready: "Sequence[_Sealed]") -> None:
        """The new keys are durable: let go of the old ones and of the records, and compare what was stored."""
        for each in ready:
            for epoch in each.epochs:
                self.keyring.forget(epoch.id)
            self.release(each.unsealed.track)
        accounts = [
            TrackAccount(
                track=each.unsealed.track,
                expected_ms=each.expected_ms,
                stored_ms=each.object.stored_ms if each.object is not None else 0,
            )
            for each in ready
            if each.expected_ms is not None
        ]
        check_tracks(conversation, accounts, alarms=self.alarms, metrics=self.metrics)


@dataclass(frozen=True)
class _Sealed:
    """A track whose object lies in the store, or that held nothing, before anybody was told."""

    unsealed: UnsealedTrack
    epochs: Sequence[Epoch]
    key: Epoch | None
    object: SealedObject | None
    expected_ms: int | None
    events: Sequence[Event]


@dataclass(frozen=True)
class _Refused:
    sealed: _Sealed
    error: Exception
