"""Time as a port: wall clock for people, monotonic clock for intervals, timers for protocols."""

import asyncio
import heapq
import itertools
import time
from collections.abc import Callable
from typing import Protocol


class Timer(Protocol):
    """A callback that will run once unless cancelled."""

    def cancel(self) -> None:
        """Never run it. Harmless when it already ran."""


class Clock(Protocol):
    """What every room asks for time. Callbacks run on the thread that owns the clock (the event loop)."""

    def wall_ms(self) -> int:
        """Milliseconds since 1970 UTC; may jump."""

    def monotonic_ns(self) -> int:
        """Nanoseconds on a clock that never jumps."""

    def call_later(self, seconds: float, callback: Callable[[], None]) -> Timer:
        """Run `callback` once, `seconds` from now."""


class SystemClock:
    """The machine's clocks and the running event loop's timers."""

    def __init__(self, loop: asyncio.AbstractEventLoop | None = None) -> None:
        self._loop = loop

    def wall_ms(self) -> int:
        return time.time_ns() // 1_000_000

    def monotonic_ns(self) -> int:
        return time.monotonic_ns()

    def call_later(self, seconds: float, callback: Callable[[], None]) -> Timer:
        if self._loop is None:
            self._loop = asyncio.get_running_loop()
        return self._loop.call_later(seconds, callback)


class _VirtualTimer:
    def __init__(self, callback: Callable[[], None]) -> None:
        self.callback: Callable[[], None] | None = callback

    def cancel(self) -> None:
        self.callback = None


class VirtualClock:
    """Time that moves only when `advance` is called: the same program, in a simulation."""

    def __init__(self, wall_ms: int = 1_790_000_000_000) -> None:
        self._start_wall_ms = wall_ms
        self._now_ns = 0
        self._queue: list[tuple[int, int, _VirtualTimer]] = []
        self._order = itertools.count()

    def wall_ms(self) -> int:
        return self._start_wall_ms + self._now_ns // 1_000_000

    def monotonic_ns(self) -> int:
        return self._now_ns

    def call_later(self, seconds: float, callback: Callable[[], None]) -> Timer:
        timer = _VirtualTimer(callback)
        heapq.heappush(self._queue, (self._now_ns + max(0, round(seconds * 1e9)), next(self._order), timer))
        return timer

    def advance(self, seconds: float) -> None:
        """Move time forward by `seconds`, running every timer that falls due, in order, at its own instant."""
        until = self._now_ns + round(seconds * 1e9)
        while self._queue and self._queue[0][0] <= until:
            due, _, timer = heapq.heappop(self._queue)
            self._now_ns = max(self._now_ns, due)
            callback, timer.callback = timer.callback, None
            if callback is not None:
                callback()
        self._now_ns = until
