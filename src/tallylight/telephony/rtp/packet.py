"""One RTP packet on the wire (RFC 3550 section 5.1): fixed header, CSRC list, header extension, padding."""

import struct
from dataclasses import dataclass

from tallylight.telephony.rtp.errors import PacketMalformed

HEADER = struct.Struct(">BBHII")
"""Version, padding, extension, CSRC count; marker and payload type; sequence; timestamp; SSRC. 12 bytes."""

HEAD = struct.Struct(">QI")
"""The same 12 bytes as two numbers: all that changes from packet to packet is at the end of the first, and the SSRC."""

MARKER = 1 << 55
"""In the first of the two."""

PLAIN = 0x80
"""The first byte of nearly every packet: version 2, no padding, no extension, no CSRC."""


@dataclass(frozen=True, kw_only=True, slots=True)
class RtpPacket:
    """A packet taken apart. `timestamp` counts samples, `extension` is (profile, data in whole 32-bit words)."""

    payload_type: int
    sequence: int
    timestamp: int
    ssrc: int
    payload: bytes
    marker: bool = False
    csrcs: tuple[int, ...] = ()
    extension: tuple[int, bytes] | None = None


def parse(data: bytes) -> RtpPacket:
    """The packet in a datagram. Raises `PacketMalformed`."""
    if len(data) < HEADER.size:
        raise PacketMalformed("The datagram is shorter than an RTP header (12 bytes).")
    first, kind, sequence, timestamp, ssrc = HEADER.unpack_from(data)
    if first >> 6 != 2:
        raise PacketMalformed(f"The RTP version is {first >> 6}, not 2.")
    start = HEADER.size + 4 * (first & 0x0F)
    if start > len(data):
        raise PacketMalformed("The list of contributing sources is longer than the datagram.")
    csrcs = struct.unpack_from(f">{first & 0x0F}I", data, HEADER.size)
    extension = None
    if first & 0x10:
        if start + 4 > len(data):
            raise PacketMalformed("The header extension is announced but missing.")
        profile, words = struct.unpack_from(">HH", data, start)
        end = start + 4 + 4 * words
        if end > len(data):
            raise PacketMalformed("The header extension is longer than the datagram.")
        extension = (profile, data[start + 4 : end])
        start = end
    end = len(data)
    if first & 0x20:
        padding = data[-1] if end > start else 0
        if not 0 < padding <= end - start:
            raise PacketMalformed("The padding is longer than the payload or empty.")
        end -= padding
    return RtpPacket(
        payload_type=kind & 0x7F,
        marker=kind >= 0x80,
        sequence=sequence,
        timestamp=timestamp,
        ssrc=ssrc,
        payload=data[start:end],
        csrcs=csrcs,
        extension=extension,
    )


def serialise(packet: RtpPacket) -> bytes:
    """The packet as a datagram, without padding. Raises `PacketMalformed` where a field does not fit its place."""
    extension = b""
    if packet.extension is not None:
        profile, data = packet.extension
        if len(data) % 4:
            raise PacketMalformed("A header extension consists of whole 32-bit words.")
        extension = struct.pack(">HH", profile, len(data) // 4) + data
    if len(packet.csrcs) > 15:
        raise PacketMalformed("A packet names at most 15 contributing sources.")
    first = PLAIN | len(packet.csrcs) | (0x10 if packet.extension is not None else 0)
    kind = packet.marker << 7 | packet.payload_type
    try:
        header = HEADER.pack(first, kind, packet.sequence, packet.timestamp, packet.ssrc)
        header += struct.pack(f">{len(packet.csrcs)}I", *packet.csrcs)
    except struct.error as error:
        raise PacketMalformed("A number does not fit its place in the RTP header.") from error
    return header + extension + packet.payload
