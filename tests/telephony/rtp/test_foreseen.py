"""Packets that were foreseen wait and are handed on in one piece: nothing else about them may differ."""

import itertools

from hypothesis import given, settings
from hypothesis import strategies as st

from tallylight.telephony.rtp.digits import press
from tallylight.telephony.rtp.engine import AT_ONCE, PATIENT_TICKS, TICK_MS, MediaEngine
from tallylight.telephony.rtp.leg import RtpLeg
from tallylight.telephony.rtp.stats import LegStats
from tests.telephony.rtp.phones import EVENT, House, Phone, Sink, opened, port_range, sound

HAPPENINGS = ("voice", "voice", "voice", "voice", "lost", "twice", "late", "key", "pause", "source", "law", "size")


class Samples:
    """An AudioSink that remembers each sample at its place, and how it was coded."""

    def __init__(self) -> None:
        self.heard: dict[int, tuple[int, int]] = {}
        self.calls = 0

    def accept(self, start_ms: int, duration_ms: int, payload_type: int, payload: bytes) -> None:
        assert len(payload) == 8 * duration_ms
        self.calls += 1
        for offset, sample in enumerate(payload):
            assert start_ms * 8 + offset not in self.heard
            self.heard[start_ms * 8 + offset] = (payload_type, sample)


def _play(house: House, phone: Phone, legs: list[RtpLeg], happenings: list[str]) -> None:
    delayed: list[bytes] = []
    law, size = 0, 160
    for index, happening in enumerate(happenings):
        packets = delayed
        delayed = []
        if happening == "source":
            phone.ssrc, phone.sequence = phone.ssrc + 1, 4_000
        elif happening == "law":
            law = 8 - law
        elif happening == "size":
            size = 400 - size
        elif happening == "pause":
            phone.timestamp = (phone.timestamp + 1_600) & 0xFFFFFFFF
            house.run(200)
        if happening == "key":
            packets.append(phone.packet(press("5", duration_ms=20, ptime_ms=20)[0], payload_type=EVENT, step=0))
        else:
            packet = phone.packet(sound(index, size), payload_type=law)
            if happening == "late":
                delayed = [packet]
            elif happening != "lost":
                packets.append(packet)
            if happening == "twice":
                packets.append(packet)
        for packet in packets:
            for leg in legs:
                phone.send_raw(leg, packet)
        house.clock.advance(size / 8_000)
        house.engine.tick()
        legs[0].hand_over()


def _counts(stats: LegStats) -> tuple[int, ...]:
    return (stats.received, stats.received_ms, stats.lost, stats.duplicates, stats.reordered, stats.late, stats.sources)


@settings(max_examples=60)
@given(st.lists(st.sampled_from(HAPPENINGS), max_size=60))
def test_handing_on_later_changes_nothing(happenings: list[str]) -> None:
    with opened() as house:
        phone = house.phone()
        at_once, later = house.leg(phone), house.leg(phone)
        house.legs.clear()
        first, second = Samples(), Samples()
        at_once.sink, later.sink = first, second
        _play(house, phone, [at_once, later], happenings)
        for leg in (at_once, later):
            leg.hand_over()
        assert first.heard == second.heard
        assert _counts(at_once.stats) == _counts(later.stats)


def test_a_steady_voice_is_handed_on_a_few_times_a_second(house: House) -> None:
    phone = house.phone()
    leg = house.leg(phone)
    house.legs.clear()
    leg.sink = sink = Samples()
    for index in range(100):
        phone.send(leg, sound(index))
        house.run(20)
    assert 5 <= sink.calls <= 12  # each 400 ms, and one or two more wherever a number wraps
    house.run(PATIENT_TICKS * TICK_MS)
    leg.hand_over()
    assert len(sink.heard) == 100 * 160


def test_nobody_waits_for_a_steady_voice_until_somebody_hears_it(house: House) -> None:
    speaker, listener = house.phone(), house.phone()
    leg, peer = house.leg(speaker), house.leg(listener)
    listener.send(peer, sound(0))

    def speak(packets: int) -> list[int]:
        """What has been received of each packet after its 20 ms."""
        counts = []
        for index in range(packets):
            speaker.send(leg, sound(index))
            house.run(20)
            counts.append(leg.stats.received)
        return counts

    at_first = speak(50)
    assert at_first == list(range(1, 51))
    later = speak(100)
    waited = [51 + index - count for index, count in enumerate(later)]
    assert 2 <= max(waited) <= AT_ONCE
    leg.peer = peer
    listener.receive()
    heard = speak(20)
    assert heard == list(range(151, 171))
    assert len(listener.receive()) >= 20


def test_patience_moves_no_sound_by_more_than_a_tick(house: House) -> None:
    phone = house.phone()
    leg = house.leg(phone)
    house.legs.clear()
    leg.sink = sink = Sink()
    for index in range(1_500):
        phone.send(leg, sound(index))
        house.run(20)
    house.run(PATIENT_TICKS * TICK_MS)
    leg.hand_over()
    assert len(sink.heard) == 1_500
    first = sink.starts[0]
    assert all(abs(start - first - 20 * index) <= TICK_MS for index, start in enumerate(sink.starts))


def test_a_replaced_sink_has_everything_that_came_before(house: House) -> None:
    phone = house.phone()
    leg = house.leg(phone)
    house.legs.clear()
    leg.sink = before = Sink()
    for index in range(4):
        phone.send(leg, sound(index))
        house.run(20)
    leg.sink = after = Sink()
    phone.send(leg, sound(4))
    house.run(20)
    leg.close()
    assert before.payloads == [sound(index) for index in range(4)]
    assert after.payloads == [sound(4)]


def test_a_relayed_stream_runs_over_the_end_of_its_numbers(house: House) -> None:
    """Sequence numbers end after 1,100 packets, timestamps after 1,200."""
    fixed = {2: (0xFFFF - 1_100).to_bytes(2, "big"), 4: (0xFFFFFFFF - 1_200 * 160).to_bytes(4, "big")}
    house.engine.stop()
    house.engine = MediaEngine(
        clock=house.clock, ports=port_range(), random_bytes=lambda count: fixed.get(count, bytes(count))
    )
    caller, agent = house.phone(), house.phone()
    one, other = house.leg(caller), house.leg(agent)
    one.peer, other.peer = other, one
    heard = []
    for index in range(1_400):
        caller.send(one, sound(index))
        house.run(20)
        heard += [packet for packet in agent.receive() if packet.payload[0] != 0xFF]
    assert [packet.payload for packet in heard] == [sound(index) for index in range(1_400)]
    steps = {
        ((after.sequence - before.sequence) & 0xFFFF, (after.timestamp - before.timestamp) & 0xFFFFFFFF)
        for before, after in itertools.pairwise(heard)
    }
    assert steps == {(1, 160)}
    assert {packet.payload_type for packet in heard} == {0}
    assert not any(packet.marker for packet in heard[1:])
    assert heard[-1].sequence < 400
