"""The sweep: what has reached its deadline is erased, with the same code as a person's: tracks, who took part, and
standing yeses that have run out.

A sweep that would erase unusually much, or that follows a jump of the clock, erases nothing until somebody confirms it:
a clock set wrong must not empty an archive.
"""

from dataclasses import dataclass
from enum import StrEnum

import sqlalchemy as sa

from tallylight.catalogue.queries import oldest_deadline
from tallylight.catalogue.standing_yeses import run_out
from tallylight.catalogue.tables import conversation as conversations
from tallylight.catalogue.tables import standing_yes as yeses
from tallylight.catalogue.tables import track as tracks
from tallylight.clock import Clock
from tallylight.database.engine import read_only
from tallylight.health.alarms import AlarmKind, Alarms
from tallylight.health.metrics import Metrics
from tallylight.ids import WorkspaceId
from tallylight.retention.erasure import Eraser, Outcome, OutcomeState
from tallylight.retention.scope import DueScope, identities_due
from tallylight.retention.tables import erasure as erasures

USUAL_SHARE = 0.05
"""Of everything stored: more at once needs confirmation ..."""
USUAL = 20
"""... unless it is no more than this."""
JUMP_MS = 3_600_000
"""The wall clock against the monotonic one, since the sweeper began or was last confirmed."""
OVERDUE_MS = 86_400_000
"""What is overdue by this much raises an alarm."""

ACTOR = "retention"


class Confirmation(StrEnum):
    """Whether somebody has looked at what a sweep would erase."""

    NOBODY = "nobody"
    CONFIRMED = "confirmed"


class SweepState(StrEnum):
    NOTHING_DUE = "nothing_due"
    ERASED = "erased"
    PENDING = "pending"
    """Something could not be removed or is still found: the next sweep goes on."""
    UNCONFIRMED = "unconfirmed"


@dataclass(frozen=True, kw_only=True)
class SweepReport:
    state: SweepState
    due: int
    """Tracks whose deadline had come."""
    stored: int
    """Tracks stored before the sweep."""
    conversations: int = 0
    """Conversations of which it was time to forget who took part."""
    standing_yeses: int = 0
    """Standing yeses that had run out."""
    reason: str = ""
    """Why confirmation is needed."""
    outcome: Outcome | None = None

    @property
    def done(self) -> bool:
        """Nothing that was due is left."""
        return self.state in {SweepState.NOTHING_DUE, SweepState.ERASED}


class Sweeper:
    """Runs sweeps. Hourly in a server, and by `tallylight retention sweep`."""

    def __init__(
        self,
        *,
        workspace: WorkspaceId,
        engine: sa.Engine,
        eraser: Eraser,
        clock: Clock,
        alarms: Alarms,
        metrics: Metrics | None = None,
    ) -> None:
        self._workspace = workspace
        self._engine = engine
        self._eraser = eraser
        self._clock = clock
        self._alarms = alarms
        self._metrics = metrics
        self._anchor_ms = self._offset_ms()

    def sweep(self, confirmation: Confirmation = Confirmation.NOBODY, *, actor: str = ACTOR) -> SweepReport:
        """Erase what is due. Blocks for seconds: never call it on the media loop."""
        now_ms = self._clock.wall_ms()
        seen = self._look(now_ms)
        due, stored = seen.tracks_due, seen.tracks
        jump_ms = self._offset_ms() - self._anchor_ms
        if confirmation is Confirmation.CONFIRMED:
            self._anchor_ms = self._offset_ms()
        elif seen.anything_due and (reason := _unusual(seen, jump_ms)):
            self._alarms.raise_alarm(AlarmKind.SWEEP_UNCONFIRMED, reason)
            report = SweepReport(
                state=SweepState.UNCONFIRMED,
                due=due,
                stored=stored,
                conversations=seen.conversations_due,
                standing_yeses=seen.standing_yeses_due,
                reason=reason,
            )
            self._watch(now_ms)
            return report
        if not seen.anything_due and not seen.unfinished:
            self._watch(now_ms)
            return SweepReport(state=SweepState.NOTHING_DUE, due=0, stored=stored)
        outcome = self._eraser.erase(DueScope(workspace=self._workspace, now_ms=now_ms), actor=actor)
        if outcome.state is OutcomeState.PENDING:
            self._alarms.raise_alarm(AlarmKind.ERASURE_PENDING, "a sweep is not finished")
        self._watch(now_ms)
        return SweepReport(
            state=SweepState.ERASED if outcome.state is OutcomeState.COMPLETE else SweepState.PENDING,
            due=due,
            stored=stored,
            conversations=seen.conversations_due,
            standing_yeses=seen.standing_yeses_due,
            outcome=outcome,
        )

    def _look(self, now_ms: int) -> "_Seen":
        stored = sa.and_(tracks.c.workspace == self._workspace, tracks.c.state.not_in(("erasing", "erased")))
        known = sa.and_(conversations.c.workspace == self._workspace, conversations.c.deadline_ms.is_not(None))
        pending = sa.and_(
            erasures.c.workspace == self._workspace, erasures.c.kind == "retention", erasures.c.state == "pending"
        )
        with read_only(self._engine) as connection:

            def count(table: sa.Table, *which: sa.ColumnElement[bool]) -> int:
                query = sa.select(sa.func.count()).select_from(table).where(*which)
                return int(connection.execute(query).scalar_one())

            return _Seen(
                tracks_due=count(tracks, stored, tracks.c.deadline_ms <= now_ms),
                tracks=count(tracks, stored),
                conversations_due=count(conversations, known, identities_due(now_ms)),
                conversations=count(conversations, known),
                standing_yeses_due=count(yeses, run_out(self._workspace, now_ms)),
                standing_yeses=count(yeses, yeses.c.workspace == self._workspace),
                unfinished=count(erasures, pending),
            )

    def _watch(self, now_ms: int) -> None:
        """What has outlived its deadline longest, for metrics and alarms."""
        with read_only(self._engine) as connection:
            deadline_ms = oldest_deadline(connection, workspace=self._workspace)
        overdue_ms = 0 if deadline_ms is None else max(0, now_ms - deadline_ms)
        if self._metrics is not None:
            self._metrics.oldest_overdue(overdue_ms)
        if overdue_ms > OVERDUE_MS:
            self._alarms.raise_alarm(AlarmKind.RETENTION_OVERDUE, f"by {overdue_ms // 3_600_000} h")

    def _offset_ms(self) -> int:
        """Wall clock minus monotonic clock: constant while nobody sets the clock."""
        return self._clock.wall_ms() - self._clock.monotonic_ns() // 1_000_000


@dataclass(frozen=True, kw_only=True)
class _Seen:
    """What there is before a sweep."""

    tracks_due: int
    tracks: int
    conversations_due: int
    conversations: int
    """Conversations of which it is still known who took part."""
    standing_yeses_due: int
    standing_yeses: int
    unfinished: int
    """Sweeps that were begun and did not finish."""

    @property
    def anything_due(self) -> bool:
        return bool(self.tracks_due or self.conversations_due or self.standing_yeses_due)


def _unusual(seen: _Seen, jump_ms: int) -> str:
    """Why a sweep needs confirmation; empty where it does not."""
    if abs(jump_ms) > JUMP_MS:
        return f"the clock jumped by {jump_ms // 1000} s"
    for due, stored, what in (
        (seen.tracks_due, seen.tracks, "tracks"),
        (seen.conversations_due, seen.conversations, "conversations"),
        (seen.standing_yeses_due, seen.standing_yeses, "standing yeses"),
    ):
        if due > USUAL and due > USUAL_SHARE * stored:
            return f"{due} of {stored} {what} are due at once"
    return ""
