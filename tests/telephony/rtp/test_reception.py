"""Sequence numbers: loss, duplicates, reordering, restarts."""

import random

from hypothesis import given
from hypothesis import strategies as st

from tallylight.telephony.rtp.reception import REPEATS, Reception, Verdict


def _take(reception: Reception, sequence: int) -> Verdict | None:
    """As a leg does: the expected packet is counted without judging."""
    if reception.expected and sequence == reception.expected & 0xFFFF:
        reception.expected += 1
        verdict = None
    else:
        verdict = reception.judge(sequence)
    if verdict is not Verdict.DUPLICATE:
        reception.received += 1
    return verdict


@given(st.integers(0, 0xFFFF), st.integers(1, 100), st.randoms(use_true_random=False))
def test_what_the_network_does_is_counted_exactly(first: int, count: int, chance: random.Random) -> None:
    """Lose some, repeat some, swap neighbours: the counts say which, wrap included."""
    lost = {n for n in range(1, count) if chance.random() < 0.1}
    order = [n for n in range(count + 1) if n not in lost]
    for index in range(1, len(order) - 1):
        if chance.random() < 0.1:
            order[index], order[index + 1] = order[index + 1], order[index]
    reception = Reception()
    reception.start(first)
    reception.received += 1
    repeated = swapped = 0
    highest = 0
    for number in order[1:]:
        verdict = _take(reception, (first + number) & 0xFFFF)
        swapped += number < highest
        assert (verdict is Verdict.LATE) == (number < highest)
        highest = max(highest, number)
        if chance.random() < 0.1:
            repeated += 1
            assert _take(reception, (first + number) & 0xFFFF) is Verdict.DUPLICATE
    unseen = {n for n in lost if n < highest}
    assert (reception.lost, reception.duplicates, reception.reordered) == (len(unseen), repeated, swapped)
    assert reception.received == len(order)
    _, in_all, extended = reception.interval()
    assert in_all == len(unseen)
    assert extended == first + highest


def test_the_fraction_lost_is_of_the_last_interval() -> None:
    reception = Reception()
    reception.start(0)
    reception.received += 1
    for sequence in range(1, 100):
        _take(reception, sequence)
    assert reception.interval() == (0, 0, 99)
    for sequence in range(100, 200, 2):
        _take(reception, sequence)
    fraction, lost, highest = reception.interval()
    assert (lost, highest) == (49, 198)
    assert fraction == 49 * 256 // 99


def test_a_far_jump_starts_the_stream_anew() -> None:
    reception = Reception()
    reception.start(100)
    assert _take(reception, 40_000) is Verdict.RESTARTED
    assert reception.lost == 0
    assert _take(reception, 40_001) is None


def test_a_stream_that_starts_a_little_behind_is_not_taken_for_repeats_for_long() -> None:
    reception = Reception()
    reception.start(1_000)
    for sequence in range(1_001, 1_400):
        _take(reception, sequence)
    verdicts = [_take(reception, sequence) for sequence in range(700, 730)]
    assert verdicts[: REPEATS - 1] == [Verdict.DUPLICATE] * (REPEATS - 1)
    assert verdicts[REPEATS - 1] is Verdict.RESTARTED
    assert verdicts[REPEATS:] == [None] * (30 - REPEATS)


def test_loss_long_ago_is_counted_and_forgotten() -> None:
    reception = Reception()
    reception.start(0)
    for sequence in range(2, 6_000, 2):
        _take(reception, sequence)
    assert reception.lost == 2_999
    assert _take(reception, 1) is not Verdict.LATE
