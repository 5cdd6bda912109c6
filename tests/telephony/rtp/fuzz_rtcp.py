"""Fuzz target: any bytes are RTCP reports that survive the way back, or PacketMalformed."""

from tallylight.telephony.rtp.errors import PacketMalformed
from tallylight.telephony.rtp.rtcp import SourceDescription, parse, serialise


def fuzz_one(data: bytes) -> None:
    try:
        reports = parse(data)
    except PacketMalformed:
        return
    # A name in broken UTF-8 may be too long once it is mended.
    if reports and all(len(report.cname) < 64 for report in reports if isinstance(report, SourceDescription)):
        assert parse(serialise(reports)) == reports
