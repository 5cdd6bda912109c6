"""How events reach the tables: appended and projected in one unit of work, neither ever without the other."""

import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from tallylight.catalogue.addresses import comparable, names_nobody
from tallylight.catalogue.errors import CatalogueError, ConversationUnknownError, FenceLostError, TrackGoneError
from tallylight.catalogue.statements import ADD_COPY, ADMIT, EXTEND, KNOW_UNTIL, LAST_KEPT, SEAL, add, change
from tallylight.catalogue.tables import conversation as conversations
from tallylight.catalogue.tables import copy as copies
from tallylight.catalogue.tables import party as parties
from tallylight.catalogue.tables import track as tracks
from tallylight.catalogue.versions import keep_reasonings, read_settings
from tallylight.consent.answer import SECOND_HAND
from tallylight.conversation.codec import encode
from tallylight.conversation.events import (
    ConsentGiven,
    ConsentRefused,
    ConsentWithdrawn,
    ConversationEnded,
    ConversationStarted,
    Event,
    LampsChanged,
    MinorKnown,
    OpeningMissed,
    PartyJoined,
    RecordingFailed,
    TermMoved,
    TrackErased,
    TrackKept,
    TrackOpened,
    TrackSealed,
)
from tallylight.database.statement import Value
from tallylight.database.writer import Transaction
from tallylight.ids import ConversationId, PartyId, TrackId, WorkspaceId
from tallylight.law.vocabulary import Purpose
from tallylight.policy.decision import Lamp, PartyRuling
from tallylight.policy.house import LEFT
from tallylight.policy.retention import identities_deadline_ms
from tallylight.policy.settings import Settings
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
        self._settings: dict[str, Settings] = {}

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
        connection = transaction.connection
        first = events[0]
        if isinstance(first, ConversationStarted):
            about = self._start(connection, first)
        else:
            about = self._admit(connection, conversation)
        projection = _Projection(
            connection=connection,
            workspace=self.workspace,
            keys=self._keys,
            conversation=conversation,
            about=about,
            identities=identities or {},
            objects=objects or {},
        )
        leaves = []
        reasonings: dict[str, str] = {}
        for event in events:
            encoded = encode(event)
            leaves.append(
                transaction.append(
                    stream=conversation,
                    type=encoded.type,
                    version=encoded.version,
                    occurred_ms=about.started_ms + event.offset_ms,
                    actor=actor,
                    payload=encoded.payload,
                )
            )
            reasonings |= encoded.reasonings
            projection.apply(event)
        projection.finish()
        keep_reasonings(connection, self.workspace, reasonings)
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

    def _start(self, connection: sa.Connection, event: ConversationStarted) -> "_About":
        if self._node is None:
            raise FenceLostError("This process owns no conversations: only `tallylight serve` starts one.")
        settings = self._settings_of(connection, event.settings)
        row: Row = {
            "workspace": self.workspace,
            "conversation": event.conversation,
            "project": event.project,
            "channel": event.channel.value,
            "direction": event.direction.value,
            "started_ms": event.started_ms,
            "deadline_ms": identities_deadline_ms(settings, event.started_ms),
            "settings": event.settings,
            "pack": event.pack,
            "state": "live",
            "trial": event.trial,
            "node": self._node,
            "fence": 1,
            "alarms": "[]",
        }
        add(connection, conversations, [row])
        return _About(project=event.project, started_ms=event.started_ms, settings=settings)

    def _admit(self, connection: sa.Connection, conversation: ConversationId) -> "_About":
        """What is known of a conversation that this process may write to."""
        here = {"at_workspace": self.workspace, "at_conversation": conversation}
        row = ADMIT.run(connection, here).fetchone()
        if row is None:
            raise _unknown(conversation)
        project, started_ms, version, state, node = row
        if self._node is not None and state == "live" and node != self._node:
            raise FenceLostError(f"Conversation {conversation} belongs to node {node} now: stop writing to it.")
        try:
            settings = self._settings_of(connection, version)
        except CatalogueError as error:
            logger.error("conversation %s: %s", conversation, error.message)
            settings = None
        return _About(project=project, started_ms=started_ms, settings=settings)

    def _settings_of(self, connection: sa.Connection, version: str) -> Settings:
        """A settings version, read once: what a hash names never changes."""
        settings = self._settings.get(version)
        if settings is None:
            settings = self._settings[version] = read_settings(connection, self.workspace, version)
        return settings


@dataclass(frozen=True, kw_only=True)
class _About:
    """What every event of a conversation is projected by."""

    project: str
    started_ms: int
    settings: Settings | None
    """None where they are lost: then what they would have said stays as it is."""


Row = dict[str, Value]


class _Projection:
    """What each event of one conversation does to the rows. `finish` writes what was gathered."""

    def __init__(
        self,
        *,
        connection: sa.Connection,
        workspace: WorkspaceId,
        keys: KeyRing,
        conversation: ConversationId,
        about: _About,
        identities: Mapping[PartyId, str],
        objects: Mapping[TrackId, str],
    ) -> None:
        self._connection = connection
        self._keys = keys
        self._about = about
        self._identities = identities
        self._objects = objects
        self._here: Row = {"workspace": workspace, "conversation": conversation}
        self._workspace = workspace
        self._joined: dict[PartyId, Row] = {}
        self._changed: dict[PartyId, Row] = {}
        self._opened: list[Row] = []
        self._known_until_ms = 0
        """The latest of what was opened or moved: so long has to be known who took part."""
        self._term_is_over = False
        """The conversation has ended, or something of it is erased: how long that is, is to be looked up anew."""

    def apply(self, event: Event) -> None:
        match event:
            case PartyJoined():
                self._join(event)
            case ConsentGiven(party=party):
                self._party(party, consent="given", attested=event.method in SECOND_HAND)
            case ConsentRefused(party=party):
                self._party(party, consent="refused", attested=False)
            case ConsentWithdrawn(party=party):
                self._party(party, consent="withdrawn", attested=False)
            case MinorKnown(party=party):
                self._party(party, minor=True)
            case LampsChanged():
                for ruling in event.decision.rulings:
                    self._rule(ruling)
            case TrackOpened():
                self._open(event)
            case TermMoved(track=track):
                self._track(track, deadline_ms=event.deadline_ms, floor_ms=event.floor_ms)
                self._keep_known(event.floor_ms or 0)
            case TrackKept(track=track):
                self._track(track, deadline_ms=event.floor_ms)
            case TrackSealed():
                self._seal(event)
            case TrackErased(track=track):
                self._track(track, state="erased", stored_ms=0, path=None, size=None)
                self._shred_live_copy(track)
                self._term_is_over = True
            case RecordingFailed():
                kind = "recording_failed" if event.track is None else "track_short"
                self._alarm(kind, party=event.party, track=event.track, missing_ms=event.missing_ms)
            case OpeningMissed():
                self._alarm("opening_missed", party=event.party, track=None, missing_ms=event.until_ms - event.from_ms)
            case ConversationEnded():
                self._end(event)
            case _:
                pass

    def finish(self) -> None:
        """Write what was gathered: a party changes several times in one unit of work, its row once."""
        self._write_tracks()
        add(self._connection, parties, list(self._joined.values()))
        change(
            self._connection,
            parties,
            (({**self._here, "party": party}, values) for party, values in self._changed.items()),
        )
        self._move_deadline()

    def _move_deadline(self) -> None:
        """A recording that nobody can attribute is worth nothing: who took part is known until the last of it goes."""
        here: Row = {f"at_{name}": value for name, value in self._here.items()}
        settings = self._about.settings
        if settings is None or not self._term_is_over:
            if self._known_until_ms:
                until: Row = {"until_ms": self._known_until_ms, "to_deadline_ms": self._known_until_ms}
                EXTEND.run(self._connection, {**here, **until})
            return
        deadline_ms, floor_ms, ended_ms = LAST_KEPT.run(self._connection, here).fetchone() or (None, None, None)
        started_ms = self._about.started_ms
        own_ms = identities_deadline_ms(settings, started_ms if ended_ms is None else ended_ms)
        until_ms = max(own_ms, deadline_ms or 0, floor_ms or 0)
        KNOW_UNTIL.run(self._connection, {**here, "to_deadline_ms": until_ms})

    def _rule(self, ruling: PartyRuling) -> None:
        """The lamp, and why; of somebody who has left, why it was as it was while they were there."""
        if ruling.deciding.rule == LEFT:
            self._party(ruling.party, lamp=ruling.lamp.value)
        else:
            self._party(ruling.party, lamp=ruling.lamp.value, reason=ruling.deciding.text)

    def _join(self, event: PartyJoined) -> None:
        address = self._identities.get(event.party)
        blind = encrypted = None
        if address is not None:
            try:
                encrypted = self._keys.encrypt_identity(self._about.project, address_context(event.party), address)
            except KeyMissingError as error:
                # The history of the call is worth more than who it was; the blind index still finds it.
                logger.error("a party's address was not kept: %s", error.message)
            if not names_nobody(address):
                blind = self._keys.blind(ADDRESS, comparable(address))
        self._joined[event.party] = {
            **self._here,
            "party": event.party,
            "role": event.role.value,
            "joined_ms": event.offset_ms,
            "consent": "none",
            "attested": False,
            "minor": self._about.settings is not None and self._about.settings.knows_minor(event.role),
            "lamp": Lamp.OFF.value,
            "reason": "",
            "talked_ms": 0,
            "blind": blind,
            "address_enc": encrypted,
        }

    def _open(self, event: TrackOpened) -> None:
        settings = self._about.settings
        proof = event.purpose is Purpose.PROOF_OF_CONSENT
        self._keep_known((event.floor_ms or 0) if proof else event.deadline_ms)
        self._opened.append(
            {
                **self._here,
                "track": event.track,
                "party": event.party,
                "purpose": event.purpose.value,
                "proof_ground": settings.proof_ground if proof and settings is not None else None,
                "state": "open",
                "deadline_ms": event.deadline_ms,
                "floor_ms": event.floor_ms,
                "receipt": event.receipt,
                "expected_ms": 0,
                "stored_ms": 0,
            }
        )

    def _keep_known(self, until_ms: int) -> None:
        self._known_until_ms = max(self._known_until_ms, until_ms)

    def _write_tracks(self) -> None:
        opened, self._opened = self._opened, []
        add(self._connection, tracks, opened)
        live: Row = {"workspace": self._workspace, "location": LIVE_LOG, "state": "present"}
        add(self._connection, copies, [{**live, "track": row["track"]} for row in opened])

    def _seal(self, event: TrackSealed) -> None:
        self._write_tracks()
        sealed = SEAL.run(
            self._connection,
            {
                "at_workspace": self._workspace,
                "at_track": event.track,
                "to_state": "sealed",
                "to_expected_ms": event.expected_ms,
                "to_stored_ms": event.stored_ms,
                "to_path": self._objects.get(event.track),
                "to_size": event.size,
            },
        )
        if sealed.rowcount != 1:
            raise TrackGoneError(f"Track {event.track} was erased while it was sealed: remove the new object.")
        copy: Row = {"workspace": self._workspace, "track": event.track, "location": OBJECTS, "state": "present"}
        ADD_COPY.run(self._connection, copy)
        self._shred_live_copy(event.track)

    def _end(self, event: ConversationEnded) -> None:
        self._write_tracks()
        state = "interrupted" if event.outcome == "interrupted" else "ended"
        if state == "interrupted":
            self._alarm("conversation_interrupted", party=None, track=None, missing_ms=0)
        ended_ms = self._about.started_ms + event.offset_ms
        ended: Row = {"state": state, "outcome": event.outcome, "ended_ms": ended_ms}
        self._term_is_over = True
        change(self._connection, conversations, [(self._here, ended)])
        for party, talked_ms in event.talked_ms.items():
            self._party(party, talked_ms=talked_ms)
        change(self._connection, tracks, [({**self._here, "state": "open"}, {"state": "closed"})])

    def _alarm(self, kind: str, *, party: PartyId | None, track: TrackId | None, missing_ms: int) -> None:
        raised = self._connection.execute(
            sa.select(conversations.c.alarms).where(
                *(conversations.c[name] == value for name, value in self._here.items())
            )
        ).scalar_one()
        alarms = json.loads(raised)
        alarms.append({"kind": kind, "party": party, "track": track, "missing_ms": missing_ms})
        told: Row = {"alarms": json.dumps(alarms, separators=(",", ":"))}
        change(self._connection, conversations, [(self._here, told)])

    def _shred_live_copy(self, track: TrackId) -> None:
        """The live epochs' keys go in the same unit; what is left in the log is noise until its file is released."""
        key: Row = {"workspace": self._workspace, "track": track, "location": LIVE_LOG}
        change(self._connection, copies, [(key, {"state": "shredded"})])

    def _party(self, party: PartyId, **values: Value) -> None:
        joined = self._joined.get(party)
        if joined is not None:
            joined.update(values)
        else:
            self._changed.setdefault(party, {}).update(values)

    def _track(self, track: TrackId, **values: Value) -> None:
        self._write_tracks()
        change(self._connection, tracks, [({"workspace": self._workspace, "track": track}, values)])


def _unknown(conversation: ConversationId) -> ConversationUnknownError:
    return ConversationUnknownError(f"There is no conversation {conversation}: take an id from `recordings list`.")
