"""RTCP on the wire (RFC 3550 section 6)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallylight.telephony.rtp import rtcp
from tallylight.telephony.rtp.errors import PacketMalformed
from tests.telephony.rtp import fuzz_rtcp

word = st.integers(0, 0xFFFFFFFF)
blocks = st.lists(
    st.builds(
        rtcp.ReportBlock,
        ssrc=word,
        fraction_lost=st.integers(0, 255),
        lost=st.integers(-(1 << 23), (1 << 23) - 1),
        highest=word,
        jitter=word,
        last_report=word,
        delay=word,
    ),
    max_size=31,
).map(tuple)
reports = st.one_of(
    st.builds(
        rtcp.SenderReport,
        ssrc=word,
        ntp=st.integers(0, (1 << 64) - 1),
        timestamp=word,
        packets=word,
        octets=word,
        blocks=blocks,
    ),
    st.builds(rtcp.ReceiverReport, ssrc=word, blocks=blocks),
    st.builds(rtcp.SourceDescription, ssrc=word, cname=st.text(max_size=60)),
    st.builds(rtcp.Goodbye, ssrcs=st.lists(word, max_size=31).map(tuple)),
)


@given(st.lists(reports, min_size=1, max_size=4))
def test_every_compound_packet_survives_the_wire(compound: list[rtcp.Report]) -> None:
    data = rtcp.serialise(compound)
    assert len(data) % 4 == 0
    assert rtcp.parse(data) == tuple(compound)


@given(st.binary(max_size=100))
def test_any_bytes_are_reports_or_refused(data: bytes) -> None:
    fuzz_rtcp.fuzz_one(data)


@given(st.integers(0, 31), st.integers(199, 205), st.binary(max_size=60))
def test_any_body_is_a_report_or_refused(count: int, kind: int, body: bytes) -> None:
    body = body[: len(body) & ~3]
    fuzz_rtcp.fuzz_one(bytes([0x80 | count, kind, 0, len(body) // 4]) + body)


def test_unknown_packets_are_passed_over() -> None:
    feedback = bytes([0x81, 205, 0, 2]) + bytes(8)
    goodbye = rtcp.Goodbye(ssrcs=(7,))
    assert rtcp.parse(feedback + rtcp.serialise([goodbye])) == (goodbye,)


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "empty"),
        (b"\x80\xc8", "cut off"),
        (b"\x40\xc8\x00\x00", "version is 1"),
        (b"\x80\xc8\x00\x09", "longer than the datagram"),
        (b"\x80\xc8\x00\x01\x00\x00\x00\x07", "shorter than its own count"),
        (b"\x81\xca\x00\x02\x00\x00\x00\x07\x01\x09ab", "cut off"),
        (b"\x81\xca\x00\x02\x00\x00\x00\x07\x01\x02ab", "does not end"),
        (b"\xa0\xcb\x00\x01\x00\x00\x00\x09", "padding"),
    ],
)
def test_what_is_malformed_is_named(data: bytes, says: str) -> None:
    with pytest.raises(PacketMalformed, match=says):
        rtcp.parse(data)


def test_ntp_time_counts_from_1900() -> None:
    assert rtcp.ntp_time(0) == 2_208_988_800 << 32
    assert rtcp.ntp_time(1_500) - rtcp.ntp_time(0) == 3 << 31
