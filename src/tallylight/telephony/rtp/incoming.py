"""What one party sends: each packet is placed on the conversation's clock, kept, and relayed.

`packet` is the hot path, once for each packet that arrives. Everything else is kept out of it.
"""

from collections.abc import Callable
from enum import Enum
from typing import Protocol

from tallylight.capture.timeline import Timeline
from tallylight.telephony.rtp.digits import EventReceiver
from tallylight.telephony.rtp.errors import PacketMalformed
from tallylight.telephony.rtp.g711 import ALAW_TO_ULAW, ULAW_TO_ALAW
from tallylight.telephony.rtp.negotiated import Codec, Negotiated
from tallylight.telephony.rtp.outgoing import AudioSink, Outgoing
from tallylight.telephony.rtp.packet import HEADER, PLAIN, parse
from tallylight.telephony.rtp.reception import Reception, Verdict
from tallylight.telephony.rtp.tones import ToneReceiver

CHECK_MS = 100
"""How often a stream that simply goes on is compared with its arrival; between, a packet lies where the last one ended."""

_UNKNOWN, _EVENT, _COMFORT_NOISE = -1, -2, -3
_NOTHING: tuple[int, ...] = (_UNKNOWN,) * 128
_MASK = 0xFFFFFFFF
_TO_OTHER = {0: ULAW_TO_ALAW, 8: ALAW_TO_ULAW}

_pack = HEADER.pack
_unpack = HEADER.unpack_from


class DigitSource(Enum):
    """How a key press was recognised. A tone has already gone by in the sound; an event has not."""

    EVENT = "event"
    TONE = "tone"


OnDigit = Callable[[str, int, DigitSource], None]
"""(key, media time at which it began, how it came)."""


class ReportReader(Protocol):
    """Takes RTCP that comes on the port of the voice (RFC 5761), and learns when the stream is another one."""

    def take(self, data: bytes, now_ms: int) -> None:
        """One datagram."""

    def forget(self) -> None:
        """The party's stream starts anew."""


class Incoming:
    """One leg's incoming stream. Media loop only. `now_ms` is engine time, everything else media time."""

    __slots__ = (
        "_check_ms",
        "_end_ms",
        "_events",
        "_lateness",
        "_next_timestamp",
        "_tones",
        "_types",
        "anchor_ms",
        "jitter",
        "last_ms",
        "late",
        "malformed",
        "on_digit",
        "out",
        "received_ms",
        "reception",
        "reports",
        "sink",
        "sources",
        "ssrc",
        "timeline",
        "unnegotiated",
    )

    def __init__(self, *, reports: ReportReader, anchor_ms: int) -> None:
        self.sink: AudioSink | None = None
        self.on_digit: OnDigit | None = None
        self.out: Outgoing | None = None
        """The stream that carries this voice to the peer."""
        self.reports = reports
        self.reception = Reception()
        self.ssrc = -1
        """The source of the stream; -1 before the first packet."""
        self.sources = 0
        self.jitter = 0
        """Interarrival jitter in 1/16 samples (RFC 3550 appendix A.8), from the packets compared with their arrival."""
        self.last_ms: int | None = None
        """Engine time of the last valid packet."""
        self.received_ms = 0
        self.late = 0
        self.malformed = 0
        self.unnegotiated = 0
        self._events = EventReceiver()
        self._tones: ToneReceiver | None = None
        self._types = _NOTHING
        self._lateness = 0
        self._check_ms = 0
        self.anchor(anchor_ms)

    @property
    def malformed_events(self) -> int:
        """Digit packets that made no sense."""
        return self._events.malformed

    def anchor(self, anchor_ms: int) -> None:
        """The conversation starts at this engine time."""
        self.anchor_ms = anchor_ms
        self.timeline = Timeline()
        self._end_ms = 0
        self._next_timestamp = -1

    def configure(self, negotiated: Negotiated) -> None:
        """Take packets as they were agreed. The stream may have stood still meanwhile."""
        self._types = _types(negotiated)
        self.timeline.pause()
        self._next_timestamp = -1
        if negotiated.telephone_event is not None:
            self._tones = None
        elif self._tones is None:
            self._tones = ToneReceiver()

    def relay_to(self, out: Outgoing | None) -> None:
        """Send this voice into another stream, or none."""
        if self.out is not None and self.out.origin is self:
            self.out.interrupt()
        self.out = out

    def agreed(self, data: bytes) -> bool:
        """Whether a datagram is a packet of a kind that was agreed; counts it if not."""
        try:
            packet = parse(data)
        except PacketMalformed:
            self.malformed += 1
            return False
        if self._types[packet.payload_type] == _UNKNOWN:
            self.unnegotiated += 1
            return False
        return True

    def packet(self, data: bytes, now_ms: int) -> None:
        """Take one datagram from the party."""
        if len(data) > 12 and data[0] == PLAIN:
            _, kind, sequence, timestamp, ssrc = _unpack(data)
            payload = data[12:]
        else:
            try:
                packet = parse(data)
            except PacketMalformed:
                self.malformed += 1
                return
            sequence, timestamp, ssrc, payload = packet.sequence, packet.timestamp, packet.ssrc, packet.payload
            kind = packet.payload_type | packet.marker << 7
        codec = self._types[kind & 0x7F]
        if codec < 0:
            self._no_voice(codec, data, kind, sequence, timestamp, ssrc, payload, now_ms)
            return
        reception = self.reception
        if sequence == reception.expected & 0xFFFF and ssrc == self.ssrc:
            reception.expected += 1
        else:
            verdict = self._judge(sequence, ssrc)
            if verdict is Verdict.DUPLICATE:
                return
            if verdict is Verdict.LATE:
                self._late_voice(codec, kind, sequence, timestamp, ssrc, payload, now_ms)
                return
        reception.received += 1
        self.last_ms = now_ms
        end = self._end_ms
        size = len(payload)
        if timestamp == self._next_timestamp and now_ms < self._check_ms:
            start = end
            kept = payload
        else:
            start, kept = self._place(timestamp, ssrc, payload, now_ms)
        self._next_timestamp = timestamp + size if not size & 7 else -1
        duration = len(kept) >> 3
        if duration:
            self._end_ms = start + duration
            self.received_ms += duration
            if self.sink is not None:
                self.sink.accept(start, duration, codec, kept)
            if self._tones is not None:
                self._listen(self._tones, start, codec, kept)
        else:
            self.late += 1
        out = self.out
        if out is not None:
            if codec != out.codec:
                payload = payload.translate(_TO_OTHER[codec])
            if out.origin is not self:
                if not out.fit(self, sequence, timestamp, payload, now_ms):
                    return
                kind |= 0x80
            out.sequence = sequence = (sequence + out.sequence_shift) & 0xFFFF
            out.timestamp = timestamp = (timestamp + out.timestamp_shift) & _MASK
            out.sent_ms = now_ms
            out.span = size
            try:
                out.transmit(_pack(PLAIN, kind & 0x80 | out.kind, sequence, timestamp, out.ssrc) + payload)
            except OSError:
                out.failed += 1
            else:
                out.sent += 1
                out.octets += size

    def _place(self, timestamp: int, ssrc: int, payload: bytes, now_ms: int) -> tuple[int, bytes]:
        """(start, sound that does not overlap what is there) of a packet that does not simply go on, or whose time it is
        to be compared with its arrival."""
        arrival = now_ms - self.anchor_ms
        end = self._end_ms
        start = self.timeline.place(timestamp, arrival, ssrc, end)
        lateness = arrival - start
        self.jitter += (abs(lateness - self._lateness) << 3) - (self.jitter + 8 >> 4)
        self._lateness = lateness
        fitted, kept = _fit(start, end, payload)
        # Only a packet that ends where its timestamp says lets the next one simply go on.
        whole = fitted + (len(kept) >> 3) == start + (len(payload) >> 3)
        self._check_ms = now_ms + CHECK_MS if whole else now_ms
        return fitted, kept

    def _judge(self, sequence: int, ssrc: int) -> Verdict:
        """Take a packet that is not the next one of the known stream."""
        if ssrc == self.ssrc:
            verdict = self.reception.judge(sequence)
        else:
            self.reception.start(sequence)
            self.ssrc = ssrc
            self._events.reset()
            self.reports.forget()
            self._next_timestamp = -1
            verdict = Verdict.RESTARTED
        if verdict is Verdict.RESTARTED:
            self.sources += 1
            self._interrupt()
        return verdict

    def _interrupt(self) -> None:
        if self.out is not None and self.out.origin is self:
            self.out.interrupt()

    def _late_voice(
        self, codec: int, kind: int, sequence: int, timestamp: int, ssrc: int, payload: bytes, now_ms: int
    ) -> None:
        """A packet that others have overtaken: it still fills its place, here and at the peer's."""
        self.reception.received += 1
        self.last_ms = now_ms
        start = self.timeline.place(timestamp, now_ms - self.anchor_ms, ssrc, self._end_ms)
        duration = len(payload) >> 3
        if start < 0 or not duration or start + duration > self._end_ms:
            self.late += 1
        else:
            self.received_ms += duration
            if self.sink is not None:
                self.sink.accept(start, duration, codec, payload[: duration << 3])
        out = self.out
        if out is not None and out.origin is self:
            if codec != out.codec:
                payload = payload.translate(_TO_OTHER[codec])
            out.insert(kind & 0x80, sequence, timestamp, payload)

    def _no_voice(
        self,
        codec: int,
        data: bytes,
        kind: int,
        sequence: int,
        timestamp: int,
        ssrc: int,
        payload: bytes,
        now_ms: int,
    ) -> None:
        """A digit, comfort noise, a report on the wrong port, or something nobody agreed to."""
        if codec == _UNKNOWN:
            if 192 <= kind <= 223:
                self.reports.take(data, now_ms)
            else:
                self.unnegotiated += 1
            return
        reception = self.reception
        if sequence == reception.expected & 0xFFFF and ssrc == self.ssrc:
            reception.expected += 1
        elif self._judge(sequence, ssrc) is Verdict.DUPLICATE:
            return
        reception.received += 1
        self.last_ms = now_ms
        self._interrupt()
        if codec == _EVENT:
            for pressed in self._events.feed(payload, timestamp, marker=kind >= 0x80):
                start = self.timeline.locate(pressed.timestamp, now_ms - self.anchor_ms, ssrc)
                if self.on_digit is not None:
                    self.on_digit(pressed.key, max(0, start), DigitSource.EVENT)

    def _listen(self, tones: ToneReceiver, start_ms: int, codec: int, payload: bytes) -> None:
        for heard in tones.feed(start_ms, Codec(codec), payload):
            if self.on_digit is not None:
                self.on_digit(heard.key, heard.start_ms, DigitSource.TONE)


def _types(negotiated: Negotiated) -> tuple[int, ...]:
    """What each payload type means in the direction towards us."""
    if not negotiated.direction.receives:
        return _NOTHING
    types = list(_NOTHING)
    if negotiated.comfort_noise is not None:
        types[negotiated.comfort_noise] = _COMFORT_NOISE
    if negotiated.telephone_event is not None:
        types[negotiated.telephone_event] = _EVENT
    for number, codec in negotiated.payload_types.items():
        types[number] = int(codec)
    return tuple(types)


def _fit(start_ms: int, end_ms: int, payload: bytes) -> tuple[int, bytes]:
    """(start, whole milliseconds) of sound that does not overlap what ends at `end_ms`.

    One millisecond between the two is the correction of the sender's clock, not a pause: it is filled by holding the
    first sample. An overlap is cut off in front."""
    if start_ms == end_ms + 1:
        start_ms = end_ms
        payload = payload[:1] * 8 + payload
    elif start_ms < end_ms:
        payload = payload[(end_ms - start_ms) << 3 :]
        start_ms = end_ms
    return start_ms, payload[: len(payload) & ~7]
