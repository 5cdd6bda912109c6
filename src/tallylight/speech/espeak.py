"""espeak-ng as a `Synthesiser`: requests over pipes to a process of its own, which is started when first needed."""

import asyncio
import json
import struct
import subprocess
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import IO

from tallylight.speech.cache import PromptCache
from tallylight.speech.errors import EngineFailed, SpeechError
from tallylight.speech.synthesis import Request

CHILD = (sys.executable, "-m", "tallylight.speech.espeak_child")
MAX_ANSWER = 16 * 600_000
"""Bytes of sound taken from the engine: ten minutes. More is nonsense."""


class _Broken(Exception):
    """The engine's process did not answer as it should."""


class EspeakSynthesiser:
    """The house's voice. Safe on any thread; one text is spoken at a time.

    `cache` is a folder for what was spoken (it is made); None keeps nothing. A process that dies or does not answer
    within `timeout_s` is replaced and the text tried once more. The engine's hiss is random: the same text spoken twice
    has the same words and length, not the same samples.
    """

    def __init__(self, cache: Path | None = None, *, timeout_s: float = 60.0, child: Sequence[str] = CHILD) -> None:
        self._cache = None if cache is None else PromptCache(cache)
        self._timeout_s = timeout_s
        self._command = tuple(child)
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self.started = 0
        """Processes started so far."""

    @property
    def pid(self) -> int | None:
        """The engine's process, while there is one."""
        process = self._process
        return None if process is None else process.pid

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
            except _Broken:
                try:
                    pcm = self._ask(request)
                except _Broken as broken:
                    raise EngineFailed(
                        f"The speech engine failed twice ({broken}); start {' '.join(self._command[1:])} by hand to see why."
                    ) from None
        if self._cache is not None:
            self._cache.put(request, pcm)
        return pcm

    def close(self) -> None:
        """End the engine's process. A later text starts another."""
        with self._lock:
            self._stop()

    def _ask(self, request: Request) -> bytes:
        process = self._process or self._start()
        assert process.stdin is not None
        assert process.stdout is not None
        body = json.dumps({"text": request.text, "voice": request.voice, "rate": request.words_per_minute}).encode()
        watchdog = threading.Timer(self._timeout_s, process.kill)
        watchdog.daemon = True
        watchdog.start()
        try:
            process.stdin.write(struct.pack(">I", len(body)) + body)
            process.stdin.flush()
            answer = _read_answer(process.stdout)
        except (OSError, ValueError) as error:
            self._stop()
            raise _Broken(str(error)) from None
        finally:
            watchdog.cancel()
        if isinstance(answer, str):
            raise SpeechError(f"The text cannot be spoken: {answer}.")
        if not answer:
            raise SpeechError("There is nothing in the text that can be heard.", code="speech_empty")
        return answer

    def _start(self) -> subprocess.Popen[bytes]:
        self.started += 1
        # A session of its own: Ctrl-C at a terminal is for us, who end it in good order.
        try:
            self._process = subprocess.Popen(
                self._command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True
            )
        except OSError as error:
            raise _Broken(str(error)) from None
        return self._process

    def _stop(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            process.stdin.close()
        except OSError:
            pass
        try:
            process.wait(1.0)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        process.stdout.close()


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
