"""Session descriptions and the offer/answer model (RFC 8866, RFC 3264) for one G.711 stream: the one place that knows
`aiosipua.sdp`.

`offer` and `accept` are the calling side, `answer` the called one; all are pure. Lived with though not of the standard:
bare LF, a last line without its end, missing `s=` and `t=` lines, port counts, several audio lines of which one serves.
"""

import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from ipaddress import AddressValueError, IPv4Address
from typing import Self

from aiosipua.sdp import ConnectionData, MediaDescription, Origin, SdpMessage, parse_sdp, serialize_sdp

from tallylight.telephony.rtp.negotiated import Address, Codec, Direction, Latch, Negotiated
from tallylight.telephony.sip.errors import SipError

MAX_BYTES = 65_535
"""A longer description is malformed: it could not have come in one datagram."""

PROTOCOL = "RTP/AVP"
CLOCK_HZ = 8000
COMFORT_NOISE = 13
"""The static payload type of RFC 3389."""

_LINE_END = re.compile(r"\r\n|\n|\r")
_MEDIA = re.compile(r"m=\s*(\S+)\s+(\d{1,5})(?:/\d{1,5})?\s+(\S+)\s+(\S.*)")
_ATTRIBUTE = re.compile(r"a=([^:\s]+)\s*:\s*(.*)")
_RTPMAP = re.compile(r"\d{1,3} +[^\s/]+(/\d{1,6}){0,2}")
_RTCP = re.compile(r"(\d{1,5})(?: (\S+) (\S+) (\S+))?")
_READ = frozenset("vosctma")

_MIRROR = {
    Direction.SENDRECV: Direction.SENDRECV,
    Direction.SENDONLY: Direction.RECVONLY,
    Direction.RECVONLY: Direction.SENDONLY,
    Direction.INACTIVE: Direction.INACTIVE,
}


class SdpMalformed(SipError):
    """Bytes that are no session description."""

    def __init__(self, reason: str) -> None:
        super().__init__(400, f"This is not a session description (RFC 8866): {reason}.")
        self.code = "sdp_malformed"


class SdpUnacceptable(SipError):
    """A session description that leaves us no stream in common."""

    def __init__(self, reason: str) -> None:
        super().__init__(488, f"No stream in common: {reason}. Offer G.711 (PCMU or PCMA) over {PROTOCOL} on IPv4.")
        self.code = "sdp_unacceptable"


@dataclass(frozen=True, kw_only=True)
class LocalMedia:
    """What this house says of itself in one dialog. Keep it for the dialog's life, `revise` it for each new offer."""

    address: str
    """Numeric IPv4 address the peer should send to."""
    port: int
    session: int
    """The session id of the o= line: any number, the same for the dialog's life."""
    version: int = 1
    """The version of the o= line; RFC 3264 section 8: one more with each changed description."""
    codecs: tuple[Codec, ...] = (Codec.PCMA, Codec.PCMU)
    """Preferred first in an offer; an answer keeps the offerer's order."""
    prefer: Codec | None = None
    """Put this one first in an answer whatever the offerer's order, where it was offered (saves transcoding)."""
    ptime_ms: int = 20
    direction: Direction = Direction.SENDRECV
    """What we are willing to do; an answer never does more."""
    telephone_event: int | None = 101
    """The payload type of digits in an offer; None: neither offered nor accepted."""
    latch: Latch = Latch.ADDRESS

    def revise(self, *, direction: Direction | None = None) -> Self:
        """The same media for a further offer or answer of the dialog, one version on."""
        return replace(self, version=self.version + 1, direction=direction or self.direction)


@dataclass(frozen=True, kw_only=True)
class Stream:
    """One m= line as the peer wrote it, session-level lines applied. Directions are the peer's own."""

    kind: str
    port: int
    protocol: str
    formats: tuple[str, ...]
    address: str | None
    """Of the c= line, media level before session level; None where it is missing or not IPv4."""
    direction: Direction
    """With c=0.0.0.0, the hold of RFC 2543, already counted in: such a peer hears nothing."""
    codecs: Mapping[int, Codec] = field(default_factory=dict)
    """G.711 by payload type, in the peer's order of preference."""
    telephone_event: int | None = None
    comfort_noise: int | None = None
    ptime_ms: int | None = None
    max_ptime_ms: int | None = None
    rtcp: Address | None = None

    @property
    def held(self) -> bool:
        """Whether the peer has put us on hold, in any of the three spellings."""
        return not self.direction.receives


@dataclass(frozen=True, kw_only=True)
class Session:
    """A session description as far as a telephone call needs it."""

    session: str
    version: str
    streams: tuple[Stream, ...]


def parse(data: bytes) -> Session:
    """Read a session description. Raises SdpMalformed and nothing else."""
    if len(data) > MAX_BYTES:
        raise SdpMalformed("it is longer than 65,535 bytes")
    lines = _lines(data)
    if not lines or lines[0] != "v=0":
        raise SdpMalformed("it does not begin with v=0")
    if not any(line.startswith("o=") and len(line.split()) == 6 for line in lines):
        raise SdpMalformed("it has no o= line of six fields")
    try:
        message = parse_sdp("\n".join(lines))
    except ValueError:
        raise SdpMalformed("a number in it is none") from None
    return Session(
        session=message.origin.session_id,
        version=message.origin.session_version,
        streams=tuple(_stream(message, media) for media in message.media),
    )


def offer(local: LocalMedia) -> bytes:
    """The description that opens a negotiation: one audio line."""
    payload_types: dict[int, Codec] = {int(codec): codec for codec in local.codecs}
    return _serialise(
        local, [_media(local, payload_types, local.telephone_event, None, local.ptime_ms, local.direction)]
    )


def answer(offered: bytes, local: LocalMedia) -> tuple[bytes, Negotiated]:
    """Answer an offer: the first audio line that can serve, all others with port 0 (RFC 3264 section 6).

    Raises SdpMalformed (400) or SdpUnacceptable (488); the session in place then goes on as it was.
    """
    session = parse(offered)
    chosen, problem = None, "it has no audio line"
    for index, stream in enumerate(session.streams):
        if stream.kind != "audio":
            continue
        obstacle = _obstacle(stream, local)
        if obstacle is None:
            chosen = index
            break
        problem = obstacle
    if chosen is None:
        raise SdpUnacceptable(problem)
    stream = session.streams[chosen]
    order = [payload_type for payload_type, codec in stream.codecs.items() if codec in local.codecs]
    order.sort(key=lambda payload_type: stream.codecs[payload_type] is not local.prefer)
    payload_types = {payload_type: stream.codecs[payload_type] for payload_type in order}
    negotiated = _negotiated(stream, local, payload_types)
    media = [
        _media(
            local,
            payload_types,
            negotiated.telephone_event,
            stream.comfort_noise,
            negotiated.ptime_ms,
            negotiated.direction,
        )
        if index == chosen
        else MediaDescription(media=other.kind, port=0, proto=other.protocol, formats=list(other.formats))
        for index, other in enumerate(session.streams)
    ]
    return _serialise(local, media), negotiated


def accept(answered: bytes, local: LocalMedia) -> Negotiated:
    """Read the answer to our `offer(local)`. Raises SdpMalformed (400) or SdpUnacceptable (488)."""
    session = parse(answered)
    if not session.streams or session.streams[0].kind != "audio":
        raise SdpUnacceptable("the answer has no audio line")
    stream = session.streams[0]
    obstacle = _obstacle(stream, local)
    if obstacle is not None:
        raise SdpUnacceptable(obstacle)
    answered_types = {number: codec for number, codec in stream.codecs.items() if codec in local.codecs}
    negotiated = _negotiated(stream, local, answered_types)
    # A peer may speak before its answer arrives, in any coding that was offered.
    return replace(negotiated, payload_types={int(codec): codec for codec in local.codecs} | answered_types)


def _negotiated(stream: Stream, local: LocalMedia, payload_types: Mapping[int, Codec]) -> Negotiated:
    first = next(iter(payload_types))
    codec = payload_types[first]
    mirrored = _MIRROR[stream.direction]
    noise = stream.comfort_noise
    if noise is None and COMFORT_NOISE not in payload_types and stream.telephone_event != COMFORT_NOISE:
        noise = COMFORT_NOISE
    return Negotiated(
        remote=(stream.address or "0.0.0.0", stream.port),
        codec=codec,
        payload_types=payload_types,
        send_type=None if first == int(codec) else first,
        telephone_event=None if local.telephone_event is None else stream.telephone_event,
        comfort_noise=noise,
        ptime_ms=_packet_ms(stream, local),
        direction=_direction(
            sends=mirrored.sends and local.direction.sends, receives=mirrored.receives and local.direction.receives
        ),
        latch=local.latch,
        remote_rtcp=stream.rtcp,
    )


def _obstacle(stream: Stream, local: LocalMedia) -> str | None:
    """Why a stream cannot serve; None where it can."""
    if stream.port == 0:
        return "the audio line is switched off with port 0"
    if stream.protocol != PROTOCOL:
        return f"the audio line wants {stream.protocol}"
    if stream.address is None:
        return "the audio line has no IPv4 unicast address"
    if not any(codec in local.codecs for codec in stream.codecs.values()):
        return "the audio line has no codec of ours"
    return None


def _packet_ms(stream: Stream, local: LocalMedia) -> int:
    """Milliseconds in each packet we send: as the peer asks, in steps of our 10 ms tick, from 10 to 60."""
    wanted = stream.ptime_ms or local.ptime_ms
    if stream.max_ptime_ms is not None:
        wanted = min(wanted, stream.max_ptime_ms)
    return min(60, max(10, wanted // 10 * 10))


def _direction(*, sends: bool, receives: bool) -> Direction:
    if sends:
        return Direction.SENDRECV if receives else Direction.SENDONLY
    return Direction.RECVONLY if receives else Direction.INACTIVE


def _lines(data: bytes) -> list[str]:
    """The lines that are read, in a form that the library reads without surprises."""
    found = []
    for line in _LINE_END.split(data.decode("utf-8", "replace")):
        # The library would also split at Unicode line ends.
        line = " ".join(line.split())
        if line[1:2] != "=" or line[0] not in _READ:
            continue
        if line[0] == "m":
            media = _MEDIA.fullmatch(line)
            if media is None or int(media[2]) > 65535:
                raise SdpMalformed("an m= line lacks a kind, port, protocol or format")
            line = f"m={media[1]} {media[2]} {media[3]} {media[4]}"
        elif line[0] == "a":
            attribute = _ATTRIBUTE.fullmatch(line)
            if attribute is not None:
                line = f"a={attribute[1].lower()}:{attribute[2]}"
                if attribute[1].lower() == "rtpmap" and not _RTPMAP.fullmatch(attribute[2]):
                    raise SdpMalformed("an rtpmap attribute lacks a payload type or an encoding")
            if line.startswith("a=fmtp:"):
                continue
        elif line[0] == "t":
            # Of no use in a call, and sometimes not numbers.
            continue
        found.append(line)
    return found


def _stream(message: SdpMessage, media: MediaDescription) -> Stream:
    connection = media.connection or message.connection
    address = _unicast(connection)
    direction = next(
        (
            direction
            for attributes in (media.attributes, message.attributes)
            for direction in Direction
            if direction.value in attributes
        ),
        Direction.SENDRECV,
    )
    if address == "0.0.0.0":
        direction = _direction(sends=direction.sends, receives=False)
    codecs: dict[int, Codec] = {}
    telephone_event = comfort_noise = None
    for codec in media.codecs:
        number, name = codec.payload_type, codec.encoding_name.upper()
        mono_8k = codec.clock_rate == CLOCK_HZ and codec.channels in (None, 1)
        if not 0 <= number <= 127:
            continue
        if name in Codec.__members__ and mono_8k:
            codecs[number] = Codec[name]
        elif name == "TELEPHONE-EVENT" and mono_8k:
            telephone_event = number if telephone_event is None else telephone_event
        elif (name == "CN" and mono_8k) or (number == COMFORT_NOISE and not name):
            comfort_noise = number if comfort_noise is None else comfort_noise
    return Stream(
        kind=media.media,
        port=media.port,
        protocol=media.proto,
        formats=tuple(media.formats),
        address=address,
        direction=direction,
        codecs=codecs,
        telephone_event=telephone_event,
        comfort_noise=comfort_noise,
        ptime_ms=_milliseconds(message, media, "ptime"),
        max_ptime_ms=_milliseconds(message, media, "maxptime"),
        rtcp=_rtcp(media, address),
    )


def _unicast(connection: ConnectionData | None) -> str | None:
    """The IPv4 address of a c= line, if voice can be sent there; 0.0.0.0 counts (hold)."""
    if connection is None or (connection.net_type, connection.addr_type) != ("IN", "IP4"):
        return None
    try:
        address = IPv4Address(connection.address)
    except AddressValueError:
        return None
    if address.is_multicast or (address.is_reserved and not address.is_unspecified):
        return None
    return str(address)


def _milliseconds(message: SdpMessage, media: MediaDescription, name: str) -> int | None:
    values = media.attributes.get(name) or message.attributes.get(name) or []
    for value in values:
        with suppress(ValueError, OverflowError):
            milliseconds = int(float(value))
            if milliseconds > 0:
                return milliseconds
    return None


def _rtcp(media: MediaDescription, address: str | None) -> Address | None:
    """Where the peer takes RTCP, if it says (RFC 3605): `port` or `port IN IP4 address`."""
    for value in media.attributes.get("rtcp") or []:
        found = _RTCP.fullmatch(value)
        if found is None or not 0 < int(found[1]) <= 65535:
            return None
        if found[2] is not None:
            address = _unicast(ConnectionData(found[2], found[3], found[4]))
        return None if address is None else (address, int(found[1]))
    return None


def _media(
    local: LocalMedia,
    payload_types: Mapping[int, Codec],
    telephone_event: int | None,
    comfort_noise: int | None,
    ptime_ms: int,
    direction: Direction,
) -> MediaDescription:
    names = {number: codec.name for number, codec in payload_types.items()}
    if telephone_event is not None:
        names[telephone_event] = "telephone-event"
    if comfort_noise is not None:
        names[comfort_noise] = "CN"
    attributes = {"rtpmap": [f"{number} {name}/{CLOCK_HZ}" for number, name in names.items()]}
    if telephone_event is not None:
        attributes["fmtp"] = [f"{telephone_event} 0-15"]
    attributes["ptime"] = [str(ptime_ms)]
    attributes[direction.value] = []
    return MediaDescription(
        media="audio",
        port=local.port,
        proto=PROTOCOL,
        formats=[str(number) for number in names],
        attributes=attributes,
    )


def _serialise(local: LocalMedia, media: list[MediaDescription]) -> bytes:
    message = SdpMessage(
        origin=Origin(session_id=str(local.session), session_version=str(local.version), address=local.address),
        session_name="-",
        connection=ConnectionData(address=local.address),
        media=media,
    )
    return serialize_sdp(message).encode()
