"""Another try after every failed one, at growing pauses, until it is whole or the process stops."""

from collections.abc import Callable
from concurrent.futures import Executor, Future
from typing import ParamSpec, TypeVar

from hypothesis import given
from hypothesis import strategies as st

from tallylight.clock import VirtualClock
from tallylight.ids import ConversationId
from tallylight.live.resealing import FIRST_PAUSE_S, LONGEST_PAUSE_S, Ended, Resealing

P = ParamSpec("P")
T = TypeVar("T")
ENDED = Ended(conversation=ConversationId("c"), project="p", expected_ms={}, offset_ms=0)


class Here(Executor):
    """Works at once, on this thread."""

    def submit(self, work: Callable[P, T], /, *arguments: P.args, **named: P.kwargs) -> Future[T]:
        done: Future[T] = Future()
        done.set_result(work(*arguments, **named))
        return done


class Sealing:
    """Fails so often, then succeeds; remembers when it was tried."""

    def __init__(self, clock: VirtualClock, failures: int) -> None:
        self.tried: list[float] = []
        self._clock = clock
        self._failures = failures

    def __call__(self, ended: Ended) -> bool:
        assert ended is ENDED
        self.tried.append(self._clock.monotonic_ns() / 1e9)
        return len(self.tried) > self._failures


@given(failures=st.integers(min_value=0, max_value=12))
def test_the_pauses_double_up_to_the_longest(failures: int) -> None:
    clock = VirtualClock()
    seal = Sealing(clock, failures)
    Resealing(clock=clock, pool=Here(), seal=seal, post=lambda callback: callback()).later(ENDED)
    clock.advance(LONGEST_PAUSE_S * (failures + 2))
    assert len(seal.tried) == failures + 1
    due, pause_s = 0.0, FIRST_PAUSE_S
    for at in seal.tried:
        due += pause_s
        assert at == due
        pause_s = min(2 * pause_s, LONGEST_PAUSE_S)


def test_a_process_that_stops_tries_nothing_more() -> None:
    clock = VirtualClock()
    seal = Sealing(clock, failures=100)
    resealing = Resealing(clock=clock, pool=Here(), seal=seal, post=lambda callback: callback())
    resealing.later(ENDED)
    clock.advance(FIRST_PAUSE_S)
    resealing.stop()
    resealing.later(ENDED)
    clock.advance(10 * LONGEST_PAUSE_S)
    assert len(seal.tried) == 1
