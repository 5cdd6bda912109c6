"""The port through which the house gets its voice, and a twin that needs no engine."""

import math
from array import array
from dataclasses import dataclass
from typing import Protocol

from tallylight.speech.errors import LanguageUnknown, RateUnusable, SpeechError

SAMPLE_RATE_HZ = 8000
BYTES_PER_MS = 16
"""16-bit mono samples, little-endian."""

SLOWEST, FASTEST = 80, 300
"""Words per minute; nobody follows a legal notice outside this."""

LONGEST = 10_000
"""Characters in one text, about ten minutes."""


@dataclass(frozen=True, kw_only=True)
class Voice:
    """How a language is spoken: the engine's voice and the rate in words per minute."""

    name: str
    words_per_minute: int


VOICES = {
    "da": Voice(name="da", words_per_minute=190),
    "de": Voice(name="de", words_per_minute=195),
    "en": Voice(name="en", words_per_minute=190),
    "es": Voice(name="es", words_per_minute=195),
    "fr": Voice(name="fr", words_per_minute=195),
}
"""By ISO 639-1 code. A notice brings its own rate; this is for all other text."""

OTHER_VOICES = {code: Voice(name=code, words_per_minute=190) for code in ("fi", "it", "nb", "nl", "pl", "pt", "sv")}
"""For wordings of an operator's own."""

_EVERY = {**VOICES, **OTHER_VOICES}


@dataclass(frozen=True, kw_only=True)
class Request:
    """One text to be spoken, with everything that decides how it sounds."""

    text: str
    language: str
    voice: str
    words_per_minute: int

    @classmethod
    def of(cls, text: str, language: str, words_per_minute: int | None) -> "Request":
        """Fill in the language's voice and rate. Raises SpeechError where it cannot be spoken."""
        code = language.replace("_", "-").partition("-")[0].lower()
        voice = _EVERY.get(code)
        if voice is None:
            raise LanguageUnknown(f"No voice speaks {language!r}; choose one of {', '.join(sorted(_EVERY))}.")
        rate = voice.words_per_minute if words_per_minute is None else words_per_minute
        if not SLOWEST <= rate <= FASTEST:
            raise RateUnusable(f"{rate} words per minute cannot be followed; choose {SLOWEST} to {FASTEST}.")
        # A NUL would end the text for the engine, half a surrogate pair its process.
        plain = " ".join("".join(character if character.isprintable() else " " for character in text).split())
        if not plain:
            raise SpeechError("There is no text to speak.", code="speech_empty")
        if len(plain) > LONGEST:
            raise SpeechError(f"The text has {len(plain):,} characters; speak it in parts of {LONGEST:,}.")
        return cls(text=plain, language=code, voice=voice.name, words_per_minute=rate)


class Synthesiser(Protocol):
    """Makes speech. Raises SpeechError."""

    async def speak(self, text: str, *, language: str, words_per_minute: int | None = None) -> bytes:
        """16-bit mono PCM at 8 kHz, little-endian, at telephone level. None: the language's own rate."""


def duration_ms(pcm: bytes) -> int:
    """Length of 16-bit mono sound at 8 kHz."""
    return len(pcm) // BYTES_PER_MS


class ToneSynthesiser:
    """The twin: a tone as long as the words would take, a pitch for each language, the same each time."""

    def __init__(self) -> None:
        self.spoken: list[Request] = []

    async def speak(self, text: str, *, language: str, words_per_minute: int | None = None) -> bytes:
        """As `Synthesiser.speak`."""
        request = Request.of(text, language, words_per_minute)
        self.spoken.append(request)
        pitch_hz = 300 + 50 * list(_EVERY).index(request.language)
        samples = 60 * SAMPLE_RATE_HZ * len(request.text.split()) // request.words_per_minute
        step = 2 * math.pi * pitch_hz / SAMPLE_RATE_HZ
        return array("h", (round(4000 * math.sin(step * n)) for n in range(samples))).tobytes()
