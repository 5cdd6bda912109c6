"""What the live log has to tell somebody, now."""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

logger = logging.getLogger(__name__)

EVERY_S = 1.0
"""Each kind of alarm is told at most this often; what was dropped in between is added up."""


class AlarmKind(StrEnum):
    """The closed list of things that stop recording, and their end."""

    QUEUE_FULL = "queue_full"
    """The disk is too slow or gone: media was dropped instead of waiting."""
    DISK_FULL = "disk_full"
    FILE_DEAD = "file_dead"
    """A write or fsync failed: that log file is not trusted any more, a new one takes its place."""
    REFUSED = "refused"
    """A record could not be made, or came after the end: dropped."""
    FAULT = "fault"
    """A fault of our own in the log's thread, which goes on."""
    LOST = "lost"
    """The log was closed while the disk refused what waited."""
    RECOVERED = "recovered"
    """Nothing waits any more: the log stores again."""


_STANDING = frozenset({AlarmKind.QUEUE_FULL, AlarmKind.DISK_FULL, AlarmKind.FILE_DEAD})


@dataclass(frozen=True, kw_only=True)
class Alarm:
    """One alarm. `dropped_records` and `dropped_ms` count since the last alarm of this kind."""

    kind: AlarmKind
    message: str
    dropped_records: int = 0
    dropped_ms: int = 0


OnAlarm = Callable[[Alarm], None]
"""Called on the log's thread, or on the caller of `write`: must be quick and must not raise."""


class Alarms:
    """Passes alarms on, not too often."""

    def __init__(self, on_alarm: OnAlarm) -> None:
        self._on_alarm = on_alarm
        self._last: dict[AlarmKind, tuple[float, int, int]] = {}
        self.standing = False
        """The disk was in the way and `RECOVERED` has not followed yet."""

    def raise_(self, kind: AlarmKind, message: str, records: int = 0, media_ms: int = 0) -> None:
        """Tell it now, or add it to the next of its kind."""
        if kind in _STANDING:
            self.standing = True
        elif kind is AlarmKind.RECOVERED:
            self.standing = False
        now = time.monotonic()
        told, dropped, dropped_ms = self._last.get(kind, (-EVERY_S, 0, 0))
        dropped += records
        dropped_ms += media_ms
        if now - told < EVERY_S and kind is not AlarmKind.RECOVERED:
            self._last[kind] = (told, dropped, dropped_ms)
            return
        self._last[kind] = (now, 0, 0)
        try:
            self._on_alarm(Alarm(kind=kind, message=message, dropped_records=dropped, dropped_ms=dropped_ms))
        except Exception:
            logger.exception("The alarm %s could not be passed on", kind)
