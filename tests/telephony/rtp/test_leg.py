"""One party's voice in: whose packets are taken, where they are placed, what is dropped and counted."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tallylight.telephony.rtp.digits import press
from tallylight.telephony.rtp.errors import RtpError
from tallylight.telephony.rtp.g711 import encode
from tallylight.telephony.rtp.leg import DigitSource
from tallylight.telephony.rtp.negotiated import Codec, Direction, Latch, Negotiated
from tallylight.telephony.rtp.packet import RtpPacket, serialise
from tallylight.telephony.rtp.tones import tone
from tests.telephony.rtp import fuzz_leg
from tests.telephony.rtp.phones import EVENT, House, Sink, sound


def test_a_stream_reaches_the_sink_whole_and_in_time(house: House) -> None:
    phone = house.phone()
    leg = house.leg(phone)
    leg.sink = sink = Sink()
    for index in range(50):
        phone.send(leg, sound(index))
        house.run(20)
    assert sink.payloads == [sound(index) for index in range(50)]
    assert sink.starts == [10 + 20 * index for index in range(50)]
    assert {payload_type for _, _, payload_type, _ in sink.heard} == {0}
    stats = leg.stats
    assert (stats.received, stats.received_ms, stats.lost, stats.bad, stats.sources) == (50, 1_000, 0, 0, 1)
    assert stats.last_received_ms == 990


@pytest.mark.parametrize("size", [80, 160, 240, 320, 480])
def test_packets_of_10_to_60_ms_serve(house: House, size: int) -> None:
    phone = house.phone()
    leg = house.leg(phone)
    leg.sink = sink = Sink()
    for index in range(20):
        phone.send(leg, sound(index, size), payload_type=8)
        house.run(size // 80 * 10)
    assert sink.starts == [10 + size // 8 * index for index in range(20)]
    assert {(duration, payload_type) for _, duration, payload_type, _ in sink.heard} == {(size // 8, 8)}


def test_odd_sizes_keep_time(house: House) -> None:
    phone = house.phone()
    leg = house.leg(phone)
    leg.sink = sink = Sink()
    for index in range(100):
        phone.send(leg, sound(index, 163))
        house.run(20)
    end = 10
    for start, duration, _, _ in sink.heard:
        assert start >= end
        end = start + duration
    assert abs(end - 10 - 163 * 100 / 8) <= 2


def test_loss_reordering_and_duplicates(house: House) -> None:
    phone = house.phone()
    leg = house.leg(phone)
    leg.sink = sink = Sink()
    packets = [phone.packet(sound(index)) for index in range(10)]
    for index in (0, 1, 1, 4, 3, 3, 5, 2, 9):
        phone.send_raw(leg, packets[index])
    house.run(10)
    assert sorted(sink.heard) == [(10 + 20 * index, 20, 0, sound(index)) for index in (0, 1, 2, 3, 4, 5, 9)]
    stats = leg.stats
    assert (stats.received, stats.lost, stats.duplicates, stats.reordered) == (7, 3, 2, 2)


def test_silence_between_talk_spurts_keeps_its_length(house: House) -> None:
    phone = house.phone()
    leg = house.leg(phone)
    leg.sink = sink = Sink()
    phone.send(leg, sound(1))
    house.run(20)
    phone.send(leg, b"\x40", payload_type=13, step=8 * 2_980)
    house.run(2_980)
    phone.send(leg, sound(2))
    house.run(20)
    assert sink.starts == [10, 10 + 3_000]
    assert leg.stats.received == 3


def test_another_source_after_a_reinvite_goes_on(house: House) -> None:
    phone = house.phone()
    leg = house.leg(phone)
    leg.sink = sink = Sink()
    phone.send(leg, sound(1))
    house.run(20)
    phone.ssrc, phone.sequence, phone.timestamp = 99, 5, 77
    phone.send(leg, sound(2))
    house.run(20)
    phone.send(leg, sound(3))
    house.run(20)
    assert sink.starts == [10, 30, 50]
    stats = leg.stats
    assert (stats.sources, stats.anchors, stats.lost) == (2, 2, 0)


def test_a_new_stream_that_would_overlap_is_kept_from_where_there_is_room(house: House) -> None:
    """200 ms come in a burst, then another source in time: what overlaps is dropped, the rest lies true."""
    phone = house.phone()
    leg = house.leg(phone)
    leg.sink = sink = Sink()
    for index in range(10):
        phone.send(leg, sound(index))
    house.run(20)
    phone.ssrc += 1
    for index in range(10, 22):
        phone.send(leg, sound(index))
        house.run(20)
    assert sink.starts == [10 + 20 * index for index in range(10)] + [210 + 20 * index for index in range(8)]
    assert sink.payloads[10] == sound(14)
    assert leg.stats.late == 4


def test_a_late_packet_with_a_wild_timestamp_is_not_kept(house: House) -> None:
    phone = house.phone()
    leg = house.leg(phone)
    leg.sink = sink = Sink()
    phone.send(leg, sound(0))
    house.run(20)
    before, phone.timestamp = phone.timestamp, 1 << 30
    wild = phone.packet(sound(1))
    phone.timestamp = (before + 160) & 0xFFFFFFFF
    phone.send(leg, sound(2))
    house.run(10)
    phone.send_raw(leg, wild)
    house.run(10)
    assert sink.payloads == [sound(0), sound(2)]
    assert (leg.stats.late, leg.stats.reordered) == (1, 1)


def test_what_was_not_agreed_or_is_broken_is_dropped_and_counted(house: House) -> None:
    phone = house.phone()
    leg = house.leg(phone)
    leg.sink = sink = Sink()
    phone.send(leg, sound(1))
    house.run(10)
    phone.send(leg, sound(2), payload_type=18)
    phone.send_raw(leg, b"hello")
    phone.send_raw(leg, b"")
    phone.send_raw(leg, b"\x00" * 40)
    phone.send_raw(leg, b"\xa0" + phone.packet(b"")[1:] + b"\xff")
    phone.send(leg, b"abc", payload_type=EVENT)
    house.run(10)
    assert sink.payloads == [sound(1)]
    assert (leg.stats.unnegotiated, leg.stats.bad) == (1, 5)


def test_header_extension_csrc_and_padding_are_looked_through(house: House) -> None:
    phone = house.phone()
    leg = house.leg(phone)
    leg.sink = sink = Sink()
    packet = serialise(
        RtpPacket(
            payload_type=0, sequence=1, timestamp=0, ssrc=5, payload=sound(3), csrcs=(1, 2), extension=(1, b"abcd")
        )
    )
    phone.send_raw(leg, bytes([packet[0] | 0x20]) + packet[1:] + b"\x00\x02")
    house.run(10)
    assert sink.payloads == [sound(3)]


def test_nothing_is_taken_before_offer_and_answer(house: House) -> None:
    phone = house.phone()
    leg = house.engine.open_leg()
    leg.sink = sink = Sink()
    phone.send(leg, sound(1))
    house.run(20)
    assert sink.heard == []
    assert leg.stats.strangers == 1
    assert phone.receive() == []


def test_a_direction_that_was_closed_is_closed(house: House) -> None:
    phone = house.phone()
    leg = house.leg(phone, direction=Direction.SENDONLY)
    leg.sink = sink = Sink()
    phone.send(leg, sound(1))
    house.run(20)
    assert sink.heard == []
    assert leg.stats.unnegotiated == 1


def test_the_first_packet_from_the_partys_address_locks_the_leg(house: House) -> None:
    phone, behind_nat, stranger = house.phone(), house.phone(), house.phone("127.0.0.2")
    leg = house.leg(phone)
    leg.sink = sink = Sink()
    stranger.send(leg, sound(1))
    behind_nat.send_raw(leg, b"no packet at all")
    behind_nat.send(leg, sound(2))
    phone.send(leg, sound(3))
    stranger.send(leg, sound(4))
    behind_nat.send(leg, sound(5))
    house.run(20)
    stranger.send(leg, sound(6))
    phone.send(leg, sound(7))
    house.run(20)
    assert sink.payloads == [sound(2), sound(5)]
    assert leg.stats.strangers == 3
    assert behind_nat.receive() != []
    phone.receive()
    house.run(60)
    assert len(behind_nat.receive()) == 3
    assert phone.receive() == []


def test_behind_nat_any_address_may_lock_if_it_is_so_configured(house: House) -> None:
    phone, elsewhere = house.phone(), house.phone("127.0.0.2")
    leg = house.leg(phone, latch=Latch.ANY)
    leg.sink = sink = Sink()
    elsewhere.send(leg, sound(1))
    phone.send(leg, sound(2))
    house.run(20)
    assert sink.payloads == [sound(1)]
    assert leg.stats.strangers == 1


def test_a_new_negotiation_learns_the_address_anew(house: House) -> None:
    phone, moved = house.phone(), house.phone()
    leg = house.leg(phone)
    leg.sink = sink = Sink()
    phone.send(leg, sound(1))
    house.run(20)
    leg.configure(Negotiated(remote=moved.address, codec=Codec.PCMU, telephone_event=EVENT))
    phone.receive()
    house.run(40)
    assert phone.receive() == []
    assert moved.receive() != []
    moved.send(leg, sound(2))
    house.run(20)
    phone.send(leg, sound(3))
    house.run(20)
    assert sink.payloads == [sound(1), sound(2)]


def test_a_refresh_that_changes_nothing_keeps_sending_where_the_party_is(house: House) -> None:
    phone, behind_nat = house.phone(), house.phone()
    leg = house.leg(phone)
    behind_nat.send(leg, sound(1))
    house.run(20)
    behind_nat.receive()
    leg.configure(Negotiated(remote=phone.address, codec=Codec.PCMU, telephone_event=EVENT))
    phone.receive()
    house.run(40)
    assert len(behind_nat.receive()) == 2
    assert phone.receive() == []


def test_a_hold_with_a_stopped_clock_is_placed_when_it_ends(house: House) -> None:
    phone = house.phone()
    leg = house.leg(phone)
    leg.sink = sink = Sink()
    phone.send(leg, sound(1))
    house.run(20)
    agreed = Negotiated(remote=phone.address, codec=Codec.PCMU, telephone_event=EVENT, direction=Direction.INACTIVE)
    leg.configure(agreed)
    house.run(3_000)
    leg.configure(Negotiated(remote=phone.address, codec=Codec.PCMU, telephone_event=EVENT))
    phone.send(leg, sound(2))
    house.run(20)
    assert sink.starts == [10, 3_030]


def test_media_time_counts_from_the_anchor(house: House) -> None:
    phone = house.phone()
    leg = house.leg(phone)
    leg.sink = sink = Sink()
    house.run(500)
    leg.anchor(house.clock.monotonic_ns())
    house.run(100)
    phone.send(leg, sound(1))
    house.run(10)
    assert sink.starts == [110]
    assert leg.media_ms == 110


def test_skewed_clocks_are_followed_without_holes_or_overlaps(house: House) -> None:
    """A sender whose clock is slow by 2 in 1,000, far more than real ones."""
    phone = house.phone()
    leg = house.leg(phone)
    leg.sink = sink = Sink()
    for index in range(5_000):
        phone.send(leg, sound(index))
        house.run(20)
        if index % 250 == 249:
            house.run(10)
    end = 10
    for start, duration, _, _ in sink.heard:
        assert start == end
        end = start + duration
    assert {duration for _, duration, _, _ in sink.heard} == {20, 21}
    assert 170 <= leg.stats.slewed_ms <= 200
    assert abs(end - leg.media_ms) <= 30


def test_an_event_is_a_digit_at_its_first_packet(house: House) -> None:
    phone = house.phone()
    leg = house.leg(phone)
    phone.send(leg, sound(1))
    house.run(20)
    first, *rest = press("7", duration_ms=100, ptime_ms=20)
    phone.send(leg, first, payload_type=EVENT, step=0)
    house.run(20)
    assert house.digits == [("7", 30, DigitSource.EVENT)]
    for payload in rest:
        phone.send(leg, payload, payload_type=EVENT, step=0)
        house.run(20)
    assert len(house.digits) == 1


def test_another_source_may_press_with_earlier_timestamps(house: House) -> None:
    phone = house.phone()
    leg = house.leg(phone)
    payload = press("7", duration_ms=20, ptime_ms=20)[0]
    phone.timestamp = 3_000_000_000
    phone.send(leg, payload, payload_type=EVENT, step=0)
    house.run(20)
    phone.ssrc, phone.timestamp = 3, 2_000_000_000
    phone.send(leg, payload, payload_type=EVENT, step=0)
    house.run(20)
    assert [key for key, _, _ in house.digits] == ["7", "7"]


def test_tones_are_digits_only_where_events_were_not_agreed(house: House) -> None:
    pressed = encode(Codec.PCMU, tone("4", duration_ms=100) + bytes(16 * 100))
    for telephone_event, expected in ((EVENT, []), (None, [("4", 10, DigitSource.TONE)])):
        phone = house.phone()
        leg = house.leg(phone, telephone_event=telephone_event)
        house.digits.clear()
        leg.anchor(house.clock.monotonic_ns())
        for at in range(0, len(pressed), 160):
            phone.send(leg, pressed[at : at + 160])
            house.run(20)
        assert house.digits == expected


def test_a_name_is_no_address(house: House) -> None:
    leg = house.engine.open_leg()
    with pytest.raises(RtpError, match="resolve it"):
        leg.configure(Negotiated(remote=("phone.example", 4_000), codec=Codec.PCMU))


@settings(max_examples=60)
@given(st.binary(max_size=600))
def test_any_datagrams_are_taken_or_counted(data: bytes) -> None:
    fuzz_leg.fuzz_one(data)


@settings(max_examples=60)
@given(
    st.lists(st.tuples(st.integers(0, 3), st.integers(0, 5), st.integers(0, 255), st.binary(max_size=180)), max_size=40)
)
def test_any_packets_are_taken_or_counted(packets: list[tuple[int, int, int, bytes]]) -> None:
    stream = b""
    for ssrc, sequence, kind, payload in packets:
        packet = bytes([0x80, kind, 0, sequence, 0, 0, 0, kind, 0, 0, 0, ssrc]) + payload
        stream += bytes([len(packet) - 1]) + packet
    fuzz_leg.fuzz_one(stream)
