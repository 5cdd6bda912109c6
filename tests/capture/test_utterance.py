"""Somebody's answer in memory: handed on unchanged, bounded, ended by a pause, and wiped."""

import audioop
from array import array

from hypothesis import given, settings
from hypothesis import strategies as st

from tallylight.capture.utterance import BYTES_PER_MS, LONGEST_MS, Utterance
from tallylight.speech.espeak import EspeakSynthesiser

PACKET_MS = 20


class Taken:
    def __init__(self) -> None:
        self.packets: list[tuple[int, int, int, bytes]] = []

    def accept(self, start_ms: int, duration_ms: int, payload_type: int, payload: bytes) -> None:
        self.packets.append((start_ms, duration_ms, payload_type, payload))


def feed(ear: Utterance, coded: bytes, start_ms: int = 0, payload_type: int = 0) -> int:
    """In packets; the end in media time."""
    for at in range(0, len(coded) // 160 * 160, 160):
        ear.accept(start_ms + at // 8, PACKET_MS, payload_type, coded[at : at + 160])
    return start_ms + len(coded) // 160 * PACKET_MS


def held(ear: Utterance) -> bytes:
    sounds: list[bytes] = []
    ear.judge(sounds.append)
    return sounds[0]


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(1, 60), st.sampled_from([0, 8]), st.integers(0, 255)), max_size=40))
def test_everything_is_handed_on_unchanged_and_little_is_held(pieces: list[tuple[int, int, int]]) -> None:
    taken = Taken()
    ear = Utterance(taken)
    packets, now_ms = [], 0
    for duration_ms, payload_type, byte in pieces:
        packet = (now_ms, duration_ms, payload_type, bytes([byte]) * duration_ms * 8)
        packets.append(packet)
        ear.accept(*packet)
        now_ms += duration_ms
    assert taken.packets == packets
    assert len(held(ear)) <= (LONGEST_MS + 60) * BYTES_PER_MS
    assert held(ear) == b""
    assert not ear.begun


def test_silence_is_no_utterance_and_is_not_gathered() -> None:
    ear = Utterance(Taken())
    end_ms = feed(ear, audioop.lin2ulaw(bytes(16 * 60_000), 2))
    assert not ear.is_over(end_ms)
    assert len(held(ear)) <= 400 * BYTES_PER_MS


def test_words_begin_end_with_a_pause_and_are_held_whole() -> None:
    voice = EspeakSynthesiser()
    word = voice.speak_now("yes please", language="en")
    voice.close()
    for encode, payload_type in ((audioop.lin2ulaw, 0), (audioop.lin2alaw, 8)):
        ear = Utterance(Taken())
        quiet = encode(bytes(16 * 2000), 2)
        began_ms = feed(ear, quiet, payload_type=payload_type)
        spoke_ms = feed(ear, encode(word, 2), began_ms, payload_type)
        assert ear.begun
        assert not ear.is_over(spoke_ms)
        assert ear.is_over(feed(ear, quiet, spoke_ms, payload_type))
        assert began_ms - 30 <= ear.start_ms <= began_ms + 200
        assert len(held(ear)) >= len(word)


def test_somebody_who_talks_without_end_is_cut_off() -> None:
    voice = EspeakSynthesiser()
    talk = voice.speak_now("one two three four five " * 8, language="en")
    voice.close()
    assert len(talk) > 2 * LONGEST_MS * BYTES_PER_MS
    ear = Utterance(Taken())
    end_ms = feed(ear, audioop.lin2ulaw(talk, 2))
    assert ear.is_over(end_ms)
    assert max(array("h", held(ear))) > 1000
