"""RTP packets on the wire (RFC 3550 section 5.1)."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallylight.telephony.rtp.errors import PacketMalformed
from tallylight.telephony.rtp.packet import RtpPacket, parse, serialise
from tests.telephony.rtp import fuzz_packet

PLAIN = struct.pack(">BBHII", 0x80, 0, 7, 160, 0xABCD)

packets = st.builds(
    RtpPacket,
    payload_type=st.integers(0, 127),
    sequence=st.integers(0, 0xFFFF),
    timestamp=st.integers(0, 0xFFFFFFFF),
    ssrc=st.integers(0, 0xFFFFFFFF),
    payload=st.binary(max_size=200),
    marker=st.booleans(),
    csrcs=st.lists(st.integers(0, 0xFFFFFFFF), max_size=15).map(tuple),
    extension=st.none()
    | st.tuples(st.integers(0, 0xFFFF), st.binary(max_size=40).map(lambda data: data[: len(data) & ~3])),
)


@given(packets)
def test_every_packet_survives_the_wire(packet: RtpPacket) -> None:
    assert parse(serialise(packet)) == packet


@given(packets, st.integers(1, 255))
def test_padding_is_taken_off(packet: RtpPacket, padding: int) -> None:
    data = bytearray(serialise(packet) + bytes(padding - 1) + bytes([padding]))
    data[0] |= 0x20
    assert parse(bytes(data)) == packet


@given(st.binary(max_size=80))
def test_any_bytes_are_a_packet_or_refused(data: bytes) -> None:
    fuzz_packet.fuzz_one(data)


@given(st.binary(max_size=60))
def test_any_rest_of_a_header_is_a_packet_or_refused(data: bytes) -> None:
    for first in (0x80, 0x90, 0xA0, 0xBF):
        fuzz_packet.fuzz_one(bytes([first]) + data)


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "shorter than an RTP header"),
        (PLAIN[:11], "shorter than an RTP header"),
        (b"\x40" + PLAIN[1:], "version is 1"),
        (b"\x81" + PLAIN[1:] + b"abc", "contributing sources"),
        (b"\x90" + PLAIN[1:] + b"ab", "announced but missing"),
        (b"\x90" + PLAIN[1:] + struct.pack(">HH", 1, 2) + bytes(7), "extension is longer"),
        (b"\xa0" + PLAIN[1:], "padding"),
        (b"\xa0" + PLAIN[1:] + b"ab\x00", "padding"),
        (b"\xa0" + PLAIN[1:] + b"ab\x04", "padding"),
    ],
)
def test_what_is_malformed_is_named(data: bytes, says: str) -> None:
    with pytest.raises(PacketMalformed, match=says) as caught:
        parse(data)
    assert caught.value.code == "rtp.malformed"


def test_what_does_not_fit_is_not_serialised() -> None:
    packet = RtpPacket(payload_type=0, sequence=0, timestamp=0, ssrc=0, payload=b"", extension=(1, b"abc"))
    with pytest.raises(PacketMalformed, match="32-bit words"):
        serialise(packet)
    with pytest.raises(PacketMalformed, match="does not fit"):
        serialise(RtpPacket(payload_type=0, sequence=1 << 16, timestamp=0, ssrc=0, payload=b""))
    packet = RtpPacket(payload_type=0, sequence=0, timestamp=0, ssrc=0, payload=b"", csrcs=(1,) * 16)
    with pytest.raises(PacketMalformed, match="15"):
        serialise(packet)
