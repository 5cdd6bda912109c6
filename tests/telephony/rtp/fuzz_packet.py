"""Fuzz target: any bytes are an RTP packet that survives the way back, or PacketMalformed."""

from tallylight.telephony.rtp.errors import PacketMalformed
from tallylight.telephony.rtp.packet import parse, serialise


def fuzz_one(data: bytes) -> None:
    try:
        packet = parse(data)
    except PacketMalformed:
        return
    assert parse(serialise(packet)) == packet
