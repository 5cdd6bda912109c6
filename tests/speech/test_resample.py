"""From 22,050 to 8,000 samples a second: what is heard stays, what would fold back goes."""

import audioop
import math
from array import array

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tallylight.speech.resample import resample

ENGINE_HZ = 22_050


def tone(pitch_hz: float, rate_hz: int, seconds: float = 0.5, level: float = 10_000) -> bytes:
    count = round(rate_hz * seconds)
    return array("h", (round(level * math.sin(2 * math.pi * pitch_hz * n / rate_hz)) for n in range(count))).tobytes()


def middle(pcm: bytes) -> bytes:
    """Without the ends, where the filter sees silence."""
    return pcm[800:-800]


@pytest.mark.parametrize("pitch_hz", [100, 440, 1000, 2000, 3000, 3300])
def test_a_tone_in_the_telephones_band_passes_unchanged(pitch_hz: float) -> None:
    heard = resample(tone(pitch_hz, ENGINE_HZ), ENGINE_HZ, 8000)
    wanted = tone(pitch_hz, 8000)
    assert len(heard) == len(wanted)
    difference = audioop.add(middle(heard), audioop.mul(middle(wanted), 2, -1), 2)
    assert audioop.rms(difference, 2) < 0.01 * audioop.rms(middle(wanted), 2), "within -40 dB, in phase"


@pytest.mark.parametrize("pitch_hz", [4100, 4700, 5000, 7000, 9000, 10_900])
def test_a_tone_above_it_does_not_fold_back(pitch_hz: float) -> None:
    heard = resample(tone(pitch_hz, ENGINE_HZ), ENGINE_HZ, 8000)
    assert audioop.rms(middle(heard), 2) < 7071 / 500, "54 dB down"


def test_a_level_stays_and_the_same_rate_is_the_same_sound() -> None:
    steady = array("h", [1234] * 4000).tobytes()
    assert set(array("h", middle(resample(steady, ENGINE_HZ, 8000)))) == {1234}
    assert resample(steady, 8000, 8000) == steady
    assert resample(b"", ENGINE_HZ, 8000) == b""


def test_up_again_is_the_same_tone() -> None:
    heard = resample(tone(1000, 8000), 8000, 16_000)
    assert audioop.rms(middle(heard), 2) == pytest.approx(7071, rel=0.01)


@given(st.lists(st.sampled_from([-32768, 32767, 0]), max_size=300))
@settings(max_examples=30, deadline=None)
def test_the_loudest_sound_is_clipped_and_never_wraps(values: list[int]) -> None:
    heard = array("h", resample(array("h", values).tobytes(), ENGINE_HZ, 8000))
    assert len(heard) == math.ceil(len(values) * 160 / 441)
