"""DTMF in the sound (ITU-T Q.23, Q.24): recognised where telephone-event was not negotiated, and made for such peers.

A block of 20 ms is looked at every 10 ms. The projection on a sine and a cosine of each of the eight frequencies (the
Goertzel result) is a dot product, which `audioop.findfactor` computes in C.
"""

import audioop
import math
from array import array
from dataclasses import dataclass

from tallylight.telephony.rtp.g711 import decode
from tallylight.telephony.rtp.negotiated import Codec

ROWS = (697, 770, 852, 941)
COLUMNS = (1209, 1336, 1477, 1633)
KEYPAD = ("123A", "456B", "789C", "*0#D")

FULL_SCALE_0_DBM0 = 22_300
"""Amplitude of a sine at 0 dBm0 in 16-bit samples: G.711's full scale is +3.17 dBm0."""

BLOCK = 160
"""Samples looked at together: 20 ms."""

HOP = 80
"""Samples from one look to the next: 10 ms."""

HITS = 3
"""Looks in a row that must agree: 40 ms of tone."""

MISSES = 5
"""Looks in a row without the key that end it: 40 ms of pause."""

_LEAST_RMS = 250
"""Of the block: about -36 dBm0."""

_PURE = 0.86
"""Share of the block's power that lies in the two tones. Speech spreads its power."""

_TWIST = 6.3
"""The stronger tone has at most this many times the weaker one's power: 8 dB."""

_PEAK = 6.3
"""The strongest of a group has at least this many times the power of each other: 8 dB."""

_HARMONIC = 0.06
"""Most of a tone's power at twice its frequency. Voiced speech has more."""

_STEADY = 2.0
"""Most the power may change from one look to the next: 3 dB. A syllable rises and falls faster."""

_REFERENCE = 16_000


def _sampled(frequency: int, phase: float, amplitude: float, samples: int) -> bytes:
    step = 2 * math.pi * frequency / 8000
    return array("h", (round(amplitude * math.sin(step * n + phase)) for n in range(samples))).tobytes()


def _references(frequency: int) -> tuple[bytes, bytes]:
    return _sampled(frequency, 0, _REFERENCE, BLOCK), _sampled(frequency, math.pi / 2, _REFERENCE, BLOCK)


_ROWS = tuple(_references(frequency) for frequency in ROWS)
_COLUMNS = tuple(_references(frequency) for frequency in COLUMNS)
_ROWS_DOUBLED = tuple(_references(2 * frequency) for frequency in ROWS)
_COLUMNS_DOUBLED = tuple(_references(2 * frequency) for frequency in COLUMNS)


@dataclass(frozen=True, kw_only=True, slots=True)
class HeardKey:
    """A key recognised in the sound. `start_ms` is the media time at which its tone began."""

    key: str
    start_ms: int


def _power(block: bytes, reference: tuple[bytes, bytes]) -> float:
    """Mean square of the block's part at the reference's frequency."""
    find = audioop.findfactor
    in_phase = find(block, reference[0])
    quadrature = find(block, reference[1])
    return (in_phase * in_phase + quadrature * quadrature) * (_REFERENCE * _REFERENCE / 2)


def _strongest(block: bytes, group: tuple[tuple[bytes, bytes], ...]) -> tuple[int, float]:
    """(index, power) of the group's strongest tone, or (-1, power) where another is nearly as strong."""
    powers = [_power(block, reference) for reference in group]
    best = max(powers)
    index = powers.index(best)
    powers[index] = 0.0
    return (index if best >= _PEAK * max(powers) else -1), best


def key_in(block: bytes) -> tuple[str, float]:
    """(key, power) of the two tones that are nearly all of a block of 160 samples, else ("", 0)."""
    level = audioop.rms(block, 2)
    if level < _LEAST_RMS:
        return "", 0.0
    total = float(level * level)
    row, low = _strongest(block, _ROWS)
    if row < 0 or low * (1 + _TWIST) < _PURE * total:
        return "", 0.0
    column, high = _strongest(block, _COLUMNS)
    if column < 0 or low + high < _PURE * total or high > _TWIST * low or low > _TWIST * high:
        return "", 0.0
    if (
        _power(block, _ROWS_DOUBLED[row]) > _HARMONIC * low
        or _power(block, _COLUMNS_DOUBLED[column]) > _HARMONIC * high
    ):
        return "", 0.0
    return KEYPAD[row][column], low + high


class ToneReceiver:
    """Finds key presses in one leg's sound. Packets in order; a gap in media time starts it afresh."""

    __slots__ = ("_candidate", "_hits", "_misses", "_pcm", "_power", "_pressed", "_start_ms")

    def __init__(self) -> None:
        self._pcm = b""
        self._start_ms = 0
        self._candidate = ""
        self._power = 0.0
        self._hits = 0
        self._misses = 0
        self._pressed = ""

    def feed(self, start_ms: int, codec: Codec, payload: bytes) -> list[HeardKey]:
        """The keys recognised with this packet, each once per press."""
        pcm = self._pcm
        if start_ms != self._start_ms + len(pcm) // 16:
            pcm = b""
            self._start_ms = start_ms
            self._candidate = self._pressed = ""
        pcm += decode(codec, payload)
        heard = []
        position = 0
        while position + 2 * BLOCK <= len(pcm):
            found = self._look(pcm[position : position + 2 * BLOCK], self._start_ms + position // 16)
            if found is not None:
                heard.append(found)
            position += 2 * HOP
        self._pcm = pcm[position:]
        self._start_ms += position // 16
        return heard

    def _look(self, block: bytes, at_ms: int) -> HeardKey | None:
        key, power = key_in(block)
        if not key:
            self._candidate = ""
            self._misses += 1
            if self._misses >= MISSES:
                self._pressed = ""
            return None
        self._misses = 0
        steady = power <= _STEADY * self._power and self._power <= _STEADY * power
        self._hits = self._hits + 1 if key == self._candidate and steady else 1
        self._candidate = key
        self._power = power
        if self._hits < HITS or key == self._pressed:
            return None
        self._pressed = key
        return HeardKey(key=key, start_ms=at_ms - (self._hits - 1) * HOP // 8)


def tone(key: str, *, duration_ms: int, level_dbm0: float = -9.0) -> bytes:
    """A key as sound: 16-bit samples at 8 kHz, each of its two tones at `level_dbm0`."""
    for row, keys in enumerate(KEYPAD):
        if key in keys:
            low, high = ROWS[row], COLUMNS[keys.index(key)]
            break
    else:
        raise ValueError(f"{key!r} is not a key of a telephone.")
    amplitude = FULL_SCALE_0_DBM0 * 10 ** (level_dbm0 / 20)
    samples = duration_ms * 8
    return audioop.add(_sampled(low, 0, amplitude, samples), _sampled(high, 0, amplitude, samples), 2)
