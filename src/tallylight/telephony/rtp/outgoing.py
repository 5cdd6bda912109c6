"""What one leg sends: one RTP stream, into which a prompt, the peer's voice, digits or silence are put in turn.

The stream has a source, sequence and clock of its own, continuous over all of them. The peer's packets keep their own
steps of sequence and timestamp while they flow, so that the listener sees the loss and reordering there really was.
All times `*_ms` are engine time (monotonic ms) unless said otherwise.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Protocol

from tallylight.telephony.rtp import digits, tones
from tallylight.telephony.rtp.g711 import SILENCE, mix
from tallylight.telephony.rtp.negotiated import Codec
from tallylight.telephony.rtp.packet import HEAD, MARKER, PLAIN
from tallylight.telephony.rtp.prompt import Prompt

NEVER = 1 << 62
QUIET_MS = 200
"""A peer that sends nothing for so long is filled in with silence, so that the path through NAT stays open."""

BURST = 2
"""Most packets of our own sent in one tick."""

BEHIND = 3
"""Behind by so many packets, the sound goes on where it stopped instead of catching up."""

MIXTURE_MS = 100
"""Most of the peer's voice held back while it is mixed into a prompt."""

DIGIT_MS = 160
DIGIT_PAUSE_MS = 60

_MASK = 0xFFFFFFFF


class AudioSink(Protocol):
    """Takes G.711 by media time. `payload_type` is 0 (µ-law) or 8 (A-law); 8 bytes are a millisecond."""

    def accept(self, start_ms: int, duration_ms: int, payload_type: int, payload: bytes) -> None:
        """Sound [start_ms, start_ms + duration_ms) of the conversation."""


class UnderPrompt(Enum):
    """What becomes of the peer's voice while a prompt plays."""

    MIX = "mix"
    """It is heard together with the prompt."""
    MUTE = "mute"
    """It is not heard."""


@dataclass(slots=True)
class Playout:
    """A prompt on its way: `position` in bytes."""

    prompt: Prompt
    on_done: Callable[[], None] | None
    sent: AudioSink | None
    under: UnderPrompt
    repeats: bool
    position: int = 0


@dataclass(slots=True)
class DigitOut:
    """A key on its way: event payloads under one timestamp, or sound."""

    frames: deque[bytes]
    timestamp: int | None = None


class Outgoing:
    """One leg's outgoing stream. Media loop only."""

    __slots__ = (
        "_digits",
        "_fed_ms",
        "_mixture",
        "anchor_ms",
        "codec",
        "due_ms",
        "event_type",
        "failed",
        "kind",
        "newest",
        "octets",
        "on_due",
        "open",
        "origin",
        "playout",
        "ptime_ms",
        "sent",
        "sent_ms",
        "sequence_shift",
        "span",
        "ssrc",
        "timestamp_shift",
        "transmit",
    )

    def __init__(
        self, *, ssrc: int, sequence: int, timestamp: int, now_ms: int, on_due: Callable[[], None] = lambda: None
    ) -> None:
        self.ssrc = ssrc
        self.newest = sequence << 32 | timestamp
        """The first eight bytes of the newest packet sent, as a number."""
        self.span = 0
        """Samples in the newest packet sent."""
        self.sent_ms = now_ms
        """The instant the newest packet's sound belongs to."""
        self.anchor_ms = now_ms
        """The conversation's start."""
        self.kind = 0
        """The payload type of our voice."""
        self.codec = Codec.PCMU
        self.event_type: int | None = None
        self.ptime_ms = 20
        self.open = False
        """Whether the party is to be sent anything."""
        self.transmit: Callable[[bytes], object] = len
        self.origin: object = None
        """The leg whose packets flow through unchanged in step; None when its next packet has to be fitted in."""
        self.sequence_shift = 0
        self.timestamp_shift = 0
        self.due_ms = NEVER
        """When `pace` has something to do."""
        self.on_due = on_due
        """Called when `due_ms` has become sooner."""
        self.playout: Playout | None = None
        self.sent = 0
        self.octets = 0
        self.failed = 0
        self._mixture = bytearray()
        self._fed_ms = -NEVER
        self._digits: deque[DigitOut] = deque()

    @property
    def timestamp(self) -> int:
        """Of the newest packet sent."""
        return self.newest & _MASK

    def allow(self, now_ms: int) -> None:
        """The party may be sent to (again): silence from now on, or what was interrupted."""
        self.interrupt()
        self.open = True
        self._wake(now_ms)

    def interrupt(self) -> None:
        """The peer's next packet must be fitted in anew."""
        if self.origin is not None:
            self._fed_ms = self.sent_ms
            self.origin = None

    def forbid(self) -> None:
        """The party is to be sent nothing: a prompt waits, keys on their way are forgotten."""
        self.open = False
        self.origin = None
        self.due_ms = NEVER
        self._mixture.clear()
        self._digits.clear()

    def play(self, playout: Playout, now_ms: int) -> None:
        """Play from the next packet due on, in place of any other prompt."""
        self.interrupt()
        self.playout = playout
        self._mixture.clear()
        if self.open:
            self._wake(now_ms)

    def stop(self) -> None:
        """Play no more; what `on_done` would have done is not done."""
        self.playout = None
        self._mixture.clear()

    def press(self, key: str, now_ms: int) -> None:
        """Send a key: as events where they were negotiated, else as sound. Keys wait for one another; a party that
        holds us is sent none."""
        if not self.open:
            return
        if self.event_type is not None:
            frames = digits.press(key, duration_ms=DIGIT_MS, ptime_ms=self.ptime_ms)
        else:
            sound = Prompt(tones.tone(key, duration_ms=DIGIT_MS) + bytes(DIGIT_PAUSE_MS * 16)).payload(self.codec)
            size = self.ptime_ms * 8
            frames = [sound[at : at + size] for at in range(0, len(sound), size)]
        self._digits.append(DigitOut(deque(frames)))
        self.interrupt()
        self._wake(now_ms)

    def fit(self, origin: object, sequence: int, timestamp: int, payload: bytes, now_ms: int) -> bool:
        """Whether the peer's packet, now in our codec, may go out; its stream is then fitted to follow ours.

        While a prompt plays the packet is kept for mixing instead, or dropped."""
        self._fed_ms = now_ms
        if not self.open or self._digits:
            return False
        playout = self.playout
        if playout is not None:
            if playout.under is UnderPrompt.MIX:
                mixture = self._mixture
                mixture += payload
                if len(mixture) > MIXTURE_MS * 8:
                    del mixture[: len(mixture) - MIXTURE_MS * 8]
            return False
        self.origin = origin
        self.sequence_shift = ((self.newest >> 32) + 1 - sequence) & 0xFFFF
        self.timestamp_shift = (self._next_timestamp(now_ms) - timestamp) & _MASK
        self.due_ms = now_ms + QUIET_MS
        return True

    def relay(self, sequence: int, timestamp: int, payload: bytes, now_ms: int, *, marker: bool) -> None:
        """Pass on the flowing peer's newest packet."""
        self.newest = head = self._shifted(sequence, timestamp, marker)
        self.sent_ms = now_ms
        self.span = len(payload)
        self._put(head, payload)

    def insert(self, sequence: int, timestamp: int, payload: bytes, *, marker: bool) -> None:
        """Pass on a packet of the flowing peer that others have overtaken."""
        self._put(self._shifted(sequence, timestamp, marker), payload)

    def _shifted(self, sequence: int, timestamp: int, marker: bool) -> int:
        sequence = (sequence + self.sequence_shift) & 0xFFFF
        timestamp = (timestamp + self.timestamp_shift) & _MASK
        return _head(self.kind, sequence, timestamp) | (MARKER if marker else 0)

    def pace(self, now_ms: int) -> None:
        """Send what is due at `now_ms`."""
        if now_ms - self.due_ms >= BEHIND * self.ptime_ms:
            self.due_ms = now_ms
        budget = BURST
        while budget and self.due_ms <= now_ms:
            if self._digits:
                self._send_digit()
            elif self.playout is not None:
                if not self._send_prompt(self.playout):
                    continue
            else:
                heard = self.sent_ms if self.origin is not None else self._fed_ms
                if now_ms - heard < QUIET_MS:
                    self.due_ms = heard + QUIET_MS
                    return
                self.origin = None
                self._send(SILENCE[self.codec] * (self.ptime_ms * 8))
            self.due_ms += self.ptime_ms
            budget -= 1

    def rtp_time(self, now_ms: int) -> int:
        """Our RTP clock at an instant, for reports."""
        return (self.timestamp + (now_ms - self.sent_ms) * 8) & _MASK

    def _wake(self, now_ms: int) -> None:
        """Send from now on; where packets are already on their way each ptime, keep their step."""
        if self.due_ms > now_ms + self.ptime_ms:
            self.due_ms = now_ms
            self.on_due()

    def _next_timestamp(self, at_ms: int) -> int:
        return (self.timestamp + max(self.span, (at_ms - self.sent_ms) * 8)) & _MASK

    def _send_prompt(self, playout: Playout) -> bool:
        """Send the next packet of the prompt; False where it had ended, and whatever comes next is due now."""
        sound = playout.prompt.payload(self.codec)
        position, size = playout.position, self.ptime_ms * 8
        if position >= len(sound):
            if playout.repeats and sound:
                position = 0
            else:
                self.stop()
                if playout.on_done is not None:
                    playout.on_done()
                return False
        chunk = sound[position : position + size]
        playout.position = position + len(chunk)
        packet = chunk + SILENCE[self.codec] * (size - len(chunk))
        mixture = self._mixture
        if len(mixture) >= size:
            packet = mix(self.codec, packet, bytes(mixture[:size]))
            del mixture[:size]
        if self._send(packet) and playout.sent is not None:
            playout.sent.accept(self.due_ms - self.anchor_ms, len(chunk) // 8, self.codec, chunk)
        return True

    def _send(self, payload: bytes) -> bool:
        timestamp = self._next_timestamp(self.due_ms)
        pause = (timestamp - self.timestamp) & _MASK != self.span or not self.sent
        self.span = len(payload)
        self.sent_ms = self.due_ms
        return self._transmit(self.kind, timestamp, payload, marker=pause)

    def _send_digit(self) -> None:
        digit = self._digits[0]
        payload = digit.frames.popleft()
        if not digit.frames:
            self._digits.popleft()
        if self.event_type is None or len(payload) != 4:
            self._send(payload)
            return
        first = digit.timestamp is None
        if digit.timestamp is None:
            digit.timestamp = self._next_timestamp(self.due_ms)
            self.sent_ms = self.due_ms
        self.span = (self.due_ms - self.sent_ms + self.ptime_ms) * 8
        self._transmit(self.event_type, digit.timestamp, payload, marker=first)

    def _transmit(self, kind: int, timestamp: int, payload: bytes, *, marker: bool) -> bool:
        sequence = (self.newest >> 32) + 1 & 0xFFFF
        self.newest = head = _head(kind, sequence, timestamp) | (MARKER if marker else 0)
        return self._put(head, payload)

    def _put(self, head: int, payload: bytes) -> bool:
        try:
            self.transmit(HEAD.pack(head, self.ssrc) + payload)
        except OSError:
            self.failed += 1
            return False
        self.sent += 1
        self.octets += len(payload)
        return True


def _head(kind: int, sequence: int, timestamp: int) -> int:
    """The first eight bytes of a packet without marker."""
    return PLAIN << 56 | kind << 48 | sequence << 32 | timestamp
