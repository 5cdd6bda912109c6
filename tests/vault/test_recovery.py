"""What a restart finds, whatever the end was like."""

from collections.abc import Set as AbstractSet
from pathlib import Path

import pytest

from tallylight.ids import EpochId
from tallylight.vault.disk import Disk
from tallylight.vault.errors import RecordError, VaultError
from tallylight.vault.frame import SOURCE_OURS, Frame
from tallylight.vault.keys import Epoch
from tallylight.vault.log_writer import RESERVE, SUFFIX
from tallylight.vault.memory_disk import MemoryDisk
from tallylight.vault.record import HEADER, RecordStream
from tallylight.vault.recovery import discard, log_files, read_records, recover, scan
from tests.vault.making import epoch, media, ring
from tests.vault.test_record import _with_crc as with_crc

KEYS = ring()
FOLDER = Path("/live")
FILE = FOLDER / f"1{SUFFIX}"


def _disk(data: bytes, path: Path = FILE, disk: MemoryDisk | None = None) -> MemoryDisk:
    disk = MemoryDisk() if disk is None else disk
    handle = disk.create(path)
    disk.write(handle, data)
    disk.fsync(handle)
    disk.fsync_folder(FOLDER)
    disk.close(handle)
    return disk


def _two_tracks() -> tuple[Epoch, Epoch, list[bytes]]:
    one, other = epoch(KEYS), epoch(KEYS)
    streams = (RecordStream(one), RecordStream(other))
    return one, other, [streams[n % 2].seal([media(n * 20, 20, fill=n)])[0] for n in range(4)]


def _all(found: AbstractSet[EpochId]) -> AbstractSet[EpochId]:
    return found


def test_a_torn_tail_of_any_length_is_cut_at_the_last_whole_record() -> None:
    one, _, records = _two_tracks()
    data = b"".join(records)
    ends = [sum(map(len, records[: n + 1])) for n in range(4)]
    for cut in range(1, len(data)):
        disk = _disk(data[:cut])
        whole = max((end for end in ends if end <= cut), default=0)
        recovery = recover(FOLDER, _all, disk)
        assert [(file.size, file.torn_bytes) for file in recovery.files] == [(cut, cut - whole)]
        disk.crash()
        assert disk.read(FILE) == data[:whole]
        expected = [media(n * 20, 20, fill=n) for n in (0, 2) if ends[n] <= whole]
        assert list(read_records(FOLDER, one, disk=disk)) == expected


def test_epochs_are_summed_and_those_without_a_committed_key_set_apart() -> None:
    committed, unknown = epoch(KEYS), epoch(KEYS)
    stream = RecordStream(committed)
    data = [
        stream.seal([media(1000, 400), media(1000, 300, source=SOURCE_OURS)])[0],
        RecordStream(unknown).seal([media(0, 100)])[0],
        stream.seal([media(2000, 200)])[0],
        stream.seal([], last=True)[0],
    ]
    asked: list[AbstractSet[EpochId]] = []

    def known(found: AbstractSet[EpochId]) -> AbstractSet[EpochId]:
        asked.append(set(found))
        return {committed.id}

    recovery = recover(FOLDER, known, _disk(b"".join(data)))
    assert asked == [{committed.id, unknown.id}]
    [records] = recovery.committed
    assert (records.epoch, records.track, records.records) == (committed.id, committed.track, 3)
    assert (records.party_ms, records.ours_ms, records.start_ms, records.end_ms) == (600, 300, 1000, 2200)
    assert records.complete
    [undecided] = recovery.undecided
    assert (undecided.epoch, undecided.records, undecided.party_ms, undecided.complete) == (unknown.id, 1, 100, False)


def test_a_record_that_stands_in_two_files_counts_once() -> None:
    one, _, records = _two_tracks()
    disk = _disk(b"".join(records))
    _disk(b"".join(records[2:]), FOLDER / f"2{SUFFIX}", disk)
    assert scan(FOLDER, disk).epochs[one.id].records == 2
    assert [frame.start_ms for frame in read_records(FOLDER, one, disk=disk)] == [0, 40]


def test_rot_in_the_middle_is_reported_and_costs_one_record() -> None:
    one, other, records = _two_tracks()
    data = bytearray(b"".join(records))
    data[len(records[0]) + HEADER.size + 3] ^= 1
    disk = _disk(bytes(data))
    recovery = recover(FOLDER, _all, disk)
    assert [(file.torn_bytes, file.damaged_bytes) for file in recovery.files] == [(0, len(records[1]))]
    assert [frame.start_ms for frame in read_records(FOLDER, one, disk=disk)] == [0, 40]
    assert [frame.start_ms for frame in read_records(FOLDER, other, disk=disk)] == [60]


def test_a_forged_record_is_refused_or_reported() -> None:
    one, _, records = _two_tracks()
    forged = bytearray(records[0])
    forged[-1] ^= 1
    disk = _disk(with_crc(bytes(forged)) + b"".join(records[1:]))
    with pytest.raises(RecordError, match="not authentic"):
        list(read_records(FOLDER, one, disk=disk))
    damage: list[VaultError] = []
    assert [frame.start_ms for frame in read_records(FOLDER, one, disk=disk, on_damage=damage.append)] == [40]
    assert len(damage) == 1


def test_other_files_are_left_alone_and_discard_is_durable() -> None:
    _, _, records = _two_tracks()
    disk = _disk(b"".join(records))
    _disk(b"x" * 100, FOLDER / RESERVE, disk)
    assert log_files(FOLDER, disk) == [FILE]
    files = scan(FOLDER, disk).files
    discard(files, disk)
    discard(files, disk)
    disk.crash()
    assert disk.files(FOLDER) == [FOLDER / RESERVE]
    assert scan(FOLDER, disk).files == ()


def test_a_file_released_while_it_is_looked_for_is_passed_over() -> None:
    one, _, records = _two_tracks()

    class Vanishing(MemoryDisk):
        def read(self, path: Path, offset: int = 0, length: int | None = None) -> bytes:
            if path == FILE:
                self.unlink(path)
            return super().read(path, offset, length)

    disk = Vanishing()
    _disk(b"".join(records), FILE, disk)
    _disk(records[0], FOLDER / f"2{SUFFIX}", disk)
    frames: list[Frame] = list(read_records(FOLDER, one, disk=disk))
    assert [frame.start_ms for frame in frames] == [0]


def test_an_empty_or_missing_folder_is_nothing_to_do(tmp_path: Path) -> None:
    recovery = recover(tmp_path / "live", _all)
    assert (recovery.committed, recovery.undecided, recovery.files) == ((), (), ())
    disk: Disk = _disk(b"")
    assert recover(FOLDER, _all, disk).files[0].torn_bytes == 0
