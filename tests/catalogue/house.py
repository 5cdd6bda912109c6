"""A house with real rooms below: database, writer, ledger key, key ring, live log and object store, and calls in it.

`Call` drives a conversation through `handle`, writes every event and key as the live runner would, and puts sound of its
own into the live log for every party whose lamp says recording.
"""

import dataclasses
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

import sqlalchemy as sa

from tallylight.catalogue.copies import LiveLogCopies, ObjectCopies
from tallylight.catalogue.playback import Playback
from tallylight.catalogue.projections import Chronicle
from tallylight.catalogue.queries import ConversationEntry, read_conversation
from tallylight.catalogue.versions import keep_pack, keep_settings
from tallylight.clock import VirtualClock
from tallylight.conversation.commands import (
    Command,
    EndConversation,
    GiveConsent,
    GiveNotice,
    HearQuestion,
    JoinParty,
    RefuseConsent,
    RequestConsent,
    WithdrawConsent,
)
from tallylight.conversation.events import (
    ConsentGiven,
    ConversationEnded,
    ConversationStarted,
    Event,
    LampsChanged,
    TrackErased,
    TrackOpened,
    TrackSealed,
)
from tallylight.conversation.handle import Context, Refusal, handle
from tallylight.conversation.state import ConversationState, apply
from tallylight.database.checkpoints import LedgerKey
from tallylight.database.engine import read_only
from tallylight.database.faults import FaultyCommits
from tallylight.database.writer import Transaction, Writer
from tallylight.ids import DEFAULT_WORKSPACE, ConversationId, DecisionId, EpochId, PartyId, TrackId, new_id
from tallylight.law.pack import Pack, default_files, default_pack
from tallylight.law.vocabulary import Channel, Direction, LawfulBasis, Method, Mode, Purpose, Role
from tallylight.policy.decision import Lamp
from tallylight.policy.retention import deadline_ms
from tallylight.policy.settings import Settings
from tallylight.policy.situation import Place, PlaceEvidence
from tallylight.vault.frame import SOURCE_OURS, SOURCE_PARTY, Frame, MediaType
from tallylight.vault.keys import Epoch, EpochKind, EpochRow, KeyRing, MemoryKeyWrapper
from tallylight.vault.live_log import LiveLog
from tallylight.vault.objects import LocalObjects
from tallylight.vault.seal import seal
from tallylight.vault.tables import delete_epochs, insert_epoch, insert_project_key, read_epochs

T = TypeVar("T")

NOTICE = "ab" * 32
NOTICE_TEXT = "Example Ltd records this call for quality assurance."
DENMARK = (Place(code="DK", evidence=PlaceEvidence.MOBILE_NUMBER),)
CUSTOMER = "+4520123456"
AGENT = "sip:agent@127.0.0.1"
PROJECT = "support"
SHIPPED = default_pack()

SETTINGS = Settings(
    project=PROJECT,
    controller="Example Ltd",
    country="DK",
    policy_address="example.com/privacy",
    language="en",
    mode=Mode.BOTH,
    purpose=Purpose.QUALITY_ASSURANCE,
    customer_basis=LawfulBasis.CONSENT,
    terms_acknowledged_by="a person",
    trial=True,
)
NOBODY = dataclasses.replace(SETTINGS, mode=Mode.NONE)
WITH_GROUND = dataclasses.replace(SETTINGS, proof_ground="accountability, Art. 7(1) GDPR")


class House:
    """One data folder, open."""

    def __init__(self, directory: Path, engine: sa.Engine) -> None:
        self.directory = directory
        self.workspace = DEFAULT_WORKSPACE
        self.engine = engine
        self.clock = VirtualClock(time.time_ns() // 1_000_000)
        self.ledger_key = LedgerKey.generate()
        self.faults = FaultyCommits()
        self.writer = Writer(engine, clock=self.clock, key=self.ledger_key, faults=self.faults)
        self.keys = KeyRing(MemoryKeyWrapper(), self.workspace)
        self.objects = LocalObjects(directory / "objects")
        self.live_folder = directory / "live"
        self.log = LiveLog(self.live_folder, on_alarm=lambda _alarm: None)
        self.chronicle = Chronicle(workspace=self.workspace, keys=self.keys, node="node-1")
        self.holders = (LiveLogCopies(self.live_folder), ObjectCopies(self.objects))
        row = self.keys.new_project_key(PROJECT, new_id(self.clock.wall_ms()))

        def prepare(transaction: Transaction) -> None:
            insert_project_key(transaction.connection, row)
            for settings in (SETTINGS, WITH_GROUND, NOBODY):
                keep_settings(transaction.connection, self.workspace, settings)
            keep_pack(transaction.connection, self.workspace, default_files())

        self.commit(prepare)

    def commit(self, unit: Callable[[Transaction], T]) -> T:
        return self.writer.submit(unit, workspace=self.workspace).result(30)

    def entry(self, conversation: ConversationId) -> ConversationEntry:
        with read_only(self.engine) as connection:
            return read_conversation(connection, workspace=self.workspace, keys=self.keys, conversation=conversation)

    def playback(self) -> Playback:
        return Playback(
            workspace=self.workspace,
            engine=self.engine,
            writer=self.writer,
            keys=self.keys,
            objects=self.objects,
            read_live=self.log.read,
            clock=self.clock,
        )

    def files(self) -> list[Path]:
        """Every file of the folder but the objects and the live log, whose content is encrypted throughout."""
        return [path for path in self.directory.rglob("*") if path.is_file()]

    def close(self) -> None:
        self.log.close()
        self.writer.close()


@dataclasses.dataclass
class OpenTrack:
    track: TrackId
    party: PartyId
    purpose: Purpose
    epoch: Epoch
    source: int
    decision: DecisionId


class Call:
    """A phone call, from our 200 OK to its seal."""

    def __init__(
        self,
        house: House,
        *,
        customer: str | None = CUSTOMER,
        agent: str | None = AGENT,
        settings: Settings = SETTINGS,
        pack: Pack = SHIPPED,
    ) -> None:
        self.house = house
        self.settings = settings
        self.now_ms = 0
        self.started_ms = house.clock.wall_ms()
        self.id = ConversationId(self._new())
        self.system, self.customer, self.agent = (PartyId(self._new()) for _ in range(3))
        self.addresses = {self.customer: customer, self.agent: agent}
        self.open: dict[tuple[PartyId, Purpose], OpenTrack] = {}
        """Tracks that admit sound now."""
        self.tracks: list[OpenTrack] = []
        """Tracks to be sealed."""
        self._context = Context(pack=pack, settings=settings, new_decision_id=lambda: DecisionId(self._new()))
        started = ConversationStarted(
            conversation=self.id,
            project=settings.project,
            channel=Channel.PHONE,
            direction=Direction.INBOUND,
            settings=settings.version,
            pack=pack.hash,
            started_ms=self.started_ms,
            trial=settings.trial,
        )
        self.state = apply(ConversationState(), started)
        self.write([started])
        self.do(self._join(self.system, Role.SYSTEM, ()))
        self.do(self._join(self.customer, Role.CUSTOMER, DENMARK))

    def asked(self) -> "Call":
        """The customer has heard who records, and the question to its end."""
        self.speak(4000)
        purposes = frozenset({self.settings.purpose})
        self.do(
            GiveNotice(
                party=self.customer,
                notice=NOTICE,
                text=NOTICE_TEXT,
                language="en",
                purposes=purposes,
                offset_ms=self.now_ms,
            )
        )
        self.do(RequestConsent(party=self.customer, purposes=purposes, notice=NOTICE, offset_ms=self.now_ms))
        self.speak(3000)
        self.do(HearQuestion(party=self.customer, offset_ms=self.now_ms))
        return self

    def accepted(self) -> "Call":
        self.asked()
        self.now_ms += 500
        evidence = f"digit 1 at {self.now_ms} ms"
        self.do(GiveConsent(party=self.customer, method=Method.DIGIT, evidence=evidence, offset_ms=self.now_ms))
        self.speak(2000)
        del self.open[self.customer, Purpose.PROOF_OF_CONSENT]
        return self.connected()

    def refused(self) -> "Call":
        self.asked()
        evidence = f"digit 2 at {self.now_ms} ms"
        self.do(RefuseConsent(party=self.customer, method=Method.DIGIT, evidence=evidence, offset_ms=self.now_ms))
        return self.connected()

    def connected(self) -> "Call":
        self.do(self._join(self.agent, Role.AGENT, (Place(code="DK", evidence=PlaceEvidence.SITE),)))
        return self

    def speak(self, duration_ms: int) -> "Call":
        """Media time goes on; whoever's gate is open is stored, in records of a second at most."""
        until_ms = self.now_ms + duration_ms
        while self.now_ms < until_ms:
            step_ms = min(1000, until_ms - self.now_ms)
            for track in self.open.values():
                sound = bytes([0x10 + len(self.open)]) * (step_ms * 8)
                frame = Frame(
                    start_ms=self.now_ms,
                    duration_ms=step_ms,
                    media=MediaType.PCMU,
                    source=track.source,
                    decision=track.decision,
                    payload=sound,
                )
                self.house.log.write(track.epoch, [frame])
            self.now_ms += step_ms
        self.house.clock.advance(duration_ms / 1000)
        assert self.house.log.sync()
        return self

    def end(self, outcome: str = "completed") -> "Call":
        happened = handle(self.state, EndConversation(outcome=outcome, offset_ms=self.now_ms), self._context)
        assert not isinstance(happened, Refusal)
        talked = {self.customer: 1500, self.agent: 2500}
        self.take(
            [
                dataclasses.replace(event, talked_ms=talked) if isinstance(event, ConversationEnded) else event
                for event in happened
            ]
        )
        return self

    def sealed(self, expected_more_ms: int = 0) -> "Call":
        """End it, and turn every track into an object."""
        self.end()
        for track in self.tracks:
            self.seal(track, expected_more_ms)
        return self

    def seal(self, track: OpenTrack, expected_more_ms: int = 0) -> None:
        key = self.house.keys.new_epoch(
            project=self.settings.project,
            track=track.track,
            epoch=EpochId(self._new()),
            kind=EpochKind.SEALED,
        )
        stored = seal(self.house.log.read(track.epoch), key, self.house.objects, own_source=track.source)
        event = TrackSealed(
            track=track.track,
            stored_ms=stored.stored_ms,
            expected_ms=stored.stored_ms + expected_more_ms,
            size=stored.size,
            offset_ms=self.now_ms,
        )

        def unit(transaction: Transaction) -> None:
            insert_epoch(transaction.connection, key.row)
            delete_epochs(transaction.connection, track.track, kind=EpochKind.LIVE)
            self.house.chronicle.record(
                transaction, self.id, [event], actor="engine", objects={track.track: stored.path}
            )

        self.house.commit(unit)
        self.house.keys.forget(track.epoch.id)
        self.house.log.release(track.track)

    def do(self, command: Command) -> None:
        happened = handle(self.state, command, self._context)
        assert not isinstance(happened, Refusal), happened
        self.take(list(happened))

    def take(self, events: list[Event]) -> None:
        opened: list[OpenTrack] = []
        given = {event.party for event in events if isinstance(event, ConsentGiven)}
        for event in events:
            self.state = apply(self.state, event)
        for event in events:
            if not isinstance(event, LampsChanged):
                continue
            for ruling in event.decision.rulings:
                key = (ruling.party, self.settings.purpose)
                if ruling.lamp is not Lamp.RECORDING:
                    self.open.pop(key, None)
                elif key not in self.open:
                    opened.append(self._open(ruling.party, self.settings.purpose, event))
                    if ruling.party in given:
                        opened.append(self._open(ruling.party, Purpose.PROOF_OF_CONSENT, event))
        openings = [
            TrackOpened(
                track=track.track,
                party=track.party,
                purpose=track.purpose,
                epoch=track.epoch.id,
                deadline_ms=deadline_ms(self.settings, track.purpose, self._wall_ms()),
                floor_ms=None,
                receipt=None,
                offset_ms=self.now_ms,
            )
            for track in opened
        ]
        self.write([*events, *openings], [track.epoch for track in opened])

    def withdrawn(self) -> "Call":
        """The customer withdraws: the talk track goes at once, the proof stays."""
        withdraw = WithdrawConsent(party=self.customer, method=Method.DIGIT, evidence="code *2", offset_ms=self.now_ms)
        track = self.open[self.customer, self.settings.purpose]
        self.do(withdraw)
        self.tracks.remove(track)
        erased = TrackErased(track=track.track, why="withdrawn", offset_ms=self.now_ms)

        def unit(transaction: Transaction) -> None:
            delete_epochs(transaction.connection, track.track)
            self.house.chronicle.record(transaction, self.id, [erased], actor="engine")

        self.house.commit(unit)
        self.house.keys.forget(track.epoch.id)
        self.house.log.release(track.track)
        return self

    def write(self, events: Sequence[Event], epochs: Sequence[Epoch] = ()) -> None:
        identities = {party: address for party, address in self.addresses.items() if address is not None}

        def unit(transaction: Transaction) -> None:
            for epoch in epochs:
                insert_epoch(transaction.connection, epoch.row)
            self.house.chronicle.record(transaction, self.id, events, actor="engine", identities=identities)

        self.house.commit(unit)

    def track_of(self, party: PartyId, purpose: Purpose = Purpose.QUALITY_ASSURANCE) -> OpenTrack:
        (track,) = (track for track in self.tracks if track.party == party and track.purpose is purpose)
        return track

    def key_rows(self) -> dict[TrackId, list[EpochRow]]:
        """The wrapped keys of every track, as stored."""
        with read_only(self.house.engine) as connection:
            return {track.track: read_epochs(connection, track.track) for track in self.tracks}

    def _open(self, party: PartyId, purpose: Purpose, changed: LampsChanged) -> OpenTrack:
        track = TrackId(self._new())
        opened = OpenTrack(
            track=track,
            party=party,
            purpose=purpose,
            epoch=self.house.keys.new_epoch(project=self.settings.project, track=track, epoch=EpochId(self._new())),
            source=SOURCE_OURS if party == self.system else SOURCE_PARTY,
            decision=changed.decision_id,
        )
        self.open[party, purpose] = opened
        self.tracks.append(opened)
        return opened

    def _join(self, party: PartyId, role: Role, places: tuple[Place, ...]) -> JoinParty:
        return JoinParty(
            party=party,
            role=role,
            places=places,
            basis=LawfulBasis.CONSENT if role is Role.CUSTOMER else LawfulBasis.CONTRACT,
            employee_notice=role is Role.AGENT,
            offset_ms=self.now_ms,
        )

    def _wall_ms(self) -> int:
        return self.started_ms + self.now_ms

    def _new(self) -> str:
        return new_id(self._wall_ms())
