"""A spoken yes or no, heard by the real engine in its own process, and what happens when that process fails."""

import asyncio
import audioop
import os
import random
import signal
import sys
from array import array
from collections.abc import Iterator

import pytest

from tallylight.speech.errors import EngineFailed
from tallylight.speech.espeak import EspeakSynthesiser
from tallylight.speech.recognition import Answered, AnswerRecogniser, Heard, ScriptedRecogniser
from tallylight.speech.sphinx import SphinxRecogniser

QUIET = bytes(16 * 300)
RATES = (130, 160, 190)


@pytest.fixture(scope="module")
def voice() -> Iterator[EspeakSynthesiser]:
    voice = EspeakSynthesiser()
    yield voice
    voice.close()


@pytest.fixture(scope="module")
def recogniser() -> Iterator[SphinxRecogniser]:
    recogniser = SphinxRecogniser()
    yield recogniser
    recogniser.close()


def over_the_phone(pcm: bytes) -> bytes:
    """With silence around it, in G.711 and with the noise of a line (28 dB below the voice)."""
    rng = random.Random(7)
    noise = array("h", (round(rng.gauss(0, 100)) for _ in range((len(pcm) + 2 * len(QUIET)) // 2)))
    line = audioop.add(QUIET + pcm + QUIET, noise.tobytes(), 2)
    return audioop.ulaw2lin(audioop.lin2ulaw(line, 2), 2)


def answers(voice: EspeakSynthesiser, recogniser: SphinxRecogniser, words: str) -> list[Answered]:
    return [
        recogniser.hear_now(over_the_phone(voice.speak_now(word, language="en", words_per_minute=rate))).answer
        for word in words.split(",")
        for rate in RATES
    ]


def test_a_no_or_any_other_word_is_never_a_yes(voice: EspeakSynthesiser, recogniser: SphinxRecogniser) -> None:
    heard = answers(
        voice, recogniser, "no,nope,no thank you,uh,um,what,hello,maybe,left,stop,I do not know,who is this"
    )
    assert Answered.YES not in heard


def test_yes_and_no_are_heard(voice: EspeakSynthesiser, recogniser: SphinxRecogniser) -> None:
    assert Answered.YES in answers(voice, recogniser, "yes,yeah,yep")
    assert Answered.NO not in answers(voice, recogniser, "yes,yeah,yep")
    assert Answered.NO in answers(voice, recogniser, "no")


@pytest.mark.parametrize("level", [0, 100, 3000])
def test_silence_and_noise_are_no_answer(recogniser: SphinxRecogniser, level: int) -> None:
    rng = random.Random(3)
    noise = array("h", (round(rng.gauss(0, level)) for _ in range(8000))).tobytes()
    assert recogniser.hear_now(noise).answer in (Answered.NOTHING, Answered.UNCLEAR)
    assert recogniser.hear_now(b"").answer is Answered.NOTHING


def test_the_engine_is_not_in_this_process_and_only_for_english(recogniser: SphinxRecogniser) -> None:
    recogniser.hear_now(QUIET)
    assert recogniser.pid not in (None, os.getpid())
    assert "pocketsphinx" not in sys.modules
    assert recogniser.understands("en")
    assert not any(recogniser.understands(language) for language in ("da", "de", "fr", "es", ""))
    with pytest.raises(EngineFailed, match="cannot be recognised here; ask for keys"):
        asyncio.run(recogniser.hear(QUIET, language="da"))


def test_a_process_that_dies_costs_one_answer_at_most() -> None:
    recogniser = SphinxRecogniser()
    try:
        recogniser.hear_now(QUIET)
        assert recogniser.pid is not None
        os.kill(recogniser.pid, signal.SIGKILL)
        with pytest.raises(EngineFailed, match="may still press keys"):
            recogniser.hear_now(QUIET)
        assert recogniser.hear_now(QUIET).score >= 0
    finally:
        recogniser.close()
    assert recogniser.pid is None


@pytest.mark.parametrize("program", ["raise SystemExit(3)", "input(); print('[]')", 'print(\'{"answer": "si"}\')'])
def test_an_engine_that_talks_nonsense_is_given_up(program: str) -> None:
    recogniser = SphinxRecogniser(child=(sys.executable, "-c", program))
    with pytest.raises(EngineFailed, match="failed"):
        recogniser.hear_now(QUIET)
    assert recogniser.pid is None


def test_an_engine_that_hangs_is_ended() -> None:
    child = (sys.executable, "-c", "import threading; threading.Event().wait()")
    recogniser = SphinxRecogniser(timeout_s=0.2, child=child)
    with pytest.raises(EngineFailed, match="failed"):
        recogniser.hear_now(QUIET)
    assert recogniser.pid is None


def test_the_twin_hears_what_it_is_told() -> None:
    twin: AnswerRecogniser = ScriptedRecogniser([Heard(answer=Answered.YES, score=60)])
    heard = [asyncio.run(twin.hear(QUIET, language="en")).answer for _ in range(2)]
    assert heard == [Answered.YES, Answered.NOTHING]
    assert [twin.understands(language) for language in ("en", "da")] == [True, False]
