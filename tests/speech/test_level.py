"""Silence cut from the ends, and one loudness for all."""

import audioop
import math
from array import array

import pytest

from tallylight.speech.level import PEAK, SPEECH_RMS, prepare


def tone(seconds: float, level: float) -> bytes:
    return array("h", (round(level * math.sin(n * 0.7)) for n in range(round(seconds * 8000)))).tobytes()


@pytest.mark.parametrize("level", [50, 500, 5000, 32_000])
def test_all_levels_come_out_the_same(level: float) -> None:
    assert audioop.rms(prepare(tone(1, level)), 2) == pytest.approx(SPEECH_RMS, rel=0.03)


def test_pauses_do_not_count_as_quiet_speech() -> None:
    spoken = tone(1, 4000)
    assert audioop.rms(prepare(spoken + bytes(32_000) + spoken)[:16_000], 2) == pytest.approx(SPEECH_RMS, rel=0.05)


def test_a_sharp_sound_is_not_clipped() -> None:
    assert audioop.max(prepare(tone(1, 1000) + tone(0.005, 20_000) + tone(1, 1000)), 2) == pytest.approx(PEAK, abs=40)


def test_the_ends_are_cut_to_a_breath() -> None:
    heard = prepare(bytes(16_000) + tone(1, 4000) + bytes(24_000))
    assert 1000 <= len(heard) / 16 <= 1000 + 60 + 120 + 40
    assert len(prepare(tone(1, 4000))) == 16_000


def test_silence_comes_back_empty() -> None:
    assert prepare(bytes(16_000)) == b""
    assert prepare(b"") == b""
