"""What one party sends: each packet is placed on the conversation's clock, kept, and relayed.

`packet` is the hot path, once for each packet that arrives. Nearly every one is the one foreseen: the same length, the
same source, sequence and timestamp one step on. Such a packet is relayed at once and waits; what waits is placed, counted
and handed on in one piece, a few times a second or when it is asked for (`hand_over`). Everything else is kept out of
the way.
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
from tallylight.telephony.rtp.packet import HEAD, MARKER, PLAIN, RtpPacket, parse
from tallylight.telephony.rtp.reception import Reception, Verdict
from tallylight.telephony.rtp.tones import ToneReceiver

NEAR_A_WRAP = 1 << 10
"""Packets. So near to the end of the numbers of the stream it is relayed into, no packet is foreseen: adding would carry
from one number into the other."""

STEADY_MS = 1_000
"""A stream in which nothing unforeseen has come for so long is steady."""

_NONE = -1
_UNKNOWN, _EVENT, _COMFORT_NOISE = -1, -2, -3
_NOTHING: tuple[int, ...] = (_UNKNOWN,) * 128
_MASK = 0xFFFFFFFF
_TO_OTHER = {0: ULAW_TO_ALAW, 8: ALAW_TO_ULAW}

_pack = HEAD.pack
_unpack = HEAD.unpack_from


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
        "_codec",
        "_disturbed_ms",
        "_end_ms",
        "_events",
        "_lateness",
        "_length",
        "_next",
        "_shift",
        "_step",
        "_tones",
        "_types",
        "_waiting",
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
        self._disturbed_ms = 0
        """Engine time of the last packet that was not foreseen."""
        self._waiting: list[bytes] = []
        """Datagrams that were foreseen, already relayed."""
        self._length = _NONE
        """Bytes of the datagram that is foreseen."""
        self._next = 0
        """Its first eight bytes."""
        self._step = 0
        """From one packet's first eight bytes to the next one's."""
        self._shift = 0
        """From a packet's first eight bytes to those under which it is relayed."""
        self._codec = Codec.PCMU
        self.anchor(anchor_ms)

    @property
    def malformed_events(self) -> int:
        """Digit packets that made no sense."""
        return self._events.malformed

    @property
    def is_steady(self) -> bool:
        """Whether every packet has been the foreseen one for a while."""
        return (
            self._length != _NONE
            and self._tones is None
            and self.last_ms is not None
            and self.last_ms - self._disturbed_ms >= STEADY_MS
        )

    def anchor(self, anchor_ms: int) -> None:
        """The conversation starts at this engine time."""
        self.hand_over()
        self._length = _NONE
        self.anchor_ms = anchor_ms
        self.timeline = Timeline()
        self._end_ms = 0

    def configure(self, negotiated: Negotiated) -> None:
        """Take packets as they were agreed. The stream may have stood still meanwhile."""
        self.hand_over()
        self._length = _NONE
        self._types = _types(negotiated)
        self.timeline.pause()
        if negotiated.telephone_event is not None:
            self._tones = None
        elif self._tones is None:
            self._tones = ToneReceiver()

    def relay_to(self, out: Outgoing | None) -> None:
        """Send this voice into another stream, or none."""
        self._length = _NONE
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
        if len(data) == self._length:
            head, ssrc = _unpack(data)
            if head == self._next and ssrc == self.ssrc:
                out = self.out
                if out is None:
                    self._next = head + self._step
                    self._waiting.append(data)
                    self.last_ms = now_ms
                    return
                if out.origin is self:
                    self._next = head + self._step
                    self._waiting.append(data)
                    self.last_ms = out.sent_ms = now_ms
                    out.newest = head = head + self._shift
                    payload = data[12:]
                    if self._codec != out.codec:
                        payload = payload.translate(_TO_OTHER[self._codec])
                    try:
                        out.transmit(_pack(head, out.ssrc) + payload)
                    except OSError:
                        out.failed += 1
                    else:
                        out.sent += 1
                        out.octets += out.span
                    return
        self._unforeseen(data, now_ms)

    def hand_over(self) -> None:
        """Place and hand on what waits, in one piece."""
        waiting = self._waiting
        if not waiting or self.last_ms is None:
            return
        self._waiting = []
        count, span_ms = len(waiting), len(waiting[0]) - 12 >> 3
        self.reception.expected += count
        self.reception.received += count
        if self.out is not None and _wraps_soon(self.out.newest, span_ms):
            self._length = _NONE
        newest = (self._next - self._step) & _MASK
        start = self._place(newest, self.ssrc, self.last_ms, (count - 1) * span_ms)
        if not self._keep(start, self._codec, b"".join([data[12:] for data in waiting])):
            self.late += count

    def _unforeseen(self, data: bytes, now_ms: int) -> None:
        """A packet that begins something, comes late, twice or after a loss, is no voice, or no packet at all."""
        self.hand_over()
        self._length = _NONE
        self._disturbed_ms = now_ms
        try:
            packet = parse(data)
        except PacketMalformed:
            self.malformed += 1
            return
        number = self._types[packet.payload_type]
        if number < 0:
            self._no_voice(number, data, packet, now_ms)
            return
        codec = Codec(number)
        verdict = self._judge(packet)
        if verdict is Verdict.DUPLICATE:
            return
        self.reception.received += 1
        self.last_ms = now_ms
        if verdict is Verdict.LATE:
            self._late_voice(codec, packet, now_ms)
            return
        if not self._keep(self._place(packet.timestamp, packet.ssrc, now_ms), codec, packet.payload):
            self.late += 1
        out = self.out
        if out is not None and not self._relay(out, codec, packet, now_ms):
            return
        # A voice in which keys are listened for is not kept waiting.
        if data[0] == PLAIN and packet.payload and not len(packet.payload) & 7 and self._tones is None:
            self._foresee(codec, packet)

    def _foresee(self, codec: Codec, packet: RtpPacket) -> None:
        """The next packet, if the stream simply goes on. One whose numbers wrap never looks like it."""
        size = len(packet.payload)
        head = PLAIN << 56 | packet.payload_type << 48 | packet.sequence << 32 | packet.timestamp
        if self.out is not None:
            if _wraps_soon(self.out.newest, size >> 3):
                return
            self._shift = (self.out.newest & ~MARKER) - head
        self._codec = codec
        self._length = size + 12
        self._step = 1 << 32 | size
        self._next = head + self._step

    def _relay(self, out: Outgoing, codec: Codec, packet: RtpPacket, now_ms: int) -> bool:
        """Send a packet on in its order; False where the peer's stream is busy with something else."""
        payload = packet.payload if codec == out.codec else packet.payload.translate(_TO_OTHER[codec])
        marker = packet.marker
        if out.origin is not self:
            if not out.fit(self, packet.sequence, packet.timestamp, payload, now_ms):
                return False
            marker = True
        out.relay(packet.sequence, packet.timestamp, payload, now_ms, marker=marker)
        return True

    def _place(self, timestamp: int, ssrc: int, arrived_ms: int, before_ms: int = 0) -> int:
        """Where a packet begins that arrived at this engine time; with `before_ms` of sound that came before it and is
        not kept yet, where that begins."""
        arrival = arrived_ms - self.anchor_ms
        start = self.timeline.place(timestamp, arrival, ssrc, self._end_ms + before_ms)
        lateness = arrival - start
        self.jitter += (abs(lateness - self._lateness) << 3) - (self.jitter + 8 >> 4)
        self._lateness = lateness
        return start - before_ms

    def _keep(self, start_ms: int, codec: Codec, payload: bytes) -> bool:
        """Hand sound on, as far as its time is not taken; False where nothing of it is left."""
        start, kept = _fit(start_ms, self._end_ms, payload)
        duration = len(kept) >> 3
        if not duration:
            return False
        self._end_ms = start + duration
        self.received_ms += duration
        if self.sink is not None:
            self.sink.accept(start, duration, codec, kept)
        if self._tones is not None:
            self._listen(self._tones, start, codec, kept)
        return True

    def _judge(self, packet: RtpPacket) -> Verdict:
        """Take a packet into the count."""
        reception, sequence = self.reception, packet.sequence
        if packet.ssrc == self.ssrc:
            if sequence == reception.expected & 0xFFFF:
                reception.expected += 1
                return Verdict.NEWEST
            verdict = reception.judge(sequence)
        else:
            reception.start(sequence)
            self.ssrc = packet.ssrc
            self._events.reset()
            self.reports.forget()
            verdict = Verdict.RESTARTED
        if verdict is Verdict.RESTARTED:
            self.sources += 1
            self._interrupt()
        return verdict

    def _interrupt(self) -> None:
        if self.out is not None and self.out.origin is self:
            self.out.interrupt()

    def _late_voice(self, codec: Codec, packet: RtpPacket, now_ms: int) -> None:
        """A packet that others have overtaken: it still fills its place, here and at the peer's."""
        payload = packet.payload
        start = self.timeline.place(packet.timestamp, now_ms - self.anchor_ms, packet.ssrc, self._end_ms)
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
            out.insert(packet.sequence, packet.timestamp, payload, marker=packet.marker)

    def _no_voice(self, number: int, data: bytes, packet: RtpPacket, now_ms: int) -> None:
        """A digit, comfort noise, a report on the wrong port, or something nobody agreed to."""
        if number == _UNKNOWN:
            if 192 <= data[1] <= 223:
                self.reports.take(data, now_ms)
            else:
                self.unnegotiated += 1
            return
        if self._judge(packet) is Verdict.DUPLICATE:
            return
        self.reception.received += 1
        self.last_ms = now_ms
        self._interrupt()
        if number == _EVENT:
            for pressed in self._events.feed(packet.payload, packet.timestamp, marker=packet.marker):
                start = self.timeline.locate(pressed.timestamp, now_ms - self.anchor_ms, packet.ssrc)
                if self.on_digit is not None:
                    self.on_digit(pressed.key, max(0, start), DigitSource.EVENT)

    def _listen(self, tones: ToneReceiver, start_ms: int, codec: Codec, payload: bytes) -> None:
        for heard in tones.feed(start_ms, codec, payload):
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


def _wraps_soon(head: int, span_ms: int) -> bool:
    """Whether a stream whose newest packet has these first eight bytes comes to the end of a number before long."""
    return head >> 32 & 0xFFFF > 0xFFFF - NEAR_A_WRAP or head & _MASK > _MASK - NEAR_A_WRAP * (span_ms << 3)


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
