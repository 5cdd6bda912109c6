"""G.711 in both laws: one byte a sample, 8,000 samples a second (ITU-T G.711). Tables are derived once, at import."""

import audioop

from tallylight.telephony.rtp.negotiated import Codec

_BYTES = bytes(range(256))

ULAW_TO_ALAW = audioop.lin2alaw(audioop.ulaw2lin(_BYTES, 2), 2)
ALAW_TO_ULAW = audioop.lin2ulaw(audioop.alaw2lin(_BYTES, 2), 2)
"""Tables for `bytes.translate`."""

SILENCE = {Codec.PCMU: b"\xff", Codec.PCMA: b"\xd5"}
"""The byte nearest to zero in each law."""

_TABLES: dict[tuple[Codec, Codec], bytes] = {
    (Codec.PCMU, Codec.PCMA): ULAW_TO_ALAW,
    (Codec.PCMA, Codec.PCMU): ALAW_TO_ULAW,
}


def table(source: Codec, target: Codec) -> bytes | None:
    """The table that turns `source` into `target` with `bytes.translate`, or None where nothing is to do."""
    return _TABLES.get((source, target))


def decode(codec: Codec, payload: bytes) -> bytes:
    """Linear PCM: 16-bit samples in the machine's byte order."""
    return audioop.ulaw2lin(payload, 2) if codec == Codec.PCMU else audioop.alaw2lin(payload, 2)


def encode(codec: Codec, pcm: bytes) -> bytes:
    """G.711 from 16-bit samples in the machine's byte order."""
    return audioop.lin2ulaw(pcm, 2) if codec == Codec.PCMU else audioop.lin2alaw(pcm, 2)


def mix(codec: Codec, one: bytes, other: bytes) -> bytes:
    """The sum of two payloads of equal length, saturating."""
    return encode(codec, audioop.add(decode(codec, one), decode(codec, other), 2))
