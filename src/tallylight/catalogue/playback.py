"""Playing one party's track: the access is in the ledger before the first byte is given, or nothing is given."""

import io
import wave
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa

from tallylight.catalogue.errors import NotForAgentError, NothingStoredError, PartyUnknownError
from tallylight.catalogue.listening import Listener
from tallylight.catalogue.projections import Chronicle
from tallylight.catalogue.queries import ConversationEntry, PartyEntry, TrackEntry, read_conversation
from tallylight.clock import Clock
from tallylight.conversation.events import RecordingAccessed
from tallylight.database.engine import read_only
from tallylight.database.writer import Transaction, Writer
from tallylight.ids import ConversationId, PartyId, WorkspaceId
from tallylight.law.vocabulary import Purpose
from tallylight.policy.decision import Lamp
from tallylight.vault.errors import KeyForgottenError, ObjectError
from tallylight.vault.frame import Frame, FrameKind
from tallylight.vault.keys import Epoch, EpochKind, EpochRow, KeyRing
from tallylight.vault.objects import ObjectStore
from tallylight.vault.recovery import read_records
from tallylight.vault.seal import read_object, render_pcm
from tallylight.vault.tables import read_epochs

SAMPLE_RATE = 8000

ReadLive = Callable[[Epoch], Iterable[Frame]]
"""The frames that the live log holds under one key: `LiveLog.read` in the server, `from_folder` beside it."""


def from_folder(folder: Path) -> ReadLive:
    """Reads the live log's files, which another process may be writing; a record it has not finished is left out."""

    def read(epoch: Epoch) -> list[Frame]:
        return list(read_records(folder, epoch, on_damage=lambda _error: None)) if folder.is_dir() else []

    return read


@dataclass(frozen=True, kw_only=True)
class Recording:
    """What was stored of one party, ready to be heard."""

    conversation: ConversationId
    party: PartyId
    wav: bytes
    """RIFF WAVE, mono, 16-bit linear PCM, 8 kHz; second 0 is the conversation's start, gaps are silence."""
    duration_ms: int
    stored_ms: int
    """Media in it, without the gaps."""


class Playback:
    """Gives recordings out, one party at a time. Blocks on disk and database: never on the media loop."""

    def __init__(
        self,
        *,
        workspace: WorkspaceId,
        engine: sa.Engine,
        writer: Writer,
        keys: KeyRing,
        objects: ObjectStore,
        read_live: ReadLive,
        clock: Clock,
    ) -> None:
        self._workspace = workspace
        self._engine = engine
        self._writer = writer
        self._keys = keys
        self._objects = objects
        self._read_live = read_live
        self._clock = clock
        self._chronicle = Chronicle(workspace=workspace, keys=keys, node=None)

    def play(
        self,
        conversation: ConversationId,
        who: str,
        *,
        actor: str,
        how: str = "export",
        purpose: Purpose | None = None,
        listener: Listener | None = None,
    ) -> Recording:
        """The talk of `who` (a party id, or a role that only one party has); with `purpose`, tracks of that alone.

        `listener`: for this agent, who stands in the ledger as the actor where they were on the conversation.
        Raises ConversationUnknownError, PartyUnknownError, NotForAgentError, NothingStoredError, and what database and
        vault raise.
        """
        if listener is not None:
            actor = self._admit(listener, conversation) or actor
        entry, party, tracks = self._find(conversation, who, purpose)
        if not tracks:
            raise _nothing(party)
        self._enter(entry, party, tracks, actor, how)
        try:
            frames = self._frames(tracks)
        except (KeyForgottenError, ObjectError, FileNotFoundError):
            # Sealed or erased between the look and the reading: look once more.
            entry, party, tracks = self._find(conversation, who, purpose)
            frames = self._frames(tracks)
        media = [frame for frame in frames if frame.kind is FrameKind.MEDIA]
        if not media:
            raise _nothing(party)
        pcm = render_pcm(sorted(frames, key=lambda frame: frame.start_ms))
        return Recording(
            conversation=conversation,
            party=party.party,
            wav=to_wav(pcm),
            duration_ms=len(pcm) // (2 * SAMPLE_RATE // 1000),
            stored_ms=sum(frame.duration_ms for frame in media),
        )

    def _admit(self, listener: Listener, conversation: ConversationId) -> PartyId | None:
        """The party that the agent was. Raises NotForAgentError."""
        with read_only(self._engine) as connection:
            entry = read_conversation(connection, workspace=self._workspace, keys=self._keys, conversation=conversation)
            hearing = listener.hearing(connection, self._workspace, entry)
        if not hearing.allowed:
            raise NotForAgentError(f"This agent may not hear conversation {conversation}: {hearing.reason}.")
        return listener.party_in(entry)

    def _find(
        self, conversation: ConversationId, who: str, purpose: Purpose | None
    ) -> tuple[ConversationEntry, PartyEntry, tuple[TrackEntry, ...]]:
        with read_only(self._engine) as connection:
            entry = read_conversation(connection, workspace=self._workspace, keys=self._keys, conversation=conversation)
        party = find_party(entry, who)
        wanted = tuple(
            track
            for track in party.tracks
            if track.state in {"open", "closed", "sealed"}
            and (track.is_talk if purpose is None else track.purpose is purpose)
        )
        return entry, party, wanted

    def _enter(
        self,
        entry: ConversationEntry,
        party: PartyEntry,
        tracks: tuple[TrackEntry, ...],
        actor: str,
        how: str,
    ) -> None:
        """Into the ledger, durably, one entry for each track."""
        offset_ms = self._clock.wall_ms() - entry.started_ms
        accesses = [
            RecordingAccessed(party=party.party, track=track.track, how=how, offset_ms=offset_ms) for track in tracks
        ]

        def unit(transaction: Transaction) -> None:
            self._chronicle.record(transaction, entry.conversation, accesses, actor=actor)

        self._writer.submit(unit, workspace=self._workspace).result()

    def _frames(self, tracks: tuple[TrackEntry, ...]) -> list[Frame]:
        with read_only(self._engine) as connection:
            rows = {track.track: read_epochs(connection, track.track, workspace=self._workspace) for track in tracks}
        frames: list[Frame] = []
        for track in tracks:
            frames += self._track(track, rows[track.track])
        return frames

    def _track(self, track: TrackEntry, rows: list[EpochRow]) -> Iterable[Frame]:
        if track.state == "sealed" and track.path is not None:
            sealed = [row for row in rows if row.kind is EpochKind.SEALED and row.epoch in track.path]
            if not sealed:
                raise ObjectError(f"Track {track.track} has no key any more: it was erased.")
            return read_object(self._objects, track.path, self._keys.open_epoch(sealed[0]))
        live = [row for row in rows if row.kind is EpochKind.LIVE]
        return [frame for row in live for frame in self._read_live(self._keys.open_epoch(row))]


def find_party(entry: ConversationEntry, who: str) -> PartyEntry:
    """The party with this id, or the only one with this role. Raises PartyUnknownError."""
    for party in entry.parties:
        if party.party == who:
            return party
    fitting = [party for party in entry.parties if party.role.value == who]
    if len(fitting) == 1:
        return fitting[0]
    if fitting:
        raise PartyUnknownError(f"{len(fitting)} parties are {who}: give a party id from `recordings list`.")
    roles = ", ".join(dict.fromkeys(party.role.value for party in entry.parties))
    raise PartyUnknownError(f"Nobody on this conversation is {who}: give a party id or one of {roles}.")


def to_wav(pcm: bytes) -> bytes:
    """Mono 16-bit little-endian PCM at 8 kHz as a WAV file."""
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(SAMPLE_RATE)
        file.writeframes(pcm)
    return buffer.getvalue()


def _nothing(party: PartyEntry) -> NothingStoredError:
    why = "no sound came" if party.lamp == Lamp.RECORDING else party.reason or "no gate was opened"
    return NothingStoredError(f"Nothing of this {party.role.value} is stored: {why}")
