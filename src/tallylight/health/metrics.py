"""Figures for Prometheus, in a registry of our own. Labels are closed words; no id and no address is ever a label."""

from collections.abc import Mapping

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest

from tallylight.policy.decision import Lamp

CONTENT_TYPE = CONTENT_TYPE_LATEST

_SYNC_BUCKETS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0)


class Metrics:
    """What one process counts. Every method is safe on every thread."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry(auto_describe=True)
        self._calls = Counter(
            "tallylight_calls", "Conversations ended.", ["direction", "outcome"], registry=self.registry
        )
        self._running = Gauge("tallylight_calls_running", "Conversations running now.", registry=self.registry)
        self._lamps = Gauge(
            "tallylight_lamps", "Parties on running conversations, by lamp.", ["lamp"], registry=self.registry
        )
        self._packets = Counter("tallylight_rtp_packets", "RTP packets, by fate.", ["fate"], registry=self.registry)
        self._sync = Histogram(
            "tallylight_log_sync_seconds",
            "Time from handing records to the live log until they are durable.",
            buckets=_SYNC_BUCKETS,
            registry=self.registry,
        )
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
        for lamp in Lamp:
            self._lamps.labels(lamp.value).set(0)

    def call_started(self) -> None:
        self._running.inc()

    def call_ended(self, *, direction: str, outcome: str) -> None:
        self._running.dec()
        self._calls.labels(direction, outcome).inc()

    def lamps(self, burning: Mapping[Lamp, int]) -> None:
        """How many parties of all running conversations have each lamp now."""
        for lamp in Lamp:
            self._lamps.labels(lamp.value).set(burning.get(lamp, 0))

    def packets(self, fate: str, count: int = 1) -> None:
        """`fate` is one of the media engine's closed words (received, relayed, dropped ...)."""
        self._packets.labels(fate).inc(count)

    def log_synced(self, seconds: float) -> None:
        self._sync.observe(seconds)

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
