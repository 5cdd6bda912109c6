"""Digits as telephone events (RFC 4733): recognised once at their first packet, and made for sending."""

import struct
from dataclasses import dataclass

from tallylight.telephony.rtp.errors import PacketMalformed

KEYS = "0123456789*#ABCD"
"""The DTMF events 0 to 15 (RFC 4733 section 3.2)."""

SAMPLES_MS = 8
SEGMENT = 0xFFFF
"""The longest duration one timestamp can carry, in samples; a longer press goes on under a new timestamp."""

END_COPIES = 3
"""How often the last packet of an event is sent (RFC 4733 section 2.5.1.4)."""

_EVENT = struct.Struct(">BBH")
_MASK = 0xFFFFFFFF
_HALF = 0x80000000


@dataclass(frozen=True, kw_only=True, slots=True)
class EventReport:
    """One four-byte event. `volume` in -dBm0 (0 to 63), `duration` in samples since the packet's timestamp."""

    event: int
    end: bool
    volume: int
    duration: int


def parse(payload: bytes) -> tuple[EventReport, ...]:
    """The events of one payload, oldest first. Raises `PacketMalformed`."""
    if not payload or len(payload) % _EVENT.size:
        raise PacketMalformed("A telephone event has four bytes.")
    return tuple(
        EventReport(event=event, end=bits >= 0x80, volume=bits & 0x3F, duration=duration)
        for event, bits, duration in _EVENT.iter_unpack(payload)
    )


def serialise(reports: tuple[EventReport, ...]) -> bytes:
    """The events as one payload."""
    return b"".join(_EVENT.pack(report.event, report.end << 7 | report.volume, report.duration) for report in reports)


@dataclass(frozen=True, kw_only=True, slots=True)
class KeyPress:
    """A key that has begun to be pressed at the RTP time `timestamp`."""

    key: str
    timestamp: int


class EventReceiver:
    """Turns one leg's event packets into key presses: each press once, whichever of its packets arrive."""

    __slots__ = ("_duration", "_ended", "_event", "_timestamp", "ignored", "malformed")

    def __init__(self) -> None:
        self._event = -1
        self._timestamp = 0
        self._duration = 0
        self._ended = True
        self.malformed = 0
        self.ignored = 0
        """Events that are not keys (flash, tones)."""

    def feed(self, payload: bytes, timestamp: int, *, marker: bool = False) -> list[KeyPress]:
        """The presses that begin with this packet: seldom more than one, mostly none."""
        try:
            reports = parse(payload)
        except PacketMalformed:
            self.malformed += 1
            return []
        pressed = []
        for report in reports:
            if report.event < len(KEYS):
                if self._begins(report, timestamp, marker):
                    pressed.append(KeyPress(key=KEYS[report.event], timestamp=timestamp))
            else:
                self.ignored += 1
            timestamp = (timestamp + report.duration) & _MASK
        return pressed

    def reset(self) -> None:
        """The stream starts anew (other SSRC): its timestamps have nothing to do with those before."""
        self._event = -1
        self._ended = True

    def _begins(self, report: EventReport, timestamp: int, marker: bool) -> bool:
        step = (timestamp - self._timestamp) & _MASK
        known = self._event >= 0
        if known and step >= _HALF:
            return False  # a straggler of an event before
        if known and step == 0 and report.event == self._event:
            self._duration = max(self._duration, report.duration)
            self._ended = self._ended or report.end
            return False
        continues = (
            known
            and not marker
            and not self._ended
            and report.event == self._event
            # A long press goes on under a new timestamp when its duration is full; some phones, against the RFC,
            # move the timestamp with every packet while the duration grows.
            and (self._duration + SAMPLES_MS * 60 >= SEGMENT or report.duration > self._duration)
            and step <= SEGMENT + SAMPLES_MS * 60
        )
        self._event = report.event
        self._timestamp = timestamp
        self._duration = report.duration
        self._ended = report.end
        return not continues


def press(key: str, *, duration_ms: int, ptime_ms: int, volume: int = 10) -> list[bytes]:
    """The payloads of one press, one to be sent each `ptime_ms` under one timestamp; the end is there three times."""
    event = KEYS.index(key)
    count = max(1, -(-duration_ms // ptime_ms))
    payloads = []
    for index in range(1, count + END_COPIES):
        duration = min(index, count) * ptime_ms * SAMPLES_MS
        report = EventReport(event=event, end=index >= count, volume=volume, duration=min(duration, SEGMENT))
        payloads.append(serialise((report,)))
    return payloads
