"""What a scrape of `/metrics` reads from the running rooms at that moment. Labels are closed words; no id, no address."""

from collections import Counter
from collections.abc import Iterator

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from tallylight.database.writer import Writer
from tallylight.policy.decision import Lamp
from tallylight.telephony.b2bua.desk import Desk
from tallylight.telephony.b2bua.switchboard import Switchboard
from tallylight.vault.live_log import LiveLog


class RunningFigures(Collector):
    """Registered by the server once its doors are open."""

    def __init__(self, *, switchboard: Switchboard, desk: Desk, log: LiveLog, writer: Writer) -> None:
        self._switchboard = switchboard
        self._desk = desk
        self._live_log = log
        self._writer = writer

    def collect(self) -> Iterator[Metric]:
        yield self._lamps()
        yield from self._sip()
        yield from self._media()
        yield from self._log()
        waiting = GaugeMetricFamily("tallylight_writer_waiting", "Units of work that wait for the database.")
        waiting.add_metric([], self._writer.waiting)
        yield waiting

    def _lamps(self) -> Metric:
        burning = Counter(lamp for runner in self._switchboard.running for lamp in runner.lamps().values())
        family = GaugeMetricFamily("tallylight_lamps", "Parties on running conversations, by lamp.", labels=["lamp"])
        for lamp in Lamp:
            family.add_metric([lamp.value], burning[lamp])
        return family

    def _sip(self) -> Iterator[Metric]:
        counters = self._desk.user_agent.counters
        labelled = (
            ("requests_received", "SIP requests received, by method.", "method", counters.requests_received),
            ("responses_received", "SIP responses received, by class.", "class", counters.responses_received),
            ("dropped", "SIP messages dropped, by reason.", "reason", counters.dropped),
            ("refused", "SIP requests refused outside a call, by status.", "status", counters.refused),
        )
        for name, text, label, counts in labelled:
            family = CounterMetricFamily(f"tallylight_sip_{name}", text, labels=[label])
            for key, count in sorted(counts.items(), key=str):
                family.add_metric([str(key)], count)
            yield family
        plain = (
            ("messages_sent", "SIP messages sent.", counters.messages_sent),
            ("retransmissions_sent", "SIP messages sent again.", counters.retransmissions_sent),
            ("timeouts", "SIP transactions that ran out of time.", counters.timeouts),
        )
        for name, text, count in plain:
            yield _counter(f"tallylight_sip_{name}", text, count)

    def _media(self) -> Iterator[Metric]:
        engine = self._desk.engine
        legs = GaugeMetricFamily("tallylight_rtp_legs", "Legs open now.")
        legs.add_metric([], engine.legs)
        yield legs
        yield _counter("tallylight_rtp_faults", "Packets that could not be handled.", engine.faults)
        lag = GaugeMetricFamily("tallylight_rtp_worst_lag_seconds", "The longest a tick came late since the start.")
        lag.add_metric([], engine.worst_lag_ms / 1000)
        yield lag

    def _log(self) -> Iterator[Metric]:
        log = self._live_log
        plain = (
            ("records", "Records written to the live log.", log.counters.records),
            ("bytes", "Bytes written to the live log.", log.counters.bytes),
            ("fsyncs", "Times the live log was made durable.", log.counters.fsyncs),
            ("dropped_records", "Records dropped because the disk did not follow.", log.counters.dropped_records),
        )
        for name, text, count in plain:
            yield _counter(f"tallylight_log_{name}", text, count)
        sync = GaugeMetricFamily("tallylight_log_last_sync_seconds", "How long the last fsync took.")
        sync.add_metric([], log.counters.last_fsync_s)
        yield sync
        waiting = GaugeMetricFamily("tallylight_log_waiting_bytes", "Media in memory that is not durable yet.")
        waiting.add_metric([], log.waiting_bytes)
        yield waiting


def _counter(name: str, text: str, count: int) -> Metric:
    family = CounterMetricFamily(name, text)
    family.add_metric([], count)
    return family
