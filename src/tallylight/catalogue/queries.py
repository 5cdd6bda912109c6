"""Conversations as they are listed: a page at a time by key, one, or those of one person. Never by offset."""

import json
import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

import sqlalchemy as sa

from tallylight.catalogue.addresses import comparable
from tallylight.catalogue.errors import ConversationUnknownError
from tallylight.catalogue.flags import ATTESTED, MINOR
from tallylight.catalogue.projections import ADDRESS, address_context
from tallylight.catalogue.tables import conversation as conversations
from tallylight.catalogue.tables import party as parties
from tallylight.catalogue.tables import track as tracks
from tallylight.database.events import JsonValue
from tallylight.ids import ConversationId, PartyId, TrackId, WorkspaceId
from tallylight.law.iso8601 import iso_utc
from tallylight.law.vocabulary import Purpose, Role
from tallylight.vault.errors import VaultError
from tallylight.vault.keys import KeyRing

logger = logging.getLogger(__name__)


class Order(StrEnum):
    OLDEST = "oldest"
    NEWEST = "newest"


class RunningFigures(Protocol):
    """What only the owner of a running conversation knows. Both in ms."""

    def stored_ms(self, track: TrackId) -> int:
        """Durable media of an open track so far."""

    def talked_ms(self, party: PartyId) -> int:
        """Speech of a party so far."""


@dataclass(frozen=True, kw_only=True)
class TrackEntry:
    track: TrackId
    party: PartyId
    purpose: Purpose
    state: str
    """open, closed, sealed, erasing or erased."""
    deadline_ms: int
    floor_ms: int | None
    """Until when law has it kept; None: no law does."""
    receipt: int | None
    """The number of the voice receipt it belongs to."""
    expected_ms: int
    stored_ms: int
    path: str | None
    size: int | None
    proof_ground: str | None

    @property
    def is_talk(self) -> bool:
        """What somebody said on the conversation, as against the proof that they agreed."""
        return self.purpose is not Purpose.PROOF_OF_CONSENT


@dataclass(frozen=True, kw_only=True)
class PartyEntry:
    party: PartyId
    role: Role
    address: str | None
    """Canonical; None once erased, and where nobody showed one."""
    consent: str
    """given, refused, withdrawn or none."""
    attested: bool
    """That yes is somebody else's word."""
    minor: bool
    """Known to be one."""
    lamp: str
    reason: str
    talked_ms: int
    tracks: tuple[TrackEntry, ...] = ()

    @property
    def stored_ms(self) -> int:
        """Durable media of the talk tracks; the proof of consent is not counted."""
        return sum(track.stored_ms for track in self.tracks if track.is_talk)

    @property
    def flagged(self) -> tuple[str, ...]:
        """What a person has to look at, in words that follow a name; nothing for most."""
        return tuple(why for why, holds in ((ATTESTED, self.attested), (MINOR, self.minor)) if holds)


@dataclass(frozen=True, kw_only=True)
class AlarmEntry:
    kind: str
    party: PartyId | None
    track: TrackId | None
    missing_ms: int


@dataclass(frozen=True, kw_only=True)
class ConversationEntry:
    conversation: ConversationId
    project: str
    channel: str
    direction: str
    started_ms: int
    ended_ms: int | None
    deadline_ms: int | None
    """When nobody may be able to tell any more who took part; None once that is so."""
    state: str
    """live, ended or interrupted."""
    outcome: str | None
    trial: bool
    settings: str
    pack: str
    node: str
    alarms: tuple[AlarmEntry, ...] = ()
    parties: tuple[PartyEntry, ...] = field(default=())
    """In the order in which they joined; the system party too."""

    @property
    def people(self) -> tuple[PartyEntry, ...]:
        """Everybody but our own announcements."""
        return tuple(party for party in self.parties if party.role is not Role.SYSTEM)


@dataclass(frozen=True, kw_only=True)
class Cursor:
    """The last row seen; the next page begins behind it."""

    started_ms: int
    conversation: ConversationId


@dataclass(frozen=True, kw_only=True)
class Page:
    conversations: tuple[ConversationEntry, ...]
    following: Cursor | None
    """Where the next page begins; None where this was the last."""


def list_conversations(
    connection: sa.Connection,
    *,
    workspace: WorkspaceId,
    keys: KeyRing,
    after: Cursor | None = None,
    limit: int = 200,
    order: Order = Order.OLDEST,
    running: RunningFigures | None = None,
) -> Page:
    """One page of conversations by their start, running ones included."""
    table = conversations
    query = sa.select(table).where(table.c.workspace == workspace)
    place = sa.tuple_(table.c.started_ms, table.c.conversation)
    if order is Order.OLDEST:
        query = query.order_by(table.c.started_ms, table.c.conversation)
        if after is not None:
            query = query.where(place > sa.tuple_(sa.literal(after.started_ms), sa.literal(after.conversation)))
    else:
        query = query.order_by(table.c.started_ms.desc(), table.c.conversation.desc())
        if after is not None:
            query = query.where(place < sa.tuple_(sa.literal(after.started_ms), sa.literal(after.conversation)))
    rows = connection.execute(query.limit(limit + 1)).all()
    found = _entries(connection, workspace, keys, rows[:limit], running)
    following = Cursor(started_ms=found[-1].started_ms, conversation=found[-1].conversation) if rows[limit:] else None
    return Page(conversations=found, following=following)


def read_conversation(
    connection: sa.Connection,
    *,
    workspace: WorkspaceId,
    keys: KeyRing,
    conversation: ConversationId,
    running: RunningFigures | None = None,
) -> ConversationEntry:
    """One conversation with its parties and tracks. Raises ConversationUnknownError."""
    row = connection.execute(
        sa.select(conversations).where(
            conversations.c.workspace == workspace, conversations.c.conversation == conversation
        )
    ).one_or_none()
    if row is None:
        raise ConversationUnknownError(f"There is no conversation {conversation}: take an id from `recordings list`.")
    return _entries(connection, workspace, keys, [row], running)[0]


def find_parties(
    connection: sa.Connection, *, workspace: WorkspaceId, keys: KeyRing, address: str
) -> tuple[tuple[ConversationId, PartyId], ...]:
    """Where the person behind a canonical address took part, oldest first."""
    found = connection.execute(
        sa.select(parties.c.conversation, parties.c.party)
        .where(parties.c.workspace == workspace, parties.c.blind == keys.blind(ADDRESS, comparable(address)))
        .order_by(parties.c.conversation, parties.c.party)
    )
    return tuple((ConversationId(row.conversation), PartyId(row.party)) for row in found)


def oldest_deadline(connection: sa.Connection, *, workspace: WorkspaceId) -> int | None:
    """The earliest deadline (ms UTC) of a track that is not erased, or of who took part in a conversation.

    None where nothing is stored.
    """
    kept = sa.union_all(
        sa.select(sa.func.min(tracks.c.deadline_ms).label("deadline_ms")).where(
            tracks.c.workspace == workspace, tracks.c.state != "erased"
        ),
        sa.select(sa.func.min(conversations.c.deadline_ms)).where(
            conversations.c.workspace == workspace, conversations.c.deadline_ms.is_not(None)
        ),
    ).subquery()
    earliest: int | None = connection.execute(sa.select(sa.func.min(kept.c.deadline_ms))).scalar_one()
    return earliest


def to_json(entry: ConversationEntry) -> dict[str, JsonValue]:
    """One conversation as `recordings list --json` prints it. Times are ISO 8601 UTC with ms, durations seconds."""
    return {
        "conversation": entry.conversation,
        "started": iso_utc(entry.started_ms),
        "ended": None if entry.ended_ms is None else iso_utc(entry.ended_ms),
        "direction": entry.direction,
        "project": entry.project,
        "outcome": entry.outcome,
        "parties": [
            {
                "party": party.party,
                "role": party.role.value,
                "address": party.address,
                "consent": party.consent,
                "talked_s": party.talked_ms / 1000,
                "stored_s": party.stored_ms / 1000,
                "reason": party.reason,
                "flagged": list(party.flagged),
                "tracks": [
                    {
                        "track": track.track,
                        "purpose": track.purpose.value,
                        "receipt": track.receipt,
                        "state": track.state,
                        "stored_s": track.stored_ms / 1000,
                        "until": iso_utc(track.deadline_ms),
                        "kept_by_law_until": None if track.floor_ms is None else iso_utc(track.floor_ms),
                    }
                    for track in party.tracks
                ],
            }
            for party in entry.people
        ],
        "alarms": [
            {"kind": alarm.kind, "party": alarm.party, "track": alarm.track, "missing_s": alarm.missing_ms / 1000}
            for alarm in entry.alarms
        ],
    }


def _entries(
    connection: sa.Connection,
    workspace: WorkspaceId,
    keys: KeyRing,
    rows: Sequence[sa.Row[tuple[object, ...]]],
    running: RunningFigures | None,
) -> tuple[ConversationEntry, ...]:
    wanted = [row.conversation for row in rows]
    track_rows: dict[str, list[TrackEntry]] = {}
    for row in connection.execute(
        sa.select(tracks)
        .where(tracks.c.workspace == workspace, tracks.c.conversation.in_(wanted))
        .order_by(tracks.c.track)
    ):
        track_rows.setdefault(row.party, []).append(_track(row, running))
    projects = {row.conversation: row.project for row in rows}
    live = {row.conversation for row in rows if row.state == "live"}
    party_rows: dict[str, list[PartyEntry]] = {}
    for row in connection.execute(
        sa.select(parties)
        .where(parties.c.workspace == workspace, parties.c.conversation.in_(wanted))
        .order_by(parties.c.joined_ms, parties.c.role != Role.SYSTEM.value, parties.c.party)
    ):
        party = PartyId(row.party)
        address = _address(keys, projects[row.conversation], party, row.address_enc)
        talked_ms = row.talked_ms
        if running is not None and row.conversation in live:
            talked_ms = running.talked_ms(party)
        party_rows.setdefault(row.conversation, []).append(
            PartyEntry(
                party=party,
                role=Role(row.role),
                address=address,
                consent=row.consent,
                attested=bool(row.attested),
                minor=bool(row.minor),
                lamp=row.lamp,
                reason=row.reason,
                talked_ms=talked_ms,
                tracks=tuple(track_rows.get(party, ())),
            )
        )
    return tuple(
        ConversationEntry(
            conversation=ConversationId(row.conversation),
            project=row.project,
            channel=row.channel,
            direction=row.direction,
            started_ms=row.started_ms,
            ended_ms=row.ended_ms,
            deadline_ms=row.deadline_ms,
            state=row.state,
            outcome=row.outcome,
            trial=row.trial,
            settings=row.settings,
            pack=row.pack,
            node=row.node,
            alarms=tuple(AlarmEntry(**alarm) for alarm in json.loads(row.alarms)),
            parties=tuple(party_rows.get(row.conversation, ())),
        )
        for row in rows
    )


def _address(keys: KeyRing, project: str, party: PartyId, encrypted: bytes | None) -> str | None:
    """The canonical address; None once erased, or where its key cannot be opened: one lost key hides no other call."""
    if encrypted is None:
        return None
    try:
        return keys.decrypt_identity(project, address_context(party), bytes(encrypted))
    except VaultError as error:
        logger.error("an address of project %s cannot be read: %s", project, error.code)
        return None


def _track(row: sa.Row[tuple[object, ...]], running: RunningFigures | None) -> TrackEntry:
    stored_ms = row.stored_ms
    if running is not None and row.state in {"open", "closed"}:
        stored_ms = running.stored_ms(TrackId(row.track))
    return TrackEntry(
        track=TrackId(row.track),
        party=PartyId(row.party),
        purpose=Purpose(row.purpose),
        state=row.state,
        deadline_ms=row.deadline_ms,
        floor_ms=row.floor_ms,
        receipt=row.receipt,
        expected_ms=row.expected_ms,
        stored_ms=stored_ms,
        path=row.path,
        size=row.size,
        proof_ground=row.proof_ground,
    )
