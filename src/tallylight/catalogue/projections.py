"""How events reach the tables: appended and projected in one unit of work, neither ever without the other."""

import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from tallylight.catalogue.addresses import comparable, names_nobody
from tallylight.catalogue.errors import ConversationUnknownError, FenceLostError, TrackGoneError
from tallylight.catalogue.tables import conversation as conversations
from tallylight.catalogue.tables import copy as copies
from tallylight.catalogue.tables import party as parties
from tallylight.catalogue.tables import track as tracks
from tallylight.catalogue.versions import read_settings
from tallylight.conversation.codec import encode
from tallylight.conversation.events import (
    ConsentGiven,
    ConsentRefused,
    ConsentWithdrawn,
    ConversationEnded,
    ConversationStarted,
    Event,
    LampsChanged,
    OpeningMissed,
    PartyJoined,
    RecordingFailed,
    TrackErased,
    TrackOpened,
    TrackSealed,
)
from tallylight.database.writer import Transaction
from tallylight.ids import ConversationId, PartyId, TrackId, WorkspaceId
from tallylight.law.vocabulary import Purpose
from tallylight.policy.decision import Lamp, PartyRuling
from tallylight.policy.house import LEFT
from tallylight.vault.errors import KeyMissingError
from tallylight.vault.keys import KeyRing

logger = logging.getLogger(__name__)

LIVE_LOG = "live"
"""The copy of a track in the live log of the node that records it."""
OBJECTS = "objects"
"""The copy of a track in the object store."""

ADDRESS = "address"
"""The kind of blind index that finds parties."""


def address_context(party: PartyId) -> str:
    """What an encrypted address is bound to."""
    return f"{party} address"


class Chronicle:
    """Writes conversations down. One per process; every method runs inside the caller's unit of work.

    `node` is this process's name, another one after each start. A process that owns no conversations (the command line
    beside a server) has none: it may add accesses and erasures to a conversation, and never starts one.
    """

    def __init__(self, *, workspace: WorkspaceId, keys: KeyRing, node: str | None) -> None:
        self.workspace = workspace
        self._keys = keys
        self._node = node

    def record(
        self,
        transaction: Transaction,
        conversation: ConversationId,
        events: Sequence[Event],
        *,
        actor: str,
        identities: Mapping[PartyId, str] | None = None,
        objects: Mapping[TrackId, str] | None = None,
    ) -> tuple[int, ...]:
        """Append `events` and project them. Returns their leaf numbers.

        `identities` are canonical addresses of parties that join; `objects` are the paths of tracks that are sealed.
        Events carry neither. Raises FenceLostError where another node has taken the conversation over.
        """
        if not events:
            return ()
        first = events[0]
        if isinstance(first, ConversationStarted):
            self._start(transaction.connection, first)
            project, started_ms = first.project, first.started_ms
        else:
            project, started_ms = self._admit(transaction.connection, conversation)
        projection = _Projection(
            connection=transaction.connection,
            workspace=self.workspace,
            keys=self._keys,
            conversation=conversation,
            project=project,
            started_ms=started_ms,
            identities=identities or {},
            objects=objects or {},
        )
        leaves = []
        for event in events:
            encoded = encode(event)
            leaves.append(
                transaction.append(
                    stream=conversation,
                    type=encoded.type,
                    version=encoded.version,
                    occurred_ms=started_ms + event.offset_ms,
                    actor=actor,
                    payload=encoded.payload,
                )
            )
            projection.apply(event)
        return tuple(leaves)

    def take_over(self, transaction: Transaction, conversation: ConversationId) -> None:
        """Make this process the owner of a conversation whose node is gone; its old owner's writes fail from now on."""
        if self._node is None:
            raise FenceLostError("This process owns no conversations: let `tallylight serve` take it over.")
        table = conversations
        changed = transaction.connection.execute(
            sa.update(table)
            .where(table.c.workspace == self.workspace, table.c.conversation == conversation)
            .values(node=self._node, fence=table.c.fence + 1)
        )
        if changed.rowcount != 1:
            raise _unknown(conversation)

    def _start(self, connection: sa.Connection, event: ConversationStarted) -> None:
        if self._node is None:
            raise FenceLostError("This process owns no conversations: only `tallylight serve` starts one.")
        connection.execute(
            sa.insert(conversations).values(
                workspace=self.workspace,
                conversation=event.conversation,
                project=event.project,
                channel=event.channel.value,
                direction=event.direction.value,
                started_ms=event.started_ms,
                settings=event.settings,
                pack=event.pack,
                state="live",
                trial=event.trial,
                node=self._node,
                fence=1,
                alarms="[]",
            )
        )

    def _admit(self, connection: sa.Connection, conversation: ConversationId) -> tuple[str, int]:
        """The project and the start of a conversation that this process may write to."""
        table = conversations
        row = connection.execute(
            sa.select(table.c.project, table.c.started_ms, table.c.state, table.c.node).where(
                table.c.workspace == self.workspace, table.c.conversation == conversation
            )
        ).one_or_none()
        if row is None:
            raise _unknown(conversation)
        if self._node is not None and row.state == "live" and row.node != self._node:
            raise FenceLostError(f"Conversation {conversation} belongs to node {row.node} now: stop writing to it.")
        return row.project, row.started_ms


@dataclass(frozen=True, kw_only=True)
class _Projection:
    """What each event of one conversation does to the rows."""

    connection: sa.Connection
    workspace: WorkspaceId
    keys: KeyRing
    conversation: ConversationId
    project: str
    started_ms: int
    identities: Mapping[PartyId, str]
    objects: Mapping[TrackId, str]

    def apply(self, event: Event) -> None:
        match event:
            case PartyJoined():
                self._join(event)
            case ConsentGiven(party=party):
                self._party(party, consent="given")
            case ConsentRefused(party=party):
                self._party(party, consent="refused")
            case ConsentWithdrawn(party=party):
                self._party(party, consent="withdrawn")
            case LampsChanged():
                for ruling in event.decision.rulings:
                    self._rule(ruling)
            case TrackOpened():
                self._open(event)
            case TrackSealed():
                self._seal(event)
            case TrackErased(track=track):
                self._track(track, state="erased", stored_ms=0, path=None, size=None)
                self._shred_live_copy(track)
            case RecordingFailed():
                kind = "recording_failed" if event.track is None else "track_short"
                self._alarm(kind, party=event.party, track=event.track, missing_ms=event.missing_ms)
            case OpeningMissed():
                self._alarm("opening_missed", party=event.party, track=None, missing_ms=event.until_ms - event.from_ms)
            case ConversationEnded():
                self._end(event)
            case _:
                pass

    def _rule(self, ruling: PartyRuling) -> None:
        """The lamp, and why; of somebody who has left, why it was as it was while they were there."""
        if ruling.deciding.rule == LEFT:
            self._party(ruling.party, lamp=ruling.lamp.value)
        else:
            self._party(ruling.party, lamp=ruling.lamp.value, reason=ruling.deciding.text)

    def _join(self, event: PartyJoined) -> None:
        address = self.identities.get(event.party)
        blind = encrypted = None
        if address is not None:
            try:
                encrypted = self.keys.encrypt_identity(self.project, address_context(event.party), address)
            except KeyMissingError as error:
                # The history of the call is worth more than who it was; the blind index still finds it.
                logger.error("a party's address was not kept: %s", error.message)
            if not names_nobody(address):
                blind = self.keys.blind(ADDRESS, comparable(address))
        self.connection.execute(
            sa.insert(parties).values(
                workspace=self.workspace,
                conversation=self.conversation,
                party=event.party,
                role=event.role.value,
                joined_ms=event.offset_ms,
                consent="none",
                lamp=Lamp.OFF.value,
                reason="",
                talked_ms=0,
                blind=blind,
                address_enc=encrypted,
            )
        )

    def _open(self, event: TrackOpened) -> None:
        ground = None
        if event.purpose is Purpose.PROOF_OF_CONSENT:
            ground = self._settings_ground()
        self.connection.execute(
            sa.insert(tracks).values(
                workspace=self.workspace,
                track=event.track,
                conversation=self.conversation,
                party=event.party,
                purpose=event.purpose.value,
                proof_ground=ground,
                state="open",
                deadline_ms=event.deadline_ms,
                expected_ms=0,
                stored_ms=0,
            )
        )
        self._copy(event.track, LIVE_LOG)

    def _settings_ground(self) -> str | None:
        version = self.connection.execute(
            sa.select(conversations.c.settings).where(
                conversations.c.workspace == self.workspace, conversations.c.conversation == self.conversation
            )
        ).scalar_one()
        return read_settings(self.connection, self.workspace, version).proof_ground

    def _seal(self, event: TrackSealed) -> None:
        state = self.connection.execute(
            sa.select(tracks.c.state).where(tracks.c.workspace == self.workspace, tracks.c.track == event.track)
        ).scalar_one()
        if state in {"erasing", "erased"}:
            raise TrackGoneError(f"Track {event.track} was erased while it was sealed: remove the new object.")
        self._track(
            event.track,
            state="sealed",
            expected_ms=event.expected_ms,
            stored_ms=event.stored_ms,
            path=self.objects.get(event.track),
            size=event.size,
        )
        self._copy(event.track, OBJECTS)
        self._shred_live_copy(event.track)

    def _end(self, event: ConversationEnded) -> None:
        state = "interrupted" if event.outcome == "interrupted" else "ended"
        if state == "interrupted":
            self._alarm("conversation_interrupted", party=None, track=None, missing_ms=0)
        self._conversation(state=state, outcome=event.outcome, ended_ms=self.started_ms + event.offset_ms)
        for party, talked_ms in event.talked_ms.items():
            self._party(party, talked_ms=talked_ms)
        self.connection.execute(
            sa.update(tracks)
            .where(
                tracks.c.workspace == self.workspace,
                tracks.c.conversation == self.conversation,
                tracks.c.state == "open",
            )
            .values(state="closed")
        )

    def _alarm(self, kind: str, *, party: PartyId | None, track: TrackId | None, missing_ms: int) -> None:
        raised = self.connection.execute(
            sa.select(conversations.c.alarms).where(
                conversations.c.workspace == self.workspace, conversations.c.conversation == self.conversation
            )
        ).scalar_one()
        alarms = json.loads(raised)
        alarms.append({"kind": kind, "party": party, "track": track, "missing_ms": missing_ms})
        self._conversation(alarms=json.dumps(alarms, separators=(",", ":")))

    def _copy(self, track: TrackId, location: str) -> None:
        key = (self.workspace, track, location)
        present = sa.exists().where(
            copies.c.workspace == self.workspace, copies.c.track == track, copies.c.location == location
        )
        row = sa.select(*(sa.literal(value) for value in (*key, "present"))).where(~present)
        self.connection.execute(sa.insert(copies).from_select(["workspace", "track", "location", "state"], row))

    def _shred_live_copy(self, track: TrackId) -> None:
        """The live epochs' keys go in the same unit; what is left in the log is noise until its file is released."""
        self.connection.execute(
            sa.update(copies)
            .where(copies.c.workspace == self.workspace, copies.c.track == track, copies.c.location == LIVE_LOG)
            .values(state="shredded")
        )

    def _conversation(self, **values: str | int | None) -> None:
        self.connection.execute(
            sa.update(conversations)
            .where(conversations.c.workspace == self.workspace, conversations.c.conversation == self.conversation)
            .values(**values)
        )

    def _party(self, party: PartyId, **values: str | int) -> None:
        self.connection.execute(
            sa.update(parties)
            .where(
                parties.c.workspace == self.workspace,
                parties.c.conversation == self.conversation,
                parties.c.party == party,
            )
            .values(**values)
        )

    def _track(self, track: TrackId, **values: str | int | None) -> None:
        self.connection.execute(
            sa.update(tracks).where(tracks.c.workspace == self.workspace, tracks.c.track == track).values(**values)
        )


def _unknown(conversation: ConversationId) -> ConversationUnknownError:
    return ConversationUnknownError(f"There is no conversation {conversation}: take an id from `recordings list`.")
