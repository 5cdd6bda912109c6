"""Alarms are kept, counted and logged without anybody's address; short tracks are found at call end."""

import logging
import threading

import pytest
from prometheus_client.parser import text_string_to_metric_families

from tallylight.clock import VirtualClock
from tallylight.health.alarms import ADVICE, AlarmKind, Alarms
from tallylight.health.checks import TrackAccount, check_tracks
from tallylight.health.metrics import Metrics
from tallylight.ids import ConversationId, TrackId

CONVERSATION = ConversationId("01890000-0000-7000-8000-000000000001")
TRACK = TrackId("01890000-0000-7000-8000-00000000000a")


def figures(metrics: Metrics) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    families = text_string_to_metric_families(metrics.exposition().decode())
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in families
        for sample in family.samples
    }


def test_every_alarm_says_what_to_do() -> None:
    assert set(ADVICE) == set(AlarmKind)


def test_an_alarm_is_kept_counted_and_logged(caplog: pytest.LogCaptureFixture) -> None:
    clock, metrics = VirtualClock(), Metrics()
    alarms = Alarms(clock, counter=metrics, kept=2)
    with caplog.at_level(logging.ERROR):
        for _ in range(3):
            clock.advance(1)
            alarms.raise_alarm(AlarmKind.LOG_FAILED, conversation=CONVERSATION, missing_ms=40)
    assert [alarm.at_ms - VirtualClock().wall_ms() for alarm in alarms.recent()] == [2000, 3000]
    assert alarms.counts() == {AlarmKind.LOG_FAILED: 3}
    assert figures(metrics)["tallylight_alarms_total", (("kind", "log_failed"),)] == 3
    assert "alarm log_failed: " in caplog.text
    assert "missing_ms=40" in caplog.text


def test_alarms_from_many_threads_are_all_counted() -> None:
    alarms = Alarms(VirtualClock(), counter=Metrics())
    threads = [
        threading.Thread(target=lambda: [alarms.raise_alarm(AlarmKind.DISK_FULL) for _ in range(50)]) for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert alarms.counts() == {AlarmKind.DISK_FULL: 200}


def test_a_track_that_got_less_raises_an_alarm() -> None:
    alarms, metrics = Alarms(VirtualClock()), Metrics()
    whole = TrackAccount(track=TrackId("01890000-0000-7000-8000-00000000000b"), expected_ms=3000, stored_ms=3000)
    short = TrackAccount(track=TRACK, expected_ms=5000, stored_ms=4960)
    (alarm,) = check_tracks(CONVERSATION, [whole, short], alarms=alarms, metrics=metrics)
    assert (alarm.kind, alarm.track, alarm.missing_ms) == (AlarmKind.TRACK_SHORT, TRACK, 40)
    assert short.missing_samples == 320
    assert alarms.recent() == (alarm,)
    assert figures(metrics)["tallylight_expected_seconds_total", ()] == 8.0
    assert figures(metrics)["tallylight_stored_seconds_total", ()] == pytest.approx(7.96)


def test_the_registry_is_our_own_and_complete() -> None:
    metrics, other = Metrics(), Metrics()
    metrics.call_started()
    metrics.call_started()
    metrics.call_ended(direction="inbound", outcome="completed")
    metrics.oldest_overdue(90_000)
    found = figures(metrics)
    assert found["tallylight_calls_running", ()] == 1
    assert found["tallylight_calls_total", (("direction", "inbound"), ("outcome", "completed"))] == 1
    assert found["tallylight_oldest_overdue_track_seconds", ()] == 90
    assert figures(other)["tallylight_calls_running", ()] == 0
