"""Digits as telephone events (RFC 4733)."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallylight.telephony.rtp.digits import KEYS, EventReceiver, EventReport, KeyPress, parse, press, serialise
from tallylight.telephony.rtp.errors import PacketMalformed
from tests.telephony.rtp import fuzz_events

Packet = tuple[bytes, int, bool]
"""Payload, timestamp, marker."""

WRAP = 1 << 32


def _packets(key: str, timestamp: int, duration_ms: int = 160) -> list[Packet]:
    payloads = press(key, duration_ms=duration_ms, ptime_ms=20)
    return [(payload, timestamp % WRAP, index == 0) for index, payload in enumerate(payloads)]


def _keys(packets: list[Packet]) -> list[KeyPress]:
    receiver = EventReceiver()
    found = []
    for payload, timestamp, marker in packets:
        found += receiver.feed(payload, timestamp, marker=marker)
    return found


@given(st.text(KEYS, min_size=1, max_size=12), st.integers(0, WRAP - 1), st.randoms(use_true_random=False))
def test_each_press_is_one_digit_whichever_packets_arrive(keys: str, base: int, chance: random.Random) -> None:
    """Any packets of a press may be lost or doubled, as long as one arrives."""
    packets: list[Packet] = []
    for index, key in enumerate(keys):
        sent = _packets(key, base + index * 2_400)
        kept = sorted(chance.sample(range(len(sent)), chance.randint(1, len(sent))))
        if index and keys[index - 1] == key:
            kept = sorted({0, *kept})  # the same key at once, without its first packet and the end before: see below
        packets += [sent[n] for n in kept for _ in range(chance.randint(1, 2))]
    assert [pressed.key for pressed in _keys(packets)] == list(keys)


def test_a_digit_is_recognised_at_its_first_packet_with_its_start() -> None:
    receiver = EventReceiver()
    first, *rest = _packets("5", 8_000)
    assert receiver.feed(first[0], first[1], marker=True) == [KeyPress(key="5", timestamp=8_000)]
    assert all(receiver.feed(payload, timestamp) == [] for payload, timestamp, _ in rest)


def test_three_packets_tell_the_end() -> None:
    reports = [parse(payload)[0] for payload in press("#", duration_ms=100, ptime_ms=20)]
    assert [report.duration for report in reports] == [160, 320, 480, 640, 800, 800, 800]
    assert [report.end for report in reports] == [False] * 4 + [True] * 3
    assert {report.event for report in reports} == {11}


def test_a_straggler_of_the_digit_before_is_not_a_third_digit() -> None:
    one, two = _packets("1", 0), _packets("2", 4_000)
    assert [pressed.key for pressed in _keys([*one[:-2], *two[:3], *one[-2:], *two[3:]])] == ["1", "2"]


def test_the_same_key_twice_with_all_ends_lost_is_two_digits() -> None:
    one, two = _packets("1", 0), _packets("1", 2_400)
    assert [pressed.timestamp for pressed in _keys(one[:4] + two)] == [0, 2_400]
    unmarked = [(payload, timestamp, False) for payload, timestamp, _ in two]
    assert [pressed.timestamp for pressed in _keys(one[:4] + unmarked)] == [0, 2_400]


def test_a_marker_begins_a_press_whatever_its_duration_says() -> None:
    first = serialise((EventReport(event=1, end=False, volume=10, duration=160),))
    second = serialise((EventReport(event=1, end=False, volume=10, duration=400),))
    assert len(_keys([(first, 0, True), (second, 2_400, True)])) == 2


def test_a_press_longer_than_a_timestamp_can_say_is_one_digit() -> None:
    """RFC 4733 section 2.5.1.3: after 0xFFFF samples the event goes on under a new timestamp, without a marker."""
    packets: list[Packet] = []
    for segment in range(3):
        for duration in range(160, 0xFFFF, 160):
            report = EventReport(event=3, end=False, volume=10, duration=duration)
            packets.append((serialise((report,)), segment * 0xFFFF, segment == 0 and duration == 160))
        packets.append(
            (serialise((EventReport(event=3, end=False, volume=10, duration=0xFFFF),)), segment * 0xFFFF, False)
        )
    assert [pressed.key for pressed in _keys(packets)] == ["3"]


def test_a_phone_that_moves_the_timestamp_within_a_press_is_understood() -> None:
    packets = [
        (serialise((EventReport(event=7, end=n == 10, volume=10, duration=160 * n),)), 8_000 + 160 * n, n == 1)
        for n in range(1, 11)
    ]
    assert [pressed.key for pressed in _keys(packets)] == ["7"]


def test_two_events_in_one_packet_are_two_digits() -> None:
    payload = serialise(
        (
            EventReport(event=1, end=True, volume=10, duration=800),
            EventReport(event=2, end=True, volume=10, duration=800),
        )
    )
    assert _keys([(payload, 100, True)]) == [KeyPress(key="1", timestamp=100), KeyPress(key="2", timestamp=900)]


def test_what_is_no_key_or_malformed_is_counted() -> None:
    receiver = EventReceiver()
    flash = serialise((EventReport(event=16, end=False, volume=0, duration=0),))
    assert receiver.feed(flash, 0, marker=True) == []
    for payload in (b"", b"abc", b"abcde"):
        assert receiver.feed(payload, 0) == []
    assert (receiver.ignored, receiver.malformed) == (1, 3)
    with pytest.raises(PacketMalformed, match="four bytes"):
        parse(b"abc")


def test_another_source_starts_afresh() -> None:
    receiver = EventReceiver()
    payload = press("1", duration_ms=40, ptime_ms=20)[0]
    assert receiver.feed(payload, 4_000_000_000) != []
    receiver.reset()
    assert receiver.feed(payload, 3_000_000_000) != []


@given(st.binary(max_size=120))
def test_any_bytes_press_only_keys(data: bytes) -> None:
    fuzz_events.fuzz_one(data)
