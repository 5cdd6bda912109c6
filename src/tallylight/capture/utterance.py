"""What somebody says while an answer is awaited: gathered in memory, judged once and wiped, never kept.

It stands in front of whoever takes that person's voice and hands everything on unchanged.
"""

import audioop
from collections.abc import Callable
from typing import Protocol

import webrtcvad

from tallylight.capture.vad import AGGRESSIVENESS, FRAME_BYTES, QUIET, RATE_HZ, decode

FRAME_MS = 30
BYTES_PER_MS = 16
LEAD_MS = 300
"""Kept from before the first voice: a word begins softly."""
LONGEST_MS = 4000
SHORTEST_VOICE_MS = 120
"""Less voice than this is a click."""
PAUSE_MS = 500
"""So much silence ends an utterance."""


class VoiceSink(Protocol):
    def accept(self, start_ms: int, duration_ms: int, payload_type: int, payload: bytes) -> None:
        """Take G.711 from media time `start_ms` on."""


class Utterance:
    """An `AudioSink`. Never holds more than `LONGEST_MS` and one packet of sound. Media loop only."""

    def __init__(self, then: VoiceSink) -> None:
        self.then = then
        self._detector = webrtcvad.Vad(AGGRESSIVENESS)
        self._sound = bytearray()
        self._judged = 0
        self._voice_ms = 0
        self._last_ms = 0
        self.start_ms = 0
        """Media time of the first voice."""

    @property
    def begun(self) -> bool:
        """Whether somebody speaks, or spoke and paused."""
        return self._voice_ms >= SHORTEST_VOICE_MS

    def is_over(self, now_ms: int) -> bool:
        """Whether somebody spoke and has paused, or said more than any answer."""
        return self.begun and (now_ms - self._last_ms >= PAUSE_MS or len(self._sound) >= LONGEST_MS * BYTES_PER_MS)

    def accept(self, start_ms: int, duration_ms: int, payload_type: int, payload: bytes) -> None:
        self.then.accept(start_ms, duration_ms, payload_type, payload)
        if len(self._sound) >= LONGEST_MS * BYTES_PER_MS:
            return
        self._sound += decode(payload_type, payload)
        end_ms = start_ms + duration_ms
        while len(self._sound) - self._judged >= 2 * FRAME_BYTES:
            frame = bytes(self._sound[self._judged : self._judged + 2 * FRAME_BYTES])
            self._judged += 2 * FRAME_BYTES
            if audioop.rms(frame, 2) >= QUIET and self._detector.is_speech(frame, RATE_HZ):
                at_ms = end_ms - (len(self._sound) - self._judged) // BYTES_PER_MS
                if not self._voice_ms:
                    self.start_ms = max(0, at_ms - FRAME_MS)
                self._voice_ms += FRAME_MS
                self._last_ms = at_ms
            elif not self.begun and len(self._sound) > LEAD_MS * BYTES_PER_MS and self._is_long_ago(end_ms):
                self._forget_all_but_the_lead()

    def judge(self, act: Callable[[bytes], None]) -> None:
        """Give what was said to `act`, and wipe it here."""
        sound = bytes(self._sound)
        self.wipe()
        act(sound)

    def wipe(self) -> None:
        """Forget everything."""
        self._sound[:] = bytes(len(self._sound))
        self._sound.clear()
        self._judged = self._voice_ms = 0

    def _is_long_ago(self, end_ms: int) -> bool:
        """A click before this silence was no word."""
        return not self._voice_ms or end_ms - self._last_ms >= PAUSE_MS

    def _forget_all_but_the_lead(self) -> None:
        self._voice_ms = 0
        gone = self._judged - LEAD_MS * BYTES_PER_MS
        if gone > 0:
            del self._sound[:gone]
            self._judged -= gone
