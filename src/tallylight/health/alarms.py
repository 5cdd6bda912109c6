"""Alarms: something was lost or left undone while people went on talking. Kept in memory, counted, and logged.

An alarm says what kind it is, when, of which conversation and how much is missing. Its text is the program's own words:
no number and no name belongs into it, because an erasure searches the logs for them.
"""

import logging
import threading
from collections import Counter, deque
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from tallylight.clock import Clock
from tallylight.ids import ConversationId, TrackId

logger = logging.getLogger(__name__)

KEPT = 256
"""Alarms held in memory, newest last."""


class AlarmKind(StrEnum):
    TRACK_SHORT = "track_short"
    RECORDING_FAILED = "recording_failed"
    OPENING_MISSED = "opening_missed"
    LOG_FAILED = "log_failed"
    LOG_BEHIND = "log_behind"
    DISK_FULL = "disk_full"
    DATABASE_FAILED = "database_failed"
    KEY_MISSING = "key_missing"
    SEALING_FAILED = "sealing_failed"
    RECOVERY_DESTROYED = "recovery_destroyed"
    OBJECTS_UNKNOWN = "objects_unknown"
    CONVERSATION_INTERRUPTED = "conversation_interrupted"
    ERASURE_PENDING = "erasure_pending"
    RETENTION_OVERDUE = "retention_overdue"
    SWEEP_UNCONFIRMED = "sweep_unconfirmed"


ADVICE: Mapping[AlarmKind, str] = {
    AlarmKind.TRACK_SHORT: "A track holds less than its gate admitted: compare it in `recordings list`.",
    AlarmKind.RECORDING_FAILED: "Recording stopped while the call went on: look at disk, database and keys.",
    AlarmKind.OPENING_MISSED: "A gate opened late, its commit took over a second: look at the database's disk.",
    AlarmKind.LOG_FAILED: "The live log could not be written or synced: look at the disk under live/.",
    AlarmKind.LOG_BEHIND: "The live log could not keep up and dropped media: look at the disk under live/.",
    AlarmKind.DISK_FULL: "The disk is full: make room; recording resumes by itself with the next call.",
    AlarmKind.DATABASE_FAILED: "The database did not take a commit: recording is off until it does.",
    AlarmKind.KEY_MISSING: "A key could not be opened: put the master key back under keys/.",
    AlarmKind.SEALING_FAILED: "A track could not be sealed and is tried again: look at disk and database.",
    AlarmKind.RECOVERY_DESTROYED: "Records without a committed decision or key were destroyed at recovery.",
    AlarmKind.OBJECTS_UNKNOWN: "Many objects have no key in this database: is it the one that belongs to them?",
    AlarmKind.CONVERSATION_INTERRUPTED: "A conversation's process was gone before the conversation ended.",
    AlarmKind.ERASURE_PENDING: "An erasure is not finished: repeat `tallylight erase` with the same address.",
    AlarmKind.RETENTION_OVERDUE: "Something has outlived its deadline by a day: run `tallylight retention sweep`.",
    AlarmKind.SWEEP_UNCONFIRMED: "A sweep would erase unusually much, or the clock jumped: confirm the sweep.",
}
"""What to do, per kind."""


@dataclass(frozen=True, kw_only=True)
class Alarm:
    kind: AlarmKind
    at_ms: int
    """ms UTC."""
    text: str = ""
    """What happened, in words without identifiers of people."""
    conversation: ConversationId | None = None
    track: TrackId | None = None
    missing_ms: int = 0

    @property
    def advice(self) -> str:
        return ADVICE[self.kind]


class AlarmCounter(Protocol):
    """Where alarms are counted for the outside (`Metrics` does)."""

    def alarm(self, kind: str) -> None:
        """Count one alarm of `kind`."""


class Alarms:
    """The process's alarms. Safe on every thread; never raises, never blocks on I/O beyond the log line."""

    def __init__(self, clock: Clock, *, counter: AlarmCounter | None = None, kept: int = KEPT) -> None:
        self._clock = clock
        self._counter = counter
        self._lock = threading.Lock()
        self._recent: deque[Alarm] = deque(maxlen=kept)
        self._counts: Counter[AlarmKind] = Counter()

    def raise_alarm(
        self,
        kind: AlarmKind,
        text: str = "",
        *,
        conversation: ConversationId | None = None,
        track: TrackId | None = None,
        missing_ms: int = 0,
    ) -> Alarm:
        """Keep, count and log one alarm."""
        alarm = Alarm(
            kind=kind,
            at_ms=self._clock.wall_ms(),
            text=text,
            conversation=conversation,
            track=track,
            missing_ms=missing_ms,
        )
        with self._lock:
            self._recent.append(alarm)
            self._counts[kind] += 1
        if self._counter is not None:
            self._counter.alarm(kind.value)
        logger.error(
            "alarm %s: %s %s missing_ms=%d conversation=%s", kind.value, text, alarm.advice, missing_ms, conversation
        )
        return alarm

    def recent(self) -> tuple[Alarm, ...]:
        """The last alarms, oldest first."""
        with self._lock:
            return tuple(self._recent)

    def counts(self) -> dict[AlarmKind, int]:
        """How many of each kind since the process began."""
        with self._lock:
            return dict(self._counts)
