"""The tracks of one conversation: opened, moved with the lamps, flushed each second, closed, erased. Media loop only."""

from collections.abc import Callable, Collection, Sequence

from tallylight.capture.recorder import (
    HOLD_BACK_MS,
    OwnVoice,
    PartyCapture,
    TrackRecorder,
    next_record_s,
)
from tallylight.clock import Timer
from tallylight.conversation.events import LampsChanged, TrackErased, TrackOpened
from tallylight.conversation.state import ConversationState
from tallylight.ids import EpochId, PartyId, TrackId, new_id
from tallylight.law.vocabulary import Purpose, Role
from tallylight.live.services import LiveServices
from tallylight.live.work import Opening, Work
from tallylight.policy.decision import Lamp
from tallylight.policy.retention import deadline_ms
from tallylight.policy.settings import Settings
from tallylight.vault.frame import SOURCE_OURS, SOURCE_PARTY

PENDING_MS = 1000
"""How long media may wait in memory for the commit that opens its gate."""

FOREVER_MS = 1 << 40


class Tracks:
    """Every party's talk track, the proof-of-consent clips, and our own voice."""

    def __init__(self, services: LiveServices, *, settings: Settings, offset_ms: Callable[[], int]) -> None:
        self._services = services
        self._settings = settings
        self._offset_ms = offset_ms
        self._captures: dict[PartyId, PartyCapture] = {}
        self._talk: dict[PartyId, TrackRecorder] = {}
        self._proof: dict[PartyId, TrackRecorder] = {}
        self._all: list[TrackRecorder] = []
        """Every track that was opened and not erased: what is to be sealed."""
        self.own_voice = OwnVoice()
        """Where our announcements go as they are sent."""
        self._flush_timer: Timer | None = self._next_flush()

    def capture(self, party: PartyId) -> PartyCapture:
        """Where a leg hands this party's voice."""
        return self._captures.setdefault(party, PartyCapture())

    def is_open(self, party: PartyId) -> bool:
        """Whether the party's talk gate admits what is spoken now."""
        return party in self._talk and self._talk[party].gate.is_open

    def talked_ms(self) -> dict[PartyId, int]:
        """Speech of each person so far, stored or not."""
        return {party: capture.talked_ms for party, capture in self._captures.items()}

    def stored_ms(self, party: PartyId) -> int:
        """Durable media time of the party's talk track so far."""
        recorder = self._talk.get(party)
        return self._services.log.acknowledged(recorder.track, recorder.own_source) if recorder is not None else 0

    def durable_ms(self) -> dict[TrackId, int]:
        """Durable media of every track so far."""
        log = self._services.log
        return {recorder.track: log.acknowledged(recorder.track, recorder.own_source) for recorder in self._all}

    def expected_ms(self) -> dict[TrackId, int]:
        """Admitted media time of every track that is to be sealed."""
        return {recorder.track: recorder.admitted_ms for recorder in self._all}

    # -- gates ------------------------------------------------------------------------------------------------------

    def move_gates(
        self, state: ConversationState, changed: LampsChanged, work: Work, *, given: frozenset[PartyId], may_open: bool
    ) -> None:
        """Shut what the decision shuts, now; ask for what it opens, in `work`. Raises VaultError where a key is missing."""
        rulings = changed.decision.rulings
        for ruling in rulings:
            if ruling.lamp is not Lamp.RECORDING:
                self._close(ruling.party, changed.offset_ms)
        if not may_open:
            return
        for ruling in rulings:
            if ruling.lamp is Lamp.RECORDING:
                self._open(state, ruling.party, changed, work)
                if ruling.party in given and ruling.party not in self._proof:
                    self._open_proof(ruling.party, changed, work)

    def _open(self, state: ConversationState, party: PartyId, changed: LampsChanged, work: Work) -> None:
        recorder = self._talk.get(party)
        if recorder is None:
            system = state.parties[party].role is Role.SYSTEM
            recorder = self._new_track(
                party, self._settings.purpose, changed, work, own_source=SOURCE_OURS if system else SOURCE_PARTY
            )
            self._talk[party] = recorder
            if system:
                self.own_voice.add(recorder)
            else:
                self.capture(party).add(recorder)
        if recorder.gate.is_dark:
            recorder.request(changed.decision_id, changed.offset_ms)
        work.openings.append(Opening(party, recorder, changed.decision_id))

    def _open_proof(self, party: PartyId, changed: LampsChanged, work: Work) -> None:
        recorder = self._new_track(party, Purpose.PROOF_OF_CONSENT, changed, work, own_source=SOURCE_PARTY)
        self._proof[party] = recorder
        self.capture(party).add(recorder)
        self.own_voice.add(recorder)
        recorder.request(changed.decision_id, changed.offset_ms)
        work.openings.append(Opening(party, recorder, changed.decision_id))

    def _new_track(
        self, party: PartyId, purpose: Purpose, changed: LampsChanged, work: Work, *, own_source: int
    ) -> TrackRecorder:
        now_ms = self._services.clock.wall_ms()
        track, epoch_id = TrackId(new_id(now_ms)), EpochId(new_id(now_ms))
        epoch = self._services.keyring.new_epoch(project=self._settings.project, track=track, epoch=epoch_id)
        recorder = TrackRecorder(track, epoch, self._services.log, own_source=own_source)
        self._all.append(recorder)
        work.opened.append(recorder)
        work.events.append(
            TrackOpened(
                track=track,
                party=party,
                purpose=purpose,
                epoch=epoch_id,
                deadline_ms=deadline_ms(self._settings, purpose, now_ms),
                offset_ms=changed.offset_ms,
            )
        )
        return recorder

    def _close(self, party: PartyId, at_ms: int) -> None:
        recorder = self._talk.get(party)
        if recorder is not None:
            recorder.close(at_ms)
        self.end_proof(party, at_ms)

    def end_proof(self, party: PartyId, at_ms: int) -> None:
        """The few seconds after a yes are over."""
        recorder = self._proof.get(party)
        if recorder is not None:
            if not recorder.gate.is_dark:
                self.capture(party).pull()
                recorder.close(at_ms)
            self.own_voice.remove(recorder)
            self.capture(party).remove(recorder)

    def close_all(self, at_ms: int) -> None:
        """The end: shut every gate, hand over what passed, count the last speech."""
        if self._flush_timer is not None:
            self._flush_timer.cancel()
            self._flush_timer = None
        for capture in self._captures.values():
            capture.pull()
        for recorder in self._all:
            recorder.close(at_ms)
            recorder.flush(FOREVER_MS)
        for capture in self._captures.values():
            capture.finish()

    def fail(self, at_ms: int) -> None:
        """Recording stops for good: shut everything and keep what was admitted before."""
        for recorder in self._all:
            recorder.close(at_ms)
            recorder.flush(FOREVER_MS)

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
            and opening.recorder in (self._talk.get(opening.party), self._proof.get(opening.party))
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
        for recorder in work.opened:
            recorder.close(0)
            recorder.forget()
            self._drop(recorder)
            self._services.keyring.forget(recorder.epoch.id)

    # -- erasing ----------------------------------------------------------------------------------------------------

    def erase(self, party: PartyId, why: str, work: Work, *, talk_only: bool) -> None:
        """Forget a party's track now and destroy its key in `work`; the proof of consent survives with `talk_only`."""
        doomed = [self._talk.get(party), None if talk_only else self._proof.get(party)]
        for recorder in doomed:
            if recorder is not None:
                recorder.close(0)
                recorder.forget()
                self._drop(recorder)
                work.erased.append(recorder)
                work.events.append(TrackErased(track=recorder.track, why=why, offset_ms=self._offset_ms()))

    def forget(self, tracks: Collection[TrackId]) -> None:
        """An erasure that somebody else writes down: shut these tracks for good and forget their keys and sound."""
        for recorder in tuple(self._all):
            if recorder.track in tracks:
                recorder.close(0)
                recorder.forget()
                self._drop(recorder)
                self._services.keyring.forget(recorder.epoch.id)
                self._services.log.release(recorder.track)

    def _drop(self, recorder: TrackRecorder) -> None:
        for tracks in (self._talk, self._proof):
            for party, kept in tuple(tracks.items()):
                if kept is recorder:
                    del tracks[party]
                    self.capture(party).remove(recorder)
        self.own_voice.remove(recorder)
        self._all = [kept for kept in self._all if kept is not recorder]

    def _flush_each_second(self) -> None:
        until_ms = self._offset_ms() - HOLD_BACK_MS
        for capture in self._captures.values():
            capture.pull()
        for recorder in self._all:
            recorder.flush(until_ms)
        self._flush_timer = self._next_flush()

    def _next_flush(self) -> Timer:
        clock = self._services.clock
        return clock.call_later(next_record_s(clock.monotonic_ns()), self._flush_each_second)
