"""The live log on a healthy disk."""

import threading
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from tallylight.ids import TrackId
from tallylight.vault.alarm import Alarm, AlarmKind
from tallylight.vault.disk import Call, FaultyDisk
from tallylight.vault.errors import RecordError
from tallylight.vault.frame import SOURCE_OURS, Frame
from tallylight.vault.live_log import Limits, LiveLog
from tallylight.vault.recovery import log_files, read_records, scan
from tests.vault.making import epoch, fresh, media, ring

KEYS = ring()


@pytest.fixture
def quiet() -> Iterator[list[Alarm]]:
    """Alarms of a test in which there must be none."""
    alarms: list[Alarm] = []
    yield alarms
    assert alarms == []


QUICK = Limits(fsync_s=0.02, gather_s=0.001, reserve_bytes=4096)


def test_what_is_written_is_durable_acknowledged_and_read_back(tmp_path: Path, quiet: list[Alarm]) -> None:
    log = LiveLog(tmp_path, on_alarm=quiet.append, limits=QUICK)
    one, other = epoch(KEYS), epoch(KEYS)
    for second in range(5):
        log.write(one, [media(second * 1000, fill=second)])
        log.write(other, [media(second * 1000, 500), media(second * 1000 + 500, 200, source=SOURCE_OURS)])
    assert log.sync()
    assert log.acknowledged(one.track) == 5000
    assert (log.acknowledged(other.track), log.acknowledged(other.track, SOURCE_OURS)) == (2500, 1000)
    assert log.acknowledged(TrackId(fresh())) == 0
    assert log.waiting_bytes == 0
    expected = [media(second * 1000, fill=second) for second in range(5)]
    assert log.read(one) == expected
    assert log.close()
    assert list(read_records(tmp_path, one)) == expected
    assert log.counters.records == 10


def test_nothing_is_acknowledged_before_an_fsync_that_came_after_it(tmp_path: Path, quiet: list[Alarm]) -> None:
    disk = FaultyDisk()
    log = LiveLog(tmp_path, on_alarm=quiet.append, limits=QUICK, disk=disk)
    made = epoch(KEYS)
    stall = disk.stall(Call.FSYNC)
    log.write(made, [media(0)])
    assert stall.entered.wait(10)
    assert log.acknowledged(made.track) == 0
    log.write(made, [media(1000)])
    stall.release()
    assert log.sync()
    assert log.acknowledged(made.track) == 2000
    assert log.close()


def test_reading_includes_what_is_not_durable_yet(tmp_path: Path, quiet: list[Alarm]) -> None:
    disk = FaultyDisk()
    log = LiveLog(tmp_path, on_alarm=quiet.append, limits=Limits(fsync_s=3600.0, gather_s=0.001), disk=disk)
    made = epoch(KEYS)
    log.write(made, [media(0)])
    assert log.sync()
    log.write(made, [media(1000)])
    assert log.read(made) == [media(0), media(1000)]
    assert log.acknowledged(made.track) == 1000
    assert disk.calls[Call.FSYNC] == 1
    assert log.close()


def test_another_process_can_read_while_it_is_written(tmp_path: Path, quiet: list[Alarm]) -> None:
    log = LiveLog(tmp_path, on_alarm=quiet.append, limits=QUICK)
    made = epoch(KEYS)
    log.write(made, [media(0)])
    assert log.sync()
    found = scan(tmp_path).epochs[made.id]
    assert (found.track, found.records, found.party_ms, found.end_ms) == (made.track, 1, 1000, 1000)
    assert not found.complete
    assert list(read_records(tmp_path, made)) == [media(0)]
    log.finish(made)
    assert log.close()
    assert scan(tmp_path).epochs[made.id].complete


def test_files_rotate_and_each_is_synced(tmp_path: Path, quiet: list[Alarm]) -> None:
    log = LiveLog(tmp_path, on_alarm=quiet.append, limits=Limits(fsync_s=3600.0, gather_s=0.001, rotate_bytes=20_000))
    made = epoch(KEYS)
    for second in range(10):
        log.write(made, [media(second * 1000, fill=second)])
        assert log.read(made)[-1] == media(second * 1000, fill=second)
    assert log.close()
    assert len(log_files(tmp_path)) == 4
    assert [frame.start_ms for frame in read_records(tmp_path, made)] == list(range(0, 10_000, 1000))


def test_a_file_goes_when_all_its_tracks_are_released(tmp_path: Path, quiet: list[Alarm]) -> None:
    log = LiveLog(tmp_path, on_alarm=quiet.append, limits=Limits(fsync_s=0.02, gather_s=0.001, rotate_bytes=10_000))
    one, other = epoch(KEYS), epoch(KEYS)
    log.write(one, [media(0)])
    log.write(other, [media(0)])
    assert log.sync()
    log.write(other, [media(1000)])
    assert log.sync()
    assert len(log_files(tmp_path)) == 2
    log.release(one.track)
    assert log.sync()
    assert len(log_files(tmp_path)) == 2
    assert one.forgotten
    assert not other.forgotten
    log.release(other.track)
    assert log.sync()
    assert log_files(tmp_path) == []
    assert log.acknowledged(other.track) == 0
    log.write(fresh_epoch := epoch(KEYS), [media(0)])
    assert log.sync()
    assert log.acknowledged(fresh_epoch.track) == 1000
    assert log.close()


def test_nothing_of_a_forgotten_key_is_written_any_more(tmp_path: Path, quiet: list[Alarm]) -> None:
    log = LiveLog(tmp_path, on_alarm=quiet.append, limits=QUICK)
    made, other = epoch(KEYS), epoch(KEYS)
    KEYS.forget(made.id)
    log.write(made, [media(0)])
    log.write(other, [media(0)])
    assert log.sync()
    assert set(scan(tmp_path).epochs) == {other.id}
    assert log.waiting_bytes == 0
    assert log.close()


def test_a_release_also_destroys_what_waits(tmp_path: Path, quiet: list[Alarm]) -> None:
    disk = FaultyDisk()
    log = LiveLog(tmp_path, on_alarm=quiet.append, limits=QUICK, disk=disk)
    erased, kept = epoch(KEYS), epoch(KEYS)
    stall = disk.stall(Call.FSYNC)
    log.write(kept, [media(0)])
    assert stall.entered.wait(10)
    log.write(erased, [media(0)])
    log.release(erased.track)
    stall.release()
    assert log.sync()
    assert set(scan(tmp_path).epochs) == {kept.id}
    assert log.waiting_bytes == 0
    assert log.close()


def test_a_frame_that_does_not_fit_is_dropped_alone_with_an_alarm(tmp_path: Path) -> None:
    alarms: list[Alarm] = []
    log = LiveLog(tmp_path, on_alarm=alarms.append, limits=QUICK)
    made = epoch(KEYS)
    log.write(made, [media(-5)])
    log.write(made, [media(0)])
    assert log.sync()
    assert log.read(made) == [media(0)]
    assert [(alarm.kind, alarm.dropped_records, alarm.dropped_ms) for alarm in alarms[:1]] == [
        (AlarmKind.REFUSED, 1, 1000)
    ]
    assert made.track in alarms[0].message
    assert log.close()


def test_after_the_end_nothing_is_taken_and_nothing_waits_for_ever(tmp_path: Path) -> None:
    alarms: list[Alarm] = []
    log = LiveLog(tmp_path, on_alarm=alarms.append, limits=QUICK)
    made = epoch(KEYS)
    log.write(made, [media(0)])
    assert log.close()
    assert log.acknowledged(made.track) == 1000
    log.write(made, [media(1000)])
    assert [alarm.kind for alarm in alarms] == [AlarmKind.REFUSED]
    assert log.counters.dropped_records == 1
    with pytest.raises(RecordError, match="closed"):
        log.read(made)
    with pytest.raises(RecordError, match="closed"):
        log.sync()
    assert log.close()


def test_a_folder_is_made_and_no_file_before_the_first_record(tmp_path: Path, quiet: list[Alarm]) -> None:
    log = LiveLog(tmp_path / "data" / "live", on_alarm=quiet.append, limits=QUICK)
    assert log.sync()
    assert log_files(tmp_path / "data" / "live") == []
    assert log.close()


def test_an_alarm_receiver_that_fails_does_not_stop_the_log(tmp_path: Path) -> None:
    called = threading.Event()

    def broken(alarm: Alarm) -> None:
        called.set()
        raise RuntimeError(alarm.message)

    log = LiveLog(tmp_path, on_alarm=broken, limits=QUICK)
    made = epoch(KEYS)
    log.write(made, [media(-5)])
    log.write(made, [media(0)])
    assert log.sync()
    assert called.is_set()
    assert log.read(made) == [media(0)]
    assert log.close()


def test_a_fault_of_our_own_costs_one_record_and_not_the_thread(tmp_path: Path) -> None:
    alarms: list[Alarm] = []
    log = LiveLog(tmp_path, on_alarm=alarms.append, limits=QUICK)
    made = epoch(KEYS)
    log.write(made, [media(0)])
    log.write(made, [cast("Frame", SimpleNamespace(payload=b"no frame"))])
    log.write(made, [media(1000)])
    assert log.sync()
    assert log.read(made) == [media(0), media(1000)]
    assert [alarm.kind for alarm in alarms] == [AlarmKind.FAULT]
    assert log.waiting_bytes == 0
    assert log.close()
