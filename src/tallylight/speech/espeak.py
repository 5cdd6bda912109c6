"""espeak-ng as a `Synthesiser`: requests over pipes to a process of its own, which is started when first needed."""

import asyncio
import json
import struct
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import IO

from tallylight.speech.cache import PromptCache
from tallylight.speech.engine import EngineBroken, EngineProcess
from tallylight.speech.errors import EngineFailed, SpeechError
from tallylight.speech.synthesis import Request

CHILD = (sys.executable, "-m", "tallylight.speech.espeak_child")
MAX_ANSWER = 16 * 600_000
"""Bytes of sound taken from the engine: ten minutes. More is nonsense."""


class EspeakSynthesiser:
    """The house's voice. Safe on any thread; one text is spoken at a time.

    `cache` is a folder for what was spoken (it is made); None keeps nothing. A process that dies or does not answer
    within `timeout_s` is replaced and the text tried once more. The engine's hiss is random: the same text spoken twice
    has the same words and length, not the same samples.
    """

    def __init__(self, cache: Path | None = None, *, timeout_s: float = 60.0, child: Sequence[str] = CHILD) -> None:
        self._cache = None if cache is None else PromptCache(cache)
        self._command = tuple(child)
        self._engine = EngineProcess(child, timeout_s=timeout_s)
        self._lock = threading.Lock()

    @property
    def started(self) -> int:
        """Processes started so far."""
        return self._engine.started

    @property
    def pid(self) -> int | None:
        """The engine's process, while there is one."""
        return self._engine.pid

    async def speak(self, text: str, *, language: str, words_per_minute: int | None = None) -> bytes:
        """As `Synthesiser.speak`; waits on another thread."""
        return await asyncio.to_thread(self.speak_now, text, language=language, words_per_minute=words_per_minute)

    def speak_now(self, text: str, *, language: str, words_per_minute: int | None = None) -> bytes:
        """As `speak`, for tools without an event loop. Raises SpeechError."""
        request = Request.of(text, language, words_per_minute)
        kept = None if self._cache is None else self._cache.get(request)
        if kept is not None:
            return kept
        with self._lock:
            try:
                pcm = self._ask(request)
            except EngineBroken:
                try:
                    pcm = self._ask(request)
                except EngineBroken as broken:
                    raise EngineFailed(
                        f"The speech engine failed twice ({broken}); start {' '.join(self._command[1:])} by hand to see why."
                    ) from None
        if self._cache is not None:
            self._cache.put(request, pcm)
        return pcm

    def close(self) -> None:
        """End the engine's process. A later text starts another."""
        with self._lock:
            self._engine.stop()

    def _ask(self, request: Request) -> bytes:
        body = json.dumps({"text": request.text, "voice": request.voice, "rate": request.words_per_minute}).encode()
        answer = self._engine.ask(body, _read_answer)
        if isinstance(answer, str):
            raise SpeechError(f"The text cannot be spoken: {answer}.")
        if not answer:
            raise SpeechError("There is nothing in the text that can be heard.", code="speech_empty")
        return answer


def _read_answer(stream: IO[bytes]) -> bytes | str:
    """Sound, or why there is none. ValueError where the process ended or answered something else."""
    body = json.loads(_exactly(stream, struct.unpack(">I", _exactly(stream, 4))[0]))
    if not isinstance(body, dict):
        raise ValueError("its answer is no JSON object")
    error, length = body.get("error"), body.get("pcm")
    if isinstance(error, str):
        return error
    if not isinstance(length, int):
        raise ValueError("its answer says neither sound nor error")
    return _exactly(stream, length)


def _exactly(stream: IO[bytes], count: int) -> bytes:
    if not 0 <= count <= MAX_ANSWER:
        raise ValueError("its answer has no sensible length")
    data = stream.read(count)
    if len(data) < count:
        raise ValueError("it ended in mid-answer")
    return data
