"""The tracks of one conversation: opened, moved with the lamps, flushed each second, closed, erased. Media loop only."""

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass

from tallylight.capture.recorder import (
    HOLD_BACK_MS,
    OwnVoice,
    PartyCapture,
    TrackRecorder,
    next_record_s,
)
from tallylight.clock import Timer
from tallylight.conversation.events import LampsChanged, TermMoved, TrackErased, TrackKept, TrackOpened
from tallylight.conversation.state import ConversationState
from tallylight.ids import EpochId, PartyId, TrackId, new_id
from tallylight.law.vocabulary import LawfulBasis, Purpose, Role
from tallylight.live.services import LiveServices
from tallylight.live.work import Opening, Work
from tallylight.policy.decision import Lamp
from tallylight.policy.retention import Bounds, bounds_of, deadline_ms, floor_ms
from tallylight.policy.settings import Settings
from tallylight.vault.frame import SOURCE_OURS, SOURCE_PARTY

PENDING_MS = 1000
"""How long media may wait in memory for the commit that opens its gate."""

FOREVER_MS = 1 << 40

PROOF_AT_MOST_S = 15.0
"""The longest a proof-of-consent clip runs, whatever becomes of our acknowledgement."""


@dataclass(slots=True)
class _Track:
    """A track that was opened and not erased."""

    party: PartyId
    recorder: TrackRecorder
    purpose: Purpose
    receipt: int | None
    """The voice receipt it belongs to."""
    ours: bool
    """Our own announcements."""
    from_ms: int
    """When it was opened: ms UTC."""
    bounds: Bounds
    """The strictest that any decision it was recorded under has set."""
    is_over: bool = False
    """It was to be erased and is kept by law: nothing more goes there."""
    timer: Timer | None = None
    """Ends a proof of consent."""

    @property
    def floor_ms(self) -> int | None:
        return floor_ms(self.from_ms, self.bounds)

    @property
    def is_proof(self) -> bool:
        return self.purpose is Purpose.PROOF_OF_CONSENT


class Tracks:
    """Every party's talk track, the proof-of-consent clips, and our own voice."""

    def __init__(self, services: LiveServices, *, settings: Settings, offset_ms: Callable[[], int]) -> None:
        self._services = services
        self._settings = settings
        self._offset_ms = offset_ms
        self._captures: dict[PartyId, PartyCapture] = {}
        self._tracks: list[_Track] = []
        """What is to be sealed, in the order of opening."""
        self._receipt: int | None = None
        """The voice receipt that is open: what is said goes there."""
        self._unproven: set[PartyId] = set()
        """Who has said yes on the line and not been recorded since: the clip that proves it opens with their gate."""
        self.own_voice = OwnVoice()
        """Where our announcements go as they are sent."""
        self._flush_timer: Timer | None = self._next_flush()

    def capture(self, party: PartyId) -> PartyCapture:
        """Where a leg hands this party's voice."""
        return self._captures.setdefault(party, PartyCapture())

    def is_open(self, party: PartyId) -> bool:
        """Whether the party's talk gate admits what is spoken now."""
        talk = self._talk(party)
        return talk is not None and talk.recorder.gate.is_open

    def talked_ms(self) -> dict[PartyId, int]:
        """Speech of each person so far, stored or not."""
        return {party: capture.talked_ms for party, capture in self._captures.items()}

    def stored_ms(self, party: PartyId) -> int:
        """Durable media time of the party's talk track so far."""
        log = self._services.log
        return sum(
            log.acknowledged(track.recorder.track, track.recorder.own_source)
            for track in self._of(party)
            if not track.is_proof
        )

    def durable_ms(self) -> dict[TrackId, int]:
        """Durable media of every track so far."""
        log = self._services.log
        return {
            track.recorder.track: log.acknowledged(track.recorder.track, track.recorder.own_source)
            for track in self._tracks
        }

    def expected_ms(self) -> dict[TrackId, int]:
        """Admitted media time of every track that is to be sealed."""
        return {track.recorder.track: track.recorder.admitted_ms for track in self._tracks}

    def _of(self, party: PartyId) -> Iterator[_Track]:
        return (track for track in self._tracks if track.party == party)

    def _talk(self, party: PartyId) -> _Track | None:
        """Where what the party says now belongs: the open voice receipt, or else the talk."""
        return next((track for track in self._of(party) if not track.is_proof and self._is_now(track)), None)

    def _is_now(self, track: _Track) -> bool:
        """Our own announcements are one track, receipts or not."""
        return not track.is_over and (track.ours or track.receipt == self._receipt)

    def _proof(self, party: PartyId) -> _Track | None:
        """The latest proof of consent."""
        return next((track for track in reversed(self._tracks) if track.party == party and track.is_proof), None)

    # -- gates ------------------------------------------------------------------------------------------------------

    def move_gates(self, state: ConversationState, changed: LampsChanged, work: Work, *, may_open: bool) -> None:
        """Shut what the decision shuts, now; ask for what it opens, in `work`. Raises VaultError where a key is missing."""
        rulings = changed.decision.rulings
        receipt = None if state.receipt is None else state.receipt.number
        if receipt != self._receipt:
            for track in self._tracks:
                if self._is_now(track) and not track.ours and not track.is_proof:
                    track.recorder.close(changed.offset_ms)
            self._receipt = receipt
        for ruling in rulings:
            if ruling.lamp is not Lamp.RECORDING:
                self._close(ruling.party, changed.offset_ms)
        if not may_open:
            return
        for ruling in rulings:
            if ruling.lamp is Lamp.RECORDING:
                self._open(state, ruling.party, changed, work)
                if ruling.party in self._unproven:
                    self._unproven.discard(ruling.party)
                    self._open_proof(ruling.party, changed, work)

    def _open(self, state: ConversationState, party: PartyId, changed: LampsChanged, work: Work) -> None:
        talk = self._talk(party)
        if talk is None:
            ours = state.parties[party].role is Role.SYSTEM
            receipt = None if ours else self._receipt
            purpose = self._settings.purpose_with(receipt)
            talk = self._new_track(party, purpose, changed, work, receipt=receipt, ours=ours)
            if ours:
                self.own_voice.add(talk.recorder)
            else:
                self.capture(party).add(talk.recorder)
        else:
            self._move_terms(party, changed, work)
        self._request(talk, changed, work)

    def _move_terms(self, party: PartyId, changed: LampsChanged, work: Work) -> None:
        """What goes on is kept by the strictest bounds so far: whoever joins may bring another law with them."""
        bounds = bounds_of(changed.decision)
        for track in self._of(party):
            if self._is_now(track) and track.bounds | bounds != track.bounds:
                before = self._deadline_ms(track), track.floor_ms
                track.bounds |= bounds
                deadline, floor = self._deadline_ms(track), track.floor_ms
                if (deadline, floor) != before:
                    work.events.append(
                        TermMoved(
                            track=track.recorder.track,
                            deadline_ms=deadline,
                            floor_ms=floor,
                            offset_ms=changed.offset_ms,
                        )
                    )

    def _deadline_ms(self, track: _Track) -> int:
        proves = self._settings.purpose_with(track.receipt)
        return deadline_ms(self._settings, track.purpose, track.from_ms, track.bounds, proves=proves)

    def given(self, party: PartyId) -> None:
        """Somebody said yes on the line: what they say once they are recorded proves it."""
        self._unproven.add(party)

    def denied(self, party: PartyId) -> None:
        """Somebody said no: there is no yes left to prove."""
        self._unproven.discard(party)

    def _open_proof(self, party: PartyId, changed: LampsChanged, work: Work) -> None:
        self.end_proof(party, changed.offset_ms)
        proof = self._new_track(party, Purpose.PROOF_OF_CONSENT, changed, work, receipt=self._receipt)
        self.capture(party).add(proof.recorder)
        self.own_voice.add(proof.recorder)
        self._request(proof, changed, work)
        self.end_proof_after(party, PROOF_AT_MOST_S)

    def _request(self, track: _Track, changed: LampsChanged, work: Work) -> None:
        if track.recorder.gate.is_dark:
            track.recorder.request(changed.decision_id, changed.offset_ms)
        work.openings.append(Opening(track.party, track.recorder, changed.decision_id))

    def _new_track(
        self,
        party: PartyId,
        purpose: Purpose,
        changed: LampsChanged,
        work: Work,
        *,
        receipt: int | None,
        ours: bool = False,
    ) -> _Track:
        now_ms = self._services.clock.wall_ms()
        track, epoch_id = TrackId(new_id(now_ms)), EpochId(new_id(now_ms))
        epoch = self._services.keyring.new_epoch(project=self._settings.project, track=track, epoch=epoch_id)
        recorder = TrackRecorder(track, epoch, self._services.log, own_source=SOURCE_OURS if ours else SOURCE_PARTY)
        opened = _Track(party, recorder, purpose, receipt, ours, now_ms, bounds_of(changed.decision))
        self._tracks.append(opened)
        work.opened.append(recorder)
        work.events.append(
            TrackOpened(
                track=track,
                party=party,
                purpose=purpose,
                epoch=epoch_id,
                deadline_ms=self._deadline_ms(opened),
                floor_ms=opened.floor_ms,
                receipt=receipt,
                offset_ms=changed.offset_ms,
            )
        )
        return opened

    def _close(self, party: PartyId, at_ms: int) -> None:
        for track in self._of(party):
            if not track.is_proof:
                track.recorder.close(at_ms)
        self.end_proof(party, at_ms)

    def end_proof_after(self, party: PartyId, seconds: float) -> None:
        """The clip that proves a yes, if one is open, goes on for so long from now."""
        proof = self._proof(party)
        if proof is not None and not proof.recorder.gate.is_dark:
            _stop(proof)
            proof.timer = self._services.clock.call_later(seconds, lambda: self.end_proof(party, self._offset_ms()))

    def end_proof(self, party: PartyId, at_ms: int) -> None:
        """The few seconds after a yes are over."""
        proof = self._proof(party)
        if proof is not None:
            recorder = proof.recorder
            if not recorder.gate.is_dark:
                self.capture(party).pull()
                recorder.close(at_ms)
            self.own_voice.remove(recorder)
            self.capture(party).remove(recorder)
            _stop(proof)

    def close_all(self, at_ms: int) -> None:
        """The end: shut every gate, hand over what passed, count the last speech."""
        if self._flush_timer is not None:
            self._flush_timer.cancel()
            self._flush_timer = None
        for capture in self._captures.values():
            capture.pull()
        self.fail(at_ms)
        for capture in self._captures.values():
            capture.finish()

    def fail(self, at_ms: int) -> None:
        """Recording stops: shut everything for good and keep what was admitted before."""
        for track in self._tracks:
            track.recorder.close(at_ms)
            track.recorder.flush(FOREVER_MS)
            _stop(track)

    # -- commits ----------------------------------------------------------------------------------------------------

    def committed(self, state: ConversationState, work: Work, *, may_open: bool) -> list[Opening]:
        """The unit is durable: open what still should be open, forget the keys it destroyed. Returns what was missed."""
        now_ms = self._offset_ms()
        for opening in work.openings if may_open else ():
            recorder, gate = opening.recorder, opening.recorder.gate
            if gate.pending is not None and gate.pending.decision == opening.decision:
                recorder.commit(opening.decision, gate.pending.from_ms)
            elif gate.is_open or (opening.missed_ms is not None and gate.is_dark and self._should_burn(state, opening)):
                recorder.commit(opening.decision, now_ms)
        for recorder in work.erased:
            self._services.keyring.forget(recorder.epoch.id)
            self._services.log.release(recorder.track)
        return [opening for opening in work.openings if opening.missed_ms is not None]

    def _should_burn(self, state: ConversationState, opening: Opening) -> bool:
        decision = state.decision
        return (
            decision is not None
            and decision.lamp(opening.party) is Lamp.RECORDING
            and any(
                track is not None and track.recorder is opening.recorder
                for track in (self._talk(opening.party), self._proof(opening.party))
            )
        )

    def miss(self, openings: Sequence[Opening]) -> list[Opening]:
        """No commit within a second, or none at all: drop what was held since `missed_ms`. Returns what waited."""
        missed: list[Opening] = []
        for opening in openings:
            pending = opening.recorder.gate.pending
            if pending is not None and pending.decision == opening.decision:
                opening.recorder.miss()
                opening.missed_ms = pending.from_ms
                missed.append(opening)
        return missed

    def refused(self, work: Work) -> None:
        """The unit was refused: what it opened never existed."""
        for track in tuple(self._tracks):
            if track.recorder in work.opened:
                self._drop(track)
                self._services.keyring.forget(track.recorder.epoch.id)

    # -- erasing ----------------------------------------------------------------------------------------------------

    def withdraw(self, party: PartyId, work: Work) -> None:
        """A yes was taken back: what rested on it is forgotten now, its keys go with `work`. The proof of it stays.

        So does what a law has kept: it is only shut.
        """
        for track in tuple(self._of(party)):
            by_consent = track.receipt is None or self._settings.receipt_basis is LawfulBasis.CONSENT
            if by_consent and not track.is_proof:
                self._erase(track, "withdrawn", work)

    def replace(self, receipts: Collection[int], work: Work) -> None:
        """A later voice receipt took the place of these, as far as they hold anybody's voice and no law has them kept."""
        for track in tuple(self._tracks):
            if track.receipt in receipts and not track.is_proof:
                self._erase(track, "replaced", work)

    def abandon(self, work: Work) -> None:
        """The caller left before the question was settled: everything goes but what a law has kept of people."""
        for track in tuple(self._tracks):
            self._erase(track, "abandoned", work)

    def _erase(self, track: _Track, why: str, work: Work) -> None:
        floor = track.floor_ms
        if floor is not None and floor > self._services.clock.wall_ms() and not track.ours:
            self._keep(track, floor, why, work)
            return
        self._drop(track)
        work.erased.append(track.recorder)
        work.events.append(TrackErased(track=track.recorder.track, why=why, offset_ms=self._offset_ms()))

    def _keep(self, track: _Track, floor: int, why: str, work: Work) -> None:
        """A law has it kept, whoever wants it gone (Art. 17(3)(b) GDPR): it is shut for good."""
        if not track.is_over:
            track.is_over = True
            at_ms = self._offset_ms()
            track.recorder.close(at_ms)
            work.events.append(TrackKept(track=track.recorder.track, why=why, floor_ms=floor, offset_ms=at_ms))

    def forget(self, tracks: Collection[TrackId]) -> None:
        """An erasure that somebody else writes down: shut these tracks for good and forget their keys and sound."""
        for track in tuple(self._tracks):
            recorder = track.recorder
            if recorder.track in tracks:
                self._drop(track)
                self._services.keyring.forget(recorder.epoch.id)
                self._services.log.release(recorder.track)

    def _drop(self, track: _Track) -> None:
        recorder = track.recorder
        _stop(track)
        recorder.close(0)
        recorder.forget()
        self.capture(track.party).remove(recorder)
        self.own_voice.remove(recorder)
        self._tracks.remove(track)

    def _flush_each_second(self) -> None:
        until_ms = self._offset_ms() - HOLD_BACK_MS
        for capture in self._captures.values():
            capture.pull()
        for track in self._tracks:
            track.recorder.flush(until_ms)
        self._flush_timer = self._next_flush()

    def _next_flush(self) -> Timer:
        clock = self._services.clock
        return clock.call_later(next_record_s(clock.monotonic_ns()), self._flush_each_second)


def _stop(track: _Track) -> None:
    """No timer runs for this track any more."""
    if track.timer is not None:
        track.timer.cancel()
        track.timer = None
