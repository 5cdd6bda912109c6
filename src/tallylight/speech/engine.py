"""A speech engine in a process of its own: one request over its pipes at a time, replaced when it dies or hangs."""

import struct
import subprocess
import threading
from collections.abc import Callable, Sequence
from typing import IO, TypeVar

T = TypeVar("T")

GRACE_S = 1.0
"""How long an engine that has no more input may take to end."""


class EngineBroken(Exception):
    """The engine's process did not answer as it should; the next request gets another."""


class EngineProcess:
    """Started when first needed. One thread at a time: whoever owns it holds a lock."""

    def __init__(self, command: Sequence[str], *, timeout_s: float) -> None:
        self._command = tuple(command)
        self._timeout_s = timeout_s
        self._process: subprocess.Popen[bytes] | None = None
        self.started = 0
        """Processes started so far."""

    @property
    def pid(self) -> int | None:
        """The process, while there is one."""
        process = self._process
        return None if process is None else process.pid

    def ask(self, request: bytes, read: Callable[[IO[bytes]], T]) -> T:
        """Send a request behind its length (big-endian u32), and `read` the answer; it may raise ValueError.

        Raises EngineBroken where the process cannot be started, dies, answers nonsense or nothing in time.
        """
        try:
            process = self._process or self._start()
            assert process.stdin is not None
            assert process.stdout is not None
            watchdog = threading.Timer(self._timeout_s, process.kill)
            watchdog.daemon = True
            watchdog.start()
            try:
                process.stdin.write(struct.pack(">I", len(request)) + request)
                process.stdin.flush()
                return read(process.stdout)
            finally:
                watchdog.cancel()
        except (OSError, ValueError) as error:
            self.stop()
            raise EngineBroken(str(error)) from None

    def _start(self) -> subprocess.Popen[bytes]:
        self.started += 1
        # A session of its own: Ctrl-C at a terminal is for us, who end it in good order.
        self._process = subprocess.Popen(
            self._command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True
        )
        return self._process

    def stop(self) -> None:
        """End it. A later request starts another."""
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
            process.wait(GRACE_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        process.stdout.close()
