"""Signals that can be found again, and the finding of them: 8 kHz, numpy float samples of 16-bit size."""

import audioop
import io
import struct
import wave
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tests import needs

RATE = 8000
Samples = NDArray[np.float64]

SPEECH = needs.SHARED / "samples" / "speech" / "enrol"


def speech(seconds: float, *, voice: int) -> Samples:
    """Somebody speaking: real speech where it lies beside the checkout, else noise that comes and goes like speech."""
    recorded = sorted(SPEECH.glob("*.wav"))
    if recorded:
        heard = _recorded(recorded[voice % len(recorded)])
        if len(heard) >= seconds * RATE:
            return heard[: int(seconds * RATE)]
    return synthetic(seconds, seed=voice)


def synthetic(seconds: float, *, seed: int) -> Samples:
    """Noise of the telephone band in syllables of irregular length: no stretch of it is like another."""
    count = int(seconds * RATE)
    random = np.random.default_rng(seed)
    spectrum = np.fft.rfft(random.standard_normal(count))
    hertz = np.fft.rfftfreq(count, 1 / RATE)
    spectrum[(hertz < 300) | (hertz > 3000)] = 0
    noise = np.fft.irfft(spectrum / np.sqrt(np.maximum(hertz, 300)), count)
    level = np.zeros(count)
    at = 0
    while at < count:
        loud, quiet = int(random.integers(800, 2800)), int(random.integers(200, 1200))
        end = min(count, at + loud)
        level[at:end] = np.sin(np.pi * np.arange(end - at) / loud)
        at += loud + quiet
    sound = noise * level
    return np.asarray(np.round(sound * 9000 / np.max(np.abs(sound))), dtype=np.float64)


def silence(seconds: float) -> Samples:
    """Nothing."""
    return np.zeros(round(seconds * RATE), dtype=np.float64)


def dual_tone(key: str, seconds: float) -> Samples:
    """The two tones of a key (ITU-T Q.23)."""
    rows, columns = (697, 770, 852, 941), (1209, 1336, 1477, 1633)
    row, column = divmod("123A456B789C*0#D".index(key), 4)
    t = np.arange(int(seconds * RATE)) / RATE
    both = np.sin(2 * np.pi * rows[row] * t) + np.sin(2 * np.pi * columns[column] * t)
    return np.asarray(np.round(5000 * both), dtype=np.float64)


def to_pcm(samples: Samples) -> bytes:
    """16-bit little-endian."""
    return np.clip(np.round(samples), -32768, 32767).astype("<i2").tobytes()


def from_pcm(pcm: bytes) -> Samples:
    """The samples of 16-bit little-endian PCM."""
    return np.frombuffer(pcm, dtype="<i2").astype(np.float64)


def encode(samples: Samples, payload_type: int) -> bytes:
    """G.711: 0 is µ-law, 8 is A-law."""
    pcm = to_pcm(samples)
    return audioop.lin2ulaw(pcm, 2) if payload_type == 0 else audioop.lin2alaw(pcm, 2)


def decode(payload: bytes, payload_type: int) -> Samples:
    """The samples of G.711."""
    return from_pcm(audioop.ulaw2lin(payload, 2) if payload_type == 0 else audioop.alaw2lin(payload, 2))


def read_wav(path: Path) -> Samples:
    """A WAV file of ours: mono, 16 bit, 8 kHz."""
    with wave.open(str(path)) as file:
        assert (file.getnchannels(), file.getsampwidth(), file.getframerate()) == (1, 2, RATE)
        return from_pcm(file.readframes(file.getnframes()))


def write_wav(path: Path, samples: Samples) -> None:
    """Mono, 16 bit, 8 kHz."""
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes(to_pcm(samples))
    path.write_bytes(buffer.getvalue())


def _recorded(path: Path) -> Samples:
    """A µ-law WAV file, which `wave` does not read."""
    data = path.read_bytes()
    at = 12
    while at < len(data):
        name, size = struct.unpack_from("<4sI", data, at)
        if name == b"data":
            return decode(data[at + 8 : at + 8 + size], 0)
        at += 8 + size + size % 2
    raise ValueError(f"{path} holds no sound")


@dataclass(frozen=True, kw_only=True)
class Match:
    """Where one sound lies in another."""

    at_ms: float
    """Since the beginning of the other."""
    correlation: float
    """1 is the same sound, whatever its loudness; 0 has nothing to do with it."""


def find(needle: Samples, haystack: Samples) -> Match:
    """The place where `needle` fits best: the greatest normalised cross-correlation (Pearson's r over its length)."""
    count = len(needle)
    if len(haystack) < count:
        haystack = np.concatenate([haystack, np.zeros(count - len(haystack))])
    shape = needle - needle.mean()
    size = 1 << (len(haystack) + count).bit_length()
    product = np.fft.irfft(np.fft.rfft(haystack, size) * np.conj(np.fft.rfft(shape, size)), size)
    scores = product[: len(haystack) - count + 1]
    sums = np.concatenate([[0.0], np.cumsum(haystack)])
    squares = np.concatenate([[0.0], np.cumsum(haystack * haystack)])
    mean = (sums[count:] - sums[:-count]) / count
    energy = (squares[count:] - squares[:-count]) - count * mean * mean
    norm = np.sqrt(np.maximum(energy, 1.0) * float(np.dot(shape, shape)))
    scores = scores / norm
    best = int(np.argmax(scores))
    return Match(at_ms=best * 1000 / RATE, correlation=float(scores[best]))


def loudness(samples: Samples) -> float:
    """Root mean square."""
    return float(np.sqrt(np.mean(samples * samples))) if len(samples) else 0.0


PIECE = RATE // 4
LOUD = 200
ASTRAY_MS = 150
"""No piece lies further from where it belongs, however busy the machine."""


@dataclass(frozen=True, kw_only=True)
class Likeness:
    """How well what was stored or heard fits what was sent, over many pieces of a quarter of a second."""

    correlation: float
    """The median: a piece in which the house corrects a sender's clock by a millisecond is torn there by design."""
    offset_ms: float
    """The median distance of a piece from where it belongs. The first packet of a stream sets its place, however busy the
    machine was when it came; what that was wrong by goes, a millisecond at a time, in the first seconds."""
    worst_ms: float
    """The greatest distance of a piece."""
    pieces: int

    def __str__(self) -> str:
        return (
            f"offset {self.offset_ms:+.1f} ms, worst {self.worst_ms:.1f} ms, "
            f"correlation {self.correlation:.4f} over {self.pieces} pieces"
        )


def compare(sent: Samples, kept: Samples, *spans: tuple[float, float]) -> Likeness:
    """Look for every loud quarter of a second of `sent` in `kept`, within half a second of where it belongs.

    `spans`: from second, until second, of `sent`.
    """
    offsets, correlations = [], []
    reach = RATE // 2
    starts = [at for start, end in spans for at in range(int(start * RATE), int(end * RATE) - PIECE, PIECE)]
    for at in starts:
        piece = sent[at : at + PIECE]
        if len(piece) < PIECE or loudness(piece) < LOUD:
            continue
        around = max(0, at - reach)
        match = find(piece, kept[around : at + PIECE + reach])
        correlations.append(match.correlation)
        if match.correlation > 0.5:
            offsets.append(match.at_ms - (at - around) * 1000 / RATE)
    assert len(offsets) > 3, f"hardly anything of what was sent is there: {correlations}"
    assert max(abs(offset) for offset in offsets) < ASTRAY_MS, offsets
    return Likeness(
        correlation=float(np.median(correlations)),
        offset_ms=float(np.median(offsets)),
        worst_ms=max(abs(offset) for offset in offsets),
        pieces=len(correlations),
    )
