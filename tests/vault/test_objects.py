"""Objects are whole and durable or not there; removed ones are gone."""

import errno
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from tallylight.vault.disk import Call, FaultyDisk
from tallylight.vault.errors import ObjectError
from tallylight.vault.objects import PARTIAL, LocalObjects, MemoryObjects, ObjectStore

PATH = "workspace/ab/epoch"


@pytest.fixture(params=["local", "memory"])
def objects(request: pytest.FixtureRequest, tmp_path: Path) -> ObjectStore:
    return LocalObjects(tmp_path) if request.param == "local" else MemoryObjects()


def test_every_store_does_what_a_store_does(objects: ObjectStore) -> None:
    assert not objects.exists(PATH)
    assert list(objects.list()) == []
    assert objects.put(PATH, [b"0123", b"", b"456789"]) == 10
    assert objects.exists(PATH)
    assert objects.size(PATH) == 10
    assert objects.get_range(PATH, 2, 3) == b"234"
    assert objects.get_range(PATH, 8, 100) == b"89"
    assert objects.get_range(PATH, 0, 0) == b""
    objects.put("workspace/aa/other", [b"x"])
    objects.put("elsewhere/aa/other", [])
    assert list(objects.list("workspace")) == ["workspace/aa/other", PATH]
    assert len(list(objects.list())) == 3
    assert objects.put(PATH, [b"again"]) == 5
    assert objects.get_range(PATH, 0, 10) == b"again"
    objects.delete(PATH)
    objects.delete(PATH)
    assert not objects.exists(PATH)
    assert list(objects.list("workspace")) == ["workspace/aa/other"]


def test_what_is_not_there_is_said_to_be_missing(objects: ObjectStore) -> None:
    with pytest.raises(ObjectError, match="There is no object") as caught:
        objects.get_range(PATH, 0, 10)
    assert caught.value.code == "vault_object"
    with pytest.raises(ObjectError, match="There is no object"):
        objects.size(PATH)


def test_files_are_their_owners_alone_and_nothing_else_is_left(tmp_path: Path) -> None:
    LocalObjects(tmp_path / "objects").put(PATH, [b"x"])
    file = tmp_path / "objects" / PATH
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
    assert [path for path in (tmp_path / "objects").rglob("*") if path.is_file()] == [file]


@pytest.mark.parametrize("path", ["", "/etc/x", "a//b", "../x", "a/../x", "a/.", f"{PARTIAL}/x"])
def test_paths_stay_inside(tmp_path: Path, path: str) -> None:
    objects = LocalObjects(tmp_path)
    with pytest.raises(ObjectError, match="no object path"):
        objects.put(path, [b"x"])
    with pytest.raises(ObjectError, match="no object path"):
        objects.delete(path)


FAULTS = [
    (Call.CREATE, errno.ENOSPC),
    (Call.WRITE, errno.ENOSPC),
    (Call.WRITE, errno.EIO),
    (Call.FSYNC, errno.EIO),
    (Call.RENAME, errno.EIO),
    (Call.MAKE_FOLDER, errno.ENOSPC),
]


@pytest.mark.parametrize(("call", "error"), FAULTS)
def test_an_object_that_cannot_be_stored_is_not_there_and_leaves_nothing(
    tmp_path: Path, call: Call, error: int
) -> None:
    disk = FaultyDisk()
    objects = LocalObjects(tmp_path, disk)
    disk.fail(call, error)
    with pytest.raises(ObjectError, match="free or repair the disk"):
        objects.put(PATH, [b"0123", b"4567"])
    assert not objects.exists(PATH)
    assert list(objects.list()) == []
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []
    assert objects.put(PATH, [b"0123"]) == 4


def test_a_name_that_is_not_durable_is_not_reported_as_stored(tmp_path: Path) -> None:
    disk = FaultyDisk()
    objects = LocalObjects(tmp_path, disk)
    disk.fail(Call.FSYNC_FOLDER, errno.EIO)
    with pytest.raises(ObjectError):
        objects.put(PATH, [b"0123"])


def test_the_data_is_synced_before_its_name_and_the_name_before_the_return(tmp_path: Path) -> None:
    calls: list[str] = []

    class Watched(FaultyDisk):
        def fsync(self, handle: int) -> None:
            calls.append("fsync")
            super().fsync(handle)

        def rename(self, source: Path, target: Path) -> None:
            calls.append("rename")
            super().rename(source, target)

        def fsync_folder(self, path: Path) -> None:
            calls.append(f"folder {path.name}")
            super().fsync_folder(path)

    objects = LocalObjects(tmp_path, Watched())
    objects.put(PATH, [b"x"])
    assert calls == ["fsync", "rename", "folder ab"]


def test_a_short_write_is_continued(tmp_path: Path) -> None:
    disk = FaultyDisk()
    objects = LocalObjects(tmp_path, disk)
    disk.shorten(3)
    assert objects.put(PATH, [b"0123456789"]) == 10
    assert objects.get_range(PATH, 0, 10) == b"0123456789"


def test_a_source_that_fails_leaves_nothing(tmp_path: Path) -> None:
    def broken() -> Iterator[bytes]:
        yield b"first"
        raise ZeroDivisionError

    objects = LocalObjects(tmp_path)
    with pytest.raises(ZeroDivisionError):
        objects.put(PATH, broken())
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_what_a_crash_left_half_written_is_removed_at_the_start(tmp_path: Path) -> None:
    disk = FaultyDisk()
    disk.fail(Call.WRITE, errno.EIO)
    disk.fail(Call.UNLINK, errno.EIO)
    objects = LocalObjects(tmp_path, disk)
    with pytest.raises(ObjectError):
        objects.put(PATH, [b"x"])
    assert len(list((tmp_path / PARTIAL).iterdir())) == 1
    assert list(objects.list()) == []
    assert LocalObjects(tmp_path).remove_partials() == 1
    assert list((tmp_path / PARTIAL).iterdir()) == []


@pytest.mark.parametrize("call", [Call.UNLINK, Call.FSYNC_FOLDER])
def test_a_removal_that_fails_is_never_reported_as_done(tmp_path: Path, call: Call) -> None:
    disk = FaultyDisk()
    objects = LocalObjects(tmp_path, disk)
    objects.put(PATH, [b"x"])
    disk.fail(call, errno.EIO)
    with pytest.raises(ObjectError, match="could not be removed"):
        objects.delete(PATH)
    objects.delete(PATH)
    assert not objects.exists(PATH)


def test_a_removal_that_does_nothing_is_noticed(tmp_path: Path) -> None:
    class Lying(FaultyDisk):
        def unlink(self, path: Path) -> None:
            assert path.exists()

    objects = LocalObjects(tmp_path, Lying())
    objects.put(PATH, [b"x"])
    with pytest.raises(ObjectError, match="still there"):
        objects.delete(PATH)
