"""Waiting within a call: nothing outlives it, and nothing piles up in it."""

import asyncio

from tallylight.clock import VirtualClock
from tallylight.telephony.b2bua.waiting import Waiting


def test_timers_that_ran_or_were_cancelled_are_forgotten() -> None:
    clock, ran = VirtualClock(), []
    waiting = Waiting(clock)

    def again() -> None:
        ran.append(clock.monotonic_ns())
        waiting.later(1, again)

    again()
    for _ in range(1000):
        waiting.later(5, again).cancel()
    clock.advance(4 * 3600)
    assert len(ran) == 4 * 3600 + 1
    assert waiting.timers == 1


def test_nothing_runs_after_the_end() -> None:
    clock, ran = VirtualClock(), []
    waiting = Waiting(clock)
    waiting.later(1, lambda: ran.append("before"))
    waiting.end()
    waiting.later(1, lambda: ran.append("after"))
    clock.advance(10)
    assert ran == []
    assert waiting.timers == 0


def test_whoever_waits_goes_on_at_the_end() -> None:
    async def scene() -> None:
        waiting = Waiting(VirtualClock())
        never: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        wait = asyncio.ensure_future(waiting.unless_over(never))
        long = asyncio.ensure_future(waiting.within(60, asyncio.Event().wait()))
        await asyncio.sleep(0)
        waiting.end()
        assert await wait is None
        assert await long is None
        assert never.cancelled()

    asyncio.run(scene())


def test_a_result_in_time_is_passed_on() -> None:
    async def scene() -> None:
        clock = VirtualClock()
        waiting = Waiting(clock)
        keys: asyncio.Queue[str] = asyncio.Queue()
        keys.put_nowait("5")
        assert await waiting.within(2, keys.get()) == "5"
        late = asyncio.ensure_future(waiting.within(2, keys.get()))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        clock.advance(2)
        assert await late is None
        assert not waiting.over

    asyncio.run(scene())
