"""The live log on a disk that is full, slow, failing or gone: the caller never waits, nothing acknowledged is lost."""

import errno
import queue
from pathlib import Path

import pytest

from tallylight.vault.alarm import Alarm, AlarmKind
from tallylight.vault.disk import Call, FaultyDisk
from tallylight.vault.frame import Frame
from tallylight.vault.keys import Epoch
from tallylight.vault.live_log import Limits, LiveLog
from tallylight.vault.log_writer import RESERVE
from tallylight.vault.recovery import log_files, read_records, scan
from tests.vault.making import epoch, media, ring

KEYS = ring()
QUICK = Limits(fsync_s=0.02, gather_s=0.001, reserve_bytes=16_000)
RECORD = 8200
"""About the bytes of a one-second record."""


class _Log:
    """A log on a faulty disk, its alarms in a queue."""

    def __init__(self, folder: Path, limits: Limits = QUICK) -> None:
        self.folder = folder
        self.disk = FaultyDisk()
        self.alarms: queue.Queue[Alarm] = queue.Queue()
        self.log = LiveLog(folder, on_alarm=self.alarms.put, limits=limits, disk=self.disk)
        self.written: list[tuple[Epoch, Frame]] = []

    def write(self, made: Epoch, start_ms: int) -> None:
        frame = media(start_ms, fill=start_ms // 1000 % 256)
        self.written.append((made, frame))
        self.log.write(made, [frame])

    def expect(self, kind: AlarmKind) -> Alarm:
        alarm = self.alarms.get(timeout=10)
        assert alarm.kind is kind, alarm
        return alarm

    def check(self) -> None:
        """Everything written is on the disk, once, and acknowledged."""
        assert self.log.sync(20)
        assert self.log.waiting_bytes == 0
        for made in {made for made, _ in self.written}:
            frames = [frame for of, frame in self.written if of is made]
            assert list(read_records(self.folder, made)) == frames
            assert self.log.read(made) == frames
            assert self.log.acknowledged(made.track) == 1000 * len(frames)


def test_a_stalled_disk_never_delays_the_caller_and_loses_nothing(tmp_path: Path) -> None:
    """Five seconds of 20 tracks pile up while one fsync hangs: every `write` returns, and all of it is stored after."""
    run = _Log(tmp_path)
    tracks = [epoch(KEYS) for _ in range(20)]
    stall = run.disk.stall(Call.FSYNC)
    run.write(tracks[0], 0)
    assert stall.entered.wait(10)
    for second in range(5):
        for made in tracks[1:]:
            run.write(made, second * 1000)
    assert run.log.acknowledged(tracks[0].track) == 0
    stall.release()
    run.check()
    assert run.alarms.empty()
    assert run.log.close()


def test_a_stalled_write_never_delays_the_caller_either(tmp_path: Path) -> None:
    run = _Log(tmp_path)
    made = epoch(KEYS)
    stall = run.disk.stall(Call.WRITE)
    run.write(made, 0)
    assert stall.entered.wait(10)
    for second in range(1, 6):
        run.write(made, second * 1000)
    stall.release()
    run.check()
    assert run.log.close()


def test_a_full_queue_drops_what_is_new_with_an_alarm_and_recovers(tmp_path: Path) -> None:
    limits = Limits(fsync_s=0.02, gather_s=0.001, queue_bytes=3 * RECORD)
    run = _Log(tmp_path, limits)
    made = epoch(KEYS)
    stall = run.disk.stall(Call.FSYNC)
    run.write(made, 0)
    assert stall.entered.wait(10)
    run.write(made, 1000)
    run.write(made, 2000)
    run.log.write(made, [media(3000)])
    alarm = run.expect(AlarmKind.QUEUE_FULL)
    assert (alarm.dropped_records, alarm.dropped_ms) == (1, 1000)
    assert "does not keep up" in alarm.message
    run.log.write(made, [media(4000)])
    assert run.alarms.empty()
    assert run.log.counters.dropped_ms == 2000
    stall.release()
    run.expect(AlarmKind.RECOVERED)
    run.write(made, 5000)
    run.check()
    assert run.log.close()


def test_a_short_write_is_continued(tmp_path: Path) -> None:
    run = _Log(tmp_path)
    made = epoch(KEYS)
    run.disk.shorten(100, nth=1)
    run.disk.shorten(1, nth=2)
    run.write(made, 0)
    run.check()
    assert run.disk.calls[Call.WRITE] == 3
    assert run.alarms.empty()
    assert run.log.close()


def test_a_full_disk_is_cut_to_whole_records_uses_the_reserve_and_goes_on_when_there_is_room(tmp_path: Path) -> None:
    run = _Log(tmp_path)
    made = epoch(KEYS)
    run.write(made, 0)
    run.check()
    assert (tmp_path / RESERVE).stat().st_size == QUICK.reserve_bytes
    # Room for two and a half records beside the reserve.
    run.disk.limit(RECORD + QUICK.reserve_bytes + RECORD * 5 // 2)
    for second in range(1, 9):
        run.write(made, second * 1000)
    alarm = run.expect(AlarmKind.DISK_FULL)
    assert "Free space now" in alarm.message
    assert not run.log.sync(0.5)
    durable = run.log.acknowledged(made.track)
    # The reserve (16,000 B) took one or two more than the two that had room.
    assert 3000 < durable < 9000
    assert not (tmp_path / RESERVE).exists()
    [file] = scan(tmp_path).files
    assert file.torn_bytes == 0
    run.disk.heal()
    run.check()
    kinds = {run.alarms.get(timeout=10).kind for _ in range(run.alarms.qsize())}
    assert AlarmKind.RECOVERED in kinds
    assert run.log.close()


def test_a_failed_fsync_is_never_repeated_on_its_file(tmp_path: Path) -> None:
    run = _Log(tmp_path)
    made = epoch(KEYS)
    stall = run.disk.stall(Call.WRITE)
    run.disk.fail(Call.FSYNC, errno.EIO)
    for second in range(4):
        run.write(made, second * 1000)
    assert stall.entered.wait(10)
    stall.release()
    alarm = run.expect(AlarmKind.FILE_DEAD)
    assert "new log file takes over" in alarm.message
    run.check()
    run.expect(AlarmKind.RECOVERED)
    assert run.disk.calls[Call.CREATE] == 2
    assert run.log.counters.dead_files == 1
    # The dead file held nothing durable and is superseded.
    assert len(log_files(tmp_path)) == 1
    assert run.log.close()


def test_a_file_that_dies_late_keeps_what_was_durable_in_it(tmp_path: Path) -> None:
    run = _Log(tmp_path)
    made = epoch(KEYS)
    run.write(made, 0)
    run.check()
    run.disk.fail(Call.FSYNC, errno.EIO)
    run.write(made, 1000)
    run.check()
    assert len(log_files(tmp_path)) == 2
    assert scan(tmp_path).epochs[made.id].records == 2
    run.log.release(made.track)
    assert run.log.sync()
    assert log_files(tmp_path) == []
    assert run.log.close()


def test_a_dead_file_stays_until_all_of_it_stands_elsewhere(tmp_path: Path) -> None:
    """Its successor is full after the first of two records: a kill now must find the second one in the dead file."""
    run = _Log(tmp_path, Limits(fsync_s=3600.0, gather_s=0.001, reserve_bytes=1))
    before, made = epoch(KEYS), epoch(KEYS)
    run.log.write(before, [media(0)])
    assert run.log.sync()
    run.log.release(before.track)
    for start_ms in (0, 1000):
        run.write(made, start_ms)
        assert run.log.read(made)[-1].start_ms == start_ms
    assert run.log.acknowledged(made.track) == 0
    count = run.disk.calls[Call.WRITE]
    run.disk.fail(Call.FSYNC, errno.EIO)
    run.disk.shorten(RECORD, nth=count + 1)
    run.disk.fail(Call.WRITE, errno.ENOSPC, nth=count + 2, times=1_000_000)
    while run.log.acknowledged(made.track) < 1000:
        assert not run.log.sync(0.05)
    found = scan(tmp_path)
    assert len(found.files) == 2
    assert found.epochs[made.id].records == 2
    run.disk.heal()
    run.check()
    assert len(log_files(tmp_path)) == 1
    assert run.log.close()


SWEEP = [
    (Call.CREATE, errno.EIO, 2),
    (Call.CREATE, errno.ENOSPC, 2),
    (Call.FSYNC_FOLDER, errno.EIO, 2),
    (Call.WRITE, errno.EIO, 6),
    (Call.WRITE, errno.ENOSPC, 6),
    (Call.FSYNC, errno.EIO, 6),
    (Call.RESERVE, errno.ENOSPC, 1),
]


@pytest.mark.parametrize(("call", "error", "last"), SWEEP, ids=lambda value: str(value))
def test_whichever_call_fails_everything_is_stored_in_the_end(
    tmp_path: Path, call: Call, error: int, last: int
) -> None:
    for nth in range(1, last + 1):
        limits = Limits(fsync_s=0.0, gather_s=0.001, reserve_bytes=4096, rotate_bytes=3 * RECORD)
        run = _Log(tmp_path / str(nth), limits)
        run.disk.fail(call, error, nth=nth)
        one, other = epoch(KEYS), epoch(KEYS)
        for second in range(3):
            run.write(one, second * 1000)
            assert run.log.sync(20)
            run.write(other, second * 1000)
            assert run.log.sync(20)
        run.check()
        assert run.disk.calls[call] >= nth, "the fault was never met"
        assert run.log.counters.dropped_records == 0
        assert run.log.close()


def test_a_torn_write_that_cannot_be_cut_back_gives_the_file_up(tmp_path: Path) -> None:
    run = _Log(tmp_path)
    made = epoch(KEYS)
    run.write(made, 0)
    run.check()
    count = run.disk.calls[Call.WRITE]
    run.disk.shorten(50, nth=count + 1)
    run.disk.fail(Call.WRITE, errno.ENOSPC, nth=count + 2)
    run.disk.fail(Call.TRUNCATE, errno.EIO)
    run.write(made, 1000)
    run.expect(AlarmKind.FILE_DEAD)
    run.check()
    assert [file.torn_bytes for file in scan(tmp_path).files] == [50, 0]
    assert run.log.close()


def test_a_disk_that_stays_dead_is_reported_at_the_end(tmp_path: Path) -> None:
    run = _Log(tmp_path)
    made = epoch(KEYS)
    run.write(made, 0)
    run.check()
    run.disk.fail(Call.WRITE, errno.EIO, times=1_000_000)
    run.write(made, 1000)
    run.expect(AlarmKind.FILE_DEAD)
    assert not run.log.close(timeout=0.2)
    kinds = [run.alarms.get(timeout=10) for _ in range(run.alarms.qsize())]
    assert (kinds[-1].kind, kinds[-1].dropped_records, kinds[-1].dropped_ms) == (AlarmKind.LOST, 1, 1000)
    assert run.log.acknowledged(made.track) == 1000
    assert list(read_records(tmp_path, made)) == [media(0, fill=0)]


def test_closing_on_a_disk_that_hangs_comes_back(tmp_path: Path) -> None:
    run = _Log(tmp_path)
    made = epoch(KEYS)
    stall = run.disk.stall(Call.FSYNC)
    run.write(made, 0)
    assert stall.entered.wait(10)
    assert not run.log.close(timeout=0.1)
    stall.release()


def test_reading_from_a_disk_that_hangs_times_out(tmp_path: Path) -> None:
    run = _Log(tmp_path)
    made = epoch(KEYS)
    stall = run.disk.stall(Call.FSYNC)
    run.write(made, 0)
    assert stall.entered.wait(10)
    with pytest.raises(TimeoutError):
        run.log.read(made, timeout=0.05)
    assert not run.log.sync(0.05)
    stall.release()
    run.check()
    assert run.log.close()
