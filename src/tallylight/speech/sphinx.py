"""pocketsphinx as an `AnswerRecogniser`: sound over a pipe to a process of its own, which is started when first needed.

Recognising takes tens to hundreds of milliseconds of processor time, which must not hold the media loop. Only English
has a model (optional extra `speech`).
"""

import asyncio
import importlib.util
import json
import struct
import subprocess
import sys
import threading
from collections.abc import Sequence

from tallylight.speech.errors import EngineFailed
from tallylight.speech.recognition import Answered, Heard

CHILD = (sys.executable, "-m", "tallylight.speech.sphinx_child")
LANGUAGE = "en"
LONGEST_BYTES = 16 * 6000
"""Six seconds: more is no answer."""
SURE = 25
"""The score from which a yes counts: chosen on Speech Commands v0.02 over a simulated telephone line."""


class SphinxRecogniser:
    """Hears a yes or a no. Safe on any thread; one utterance is judged at a time."""

    def __init__(self, *, timeout_s: float = 5.0, child: Sequence[str] = CHILD) -> None:
        self._timeout_s = timeout_s
        self._command = tuple(child)
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int | None:
        """The engine's process, while there is one."""
        process = self._process
        return None if process is None else process.pid

    def understands(self, language: str) -> bool:
        """As `AnswerRecogniser.understands`."""
        return language == LANGUAGE and importlib.util.find_spec("pocketsphinx") is not None

    async def hear(self, pcm: bytes, *, language: str) -> Heard:
        """As `AnswerRecogniser.hear`; waits on another thread."""
        if not self.understands(language):
            raise EngineFailed(f"Answers in {language!r} cannot be recognised here; ask for keys.")
        return await asyncio.to_thread(self.hear_now, pcm)

    def hear_now(self, pcm: bytes) -> Heard:
        """As `hear`, for tools without an event loop. Raises EngineFailed; the next utterance gets a new process."""
        with self._lock:
            try:
                return self._ask(pcm[:LONGEST_BYTES])
            except (OSError, ValueError, KeyError, TypeError) as error:
                self._stop()
                raise EngineFailed(
                    f"The speech recogniser failed ({error}); the caller may still press keys."
                ) from None

    def close(self) -> None:
        """End the engine's process. A later utterance starts another."""
        with self._lock:
            self._stop()

    def _ask(self, pcm: bytes) -> Heard:
        process = self._process or self._start()
        assert process.stdin is not None
        assert process.stdout is not None
        watchdog = threading.Timer(self._timeout_s, process.kill)
        watchdog.daemon = True
        watchdog.start()
        try:
            process.stdin.write(struct.pack(">I", len(pcm)) + pcm)
            process.stdin.flush()
            body = json.loads(process.stdout.readline(1000) or b"{}")
        finally:
            watchdog.cancel()
        answer, score = Answered(body["answer"]), int(body["score"])
        if answer is Answered.YES and score < SURE:
            answer = Answered.UNCLEAR
        return Heard(answer=answer, score=score)

    def _start(self) -> subprocess.Popen[bytes]:
        # A session of its own: Ctrl-C at a terminal is for us, who end it in good order.
        self._process = subprocess.Popen(
            self._command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True
        )
        return self._process

    def _stop(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        process.kill()
        process.wait()
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                try:
                    pipe.close()
                except OSError:
                    pass
