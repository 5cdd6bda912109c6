"""Fuzz target: any bytes are answered line by line in a form we can read, or refused as malformed or unacceptable."""

from contextlib import suppress

from tallylight.telephony.sip.sdp import LocalMedia, SdpMalformed, SdpUnacceptable, accept, answer, parse

LOCAL = LocalMedia(address="192.0.2.1", port=10000, session=1)


def fuzz_one(data: bytes) -> None:
    with suppress(SdpMalformed, SdpUnacceptable):
        accept(data, LOCAL)
    try:
        reply, negotiated = answer(data, LOCAL)
    except (SdpMalformed, SdpUnacceptable):
        return
    ours, theirs = parse(reply), parse(data)
    assert [stream.kind for stream in ours.streams] == [stream.kind for stream in theirs.streams]
    (serving,) = (stream for stream in ours.streams if stream.port)
    assert serving.direction is negotiated.direction
    assert set(serving.codecs) == set(negotiated.payload_types)
