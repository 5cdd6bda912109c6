"""Waiting within one call: timers on the house's clock that end with it, and awaitables that give way to its end."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine
from typing import TypeVar

from tallylight.clock import Clock, Timer

T = TypeVar("T")

logger = logging.getLogger(__name__)


class _CallTimer:
    """A timer that is remembered only while it may still run: a call of hours starts thousands."""

    def __init__(self, timers: "set[_CallTimer]", callback: Callable[[], object]) -> None:
        self._timers = timers
        self._callback = callback
        self.timer: Timer | None = None
        timers.add(self)

    def due(self) -> None:
        self._timers.discard(self)
        self._callback()

    def cancel(self) -> None:
        self._timers.discard(self)
        if self.timer is not None:
            self.timer.cancel()


class Waiting:
    """The call's end, and everything that is waited for until then."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._ended = asyncio.Event()
        self._timers: set[_CallTimer] = set()
        self._beside: set[asyncio.Task[None]] = set()

    @property
    def over(self) -> bool:
        return self._ended.is_set()

    @property
    def timers(self) -> int:
        """Timers that may still run."""
        return len(self._timers)

    def end(self) -> None:
        """The call is over: no timer runs any more, and whoever waits goes on."""
        self._ended.set()
        for timer in tuple(self._timers):
            timer.cancel()

    async def ended(self) -> None:
        await self._ended.wait()

    def later(self, seconds: float, callback: Callable[[], object]) -> Timer:
        """Call `callback` after so long, unless the call is over by then."""

        def due() -> None:
            if not self.over:
                callback()

        made = _CallTimer(self._timers, due)
        if self.over:
            made.cancel()
        else:
            made.timer = self._clock.call_later(seconds, made.due)
        return made

    def beside(self, work: Coroutine[object, object, None]) -> None:
        """Do this while the call goes on. It is to end with the call by itself, as everything that waits here does."""
        task = asyncio.get_running_loop().create_task(work)
        self._beside.add(task)
        task.add_done_callback(self._done_beside)

    def _done_beside(self, task: "asyncio.Task[None]") -> None:
        self._beside.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            logger.error("something beside a call failed", exc_info=error)

    async def unless_over(self, awaitable: Awaitable[T]) -> T | None:
        """The result, or None as soon as the call is over."""
        return await self._first(awaitable, self._ended)

    async def within(self, seconds: float, awaitable: Awaitable[T]) -> T | None:
        """The result, or None after so long or as soon as the call is over."""
        gone = asyncio.Event()
        timer = self._clock.call_later(seconds, gone.set)
        try:
            return await self.unless_over(self._first(awaitable, gone))
        finally:
            timer.cancel()

    @staticmethod
    async def _first(awaitable: Awaitable[T], event: asyncio.Event) -> T | None:
        work = asyncio.ensure_future(awaitable)
        other = asyncio.ensure_future(event.wait())
        try:
            await asyncio.wait({work, other}, return_when=asyncio.FIRST_COMPLETED)
            return work.result() if work.done() and not event.is_set() else None
        finally:
            work.cancel()
            other.cancel()
