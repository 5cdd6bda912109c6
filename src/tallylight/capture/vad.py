"""How long somebody has talked: voice activity in G.711, judged by WebRTC's detector.

It counts and keeps nothing: sound lives here for a second, in memory, whether it is recorded or not.

One frame of 30 ms stands for a slot of 60 ms. Measured on 18 simulated calls of real read speech (22 min, truth from
the clean voices), seconds of speech come out 1.6 % low in all, -19 % to +11 % by call; judging every frame costs twice
as much and is 4.4 % low, because the detector lets go in short pauses. Aggressiveness 1 is as good there but takes
steady noise at -34 dBFS for speech from end to end; 2 takes none of it.
"""

import audioop

import webrtcvad

RATE_HZ = 8000
FRAME_BYTES = 240
SLOT_MS = 60
SLOT_BYTES = SLOT_MS * RATE_HZ // 1000
BATCH_BYTES = 16 * SLOT_BYTES
"""960 ms of G.711 are judged at once: a packet costs an append, a second costs one judgement."""

AGGRESSIVENESS = 2
QUIET = 20
"""Root mean square of 16-bit samples below which nothing is speech: -64 dBFS, the noise of the coding itself."""
PAUSE_SLOTS = 4
"""A pause of up to 240 ms inside speech is part of it."""
BURST_SLOTS = 5
"""Less than 300 ms is no speech: a click, or the time the detector takes to learn what noise is."""

_PCMU = 0


class Vad:
    """One person's voice. Feed it every packet in order; gaps between packets are no time at all. One thread."""

    __slots__ = ("_detector", "_held", "_pause", "_run", "_type", "speech_ms")

    def __init__(self) -> None:
        self._detector = webrtcvad.Vad(AGGRESSIVENESS)
        self._held = bytearray()
        self._type = _PCMU
        self._run = 0
        self._pause = 0
        self.speech_ms = 0
        """Speech so far, in what has been judged: up to a second behind until `flush`."""

    def feed(self, payload_type: int, payload: bytes) -> None:
        """Take G.711 as received: payload type 0 is PCMU, 8 is PCMA (RFC 3551)."""
        held = self._held
        if payload_type != self._type:
            self._held = held = bytearray(_encode(payload_type, decode(self._type, bytes(held))))
            self._type = payload_type
        held += payload
        if len(held) >= BATCH_BYTES:
            self._judge()

    def flush(self) -> None:
        """Judge what is left, but for the last incomplete slot."""
        self._judge()

    def _judge(self) -> None:
        whole = len(self._held) // SLOT_BYTES * SLOT_BYTES
        linear = decode(self._type, bytes(self._held[:whole]))
        del self._held[:whole]
        is_speech, rms = self._detector.is_speech, audioop.rms
        speech, run, pause = 0, self._run, self._pause
        for start in range(0, 2 * whole, 2 * SLOT_BYTES):
            frame = linear[start : start + 2 * FRAME_BYTES]
            if rms(frame, 2) < QUIET or not is_speech(frame, RATE_HZ):
                pause += 1
                if pause > PAUSE_SLOTS:
                    run = 0
                continue
            more = pause + 1 if run else 1
            pause = 0
            run += more
            if run >= BURST_SLOTS:
                speech += more if run - more >= BURST_SLOTS else run
        self.speech_ms += speech * SLOT_MS
        self._run, self._pause = run, pause


def decode(payload_type: int, coded: bytes) -> bytes:
    return audioop.ulaw2lin(coded, 2) if payload_type == _PCMU else audioop.alaw2lin(coded, 2)


def _encode(payload_type: int, linear: bytes) -> bytes:
    return audioop.lin2ulaw(linear, 2) if payload_type == _PCMU else audioop.lin2alaw(linear, 2)
