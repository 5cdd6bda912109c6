"""Speech made fit for the telephone: silence at its ends cut, loudness evened out. 16-bit mono at 8 kHz, pure."""

import audioop

FRAME_BYTES = 320
"""20 ms."""
SPEECH_RMS = 3277
"""-20 dBFS in the frames that hold speech."""
PEAK = 29_000
"""-1 dBFS: no sample is louder."""
AUDIBLE = 0.02
"""A frame belongs to the speech from this share of the loudest frame on (-34 dB)."""
LEAD_MS, TAIL_MS = 60, 120
"""Silence left before and after, so that no sound is clipped."""


def prepare(pcm: bytes) -> bytes:
    """Cut the ends and set the level. Sound without speech in it comes back empty."""
    levels = [audioop.rms(pcm[start : start + FRAME_BYTES], 2) for start in range(0, len(pcm) - 1, FRAME_BYTES)]
    threshold = AUDIBLE * max(levels, default=0)
    audible = [index for index, level in enumerate(levels) if level > threshold]
    if not audible:
        return b""
    start = max(0, audible[0] * FRAME_BYTES - LEAD_MS * 16)
    end = min(len(pcm), (audible[-1] + 1) * FRAME_BYTES + TAIL_MS * 16)
    pcm = pcm[start:end]
    mean_square = sum(levels[index] ** 2 for index in audible) / len(audible)
    gain = min(SPEECH_RMS / mean_square**0.5, PEAK / audioop.max(pcm, 2))
    return audioop.mul(pcm, 2, gain)
