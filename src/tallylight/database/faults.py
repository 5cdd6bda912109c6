"""Commits that stall or fail on purpose: the port through which tests see what a slow or broken database does."""

import threading
from collections.abc import Callable
from typing import Protocol

from tallylight.database.errors import DatabaseUnavailable


class WriterFaults(Protocol):
    """What happens just before the writer's n-th commit."""

    def before_commit(self, number: int) -> None:
        """Called on the writer thread, inside the transaction; may block or raise. `number` counts from 1."""


class Stall:
    """A commit that waits until it is let go."""

    def __init__(self) -> None:
        self.reached = threading.Event()
        """Set once the writer stands at this commit."""
        self._go = threading.Event()

    def release(self) -> None:
        """Let the commit go on."""
        self._go.set()

    def wait(self, seconds: float | None) -> None:
        """Stand still until released, or for `seconds`."""
        self.reached.set()
        self._go.wait(seconds)


def _refused() -> BaseException:
    return DatabaseUnavailable("The database refused the commit (injected fault).")


class FaultyCommits:
    """Stalls and failures by commit number, counted from 1. `next` is the number of the commit to come."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._stalls: dict[int, tuple[Stall, float | None]] = {}
        self._failures: dict[int, Callable[[], BaseException]] = {}
        self._failing = False
        self._seen = 0

    @property
    def next(self) -> int:
        with self._lock:
            return self._seen + 1

    def stall(self, number: int, seconds: float | None = None) -> Stall:
        """Stall one commit for `seconds`, or (None) until the returned stall is released."""
        stall = Stall()
        with self._lock:
            self._stalls[number] = (stall, seconds)
        return stall

    def fail(self, number: int, error: Callable[[], BaseException] = _refused) -> None:
        """Fail one commit."""
        with self._lock:
            self._failures[number] = error

    def fail_all(self) -> None:
        """Fail every commit from now on, until `recover`."""
        with self._lock:
            self._failing = True

    def recover(self) -> None:
        """Let commits through again."""
        with self._lock:
            self._failing = False

    def before_commit(self, number: int) -> None:
        with self._lock:
            self._seen = number
            waiting = self._stalls.pop(number, None)
        if waiting is not None:
            stall, seconds = waiting
            stall.wait(seconds)
        with self._lock:
            error = self._failures.pop(number, None)
            failing = self._failing
        if error is not None:
            raise error()
        if failing:
            raise _refused()
