"""An event loop whose time is virtual: it jumps to the next timer whenever nobody has anything to do.

What runs on other threads takes no time: while it runs the clock stands still, so every run is the same run.
"""

import asyncio
import math
import selectors
from collections.abc import Callable
from concurrent.futures import Executor
from typing import Any, TypeVar, TypeVarTuple

from tallylight.clock import Timer

T = TypeVar("T")
Ts = TypeVarTuple("Ts")

WALL_MS = 1_790_000_000_000
REAL_WAIT_S = 0.05
STUCK_AFTER = 600
"""Waits in a row for another thread before the test is given up."""


class _Jumping(selectors.DefaultSelector):
    """Waits for nothing but other threads."""

    def __init__(self) -> None:
        super().__init__()
        self.now_ns = 0
        self.busy: Callable[[], bool] = lambda: False

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        found = super().select(0)
        if found or (timeout is not None and timeout <= 0):
            return found
        for _ in range(STUCK_AFTER):
            if not self.busy():
                break
            found = super().select(REAL_WAIT_S)
            if found:
                return found
        else:
            raise AssertionError("another thread never finished")
        found = super().select(0)
        if found:
            return found
        if timeout is None:
            found = super().select(REAL_WAIT_S * STUCK_AFTER)
            assert found, "nothing is left that could ever happen"
            return found
        self.now_ns += max(1, math.ceil(timeout * 1e9))
        return []


class VirtualLoop(asyncio.SelectorEventLoop):
    """`busy` says whether another thread owes something, beside the loop's own executors."""

    def __init__(self) -> None:
        self._jumping = _Jumping()
        self._jumping.busy = self._is_busy
        self._jobs = 0
        self.busy: Callable[[], bool] = lambda: False
        self.faults: list[dict[str, Any]] = []
        super().__init__(self._jumping)
        self.set_exception_handler(lambda loop, context: self.faults.append(context))

    def _is_busy(self) -> bool:
        return self._jobs > 0 or self.busy()

    def time(self) -> float:
        return self._jumping.now_ns / 1e9

    @property
    def now_ns(self) -> int:
        return self._jumping.now_ns

    @property
    def timers(self) -> int:
        """Timers that will still run."""
        return sum(not handle.cancelled() for handle in getattr(self, "_scheduled"))  # noqa: B009

    def run_in_executor(self, executor: Executor | None, func: Callable[[*Ts], T], *args: *Ts) -> "asyncio.Future[T]":
        future = super().run_in_executor(executor, func, *args)
        self._jobs += 1
        future.add_done_callback(self._done)
        return future

    def _done(self, future: "asyncio.Future[Any]") -> None:
        self._jobs -= 1


class LoopClock:
    """The house's clock on a virtual loop."""

    def __init__(self, loop: VirtualLoop) -> None:
        self._loop = loop

    def wall_ms(self) -> int:
        return WALL_MS + self._loop.now_ns // 1_000_000

    def monotonic_ns(self) -> int:
        return self._loop.now_ns

    def call_later(self, seconds: float, callback: Callable[[], None]) -> Timer:
        return self._loop.call_later(seconds, callback)


def run(main: Callable[[VirtualLoop], Any]) -> None:
    """Run `main(loop)`, a coroutine function, on a fresh virtual loop."""
    loop = VirtualLoop()
    with asyncio.Runner(loop_factory=lambda: loop) as runner:
        runner.run(main(loop))
    assert loop.faults == []
