"""RTCP on the wire (RFC 3550 section 6): sender and receiver reports, the source's random name, goodbye."""

import struct
from collections.abc import Sequence
from dataclasses import dataclass

from tallylight.telephony.rtp.errors import PacketMalformed

SENDER_REPORT, RECEIVER_REPORT, SOURCE_DESCRIPTION, GOODBYE = 200, 201, 202, 203
CNAME = 1

_HEADER = struct.Struct(">BBH")
_SENDER = struct.Struct(">IQIII")
_BLOCK = struct.Struct(">IIIIII")
_NTP_OF_1970 = 2_208_988_800


@dataclass(frozen=True, kw_only=True, slots=True)
class ReportBlock:
    """What a receiver says of one source. `jitter` in samples, `lost` signed 24 bits, `fraction_lost` in 1/256,
    `last_report` the middle 32 bits of that source's last NTP time, `delay` since then in 1/65536 s."""

    ssrc: int
    fraction_lost: int
    lost: int
    highest: int
    jitter: int
    last_report: int = 0
    delay: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class SenderReport:
    """`ntp` is 32.32 bits of seconds since 1900; `timestamp` the RTP time of that same instant."""

    ssrc: int
    ntp: int
    timestamp: int
    packets: int
    octets: int
    blocks: tuple[ReportBlock, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class ReceiverReport:
    """Reports of somebody who sends nothing."""

    ssrc: int
    blocks: tuple[ReportBlock, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class SourceDescription:
    """One source's canonical name; other items are not kept."""

    ssrc: int
    cname: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Goodbye:
    """These sources leave."""

    ssrcs: tuple[int, ...]


Report = SenderReport | ReceiverReport | SourceDescription | Goodbye


def ntp_time(wall_ms: int) -> int:
    """Milliseconds since 1970 as NTP time, 32.32 bits (RFC 3550 section 4)."""
    seconds, rest = divmod(wall_ms, 1000)
    return (seconds + _NTP_OF_1970 & 0xFFFFFFFF) << 32 | (rest << 32) // 1000


def parse(data: bytes) -> tuple[Report, ...]:
    """The reports of a compound packet; types of packet not known here are passed over. Raises `PacketMalformed`."""
    reports: list[Report] = []
    position = 0
    if not data:
        raise PacketMalformed("The RTCP datagram is empty.")
    while position < len(data):
        if position + 4 > len(data):
            raise PacketMalformed("The RTCP header is cut off.")
        first, kind, words = _HEADER.unpack_from(data, position)
        end = position + 4 + 4 * words
        if first >> 6 != 2:
            raise PacketMalformed(f"The RTCP version is {first >> 6}, not 2.")
        if end > len(data):
            raise PacketMalformed("The RTCP packet is longer than the datagram.")
        body = data[position + 4 : end]
        if first & 0x20:
            if not body or not 0 < body[-1] <= len(body) or end != len(data):
                raise PacketMalformed("The RTCP padding is not at the end or longer than the packet.")
            body = body[: -body[-1]]
        reports.extend(_parse_body(first & 0x1F, kind, body))
        position = end
    return tuple(reports)


def _parse_body(count: int, kind: int, body: bytes) -> list[Report]:
    try:
        if kind == SENDER_REPORT:
            ssrc, ntp, timestamp, packets, octets = _SENDER.unpack_from(body)
            blocks = _parse_blocks(count, body[_SENDER.size :])
            return [
                SenderReport(ssrc=ssrc, ntp=ntp, timestamp=timestamp, packets=packets, octets=octets, blocks=blocks)
            ]
        if kind == RECEIVER_REPORT:
            (ssrc,) = struct.unpack_from(">I", body)
            return [ReceiverReport(ssrc=ssrc, blocks=_parse_blocks(count, body[4:]))]
        if kind == SOURCE_DESCRIPTION:
            return _parse_descriptions(count, body)
        if kind == GOODBYE:
            return [Goodbye(ssrcs=struct.unpack_from(f">{count}I", body))]
    except struct.error as error:
        raise PacketMalformed("The RTCP packet is shorter than its own count says.") from error
    return []


def _parse_blocks(count: int, body: bytes) -> tuple[ReportBlock, ...]:
    blocks = []
    for index in range(count):
        ssrc, loss, highest, jitter, last_report, delay = _BLOCK.unpack_from(body, index * _BLOCK.size)
        lost = loss & 0xFFFFFF
        blocks.append(
            ReportBlock(
                ssrc=ssrc,
                fraction_lost=loss >> 24,
                lost=lost - (1 << 24) if lost >> 23 else lost,
                highest=highest,
                jitter=jitter,
                last_report=last_report,
                delay=delay,
            )
        )
    return tuple(blocks)


def _parse_descriptions(count: int, body: bytes) -> list[Report]:
    found: list[Report] = []
    position = 0
    for _ in range(count):
        (ssrc,) = struct.unpack_from(">I", body, position)
        position += 4
        while position < len(body) and body[position] != 0:
            if position + 2 > len(body) or position + 2 + body[position + 1] > len(body):
                raise PacketMalformed("An item of the source description is cut off.")
            item, length = body[position], body[position + 1]
            if item == CNAME:
                text = body[position + 2 : position + 2 + length]
                found.append(SourceDescription(ssrc=ssrc, cname=text.decode("utf-8", "replace")))
            position += 2 + length
        if position >= len(body):
            raise PacketMalformed("The source description does not end.")
        position += 4 - position % 4
    return found


def serialise(reports: Sequence[Report]) -> bytes:
    """The reports as one compound packet."""
    return b"".join(_serialise_one(report) for report in reports)


def _serialise_one(report: Report) -> bytes:
    if isinstance(report, SenderReport):
        head = _SENDER.pack(report.ssrc, report.ntp, report.timestamp, report.packets, report.octets)
        return _packet(SENDER_REPORT, len(report.blocks), head + _serialise_blocks(report.blocks))
    if isinstance(report, ReceiverReport):
        blocks = _serialise_blocks(report.blocks)
        return _packet(RECEIVER_REPORT, len(report.blocks), struct.pack(">I", report.ssrc) + blocks)
    if isinstance(report, SourceDescription):
        name = report.cname.encode()
        if len(name) > 255:
            raise PacketMalformed("A canonical name has at most 255 bytes.")
        item = struct.pack(">IBB", report.ssrc, CNAME, len(name)) + name
        return _packet(SOURCE_DESCRIPTION, 1, item + bytes(4 - len(item) % 4))
    return _packet(GOODBYE, len(report.ssrcs), struct.pack(f">{len(report.ssrcs)}I", *report.ssrcs))


def _serialise_blocks(blocks: tuple[ReportBlock, ...]) -> bytes:
    return b"".join(
        _BLOCK.pack(
            block.ssrc,
            block.fraction_lost << 24 | (max(-(1 << 23), min(block.lost, (1 << 23) - 1)) & 0xFFFFFF),
            block.highest,
            block.jitter,
            block.last_report,
            block.delay,
        )
        for block in blocks
    )


def _packet(kind: int, count: int, body: bytes) -> bytes:
    if count > 31:
        raise PacketMalformed("An RTCP packet carries at most 31 blocks or sources.")
    return _HEADER.pack(0x80 | count, kind, len(body) // 4) + body
