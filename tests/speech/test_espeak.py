"""The engine in its own process: five languages, and what happens when that process dies, hangs or talks nonsense."""

import asyncio
import audioop
import os
import signal
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tallylight.speech.errors import EngineFailed, LanguageUnknown, SpeechError
from tallylight.speech.espeak import EspeakSynthesiser
from tallylight.speech.synthesis import VOICES, duration_ms

TEXTS = {
    "da": "Må vi optage din stemme? Tryk et for ja eller to for nej.",
    "de": "Dürfen wir Ihre Stimme aufzeichnen? Drücken Sie eins für ja oder zwei für nein.",
    "en": "May we record your voice? Press one for yes, or two for no.",
    "es": "¿Podemos grabar su voz? Pulse uno para sí o dos para no.",
    "fr": "Pouvons-nous enregistrer votre voix ? Tapez un pour oui ou deux pour non.",
}


@pytest.fixture(scope="module")
def voice() -> Iterator[EspeakSynthesiser]:
    voice = EspeakSynthesiser()
    yield voice
    voice.close()


def child(program: str) -> tuple[str, ...]:
    return (sys.executable, "-c", program)


@pytest.mark.parametrize("language", sorted(VOICES))
def test_every_language_is_spoken_at_telephone_level(voice: EspeakSynthesiser, language: str) -> None:
    pcm = voice.speak_now(TEXTS[language], language=language)
    assert 2500 <= duration_ms(pcm) <= 6000
    assert len(pcm) % 2 == 0
    assert 2000 <= audioop.rms(pcm, 2) <= 4000
    assert audioop.max(pcm, 2) <= 29_000
    assert duration_ms(voice.speak_now(TEXTS[language], language=language)) == pytest.approx(duration_ms(pcm), abs=20)


def test_languages_and_rates_sound_different(voice: EspeakSynthesiser) -> None:
    text = "Information, service, quality."
    assert len({voice.speak_now(text, language=language, words_per_minute=180) for language in VOICES}) == len(VOICES)
    slow, fast = (voice.speak_now(TEXTS["en"], language="en", words_per_minute=rate) for rate in (160, 200))
    assert 1.1 <= len(slow) / len(fast) <= 1.5


def test_the_engine_is_not_in_this_process(voice: EspeakSynthesiser) -> None:
    voice.speak_now("Hello.", language="en")
    assert voice.pid not in (None, os.getpid())
    assert "espeakng_loader" not in sys.modules


def test_a_text_without_sound_is_reported(voice: EspeakSynthesiser) -> None:
    with pytest.raises(SpeechError, match="nothing in the text that can be heard"):
        voice.speak_now("...", language="en")
    with pytest.raises(LanguageUnknown):
        voice.speak_now("Hello.", language="tlh")
    assert voice.speak_now("Hello.", language="en")


def test_a_process_that_dies_is_replaced_and_nobody_notices() -> None:
    voice = EspeakSynthesiser()
    try:
        before = voice.speak_now("Hello.", language="en")
        assert voice.pid is not None
        os.kill(voice.pid, signal.SIGKILL)
        assert duration_ms(voice.speak_now("Hello.", language="en")) == duration_ms(before)
        assert voice.started == 2
    finally:
        voice.close()
    assert voice.pid is None
    assert voice.speak_now("Hello.", language="en"), "a closed voice starts again"
    voice.close()


@pytest.mark.parametrize(
    "program",
    [
        "raise SystemExit(3)",
        "import sys; sys.stdin.buffer.read(9); print('hello, I am no engine', flush=True)",
        "import sys; sys.stdin.buffer.read(9); sys.stdout.buffer.write(b'\\0\\0\\0\\2[]'); sys.stdout.flush()",
        "import sys; sys.stdin.buffer.read(9); sys.stdout.buffer.write(b'\\0\\0\\0\\2{}'); sys.stdout.flush()",
        "import sys; sys.stdin.buffer.read(9); sys.stdout.buffer.write(b'\\0\\0\\0\\x0b{\"pcm\": 99}abc'); sys.stdout.flush()",
        "import sys; sys.stdin.buffer.read(9); sys.stdout.buffer.write(b'\\0\\0\\0\\x0b{\"pcm\": -9}abc'); sys.stdout.flush()",
    ],
)
def test_an_engine_that_fails_twice_is_given_up_with_a_message(program: str) -> None:
    voice = EspeakSynthesiser(child=child(program))
    with pytest.raises(EngineFailed, match="failed twice") as caught:
        voice.speak_now("Hello.", language="en")
    assert caught.value.code == "speech_engine"
    assert voice.started == 2
    assert voice.pid is None


def test_an_engine_that_hangs_is_ended() -> None:
    voice = EspeakSynthesiser(child=child("import threading; threading.Event().wait()"), timeout_s=0.2)
    with pytest.raises(EngineFailed, match="failed twice"):
        voice.speak_now("Hello.", language="en")
    assert voice.pid is None


def test_an_engine_that_is_not_there_is_reported() -> None:
    with pytest.raises(EngineFailed, match="No such file"):
        EspeakSynthesiser(child=("no-such-program", "x")).speak_now("Hello.", language="en")


def test_what_was_spoken_needs_no_engine(tmp_path: Path, voice: EspeakSynthesiser) -> None:
    first = EspeakSynthesiser(tmp_path / "cache" / "prompts")
    pcm = first.speak_now("Hello.", language="en")
    first.close()
    second = EspeakSynthesiser(tmp_path / "cache" / "prompts", child=("no-such-program",))
    assert second.speak_now("Hello.", language="en") == pcm
    assert second.started == 0


def test_the_event_loop_goes_on_while_something_is_spoken(voice: EspeakSynthesiser) -> None:
    async def turns_meanwhile() -> int:
        turns = 0
        speaking = asyncio.ensure_future(voice.speak(" ".join(TEXTS.values()), language="en"))
        while not speaking.done():
            turns += 1
            await asyncio.sleep(0)
        assert duration_ms(speaking.result()) > 5000
        return turns

    assert asyncio.run(turns_meanwhile()) > 20


def test_many_threads_share_one_voice(voice: EspeakSynthesiser) -> None:
    lengths = {words: duration_ms(voice.speak_now("one " * words, language="en")) for words in (1, 4, 7, 10)}
    heard: dict[int, int] = {}

    def speak(words: int) -> None:
        heard[words] = duration_ms(voice.speak_now("one " * words, language="en"))

    threads = [threading.Thread(target=speak, args=(words,)) for words in lengths]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert heard == pytest.approx(lengths, abs=20), "everybody gets their own text"
    assert sorted(lengths.values()) == list(lengths.values())
