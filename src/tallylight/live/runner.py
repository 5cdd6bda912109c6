"""One conversation, from its first second to its end. Lives on the media loop; the database and the disk never hold it up.

The order of writing: closing acts at once, in memory, and is written after. Opening holds media in memory until the
commit that carries its decision and its wrapped key; after a second without it, what was held is a gap, the lamp stays
dark, and only what is spoken after the commit is admitted. When the database fails, every gate shuts and people keep
talking.
"""

import dataclasses
import logging
from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import Future

from tallylight.clock import Timer
from tallylight.consent.answer import SECOND_HAND
from tallylight.conversation.commands import ENGINE, Command, EndConversation, JoinParty, RefuseConsent, WithdrawConsent
from tallylight.conversation.events import (
    ConsentGiven,
    ConsentWithdrawn,
    ConversationEnded,
    ConversationStarted,
    Event,
    LampsChanged,
    OpeningMissed,
    ReceiptClosed,
    RecordingFailed,
)
from tallylight.conversation.handle import Context, Refusal, handle
from tallylight.conversation.state import ConversationState, apply
from tallylight.database.writer import Transaction
from tallylight.errors import TallylightError
from tallylight.health.alarms import AlarmKind
from tallylight.ids import ConversationId, DecisionId, PartyId, TrackId, new_id
from tallylight.law.pack import Pack
from tallylight.law.vocabulary import Channel, Direction, LawfulBasis, Method, Role
from tallylight.live.services import LiveServices
from tallylight.live.tracks import PENDING_MS, Tracks
from tallylight.live.work import Opening, Work
from tallylight.policy.decision import Lamp
from tallylight.policy.settings import Settings
from tallylight.policy.situation import ConsentState

logger = logging.getLogger(__name__)

RETRY_S = 1.0
"""How long to wait before events the database refused are offered again."""


class EarlierUnwritten(TallylightError):
    """A unit of work whose predecessor the database refused."""

    code = "earlier_unwritten"


class ConversationRunner:
    """Owns one conversation's state, tracks and unwritten events."""

    def __init__(
        self,
        services: LiveServices,
        *,
        settings: Settings,
        pack: Pack,
        direction: Direction,
        channel: Channel = Channel.PHONE,
    ) -> None:
        self._services = services
        self._clock = services.clock
        self.settings = settings
        self.started_ms = self._clock.wall_ms()
        self.anchor_ns = self._clock.monotonic_ns()
        """The monotonic instant of media time 0."""
        self.conversation = ConversationId(new_id(self.started_ms))
        self.system = PartyId(new_id(self.started_ms))
        self._context = Context(pack=pack, settings=settings, new_decision_id=self._new_decision_id)
        self.state = ConversationState()
        self.tracks = Tracks(services, settings=settings, offset_ms=self.offset_ms)
        self.on_change: Callable[[], None] | None = None
        """Called when a lamp may have changed. One listener: the dialogue that waits for a gate."""
        self.ended = False
        self._failed = False
        self._works = 0
        self._unwritten: list[Work] = []
        self._retry: Timer | None = None
        self._retrying = False
        self._in_flight = 0
        self._torn = False
        """A unit was not written: those behind it may not be either, until it is. Set on the writer thread."""
        self._when_written: list[Callable[[], None]] = []
        started = ConversationStarted(
            conversation=self.conversation,
            project=settings.project,
            channel=channel,
            direction=direction,
            settings=settings.version,
            pack=pack.hash,
            started_ms=self.started_ms,
            trial=settings.trial,
        )
        self.state = apply(self.state, started)
        join = JoinParty(party=self.system, role=Role.SYSTEM, places=(), basis=LawfulBasis.CONTRACT, offset_ms=0)
        joined = handle(self.state, join, self._context)
        assert not isinstance(joined, Refusal), joined
        self._take([started, *joined], actor=ENGINE, folded=1)

    def offset_ms(self) -> int:
        """Media time now: ms since our 200 OK."""
        # In whole ms of the clock itself, as the legs count: a difference of ns would now and then be 1 ms off theirs.
        return self._clock.monotonic_ns() // 1_000_000 - self.anchor_ns // 1_000_000

    @property
    def in_flight(self) -> int:
        """Units of work that the database has and has not answered."""
        return self._in_flight

    def command(self, command: Command, *, actor: str = ENGINE, address: str | None = None) -> Refusal | None:
        """Do what is asked, at once, or say why not. `address` is a joining party's canonical address."""
        if self.ended:
            return Refusal(code="ended", message="The conversation has ended.")
        outcome = handle(self.state, command, self._context)
        if isinstance(outcome, Refusal):
            return outcome
        identities = {command.party: address} if isinstance(command, JoinParty) and address is not None else {}
        self._take(list(outcome), actor=actor, identities=identities)
        return None

    def lamps(self) -> Mapping[PartyId, Lamp]:
        """The lamps as they burn: recording only where a gate is open, whatever has been decided."""
        decision = self.state.decision
        burning: dict[PartyId, Lamp] = {}
        for party in self.state.parties:
            lamp = decision.lamp(party) if decision is not None else Lamp.OFF
            if lamp is Lamp.RECORDING and not self.tracks.is_open(party):
                lamp = Lamp.OFF
            burning[party] = lamp
        return burning

    def end(self, outcome: str, *, abandoned: bool, done: Callable[[], None]) -> None:
        """Shut every gate, write the end, and call `done` once everything is committed or given up to recovery.

        `abandoned`: the caller left before the question was settled; even our own announcement is destroyed.
        """
        if self.ended:
            return
        offset_ms = self.offset_ms()
        self.tracks.close_all(offset_ms)
        ending = handle(self.state, EndConversation(outcome=outcome, offset_ms=offset_ms), self._context)
        assert not isinstance(ending, Refusal), ending
        events: list[Event] = [
            dataclasses.replace(event, talked_ms=self.tracks.talked_ms())
            if isinstance(event, ConversationEnded)
            else event
            for event in ending
        ]
        self.ended = True
        self._take(events, actor=ENGINE, abandoned=abandoned)
        if self._in_flight or self._unwritten:
            self._when_written.append(done)
        else:
            done()

    def forget(self, parties: Collection[PartyId], tracks: Collection[TrackId]) -> None:
        """Obey an erasure: these tracks are shut and forgotten now, and these parties are recorded no more."""
        self.tracks.forget(tracks)
        for party in parties:
            known = self.state.parties.get(party)
            if known is None or self.ended:
                continue
            given = known.consent.state is ConsentState.GIVEN
            order = WithdrawConsent if given else RefuseConsent
            self.command(
                order(party=party, method=Method.WRITTEN, evidence="erasure request", offset_ms=self.offset_ms()),
                actor=party,
            )

    def fail(self, why: str, error: BaseException | None = None) -> None:
        """Recording stops, the call goes on: every gate shuts and stays shut. `why` carries no identifiers."""
        if self._failed:
            return
        self._failed = True
        offset_ms = self.offset_ms()
        self.tracks.fail(offset_ms)
        self._services.alarms.raise_alarm(AlarmKind.RECORDING_FAILED, why, conversation=self.conversation)
        if error is not None:
            logger.error("why recording stopped in conversation %s", self.conversation, exc_info=error)
        failed = RecordingFailed(party=None, track=None, why=why, missing_ms=0, offset_ms=offset_ms)
        self._take([failed], actor=ENGINE)

    # -- from events to gates to the database --------------------------------------------------------------------------

    def _new_decision_id(self) -> DecisionId:
        return DecisionId(new_id(self._clock.wall_ms()))

    def _take(
        self,
        events: list[Event],
        *,
        actor: str,
        identities: dict[PartyId, str] | None = None,
        abandoned: bool = False,
        folded: int = 0,
    ) -> None:
        """Fold events into the state, move the gates, then write."""
        for event in events[folded:]:
            self.state = apply(self.state, event)
        self._works += 1
        work = Work(
            number=self._works,
            conversation=self.conversation,
            actor=actor,
            events=events,
            identities=identities or {},
        )
        given = frozenset(
            event.party for event in events if isinstance(event, ConsentGiven) and event.method not in SECOND_HAND
        )
        missing: TallylightError | None = None
        for event in tuple(events):
            if isinstance(event, LampsChanged):
                try:
                    self.tracks.move_gates(
                        self.state, event, work, given=given, may_open=not (self._failed or self.ended)
                    )
                except TallylightError as error:
                    missing = error
            elif isinstance(event, ConsentWithdrawn):
                self.tracks.withdraw(event.party, work)
            elif isinstance(event, ReceiptClosed):
                self.tracks.replace(event.replaces, work)
        if abandoned:
            self.tracks.abandon(work)
        self._write(work)
        if missing is not None:
            self.fail("a key is missing", missing)
        if self.on_change is not None:
            self.on_change()

    def _write(self, work: Work) -> None:
        if self._unwritten or self._retrying:
            self._unwritten.append(work)
        else:
            self._submit(work)

    def _submit(self, work: Work) -> None:
        self._in_flight += 1
        timer = self._clock.call_later(PENDING_MS / 1000, lambda: self._late(work)) if work.openings else None

        unit = work.unit(self._services.chronicle)

        def in_order(transaction: Transaction) -> None:
            if self._torn:
                raise EarlierUnwritten(
                    "An earlier event of this conversation is not written yet: this one waits for it."
                )
            try:
                unit(transaction)
            except BaseException:
                self._torn = True
                raise

        def committed(future: "Future[None]") -> None:
            # On the writer thread, before it takes the next batch: nothing overtakes what was not written.
            if future.exception() is not None:
                self._torn = True
            self._services.post(lambda: self._written(work, future, timer))

        self._services.writer.submit(in_order).add_done_callback(committed)

    def _written(self, work: Work, future: "Future[None]", timer: Timer | None) -> None:
        self._in_flight -= 1
        self._retrying = False
        if timer is not None:
            timer.cancel()
        error = future.exception()
        if error is not None:
            self.tracks.miss(work.openings)
            self.tracks.refused(work)
            self._unwritten.append(work)
            self._say_missed(work.openings)
            self.fail("the database does not take events", error)
        else:
            self._say_missed(self.tracks.committed(self.state, work, may_open=not (self._failed or self.ended)))
            if self.on_change is not None:
                self.on_change()
        if self._unwritten:
            self._offer_again()
        elif not self._in_flight:
            waiting, self._when_written = self._when_written, []
            for done in waiting:
                done()

    def _late(self, work: Work) -> None:
        """A second went by without the commit: what was held is dropped, and that is said."""
        self._say_missed(self.tracks.miss(work.openings))

    def _say_missed(self, openings: Sequence[Opening]) -> None:
        """Nothing of what was said at these gates until now will pass, as far as that was not said before."""
        offset_ms = self.offset_ms()
        since: dict[PartyId, int] = {}
        for opening in openings:
            if opening.missed_ms is not None and opening.missed_ms < offset_ms:
                since[opening.party] = min(since.get(opening.party, offset_ms), opening.missed_ms)
                opening.missed_ms = offset_ms
        if since:
            missed: list[Event] = [
                OpeningMissed(party=party, from_ms=from_ms, until_ms=offset_ms, offset_ms=offset_ms)
                for party, from_ms in since.items()
            ]
            self._take(missed, actor=ENGINE)

    def _offer_again(self) -> None:
        if self._retry is None and not self._in_flight:
            self._retry = self._clock.call_later(RETRY_S, self._retry_now)

    def _retry_now(self) -> None:
        """Everything the database refused, as one unit in the order in which it happened."""
        self._retry = None
        works, self._unwritten = sorted(self._unwritten, key=lambda work: work.number), []
        if not works:
            return
        again = Work(number=works[0].number, conversation=self.conversation, actor=ENGINE, events=[], identities={})
        for work in works:
            again.absorb_refused(work)
        self._retrying = True
        self._torn = False
        self._submit(again)
