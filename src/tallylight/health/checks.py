"""At call end: media that the gate admitted against media that is durable, per track."""

from collections.abc import Iterable
from dataclasses import dataclass

from tallylight.health.alarms import Alarm, AlarmKind, Alarms
from tallylight.health.metrics import Metrics
from tallylight.ids import ConversationId, TrackId

SAMPLES_PER_MS = 8
"""G.711 at 8,000 Hz."""


@dataclass(frozen=True, kw_only=True)
class TrackAccount:
    """What one closed track should hold and does hold, in ms of media."""

    track: TrackId
    expected_ms: int
    """Admitted by the gate, as it arrived."""
    stored_ms: int
    """Durable: acknowledged by the log, or in the sealed object."""

    @property
    def missing_ms(self) -> int:
        return max(0, self.expected_ms - self.stored_ms)

    @property
    def missing_samples(self) -> int:
        return self.missing_ms * SAMPLES_PER_MS


def check_tracks(
    conversation: ConversationId,
    accounts: Iterable[TrackAccount],
    *,
    alarms: Alarms,
    metrics: Metrics | None = None,
) -> tuple[Alarm, ...]:
    """Raise an alarm for every track that holds less than was admitted; count all of them."""
    raised = []
    for account in accounts:
        if metrics is not None:
            metrics.track_closed(expected_ms=account.expected_ms, stored_ms=account.stored_ms)
        if account.missing_ms:
            raised.append(
                alarms.raise_alarm(
                    AlarmKind.TRACK_SHORT,
                    conversation=conversation,
                    track=account.track,
                    missing_ms=account.missing_ms,
                )
            )
    return tuple(raised)
