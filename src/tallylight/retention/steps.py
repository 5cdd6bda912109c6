"""The units of work of an erasure. Each reads its row, does one thing, and writes the row and the ledger with it."""

import dataclasses
import hashlib
import json
from collections.abc import Callable, Mapping, Sequence, Set
from dataclasses import dataclass

import sqlalchemy as sa

from tallylight.catalogue.projections import Chronicle
from tallylight.catalogue.standing_yeses import end
from tallylight.catalogue.tables import conversation as conversations
from tallylight.catalogue.tables import copy as copies
from tallylight.catalogue.tables import party as parties
from tallylight.catalogue.tables import standing_yes as yeses
from tallylight.catalogue.tables import track as tracks
from tallylight.conversation.codec import EVENT_TYPES
from tallylight.conversation.events import (
    ConsentGiven,
    ConsentRefused,
    ConsentWithdrawn,
    MinorKnown,
    ReceiptOpened,
    TrackErased,
    TrackKept,
)
from tallylight.database.events import JsonValue, empty_payload, read_stream
from tallylight.database.writer import Transaction
from tallylight.ids import ConversationId, EpochId, PartyId, TrackId, WorkspaceId, id_bytes, new_id
from tallylight.law.vocabulary import Purpose
from tallylight.ledger.commitment import canonical_json
from tallylight.policy.view import EMPLOYED
from tallylight.retention.draft import (
    Draft,
    KeptTrack,
    PartyInScope,
    StandingYesInScope,
    TrackInScope,
    parse,
    serialise,
)
from tallylight.retention.scope import Scope
from tallylight.retention.search import Needle, NeedleKind, sealed_fragments
from tallylight.retention.tables import erasure as erasures
from tallylight.vault.keys import EpochKind, KeyRing
from tallylight.vault.seal import object_path
from tallylight.vault.tables import delete_epochs, read_epochs

_ACTS = (ConsentGiven, ConsentRefused, ConsentWithdrawn, MinorKnown)
"""Events whose payload says how a person answered, or what is known of them: personal once nobody needs the proof."""
_ACT_TYPES = frozenset(name for name, kind in EVENT_TYPES.items() if kind in _ACTS)
_RECEIPT = ReceiptOpened.__name__
"""Its order leads to a person for whoever has the house's books."""
_KEY_ID_BYTES = len(id_bytes("00000000-0000-7000-8000-000000000000"))


@dataclass(frozen=True, kw_only=True)
class Standing:
    """An erasure as its row has it."""

    erasure: str
    requested_ms: int
    draft: Draft


@dataclass(frozen=True, kw_only=True)
class Steps:
    """What every unit of one erasure needs to know. Methods run on the writer's thread."""

    workspace: WorkspaceId
    keys: KeyRing
    chronicle: Chronicle
    scope: Scope
    actor: str

    def claim(self, transaction: Transaction, now_ms: int) -> Standing:
        """Take up an unfinished erasure of the same scope or begin one, and mark what is to go."""
        connection = transaction.connection
        standing = self._unfinished(connection)
        if standing is None:
            standing = self._begin(transaction, now_ms)
        return self._widen(connection, standing)

    def shred(self, transaction: Transaction, erasure: str, now_ms: int) -> tuple[Standing, tuple[EpochId, ...]]:
        """Destroy every key and identity in scope. Returns also whose keys they were, to be forgotten in memory."""
        connection = transaction.connection
        standing = self._widen(connection, self._read(connection, erasure))
        draft = standing.draft
        notes = list(self.notes(connection, standing))
        forgotten: list[EpochId] = []
        emptied = 0
        for track in draft.tracks.values():
            if track.shredded:
                continue
            rows = read_epochs(connection, track.track, workspace=self.workspace)
            for row in rows:
                notes += sealed_fragments(NeedleKind.WRAPPED_KEY, row.wrapped)
                forgotten.append(row.epoch)
            paths = (*track.paths, *(object_path(row) for row in rows if row.kind is EpochKind.SEALED))
            destroyed = delete_epochs(connection, track.track, workspace=self.workspace)
            draft = draft.with_track(
                dataclasses.replace(
                    track,
                    paths=tuple(dict.fromkeys(paths)),
                    keys_destroyed=track.keys_destroyed + destroyed,
                    shredded=True,
                )
            )
            if self.scope.kind == "retention" and track.purpose is Purpose.PROOF_OF_CONSENT:
                emptied += self._empty_acts(connection, track.conversation, track.party)
        for party in draft.parties.values():
            if party.settled:
                continue
            stays = draft.kept_of(party.party)
            if any(kept.by_law for kept in stays):
                self._keep(transaction, party.conversation, stays, now_ms)
                draft = draft.with_party(dataclasses.replace(party, kept=True))
                continue
            notes += self._empty_identity(connection, party)
            emptied += self._empty_orders(connection, party)
            if not stays:
                emptied += self._empty_acts(connection, party.conversation, party.party)
            draft = draft.with_party(dataclasses.replace(party, emptied=True))
        over = [standing.standing_yes for standing in draft.standing_yeses.values() if not standing.ended]
        draft = self._end_standing_yeses(transaction, draft, over, now_ms)
        due = [conversation for conversation in draft.conversations.values() if not conversation.forgotten]
        for conversation in due:
            self._forget(connection, conversation.conversation)
            draft = draft.with_conversation(dataclasses.replace(conversation, forgotten=True))
        leaf = self._append(
            transaction,
            erasure,
            "ErasureKeysDestroyed",
            now_ms,
            {
                "tracks": [track for track in draft.tracks if not standing.draft.tracks[track].shredded],
                "keys": len(forgotten),
                "conversations": [conversation.conversation for conversation in due],
                "identities": [
                    party.party
                    for party in draft.parties.values()
                    if party.emptied and not standing.draft.parties[party.party].emptied
                ],
                "payloads": emptied,
                "standing_yeses": over,
            },
        )
        draft = draft.with_leaf("keys_destroyed", leaf)
        self._note(connection, erasure, draft, notes)
        return self._write(connection, standing, draft), tuple(forgotten)

    def confirm(
        self, transaction: Transaction, erasure: str, confirmed: Mapping[TrackId, Mapping[str, str]], now_ms: int
    ) -> Standing:
        """Tracks of which every copy has been removed and looked for (state by location) become `erased`."""
        connection = transaction.connection
        standing = self._read(connection, erasure)
        draft = standing.draft
        why = "retention" if self.scope.kind == "retention" else "erasure"
        for conversation, gone in _by_conversation(draft, confirmed).items():
            offset_ms = now_ms - self._started_ms(connection, conversation)
            events = [
                TrackErased(track=track.track, why=why, offset_ms=offset_ms)
                for track in gone
                if not self._is_erased(connection, track.track)
            ]
            self.chronicle.record(transaction, conversation, events, actor=self.actor)
            for track in gone:
                self._confirm_copies(connection, track.track, confirmed[track.track], now_ms)
                draft = draft.with_track(dataclasses.replace(track, copies=confirmed[track.track], confirmed=True))
        leaf = self._append(transaction, erasure, "ErasureCopiesRemoved", now_ms, {"tracks": list(confirmed)})
        return self._write(connection, standing, draft.with_leaf("copies_removed", leaf))

    def complete(
        self, transaction: Transaction, erasure: str, certificate: Mapping[str, JsonValue], now_ms: int
    ) -> int:
        """Keep the certificate and drop everything that only an unfinished erasure needs. Returns the leaf number."""
        connection = transaction.connection
        text = canonical_json(certificate)
        leaf = self._append(
            transaction,
            erasure,
            "ErasureCompleted",
            now_ms,
            {"certificate": hashlib.sha256(text.encode()).hexdigest()},
        )
        connection.execute(
            sa.update(erasures)
            .where(erasures.c.workspace == self.workspace, erasures.c.erasure == erasure)
            .values(state="complete", completed_ms=now_ms, subject=None, draft=None, needles=None, certificate=text)
        )
        return leaf

    def notes(self, connection: sa.Connection, standing: Standing) -> tuple[Needle, ...]:
        """The fragments noted so far."""
        blob = connection.execute(
            sa.select(erasures.c.needles).where(
                erasures.c.workspace == self.workspace, erasures.c.erasure == standing.erasure
            )
        ).scalar_one()
        if blob is None or standing.draft.project is None:
            return ()
        text = self.keys.decrypt_identity(standing.draft.project, _note_context(standing.erasure), bytes(blob))
        return tuple(Needle(kind=NeedleKind(kind), value=bytes.fromhex(value)) for kind, value in json.loads(text))

    def searched(self, connection: sa.Connection, standing: Standing) -> tuple[Needle, ...]:
        """What no file may hold any more: the fragments noted, and blind indexes that no later conversation needs.

        Where a law has somebody kept, their rows hold their blind index on; in any other row it remains.
        """
        notes = self.notes(connection, standing)
        blinds = sorted({needle.value for needle in notes if needle.kind is NeedleKind.BLIND_INDEX})
        needed: set[bytes] = set()
        for start in range(0, len(blinds), 500):
            found = connection.execute(
                sa.select(parties.c.blind).where(
                    parties.c.workspace == self.workspace, parties.c.blind.in_(blinds[start : start + 500])
                )
            ).scalars()
            needed.update(bytes(blind) for blind in found)
        lawful = {party.party for party in standing.draft.parties.values() if party.kept}
        needles = self.scope.needles()
        if lawful:
            needles = [needle for needle in needles if not self._is_lawful(connection, needle, lawful)]
        return (*(needle for needle in notes if needle.value not in needed), *needles)

    def _is_lawful(self, connection: sa.Connection, needle: Needle, kept: Set[PartyId]) -> bool:
        """Whether this is a blind index that only rows which a law has kept still hold."""
        if needle.kind is not NeedleKind.BLIND_INDEX:
            return False
        found = connection.execute(
            sa.select(parties.c.party).where(parties.c.workspace == self.workspace, parties.c.blind == needle.value)
        ).scalars()
        holders = set(found)
        return bool(holders) and holders <= kept

    def _note(self, connection: sa.Connection, erasure: str, draft: Draft, notes: list[Needle]) -> None:
        if not notes or draft.project is None:
            return
        text = json.dumps([(needle.kind.value, needle.value.hex()) for needle in dict.fromkeys(notes)])
        blob = self.keys.encrypt_identity(draft.project, _note_context(erasure), text)
        connection.execute(
            sa.update(erasures)
            .where(erasures.c.workspace == self.workspace, erasures.c.erasure == erasure)
            .values(needles=blob)
        )

    def _unfinished(self, connection: sa.Connection) -> Standing | None:
        query = sa.select(erasures.c.erasure).where(
            erasures.c.workspace == self.workspace,
            erasures.c.kind == self.scope.kind,
            erasures.c.state == "pending",
        )
        if self.scope.subject is not None:
            query = query.where(erasures.c.subject == self.scope.subject)
        found = connection.execute(query.order_by(erasures.c.erasure).limit(1)).scalar_one_or_none()
        return None if found is None else self._read(connection, found)

    def _begin(self, transaction: Transaction, now_ms: int) -> Standing:
        erasure = new_id(now_ms)
        transaction.connection.execute(
            sa.insert(erasures).values(
                workspace=self.workspace,
                erasure=erasure,
                kind=self.scope.kind,
                state="pending",
                actor=self.actor,
                requested_ms=now_ms,
                subject=self.scope.subject,
                draft=serialise(Draft()),
            )
        )
        leaf = self._append(transaction, erasure, "ErasureRequested", now_ms, {"kind": self.scope.kind})
        standing = Standing(erasure=erasure, requested_ms=now_ms, draft=Draft())
        return self._write(transaction.connection, standing, Draft().with_leaf("requested", leaf))

    def _widen(self, connection: sa.Connection, standing: Standing) -> Standing:
        draft = self.scope.widen(connection, standing.draft)
        for track in draft.tracks.keys() - standing.draft.tracks.keys():
            connection.execute(
                sa.update(tracks)
                .where(tracks.c.workspace == self.workspace, tracks.c.track == track, tracks.c.state != "erased")
                .values(state="erasing", stored_ms=0)
            )
        if draft.project is None:
            in_scope: list[PartyInScope | TrackInScope] = [*draft.parties.values(), *draft.tracks.values()]
            if in_scope:
                project = connection.execute(
                    sa.select(conversations.c.project).where(
                        conversations.c.workspace == self.workspace,
                        conversations.c.conversation == in_scope[0].conversation,
                    )
                ).scalar_one()
                draft = dataclasses.replace(draft, project=project)
        return standing if draft == standing.draft else self._write(connection, standing, draft)

    def _read(self, connection: sa.Connection, erasure: str) -> Standing:
        row = connection.execute(
            sa.select(erasures.c.requested_ms, erasures.c.draft).where(
                erasures.c.workspace == self.workspace, erasures.c.erasure == erasure, erasures.c.state == "pending"
            )
        ).one()
        return Standing(erasure=erasure, requested_ms=row.requested_ms, draft=parse(row.draft))

    def _write(self, connection: sa.Connection, standing: Standing, draft: Draft) -> Standing:
        connection.execute(
            sa.update(erasures)
            .where(erasures.c.workspace == self.workspace, erasures.c.erasure == standing.erasure)
            .values(draft=serialise(draft))
        )
        return dataclasses.replace(standing, draft=draft)

    def _append(
        self, transaction: Transaction, erasure: str, kind: str, now_ms: int, payload: Mapping[str, JsonValue]
    ) -> int:
        return transaction.append(
            stream=erasure, type=kind, version=1, occurred_ms=now_ms, actor=self.actor, payload=payload
        )

    def _empty_identity(self, connection: sa.Connection, party: PartyInScope) -> tuple[Needle, ...]:
        here = sa.and_(
            parties.c.workspace == self.workspace,
            parties.c.conversation == party.conversation,
            parties.c.party == party.party,
        )
        row = connection.execute(sa.select(parties.c.address_enc, parties.c.blind).where(here)).one()
        connection.execute(
            sa.update(parties).where(here).values(address_enc=None, blind=None, attested=False, minor=False)
        )
        notes: list[Needle] = []
        if row.address_enc is not None:
            # Behind the project key's id, which is everybody's.
            notes += sealed_fragments(NeedleKind.ENCRYPTED_ADDRESS, bytes(row.address_enc)[_KEY_ID_BYTES:])
        if row.blind is not None:
            notes.append(Needle(kind=NeedleKind.BLIND_INDEX, value=bytes(row.blind)))
        return tuple(notes)

    def _end_standing_yeses(self, transaction: Transaction, draft: Draft, over: Sequence[str], now_ms: int) -> Draft:
        """No conversation from now on rests on them."""
        which = sa.and_(self.scope.standing_yeses, yeses.c.standing_yes.in_(over))
        end(transaction, which, self.scope.end, now_ms=now_ms, actor=self.actor)
        for each in over:
            draft = draft.with_standing_yes(StandingYesInScope(standing_yes=each, ended=True))
        return draft

    def _forget(self, connection: sa.Connection, conversation: ConversationId) -> None:
        """Nobody of this conversation can be told any more: it has no deadline left."""
        connection.execute(
            sa.update(conversations)
            .where(conversations.c.workspace == self.workspace, conversations.c.conversation == conversation)
            .values(deadline_ms=None)
        )

    def _empty_acts(self, connection: sa.Connection, conversation: ConversationId, party: PartyId) -> int:
        """How a person answered goes; that something was answered, and what was decided, stays."""
        return self._empty(
            connection, conversation, lambda kind, payload: kind in _ACT_TYPES and payload.get("party") == party
        )

    def _empty_orders(self, connection: sa.Connection, party: PartyInScope) -> int:
        """What a customer ordered goes with who they are, not with the agent who took it down."""
        role = connection.execute(
            sa.select(parties.c.role).where(
                parties.c.workspace == self.workspace,
                parties.c.conversation == party.conversation,
                parties.c.party == party.party,
            )
        ).scalar_one()
        if role in EMPLOYED:
            return 0
        return self._empty(
            connection, party.conversation, lambda kind, payload: kind == _RECEIPT and bool(payload.get("order"))
        )

    def _empty(
        self,
        connection: sa.Connection,
        conversation: ConversationId,
        is_personal: Callable[[str, Mapping[str, JsonValue]], bool],
    ) -> int:
        leaves = [
            event.leaf
            for event in read_stream(connection, conversation, workspace=self.workspace)
            if event.payload is not None and is_personal(event.type, event.payload)
        ]
        return sum(empty_payload(connection, leaf, workspace=self.workspace) for leaf in leaves)

    def _keep(
        self, transaction: Transaction, conversation: ConversationId, stays: Sequence[KeptTrack], now_ms: int
    ) -> None:
        """Say that these were to go, and by which law they stay; from now on not a day longer than it asks for."""
        offset_ms = now_ms - self._started_ms(transaction.connection, conversation)
        events = [
            TrackKept(track=kept.track, why="erasure", floor_ms=kept.deadline_ms, offset_ms=offset_ms)
            for kept in stays
            if kept.by_law
        ]
        self.chronicle.record(transaction, conversation, events, actor=self.actor)

    def _started_ms(self, connection: sa.Connection, conversation: ConversationId) -> int:
        started_ms: int = connection.execute(
            sa.select(conversations.c.started_ms).where(
                conversations.c.workspace == self.workspace, conversations.c.conversation == conversation
            )
        ).scalar_one()
        return started_ms

    def _is_erased(self, connection: sa.Connection, track: TrackId) -> bool:
        state = connection.execute(
            sa.select(tracks.c.state).where(tracks.c.workspace == self.workspace, tracks.c.track == track)
        ).scalar_one()
        return bool(state == "erased")

    def _confirm_copies(
        self, connection: sa.Connection, track: TrackId, states: Mapping[str, str], now_ms: int
    ) -> None:
        for location, state in states.items():
            connection.execute(
                sa.update(copies)
                .where(copies.c.workspace == self.workspace, copies.c.track == track, copies.c.location == location)
                .values(state=state, confirmed_ms=now_ms)
            )


def _note_context(erasure: str) -> str:
    return f"{erasure} needles"


def _by_conversation(
    draft: Draft, confirmed: Mapping[TrackId, Mapping[str, str]]
) -> dict[ConversationId, list[TrackInScope]]:
    grouped: dict[ConversationId, list[TrackInScope]] = {}
    for track in confirmed:
        in_scope = draft.tracks[track]
        grouped.setdefault(in_scope.conversation, []).append(in_scope)
    return grouped
