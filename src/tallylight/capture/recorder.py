"""What passed a gate, second by second, handed to the chunk sink.

A `TrackRecorder` serves one track; a `PartyCapture` is what a leg feeds: one person's voice to each of that person's
tracks and to the voice activity detector, which counts speech in memory whether it is stored or not.
"""

from collections.abc import Callable, Sequence
from typing import Protocol

from tallylight.capture.gate import Gate, Span
from tallylight.capture.vad import Vad
from tallylight.ids import DecisionId, TrackId
from tallylight.vault.frame import SOURCE_OURS, SOURCE_PARTY, Frame, FrameKind, MediaType
from tallylight.vault.keys import Epoch

HOLD_BACK_MS = 100
"""Newest media kept out of a record until the next one: a closing is recognised a little after the moment it names,
and what was spoken since must still be in memory then."""

RECORD_MS = 900
"""How often a track's media is made a record. With what is held back, a packet and a late timer, a process that dies
takes less than 1.1 s with it."""

RECORD_STEP_MS = 20
"""Records are made at whole multiples of this, so that the loop wakes once for those of many calls."""

BYTES_PER_MS = 8
"""G.711: 8,000 samples a second, one byte each."""

_MEDIA = {0: MediaType.PCMU, 8: MediaType.PCMA}


Piece = tuple[int, int, int, int, bytes, DecisionId]
"""Media that passed, or waits to pass: start_ms, source, duration_ms, payload type, payload, decision."""


def next_record_s(now_ns: int) -> float:
    """Seconds until the next record is to be made, on the clock's monotonic time."""
    step_ns = RECORD_STEP_MS * 1_000_000
    due_ns = (now_ns + RECORD_MS * 1_000_000) // step_ns * step_ns
    return (due_ns - now_ns) / 1e9


class ChunkSink(Protocol):
    """Where admitted frames go: the vault's live log. Must never block."""

    def write(self, epoch: Epoch, frames: Sequence[Frame]) -> None:
        """Take one record's frames of one track."""


class TrackRecorder:
    """One track's gate and the media that passed it and is not yet in a record. Media loop only."""

    __slots__ = ("_held", "_kept", "_sink", "admitted_ms", "epoch", "gate", "own_source", "track")

    def __init__(self, track: TrackId, epoch: Epoch, sink: ChunkSink, *, own_source: int = SOURCE_PARTY) -> None:
        self.track = track
        self.epoch = epoch
        self.gate = Gate()
        self.own_source = own_source
        self.admitted_ms = 0
        """Media time of the track's own source that was handed to the sink."""
        self._sink = sink
        self._held: list[Piece] = []
        self._kept: list[Piece] = []

    def accept(
        self, start_ms: int, duration_ms: int, payload_type: int, payload: bytes, source: int = SOURCE_PARTY
    ) -> None:
        """Media [start_ms, start_ms + duration_ms) in G.711 arrived: kept, held for a commit, or forgotten here."""
        current = self.gate.current
        if current is not None and start_ms >= current.from_ms:
            self._kept.append((start_ms, source, duration_ms, payload_type, payload, current.decision))
        else:
            self._sift(start_ms, start_ms + duration_ms, payload_type, payload, source)

    def _sift(self, start_ms: int, end_ms: int, payload_type: int, payload: bytes, source: int) -> None:
        """The gate does not simply stand open: each stretch of the media has an answer of its own."""
        gate = self.gate
        begin_ms = start_ms
        for until_ms in (*gate.changes(start_ms, end_ms), end_ms):
            part = payload[(begin_ms - start_ms) * BYTES_PER_MS : (until_ms - start_ms) * BYTES_PER_MS]
            decision = gate.admit(begin_ms, until_ms)
            if decision is not None:
                self._kept.append((begin_ms, source, until_ms - begin_ms, payload_type, part, decision))
            elif gate.pending is not None and begin_ms >= gate.pending.from_ms:
                self._held.append((begin_ms, source, until_ms - begin_ms, payload_type, part, gate.pending.decision))
            begin_ms = until_ms

    def request(self, decision: DecisionId, from_ms: int) -> None:
        """Hold media from `from_ms` on in memory until `commit` or `miss`."""
        self.gate.request(decision, from_ms)

    def commit(self, decision: DecisionId, from_ms: int) -> None:
        """The decision is durable: held media from `from_ms` on is kept, and all that follows."""
        self.gate.commit(decision, from_ms)
        _, held = split(self._held, from_ms)
        self._held = []
        self._kept.extend((*piece[:-1], decision) for piece in held)

    def miss(self) -> Span | None:
        """No commit in time: forget what was held."""
        self._held.clear()
        return self.gate.miss()

    def close(self, at_ms: int) -> None:
        """Shut the gate at media time `at_ms` and forget everything later than that, before anything else happens."""
        self.gate.close(at_ms)
        self._held.clear()
        self._kept, _ = split(self._kept, at_ms)

    def forget(self) -> None:
        """Forget everything not yet in a record: the track is being erased."""
        self._held.clear()
        self._kept.clear()

    def flush(self, until_ms: int) -> None:
        """Hand everything spoken before `until_ms` to the sink as one record."""
        ready, self._kept = split(self._kept, until_ms)
        if ready:
            frames = coalesce(ready)
            self.admitted_ms += sum(frame.duration_ms for frame in frames if frame.source == self.own_source)
            self._sink.write(self.epoch, frames)


def split(pieces: list[Piece], at_ms: int) -> tuple[list[Piece], list[Piece]]:
    """What was spoken before `at_ms`, and from then on."""
    before: list[Piece] = []
    after: list[Piece] = []
    for piece in pieces:
        start_ms, source, duration_ms, kind, payload, decision = piece
        first_ms = at_ms - start_ms
        if first_ms >= duration_ms:
            before.append(piece)
        elif first_ms <= 0:
            after.append(piece)
        else:
            cut = first_ms * BYTES_PER_MS
            before.append((start_ms, source, first_ms, kind, payload[:cut], decision))
            after.append((at_ms, source, duration_ms - first_ms, kind, payload[cut:], decision))
    return before, after


def coalesce(items: list[Piece]) -> list[Frame]:
    """Packets as the fewest frames: sorted by time within a source, repeated media dropped, touching media joined."""
    items.sort(key=lambda item: (item[1], item[0]))
    frames: list[Frame] = []
    parts: list[bytes] = []
    first = items[0]
    start, source, end, payload_type, decision = first[0], first[1], first[0], first[3], first[5]

    def finish() -> None:
        if parts:
            frames.append(
                Frame(
                    start_ms=start,
                    duration_ms=end - start,
                    media=_MEDIA[payload_type],
                    source=source,
                    kind=FrameKind.MEDIA,
                    decision=decision,
                    payload=b"".join(parts),
                )
            )

    for start_ms, of, duration_ms, kind, payload, under in items:
        if parts and of == source and start_ms < end:
            repeated_ms = end - start_ms
            if repeated_ms >= duration_ms:
                continue
            start_ms, duration_ms, payload = end, duration_ms - repeated_ms, payload[repeated_ms * BYTES_PER_MS :]
        if start_ms != end or of != source or kind != payload_type or under != decision:
            finish()
            parts = []
            start, source, payload_type, decision = start_ms, of, kind, under
        parts.append(payload)
        end = start_ms + duration_ms
    finish()
    return frames


class PartyCapture:
    """One person's voice, from the leg to that person's tracks. An `AudioSink`; media loop only."""

    __slots__ = ("_tracks", "_vad", "pull")

    def __init__(self) -> None:
        self._tracks: tuple[TrackRecorder, ...] = ()
        self._vad = Vad()
        self.pull: Callable[[], None] = _nothing
        """Asks the leg for what it has received and not handed on yet."""

    @property
    def talked_ms(self) -> int:
        """Speech so far, stored or not."""
        return self._vad.speech_ms

    def finish(self) -> None:
        """The party is gone: judge what is left of the last second."""
        self._vad.flush()

    def add(self, recorder: TrackRecorder) -> None:
        self._tracks = (*self._tracks, recorder)

    def remove(self, recorder: TrackRecorder) -> None:
        self._tracks = tuple(kept for kept in self._tracks if kept is not recorder)

    def accept(self, start_ms: int, duration_ms: int, payload_type: int, payload: bytes) -> None:
        self._vad.feed(payload_type, payload)
        for recorder in self._tracks:
            recorder.accept(start_ms, duration_ms, payload_type, payload)


def _nothing() -> None:
    """No leg feeds this person's capture yet."""


class OwnVoice:
    """Our own announcements as they are sent, to the system track and to whatever else they stand on. An `AudioSink`."""

    __slots__ = ("_tracks",)

    def __init__(self) -> None:
        self._tracks: tuple[TrackRecorder, ...] = ()

    def add(self, recorder: TrackRecorder) -> None:
        self._tracks = (*self._tracks, recorder)

    def remove(self, recorder: TrackRecorder) -> None:
        self._tracks = tuple(kept for kept in self._tracks if kept is not recorder)

    def accept(self, start_ms: int, duration_ms: int, payload_type: int, payload: bytes) -> None:
        for recorder in self._tracks:
            recorder.accept(start_ms, duration_ms, payload_type, payload, SOURCE_OURS)
