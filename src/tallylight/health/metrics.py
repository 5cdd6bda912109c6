"""Figures for Prometheus, in a registry of our own. Labels are closed words; no id and no address is ever a label."""

from prometheus_client import CollectorRegistry, Counter, Gauge
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest

CONTENT_TYPE = CONTENT_TYPE_LATEST


class Metrics:
    """What one process counts. Every method is safe on every thread."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry(auto_describe=True)
        self._calls = Counter(
            "tallylight_calls", "Conversations ended.", ["direction", "outcome"], registry=self.registry
        )
        self._running = Gauge("tallylight_calls_running", "Conversations running now.", registry=self.registry)
        self._alarms = Counter("tallylight_alarms", "Alarms, by kind.", ["kind"], registry=self.registry)
        self._expected = Counter(
            "tallylight_expected_seconds", "Admitted media of tracks closed.", registry=self.registry
        )
        self._stored = Counter("tallylight_stored_seconds", "Durable media of tracks closed.", registry=self.registry)
        self._overdue = Gauge(
            "tallylight_oldest_overdue_track_seconds",
            "How long the oldest stored track has outlived its deadline; 0 where none has.",
            registry=self.registry,
        )

    def call_started(self) -> None:
        self._running.inc()

    def call_ended(self, *, direction: str, outcome: str) -> None:
        self._running.dec()
        self._calls.labels(direction, outcome).inc()

    def alarm(self, kind: str) -> None:
        self._alarms.labels(kind).inc()

    def track_closed(self, *, expected_ms: int, stored_ms: int) -> None:
        self._expected.inc(expected_ms / 1000)
        self._stored.inc(stored_ms / 1000)

    def oldest_overdue(self, overdue_ms: int) -> None:
        self._overdue.set(overdue_ms / 1000)

    def exposition(self) -> bytes:
        """The body of `/metrics`, in the Prometheus text format; its type is `CONTENT_TYPE`."""
        return generate_latest(self.registry)
