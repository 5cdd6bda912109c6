"""The disk port, the disk that fails to order, and the disk that loses its power."""

import errno
import stat
import threading
from pathlib import Path

import pytest

from tallylight.vault.disk import Call, Disk, FaultyDisk, RealDisk, write_all
from tallylight.vault.memory_disk import MemoryDisk


@pytest.fixture(params=["real", "faulty", "memory"])
def disk(request: pytest.FixtureRequest) -> Disk:
    disks: dict[str, Disk] = {"real": RealDisk(), "faulty": FaultyDisk(), "memory": MemoryDisk()}
    return disks[request.param]


def test_every_disk_does_what_a_disk_does(disk: Disk, tmp_path: Path) -> None:
    folder = tmp_path / "a" / "b"
    disk.make_folder(folder)
    disk.make_folder(folder)
    handle = disk.create(folder / "one")
    with pytest.raises(FileExistsError):
        disk.create(folder / "one")
    write_all(disk, handle, b"0123456789")
    disk.truncate(handle, 4)
    assert disk.write(handle, b"ab") == 2
    disk.fsync(handle)
    disk.close(handle)
    disk.fsync_folder(folder)
    assert disk.read(folder / "one") == b"0123ab"
    assert disk.read(folder / "one", 2, 3) == b"23a"
    assert disk.read(folder / "one", 5, 100) == b"b"
    assert disk.size(folder / "one") == 6
    handle = disk.open_append(folder / "one")
    disk.write(handle, b"!")
    disk.close(handle)
    disk.rename(folder / "one", folder / "two")
    disk.reserve(folder / "zzz", 1000)
    assert disk.size(folder / "zzz") == 1000
    assert disk.files(folder) == [folder / "two", folder / "zzz"]
    disk.unlink(folder / "two")
    with pytest.raises(FileNotFoundError):
        disk.unlink(folder / "two")
    with pytest.raises(FileNotFoundError):
        disk.read(folder / "two")
    with pytest.raises(FileNotFoundError):
        disk.open_append(folder / "two")
    assert disk.files(folder / "missing") == []


def test_files_and_folders_are_their_owners_alone(tmp_path: Path) -> None:
    disk = RealDisk()
    disk.make_folder(tmp_path / "x" / "y")
    disk.close(disk.create(tmp_path / "x" / "y" / "file"))
    assert stat.S_IMODE((tmp_path / "x").stat().st_mode) == 0o700
    assert stat.S_IMODE((tmp_path / "x" / "y" / "file").stat().st_mode) == 0o600


def test_the_nth_call_fails_and_the_others_do_not(tmp_path: Path) -> None:
    disk = FaultyDisk()
    disk.fail(Call.WRITE, errno.EIO, nth=2, times=2)
    handle = disk.create(tmp_path / "f")
    assert disk.write(handle, b"a") == 1
    for _ in range(2):
        with pytest.raises(OSError) as caught:
            disk.write(handle, b"b")
        assert caught.value.errno == errno.EIO
    assert disk.write(handle, b"c") == 1
    assert disk.read(tmp_path / "f") == b"ac"
    assert disk.calls[Call.WRITE] == 4
    disk.fail(Call.FSYNC, errno.EIO)
    disk.heal()
    disk.fsync(handle)
    disk.close(handle)


def test_a_limited_disk_writes_short_then_refuses_and_gets_room_back(tmp_path: Path) -> None:
    disk = FaultyDisk()
    disk.limit(10)
    disk.reserve(tmp_path / "reserve", 4)
    handle = disk.create(tmp_path / "f")
    assert disk.write(handle, b"12345678") == 6
    with pytest.raises(OSError) as caught:
        write_all(disk, handle, b"x")
    assert caught.value.errno == errno.ENOSPC
    disk.unlink(tmp_path / "reserve")
    assert disk.write(handle, b"12345678") == 4
    disk.truncate(handle, 1)
    assert disk.write(handle, b"12345678") == 8
    with pytest.raises(OSError):
        disk.reserve(tmp_path / "more", 5)
    disk.close(handle)


def test_a_stalled_call_hangs_until_it_is_released(tmp_path: Path) -> None:
    disk = FaultyDisk()
    stall = disk.stall(Call.FSYNC)
    handle = disk.create(tmp_path / "f")
    thread = threading.Thread(target=disk.fsync, args=(handle,))
    thread.start()
    assert stall.entered.wait(10)
    assert thread.is_alive()
    stall.release()
    thread.join(10)
    assert not thread.is_alive()
    disk.close(handle)


def test_a_power_cut_keeps_what_was_synced_and_at_most_a_prefix_of_the_rest() -> None:
    disk = MemoryDisk()
    kept, lost = Path("/d/kept"), Path("/d/lost")
    handle = disk.create(kept)
    disk.write(handle, b"synced")
    disk.fsync(handle)
    disk.fsync_folder(Path("/d"))
    disk.write(handle, b" and not")
    disk.fsync(disk.create(lost))
    disk.crash(keep=4)
    assert disk.files(Path("/d")) == [kept]
    assert disk.read(kept) == b"synced and"
    with pytest.raises(OSError):
        disk.write(handle, b"x")
    disk.unlink(kept)
    disk.crash()
    assert disk.read(kept) == b"synced and"
