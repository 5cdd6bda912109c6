"""What an erasure is to cover: one person, or everything that is due."""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import sqlalchemy as sa

from tallylight.catalogue.addresses import comparable, spellings
from tallylight.catalogue.projections import ADDRESS
from tallylight.catalogue.standing_yeses import End, of_person, read, run_out, subject_of
from tallylight.catalogue.tables import conversation as conversations
from tallylight.catalogue.tables import party as parties
from tallylight.catalogue.tables import track as tracks
from tallylight.ids import ConversationId, PartyId, TrackId, WorkspaceId
from tallylight.law.vocabulary import Purpose
from tallylight.retention.draft import (
    ConversationInScope,
    Draft,
    KeptTrack,
    PartyInScope,
    StandingYesInScope,
    TrackInScope,
)
from tallylight.retention.search import Needle, NeedleKind
from tallylight.vault.keys import KeyRing

AT_ONCE = 100
"""Parties, or due tracks, in one unit of work: the writer is held for some ms only."""

SUBJECT = "erasure subject"
"""The kind of blind index under which an unfinished erasure is found again; another one than the parties' own."""


class Scope(Protocol):
    """Finds what is still to be erased. Runs inside a unit of work."""

    @property
    def kind(self) -> str:
        """`person` or `retention`."""

    @property
    def subject(self) -> bytes | None:
        """The keyed hash that finds an unfinished erasure of the same person."""

    @property
    def end(self) -> End:
        """Why the standing yeses in it are over."""

    @property
    def standing_yeses(self) -> sa.ColumnElement[bool]:
        """Which those are."""

    def widen(self, connection: sa.Connection, draft: Draft) -> Draft:
        """The draft with what was found beyond it, at most AT_ONCE at a time."""

    def needles(self) -> Sequence[Needle]:
        """What no file may hold once it is over, beside what the rows held."""


@dataclass(frozen=True, kw_only=True)
class PersonScope:
    """Everything of the person behind one canonical address."""

    workspace: WorkspaceId
    keys: KeyRing
    address: str
    typed: str
    """The address as somebody typed it."""
    now_ms: int

    kind = "person"
    end = End.ERASURE

    @property
    def standing_yeses(self) -> sa.ColumnElement[bool]:
        return of_person(self.workspace, self._standing)

    @property
    def subject(self) -> bytes | None:
        return self.keys.blind(SUBJECT, comparable(self.address))

    @property
    def _blind(self) -> bytes:
        return self.keys.blind(ADDRESS, comparable(self.address))

    @property
    def _standing(self) -> bytes:
        return subject_of(self.keys, self.address)

    def widen(self, connection: sa.Connection, draft: Draft) -> Draft:
        draft = _with_standing_yeses(connection, self, draft)
        known = sa.select(parties.c.conversation, parties.c.party).where(
            parties.c.workspace == self.workspace, parties.c.blind == self._blind
        )
        # Those that a law has kept are found each time: a limit in the query would hide everybody behind them.
        found = connection.execute(known.order_by(parties.c.conversation, parties.c.party))
        for row in itertools.islice((row for row in found if row.party not in draft.parties), AT_ONCE):
            draft = draft.with_party(
                PartyInScope(conversation=ConversationId(row.conversation), party=PartyId(row.party))
            )
        for party in draft.parties.values():
            if not party.settled:
                draft = _tracks_of(connection, self.workspace, self.now_ms, draft, party)
        return draft

    def needles(self) -> Sequence[Needle]:
        plain = dict.fromkeys((*spellings(self.address), self.typed.strip()))
        return (
            Needle(kind=NeedleKind.BLIND_INDEX, value=self._blind),
            Needle(kind=NeedleKind.BLIND_INDEX, value=self._standing),
            *(
                Needle(kind=NeedleKind.PLAIN_IDENTIFIER, value=text.encode())
                for text in plain
                if len(text) >= SHORTEST_SEARCHED
            ),
        )


SHORTEST_SEARCHED = 7
"""Characters: a shorter text is found everywhere by chance."""


@dataclass(frozen=True, kw_only=True)
class DueScope:
    """Every track whose deadline has come, and whoever took part in conversations whose deadline has."""

    workspace: WorkspaceId
    now_ms: int

    kind = "retention"
    subject = None
    end = End.EXPIRED

    @property
    def standing_yeses(self) -> sa.ColumnElement[bool]:
        return run_out(self.workspace, self.now_ms)

    def widen(self, connection: sa.Connection, draft: Draft) -> Draft:
        draft = _with_standing_yeses(connection, self, draft)
        draft = self._due_tracks(connection, draft)
        found = connection.execute(
            sa.select(conversations.c.conversation)
            .where(conversations.c.workspace == self.workspace, identities_due(self.now_ms))
            .order_by(conversations.c.deadline_ms, conversations.c.conversation)
            .limit(AT_ONCE)
        ).scalars()
        for conversation in found:
            if conversation not in draft.conversations:
                draft = self._people_of(connection, draft, ConversationId(conversation))
        return draft

    def _people_of(self, connection: sa.Connection, draft: Draft, conversation: ConversationId) -> Draft:
        """Everybody of whom an address or an act may be left, and the tracks they still have."""
        draft = draft.with_conversation(ConversationInScope(conversation=conversation))
        people = connection.execute(
            sa.select(parties.c.party)
            .where(
                parties.c.workspace == self.workspace,
                parties.c.conversation == conversation,
                parties.c.address_enc.is_not(None)
                | parties.c.blind.is_not(None)
                | (parties.c.consent != "none")
                | parties.c.minor.is_(True),
            )
            .order_by(parties.c.party)
        ).scalars()
        for each in people:
            party = PartyInScope(conversation=conversation, party=PartyId(each))
            draft = _tracks_of(connection, self.workspace, self.now_ms, draft.with_party(party), party)
        return draft

    def _due_tracks(self, connection: sa.Connection, draft: Draft) -> Draft:
        found = connection.execute(
            sa.select(tracks)
            .where(
                tracks.c.workspace == self.workspace,
                tracks.c.deadline_ms <= self.now_ms,
                tracks.c.state.not_in(("erasing", "erased")),
            )
            .order_by(tracks.c.deadline_ms, tracks.c.track)
            .limit(AT_ONCE)
        )
        for row in found:
            draft = draft.with_track(track_in_scope(row))
        return draft

    def needles(self) -> Sequence[Needle]:
        return ()


def identities_due(now_ms: int) -> sa.ColumnElement[bool]:
    """Conversations whose deadline has come. One that still runs by the book after a month died with its process."""
    return sa.and_(conversations.c.deadline_ms.is_not(None), conversations.c.deadline_ms <= now_ms)


def _with_standing_yeses(connection: sa.Connection, scope: Scope, draft: Draft) -> Draft:
    for standing in read(connection, scope.standing_yeses, limit=AT_ONCE):
        draft = draft.with_standing_yes(StandingYesInScope(standing_yes=standing.id))
    return draft


def _tracks_of(
    connection: sa.Connection, workspace: WorkspaceId, now_ms: int, draft: Draft, party: PartyInScope
) -> Draft:
    """The draft with this party's tracks, and with those that stay: what a law or, of a proof, a ground still keeps."""
    found = connection.execute(
        sa.select(tracks)
        .where(
            tracks.c.workspace == workspace,
            tracks.c.conversation == party.conversation,
            tracks.c.party == party.party,
            tracks.c.state != "erased",
        )
        .order_by(tracks.c.track)
    )
    kept = dict(draft.kept)
    for row in found:
        if row.track in draft.tracks or row.track in kept:
            continue
        by_law = row.floor_ms is not None and row.floor_ms > now_ms
        on_a_ground = row.proof_ground is not None and row.deadline_ms > now_ms
        if by_law or on_a_ground:
            kept[TrackId(row.track)] = KeptTrack(
                track=TrackId(row.track),
                conversation=party.conversation,
                party=party.party,
                purpose=Purpose(row.purpose),
                ground=row.proof_ground if on_a_ground else None,
                deadline_ms=row.deadline_ms if on_a_ground else row.floor_ms,
                by_law=by_law,
            )
        else:
            draft = draft.with_track(track_in_scope(row))
    return draft.keeping(kept)


def track_in_scope(row: sa.Row[tuple[object, ...]]) -> TrackInScope:
    """One row of the `track` table, to be erased."""
    return TrackInScope(
        track=TrackId(row.track),
        conversation=ConversationId(row.conversation),
        party=PartyId(row.party),
        purpose=Purpose(row.purpose),
        paths=() if row.path is None else (row.path,),
    )
