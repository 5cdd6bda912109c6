"""pocketsphinx as an `AnswerRecogniser`: sound over a pipe to a process of its own, which is started when first needed.

Recognising takes tens to hundreds of milliseconds of processor time, which must not hold the media loop. Only English
has a model (optional extra `speech`).
"""

import asyncio
import importlib.util
import json
import sys
import threading
from collections.abc import Sequence
from typing import IO

from tallylight.speech.engine import EngineBroken, EngineProcess
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
        self._engine = EngineProcess(child, timeout_s=timeout_s)
        self._lock = threading.Lock()

    @property
    def pid(self) -> int | None:
        """The engine's process, while there is one."""
        return self._engine.pid

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
                return self._engine.ask(pcm[:LONGEST_BYTES], _read_answer)
            except EngineBroken as broken:
                raise EngineFailed(
                    f"The speech recogniser failed ({broken}); the caller may still press keys."
                ) from None

    def close(self) -> None:
        """End the engine's process. A later utterance starts another."""
        with self._lock:
            self._engine.stop()


def _read_answer(stream: IO[bytes]) -> Heard:
    """ValueError where the process ended or answered something else."""
    body = json.loads(stream.readline(1000) or b"{}")
    if not isinstance(body, dict) or "answer" not in body:
        raise ValueError(f"it answered {body}")
    answer, score = Answered(body["answer"]), int(body["score"])
    if answer is Answered.YES and score < SURE:
        answer = Answered.UNCLEAR
    return Heard(answer=answer, score=score)
