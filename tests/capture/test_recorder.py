"""What passes a gate is cut to the millisecond, however long the pieces are in which media comes."""

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from tallylight.capture.recorder import BYTES_PER_MS, PartyCapture, TrackRecorder
from tallylight.ids import DecisionId, EpochId, TrackId, new_id
from tallylight.vault.frame import Frame
from tallylight.vault.keys import Epoch, KeyRing, MemoryKeyWrapper

YES, AGAIN = DecisionId(new_id(1)), DecisionId(new_id(2))
FOREVER_MS = 1 << 40


class Written:
    """A ChunkSink that remembers."""

    def __init__(self) -> None:
        self.records: list[list[Frame]] = []

    def write(self, epoch: Epoch, frames: Sequence[Frame]) -> None:
        self.records.append(list(frames))

    def decisions(self) -> dict[int, DecisionId]:
        """By media ms; what is stored there is that ms's own sound."""
        found: dict[int, DecisionId] = {}
        for frame in (frame for record in self.records for frame in record):
            assert len(frame.payload) == frame.duration_ms * BYTES_PER_MS
            for offset in range(frame.duration_ms):
                at_ms = frame.start_ms + offset
                assert frame.payload[offset * BYTES_PER_MS : (offset + 1) * BYTES_PER_MS] == voice(at_ms, 1)
                assert at_ms not in found
                found[at_ms] = frame.decision
        return found


def voice(start_ms: int, duration_ms: int) -> bytes:
    """Sound that tells at which ms it was spoken."""
    return b"".join(bytes([at % 251]) * BYTES_PER_MS for at in range(start_ms, start_ms + duration_ms))


def recorder(written: Written) -> TrackRecorder:
    ring = KeyRing(MemoryKeyWrapper())
    ring.new_project_key("p", new_id(0))
    track = TrackId(new_id(0))
    return TrackRecorder(track, ring.new_epoch(project="p", track=track, epoch=EpochId(new_id(0))), written)


def speak(made: TrackRecorder, start_ms: int, duration_ms: int) -> None:
    made.accept(start_ms, duration_ms, 0, voice(start_ms, duration_ms))


def test_a_piece_across_the_opening_is_kept_from_the_opening_on() -> None:
    made = recorder(written := Written())
    made.commit(YES, 130)
    speak(made, 0, 200)
    made.flush(FOREVER_MS)
    assert written.decisions() == dict.fromkeys(range(130, 200), YES)


def test_a_piece_that_comes_after_the_closing_is_kept_up_to_the_closing() -> None:
    made = recorder(written := Written())
    made.commit(YES, 0)
    made.close(130)
    speak(made, 0, 200)
    made.flush(FOREVER_MS)
    assert written.decisions() == dict.fromkeys(range(130), YES)


def test_a_piece_that_came_before_the_closing_is_cut_there() -> None:
    made = recorder(written := Written())
    made.commit(YES, 0)
    speak(made, 0, 200)
    made.close(130)
    made.flush(FOREVER_MS)
    assert written.decisions() == dict.fromkeys(range(130), YES)


def test_what_waits_for_a_commit_is_kept_from_the_instant_the_commit_names() -> None:
    made = recorder(written := Written())
    made.request(YES, 50)
    speak(made, 0, 200)
    made.flush(FOREVER_MS)
    assert written.records == []
    made.commit(YES, 60)
    made.flush(FOREVER_MS)
    assert written.decisions() == dict.fromkeys(range(60, 200), YES)


def test_a_change_of_decision_divides_a_piece() -> None:
    made = recorder(written := Written())
    made.commit(YES, 0)
    made.commit(AGAIN, 90)
    speak(made, 0, 200)
    made.flush(FOREVER_MS)
    assert written.decisions() == dict.fromkeys(range(90), YES) | dict.fromkeys(range(90, 200), AGAIN)


def test_a_record_ends_where_it_is_told_to() -> None:
    made = recorder(written := Written())
    made.commit(YES, 0)
    speak(made, 0, 200)
    made.flush(130)
    assert [(frame.start_ms, frame.duration_ms) for frame in written.records[0]] == [(0, 130)]
    made.flush(FOREVER_MS)
    assert [(frame.start_ms, frame.duration_ms) for frame in written.records[1]] == [(130, 70)]
    assert made.admitted_ms == 200


def test_a_capture_hands_every_track_the_same_voice_and_counts_it_once() -> None:
    capture = PartyCapture()
    made = [recorder(Written()), recorder(Written())]
    for each in made:
        each.commit(YES, 0)
        capture.add(each)
    capture.accept(0, 20, 0, voice(0, 20))
    capture.remove(made[1])
    capture.accept(20, 20, 0, voice(20, 20))
    for each in made:
        each.flush(FOREVER_MS)
    assert [each.admitted_ms for each in made] == [40, 20]
    assert capture.talked_ms == 0


@given(
    st.lists(st.integers(1, 200), min_size=1, max_size=12),
    st.integers(0, 1_000),
    st.integers(0, 1_000),
    st.lists(st.integers(0, 1_500), max_size=4),
)
def test_the_pieces_make_no_difference(sizes: list[int], opened_ms: int, closed_ms: int, flushes: list[int]) -> None:
    """Nothing outside of the gate's span is written, everything inside is, once, whatever came in one piece."""
    made = recorder(written := Written())
    made.commit(YES, opened_ms)
    at_ms = 0
    closed = False
    for index, size in enumerate(sizes):
        if at_ms >= closed_ms and not closed:
            made.close(closed_ms)
            closed = True
        speak(made, at_ms, size)
        at_ms += size
        if index < len(flushes):
            made.flush(min(flushes[index], at_ms, closed_ms))
    made.close(closed_ms)
    made.flush(FOREVER_MS)
    assert set(written.decisions()) == set(range(opened_ms, min(closed_ms, at_ms)))
