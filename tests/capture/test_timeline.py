"""Packets on the conversation's clock, by RTP timestamp."""

import random
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallylight.capture.timeline import BOUND_MS, SETTLED_MS, STALL_MS, Timeline

SSRC = 7
WRAP = 1 << 32
word = st.integers(0, WRAP - 1)


@given(word, st.integers(0, 10_000))
def test_the_first_packet_lies_where_it_arrived(timestamp: int, arrival: int) -> None:
    assert Timeline().place(timestamp, arrival, SSRC) == arrival


@given(word, st.lists(st.integers(0, 200), min_size=1, max_size=60))
def test_timestamps_place_not_arrivals(base: int, jitter: list[int]) -> None:
    """Whatever the jitter, wrap included, each packet lies 20 ms after the one before, but for corrections of 1 ms.

    One correction may be larger: the first, for a first packet that came late."""
    line = Timeline()
    starts = [line.place((base + 160 * n) % WRAP, 1_000 + 20 * n + late, SSRC) for n, late in enumerate(jitter)]
    corrections = [after - before - 20 for before, after in pairwise(starts)]
    large = [(number, by) for number, by in enumerate(corrections) if abs(by) > 1]
    assert all(number < 8 and -STALL_MS <= by < 0 for number, by in large)
    assert len(large) <= 1
    at_once = sum(by for _, by in large)
    assert abs(starts[-1] - starts[0] - 20 * (len(starts) - 1) - at_once) <= 1 + 20 * len(starts) // 250


@given(word, st.lists(st.sampled_from([10, 20, 30, 60]), min_size=5, max_size=100), st.randoms(use_true_random=False))
def test_reordering_and_loss_move_nothing(base: int, durations: list[int], chance: random.Random) -> None:
    """Any packets of a stream, in any order within 100 ms, lie where all of them in order would lie."""
    sent, position = [], 0
    for duration in durations:
        sent.append(position)
        position += duration
    kept = [start for start in sent if start == 0 or chance.random() > 0.2]
    arrivals = sorted((start + (chance.randrange(100) if start else 0), start) for start in kept)
    line = Timeline()
    for arrival, start in arrivals:
        assert abs(line.place((base + 8 * start) % WRAP, 5_000 + arrival, SSRC) - 5_000 - start) <= 1 + position // 250


def test_silence_keeps_its_length() -> None:
    line = Timeline()
    line.place(0, 100, SSRC)
    assert line.place(8 * 60_000, 60_100, SSRC) == 60_100


def test_another_source_is_anchored_behind_what_is_there() -> None:
    line = Timeline()
    line.place(0, 100, SSRC)
    assert line.place(99, 115, SSRC + 1, 120) == 120
    assert line.place(99 + 160, 135, SSRC + 1, 140) == 140
    assert line.anchors == 2


def test_two_sources_at_once_do_not_push_time_ahead() -> None:
    line = Timeline()
    end = 0
    for n in range(500):
        for ssrc in (1, 2):
            start = line.place(n * 160, n * 20, ssrc, end)
            assert start <= n * 20 + 100
            end = max(end, start + 20)


@pytest.mark.parametrize("jump", [8 * 20_000, -8 * 20_000, 1 << 31, 123_456_789])
def test_a_jump_of_timestamps_is_followed_by_arrival(jump: int) -> None:
    line = Timeline()
    for n in range(50):
        line.place(n * 160, n * 20, SSRC)
    for n in range(50, 100):
        assert abs(line.place((n * 160 + jump) % WRAP, n * 20, SSRC, n * 20) - n * 20) <= 1
    assert line.anchors == 2


def test_one_wild_timestamp_moves_nothing() -> None:
    line = Timeline()
    for n in range(200):
        if n == 100:
            assert line.place(n * 160 + 99_999_999, n * 20, SSRC, n * 20) == n * 20
        else:
            assert line.place(n * 160, n * 20, SSRC, n * 20) == n * 20
    assert line.anchors == 1


def test_wild_timestamps_apart_are_not_a_jump() -> None:
    line = Timeline()
    chance = random.Random(1)
    for n in range(500):
        if n % 5 == 4:
            line.place(chance.randrange(WRAP), n * 20, SSRC)
        else:
            assert line.place(n * 160, n * 20, SSRC) == n * 20


def test_another_clock_under_the_same_source_never_takes_over_nor_pushes_time_ahead() -> None:
    line, end = Timeline(), 0
    for n in range(500):
        start = line.place(n * 160, n * 20, SSRC, end)
        assert start == n * 20
        end = max(end, start + 20)
        for other in (1 << 29, 1 << 30):
            start = line.place(n * 160 + other, n * 20, SSRC, end)
            assert start <= n * 20 + 100
            end = max(end, start + 20)
    assert line.anchors == 1


def test_packets_held_up_and_sent_twice_as_fast_lie_where_they_were_spoken() -> None:
    line = Timeline()
    for n in range(10):
        line.place(n * 160, n * 20, SSRC)
    for n in range(10, 140):
        assert line.place(n * 160, 1_700 + 10 * (n - 10), SSRC) == n * 20
    assert line.anchors == 1


def test_a_correction_does_not_tear_packets_that_changed_places() -> None:
    line = Timeline()
    line.place(0, 90, SSRC)
    for n in range(1, 1_000, 2):
        later = line.place((n + 1) * 160, max(20 * n + 25, 90), SSRC)
        assert line.place(n * 160, max(20 * n + 25, 90), SSRC) == later - 20
    assert line.slewed_ms < -60


@given(st.integers(BOUND_MS, 9_000))
def test_packets_held_up_together_lie_where_they_were_spoken(stall: int) -> None:
    line = Timeline()
    for n in range(10):
        line.place(n * 160, n * 20, SSRC)
    held = stall // 20
    for n in range(10, 10 + held):
        assert line.place(n * 160, 200 + stall, SSRC) == n * 20
    for n in range(10 + held, 40 + held):
        assert abs(line.place(n * 160, n * 20, SSRC) - n * 20) <= 3
    assert line.anchors == 1


def test_a_clock_that_stood_still_is_anchored_anew_within_a_quarter_second() -> None:
    line = Timeline()
    for n in range(10):
        line.place(n * 160, n * 20, SSRC)
    starts = [line.place(n * 160, n * 20 + 3_000, SSRC, n * 20 + 2_900) for n in range(10, 40)]
    assert starts[:5] == [n * 20 for n in range(10, 15)]
    assert starts[12:] == [n * 20 + 3_000 for n in range(22, 40)]


def test_after_a_pause_only_a_stream_in_time_goes_on() -> None:
    line = Timeline()
    line.place(0, 0, SSRC)
    line.pause()
    assert line.place(160, 35, SSRC) == 20
    assert line.anchors == 1
    line.pause()
    assert line.place(320, 5_000, SSRC) == 5_000
    assert line.anchors == 2


def test_locating_a_digit_learns_nothing() -> None:
    line = Timeline()
    assert line.locate(5, 40, SSRC) == 40
    line.place(0, 100, SSRC)
    assert line.locate(800, 340, SSRC) == 200
    assert line.locate(800, 340, SSRC + 1) == 340
    assert line.locate(8 * 60_000, 340, SSRC) == 340
    line.pause()
    assert line.locate(800, 340, SSRC) == 200
    assert line.place(160, 120, SSRC) == 120


def _hour(skew_ppm: int, seed: int) -> list[tuple[int, int]]:
    """(placed, true) start of each packet of an hour, heard on a 10 ms tick with up to 60 ms of jitter."""
    line, chance = Timeline(), random.Random(seed)
    base, end, placed = chance.randrange(WRAP), 0, []
    for n in range(180_000):
        spoken = 20 * n * 1_000_000 / (1_000_000 + skew_ppm)
        arrival = -(-int(spoken + 5 + 60 * chance.random() ** 3) // 10) * 10
        start = line.place((base + 160 * n) % WRAP, arrival, SSRC, end)
        assert start >= end - 1, "a correction overlaps by 1 ms at most"
        end = start + 20
        placed.append((start, round(spoken)))
    assert line.anchors == 1
    return placed


def test_for_an_hour_two_skewed_clocks_stay_together() -> None:
    fast, slow = _hour(100, 1), _hour(-100, 2)
    for (start, true), (other, other_true) in zip(fast, slow, strict=True):
        assert abs(start - true) <= 40
        assert abs(other - other_true) <= 40
        assert abs((start - true) - (other - other_true)) <= 40


@pytest.mark.parametrize("skew_ppm", [-200, 200])
def test_twice_that_skew_is_followed_too(skew_ppm: int) -> None:
    assert max(abs(start - true) for start, true in _hour(skew_ppm, 3)) <= 40


def test_a_first_packet_that_came_late_is_put_right() -> None:
    line = Timeline()
    line.place(0, 90, SSRC)
    for n in range(1, 2_500):
        start = line.place(n * 160, max(20 * n, 90), SSRC)
    assert abs(start - 20 * 2_499) <= 3
    assert line.slewed_ms <= -87


@given(
    st.lists(
        st.tuples(word, st.integers(0, 100), st.integers(1, 3)) | st.tuples(st.just(-1), st.just(20), st.just(1)),
        max_size=120,
    )
)
def test_whatever_comes_no_packet_lies_far_ahead_of_its_arrival(stream: list[tuple[int, int, int]]) -> None:
    line, now, timestamp, end = Timeline(), 0, 0, 0
    for jump, wait, ssrc in stream:
        now += wait
        timestamp = (timestamp + 160) % WRAP if jump < 0 else jump
        start = line.place(timestamp, now, ssrc, end)
        assert now - 10_000 <= start <= now + max(BOUND_MS, SETTLED_MS) + 250
        end = max(end, start + 20)


@given(late_ms=st.integers(3, STALL_MS))
def test_a_first_packet_that_was_kept_waiting_is_made_good_within_the_first_tenths_of_a_second(late_ms: int) -> None:
    timeline = Timeline()
    placed = []
    for packet in range(50):
        true_ms = packet * 20
        placed.append(timeline.place(packet * 160, true_ms + (late_ms if packet == 0 else 0), 1) - true_ms)
    assert placed[0] == late_ms
    assert all(abs(error) <= 1 for error in placed[8:])
