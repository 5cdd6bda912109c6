"""The port that hears a spoken yes or no, and a twin that needs no engine.

What is heard is judged in memory and forgotten: an implementation keeps neither sound nor words, and hands on an answer
and a score alone.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

SAMPLE_RATE_HZ = 8000
BYTES_PER_MS = 16


class Answered(StrEnum):
    """What somebody's words amount to."""

    YES = "yes"
    NO = "no"
    UNCLEAR = "unclear"
    """Words, but no answer that is clear enough."""
    NOTHING = "nothing"
    """No words."""


@dataclass(frozen=True, kw_only=True)
class Heard:
    answer: Answered
    score: int
    """0 to 100: how well the sound fits what was recognised; 0 where nothing was."""


class AnswerRecogniser(Protocol):
    """Hears answers. Raises SpeechError where the engine fails."""

    def understands(self, language: str) -> bool:
        """Whether answers in this language (ISO 639-1) can be recognised here; where not, people are asked for keys."""

    async def hear(self, pcm: bytes, *, language: str) -> Heard:
        """Judge one utterance: 16-bit mono PCM at 8 kHz, little-endian."""


class ScriptedRecogniser:
    """The twin: hears what it is told to, one after the other, and then nothing any more."""

    def __init__(self, heard: Iterable[Heard], *, languages: Iterable[str] = ("en",)) -> None:
        self._heard = list(heard)
        self._languages = frozenset(languages)
        self.lengths_ms: list[int] = []
        """How long each utterance was that it judged."""

    def understands(self, language: str) -> bool:
        """As `AnswerRecogniser.understands`."""
        return language in self._languages

    async def hear(self, pcm: bytes, *, language: str) -> Heard:
        """As `AnswerRecogniser.hear`."""
        self.lengths_ms.append(len(pcm) // BYTES_PER_MS)
        return self._heard.pop(0) if self._heard else Heard(answer=Answered.NOTHING, score=0)
