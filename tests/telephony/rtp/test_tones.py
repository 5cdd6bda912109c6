"""DTMF in the sound: every clean digit, and none in speech."""

import audioop
import random
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tallylight.telephony.rtp.g711 import encode
from tallylight.telephony.rtp.negotiated import Codec
from tallylight.telephony.rtp.tones import HeardKey, ToneReceiver, tone
from tests import needs

if TYPE_CHECKING:
    import numpy

KEYS = "0123456789*#ABCD"
SILENCE_100_MS = bytes(1_600)


def _heard(pcm: bytes, codec: Codec = Codec.PCMU, size: int = 160) -> list[HeardKey]:
    receiver = ToneReceiver()
    payload = encode(codec, pcm)
    return [
        key
        for at in range(0, len(payload), size)
        for key in receiver.feed(1_000 + at // 8, codec, payload[at : at + size])
    ]


def _noise(level: float, samples: int, seed: int) -> bytes:
    chance = random.Random(seed)
    return b"".join(round(chance.gauss(0, level)).to_bytes(2, "little", signed=True) for _ in range(samples))


@pytest.mark.parametrize("codec", Codec)
@pytest.mark.parametrize("duration_ms", [50, 60, 80, 120, 200])
def test_every_clean_digit_is_heard_once(codec: Codec, duration_ms: int) -> None:
    """-25 to 0 dBm0 in all, so 3 dB less for each tone; at any offset to the packets."""
    for key in KEYS:
        for level_dbm0 in (-28, -16, -3):
            for offset_ms in (0, 7, 13, 19):
                sound = (
                    SILENCE_100_MS + bytes(16 * offset_ms) + tone(key, duration_ms=duration_ms, level_dbm0=level_dbm0)
                )
                heard = _heard(sound + SILENCE_100_MS, codec)
                assert [found.key for found in heard] == [key], (key, level_dbm0, offset_ms)
                assert abs(heard[0].start_ms - 1_100 - offset_ms) <= 10


@pytest.mark.parametrize("size", [80, 160, 240, 480])
def test_packets_of_any_length_serve(size: int) -> None:
    sound = b"".join(tone(key, duration_ms=60) + bytes(16 * 60) for key in KEYS)
    assert "".join(found.key for found in _heard(sound, size=size)) == KEYS


def test_a_key_pressed_twice_is_two_and_a_long_one_is_one() -> None:
    twice = tone("5", duration_ms=60) + bytes(16 * 50) + tone("5", duration_ms=60)
    assert [found.key for found in _heard(twice + SILENCE_100_MS)] == ["5", "5"]
    assert [found.key for found in _heard(tone("5", duration_ms=3_000) + SILENCE_100_MS)] == ["5"]


def test_a_short_break_does_not_make_two() -> None:
    broken = tone("5", duration_ms=80) + bytes(16 * 10) + tone("5", duration_ms=80)
    assert [found.key for found in _heard(broken + SILENCE_100_MS)] == ["5"]


def test_too_short_is_no_key() -> None:
    for duration_ms in (10, 20, 25, 30):
        assert _heard(SILENCE_100_MS + tone("8", duration_ms=duration_ms) + SILENCE_100_MS) == []


def test_one_tone_alone_and_a_dial_tone_are_no_key() -> None:
    low, high = tone("1", duration_ms=200, level_dbm0=-10), tone("6", duration_ms=200, level_dbm0=-10)
    alone = audioop.add(low, audioop.mul(low, 2, -0.5), 2)
    assert [found.key for found in _heard(alone + SILENCE_100_MS)] == ["1"]
    assert _heard(audioop.add(low, high, 2) + SILENCE_100_MS) == []


def test_noise_below_the_tones_does_not_hide_them_and_is_no_key_itself() -> None:
    noise = _noise(500, 8_000 * 60, 1)
    assert _heard(noise) == []
    sound = b"".join(tone(key, duration_ms=80, level_dbm0=-9) + SILENCE_100_MS for key in KEYS)
    noisy = audioop.add(sound, noise[: len(sound)], 2)
    assert "".join(found.key for found in _heard(noisy)) == KEYS


def test_loss_in_a_tone_starts_afresh() -> None:
    receiver = ToneReceiver()
    payload = encode(Codec.PCMU, tone("9", duration_ms=200))
    heard = receiver.feed(0, Codec.PCMU, payload[:240])
    heard += receiver.feed(60, Codec.PCMU, payload[480:])
    assert heard == [HeardKey(key="9", start_ms=60)]


def test_what_is_no_key_cannot_be_made() -> None:
    with pytest.raises(ValueError, match="'X' is not a key"):
        tone("X", duration_ms=100)


def _speech() -> Iterator[tuple[Path, bytes]]:
    """All the real speech, at 8 kHz, each channel for itself."""
    import numpy

    reader = pytest.importorskip("soundfile", reason="needs soundfile: `pip install soundfile`")
    for path in sorted(needs.SHARED.joinpath("samples", "speech").rglob("*")):
        if path.suffix in (".flac", ".opus", ".wav"):
            samples, rate = reader.read(path, dtype="float64", always_2d=True)
            for channel in range(samples.shape[1]):
                yield path, _at_8_khz(numpy.asarray(samples[:, channel]), rate)


def _at_8_khz(samples: "numpy.ndarray[tuple[int], numpy.dtype[numpy.float64]]", rate: int) -> bytes:
    import numpy

    step = rate // 8_000
    assert rate == step * 8_000
    if step > 1:
        spectrum = numpy.fft.rfft(samples)
        spectrum[round(len(spectrum) / step * 0.95) :] = 0
        samples = numpy.fft.irfft(spectrum, len(samples))[::step]
    return numpy.clip(samples * 32_767, -32_768, 32_767).astype("<i2").tobytes()


@needs.shared("samples", "speech")
def test_no_digit_in_half_an_hour_of_real_speech() -> None:
    seconds = 0
    for path, pcm in _speech():
        seconds += len(pcm) // 16_000
        for codec in Codec:
            assert _heard(pcm, codec) == [], path
    assert seconds > 1_800
