"""What could not be sealed is tried again while the process lives, at growing pauses. What is left then is the next start's."""

import logging
from collections.abc import Callable, Mapping
from concurrent.futures import Executor
from dataclasses import dataclass

from tallylight.clock import Clock, Timer
from tallylight.ids import ConversationId, TrackId

logger = logging.getLogger(__name__)

FIRST_PAUSE_S = 10.0
LONGEST_PAUSE_S = 600.0


@dataclass(frozen=True, kw_only=True)
class Ended:
    """A conversation whose tracks are to be sealed, and what is known of them only now."""

    conversation: ConversationId
    project: str
    expected_ms: Mapping[TrackId, int]
    """Admitted media per track."""
    offset_ms: int
    """When it ended, in media time."""


class Resealing:
    """The conversations that wait for another try. On the clock's thread; sealing itself runs on `pool`."""

    def __init__(
        self,
        *,
        clock: Clock,
        pool: Executor,
        seal: Callable[[Ended], bool],
        post: Callable[[Callable[[], None]], None],
    ) -> None:
        self._clock = clock
        self._pool = pool
        self._seal = seal
        self._post = post
        self._timers: dict[ConversationId, Timer] = {}
        self._stopped = False

    def later(self, ended: Ended, pause_s: float = FIRST_PAUSE_S) -> None:
        """Try once more after `pause_s`, and again after twice that, until it is whole."""
        if not self._stopped:
            self._timers[ended.conversation] = self._clock.call_later(pause_s, lambda: self._try(ended, pause_s))

    def stop(self) -> None:
        """Try nothing more."""
        self._stopped = True
        for timer in self._timers.values():
            timer.cancel()
        self._timers.clear()

    def _try(self, ended: Ended, pause_s: float) -> None:
        del self._timers[ended.conversation]

        def work() -> None:
            if self._seal(ended):
                logger.info("conversation %s is sealed now", ended.conversation)
            else:
                self._post(lambda: self.later(ended, min(2 * pause_s, LONGEST_PAUSE_S)))

        self._pool.submit(work)
