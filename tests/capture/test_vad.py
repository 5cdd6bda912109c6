"""Seconds of speech: real voices are counted, silence and noise are not, and how the packets are cut changes nothing."""

import audioop
import math
import random
import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tallylight.capture.vad import Vad
from tests import needs

ENROL = needs.SHARED / "samples" / "speech" / "enrol"
PCMU, PCMA = 0, 8


def samples(values: list[float]) -> bytes:
    return struct.pack(f"<{len(values)}h", *(max(-32768, min(32767, round(value))) for value in values))


def noise(seconds: float, rms: float) -> list[float]:
    generator = random.Random(7)
    return [generator.gauss(0, rms) for _ in range(round(seconds * 8000))]


def voice(seconds: float, level: float = 6000) -> list[float]:
    """A vowel as a row of decaying pulses at 120 Hz through two formants: for the detector, somebody speaking."""
    values = []
    for n in range(round(seconds * 8000)):
        phase = n % 67 / 8000
        decay = math.exp(-phase * 220)
        values.append(
            level * decay * (math.sin(2 * math.pi * 700 * phase) + 0.5 * math.sin(2 * math.pi * 1200 * phase))
        )
    return values


def coded(payload_type: int, linear: bytes) -> bytes:
    return audioop.lin2ulaw(linear, 2) if payload_type == PCMU else audioop.lin2alaw(linear, 2)


def spoken_ms(linear: bytes, payload_type: int = PCMU, packet: int = 160) -> int:
    vad, sound = Vad(), coded(payload_type, linear)
    for start in range(0, len(sound), packet):
        vad.feed(payload_type, sound[start : start + packet])
    vad.flush()
    return vad.speech_ms


@pytest.mark.parametrize("payload_type", [PCMU, PCMA])
def test_digital_silence_is_no_speech(payload_type: int) -> None:
    assert spoken_ms(bytes(16000 * 20), payload_type) == 0


@pytest.mark.parametrize("rms", [1, 5, 10, 20, 40, 80, 160, 320, 640])
def test_steady_noise_is_no_speech(rms: float) -> None:
    assert spoken_ms(samples(noise(20, rms))) == 0


def test_a_hum_is_no_speech() -> None:
    assert spoken_ms(samples([300 * math.sin(2 * math.pi * 50 * n / 8000) for n in range(80_000)])) == 0


def test_a_voice_is_counted_by_its_length() -> None:
    pause = noise(1.5, 30)
    assert spoken_ms(samples(pause + voice(3) + pause)) == pytest.approx(3000, abs=300)
    assert spoken_ms(samples(pause + voice(2) + pause + voice(1) + pause)) == pytest.approx(3000, abs=600)


def test_a_short_pause_is_part_of_speech_and_a_click_is_none() -> None:
    quiet = [0.0] * 800
    assert spoken_ms(samples([0.0] * 8000 + (voice(0.9) + quiet) * 3 + [0.0] * 8000)) == pytest.approx(2900, abs=200)
    click = [0.0] * 4000 + voice(0.02) + [0.0] * 4000
    assert spoken_ms(samples(click * 8)) == 0


@pytest.mark.parametrize("packet", [80, 160, 240, 480, 77])
def test_packet_length_changes_nothing(packet: int) -> None:
    linear = samples(noise(1, 30) + voice(2) + noise(1, 30))
    assert spoken_ms(linear, packet=packet) == spoken_ms(linear)


def test_a_change_of_coding_in_mid_speech_loses_nothing() -> None:
    linear = samples(noise(1, 30) + voice(2) + noise(1, 30))
    vad = Vad()
    for number, start in enumerate(range(0, len(linear), 320)):
        payload_type = PCMA if number // 7 % 2 else PCMU
        vad.feed(payload_type, coded(payload_type, linear[start : start + 320]))
    vad.flush()
    assert vad.speech_ms == pytest.approx(spoken_ms(linear), abs=60)


def test_speech_counts_while_it_goes_on() -> None:
    vad, sound = Vad(), coded(PCMU, samples(noise(1, 30) + voice(5)))
    seen = []
    for start in range(0, len(sound), 160):
        vad.feed(PCMU, sound[start : start + 160])
        seen.append(vad.speech_ms)
    assert seen == sorted(seen)
    assert seen[-1] >= 3900, "at most a second behind"


@given(st.lists(st.tuples(st.sampled_from([PCMU, PCMA]), st.binary(max_size=500)), max_size=40))
@settings(max_examples=50)
def test_any_bytes_count_at_most_their_own_length(packets: list[tuple[int, bytes]]) -> None:
    vad = Vad()
    for payload_type, payload in packets:
        vad.feed(payload_type, payload)
    vad.flush()
    assert 0 <= vad.speech_ms <= sum(len(payload) for _, payload in packets) / 8


@needs.shared("samples", "speech", "enrol")
def test_real_voices_are_counted_and_the_silence_around_them_is_not() -> None:
    """Five readers, 20 to 26 s each of running speech: most of it is speech, and it stops when they stop."""
    for path in sorted(ENROL.glob("*.wav")):
        riff = path.read_bytes()
        assert riff[:4] + riff[8:12] == b"RIFFWAVE"
        assert struct.unpack_from("<HHI", riff, 20) == (7, 1, 8000), "mu-law, mono, 8 kHz"
        start = riff.index(b"data") + 8
        linear = audioop.ulaw2lin(riff[start : start + struct.unpack_from("<I", riff, start - 4)[0]], 2)
        seconds = len(linear) / 16000
        spoken = spoken_ms(linear) / 1000
        assert 0.6 * seconds <= spoken <= seconds, f"{path.name}: {spoken} of {seconds} s"
        padded = spoken_ms(bytes(160_000) + linear + bytes(160_000)) / 1000
        assert padded == pytest.approx(spoken, abs=1), path.name
