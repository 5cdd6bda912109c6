"""What may be asked of any voice, and the twin that needs no engine."""

import asyncio
import audioop

import pytest

from tallylight.speech.errors import LanguageUnknown, RateUnusable, SpeechError
from tallylight.speech.synthesis import LONGEST, VOICES, Request, Synthesiser, ToneSynthesiser, duration_ms


def test_a_language_brings_its_voice_and_rate() -> None:
    request = Request.of(" Guten\n Tag. ", "de-AT", None)
    assert request == Request(text="Guten Tag.", language="de", voice="de", words_per_minute=195)
    assert Request.of("Hello", "en_GB", 160).words_per_minute == 160


def test_every_rate_can_be_followed() -> None:
    assert set(VOICES) == {"da", "de", "en", "es", "fr"}
    assert all(160 <= voice.words_per_minute <= 200 for voice in VOICES.values())


@pytest.mark.parametrize("language", ["", "tlh", "english", "-", "e"])
def test_an_unknown_language_names_the_known_ones(language: str) -> None:
    with pytest.raises(LanguageUnknown, match="choose one of da, de, en, es, fi, fr"):
        Request.of("Hello", language, None)


@pytest.mark.parametrize("rate", [-1, 0, 79, 301])
def test_a_rate_nobody_can_follow_is_refused(rate: int) -> None:
    with pytest.raises(RateUnusable, match="choose 80 to 300"):
        Request.of("Hello", "en", rate)


@pytest.mark.parametrize("text", ["", "  \n", "\x00", "\ud800"])
def test_nothing_cannot_be_spoken(text: str) -> None:
    with pytest.raises(SpeechError, match="no text to speak") as caught:
        Request.of(text, "en", None)
    assert caught.value.code == "speech_empty"


def test_a_text_without_end_is_refused() -> None:
    with pytest.raises(SpeechError, match="in parts of 10,000"):
        Request.of("word " * LONGEST, "en", None)


def test_characters_that_would_end_the_engine_are_blanks() -> None:
    assert Request.of("one\x00two\ud800three", "en", None).text == "one two three"


def test_the_twin_takes_the_time_the_words_would_take() -> None:
    twin = ToneSynthesiser()
    voice: Synthesiser = twin

    async def speak() -> tuple[bytes, bytes, bytes]:
        return (
            await voice.speak("one two three four", language="en", words_per_minute=120),
            await voice.speak("one two three four", language="en", words_per_minute=120),
            await voice.speak("one two three four", language="fr", words_per_minute=240),
        )

    first, again, faster = asyncio.run(speak())
    assert first == again
    assert (duration_ms(first), duration_ms(faster)) == (2000, 1000)
    assert audioop.rms(first, 2) > 2000
    assert [request.language for request in twin.spoken] == ["en", "en", "fr"]
    with pytest.raises(LanguageUnknown):
        asyncio.run(voice.speak("hello", language="xx"))
