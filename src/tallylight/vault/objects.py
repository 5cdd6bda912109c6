"""Where sealed objects lie. `put` is whole and durable or not at all; `delete` has been verified when it returns.

Reading, listing and removing go through obstore. Its LocalStore never calls fsync (measured with strace: create
`NAME#1`, write, rename), so that an object could be registered and gone after a power cut: `LocalObjects` writes
through the `Disk` port instead.
"""

import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Protocol

import obstore
from obstore.store import LocalStore, MemoryStore

from tallylight.vault.disk import Disk, RealDisk, write_all
from tallylight.vault.errors import ObjectError

PARTIAL = ".partial"
"""The folder of what is not whole yet, beside the objects."""


class ObjectStore(Protocol):
    """Named, immutable objects. Paths are relative, with slashes, from ids alone."""

    def put(self, path: str, pieces: Iterable[bytes]) -> int:
        """Store an object; returns its size. It is durable when this returns. Raises ObjectError."""

    def get_range(self, path: str, start: int, length: int) -> bytes:
        """`length` bytes from `start`, fewer at the end. Raises ObjectError."""

    def size(self, path: str) -> int:
        """Bytes of an object. Raises ObjectError where there is none."""

    def exists(self, path: str) -> bool:
        """Whether anything is stored there. Raises ObjectError where that cannot be known."""

    def delete(self, path: str) -> None:
        """Remove an object; harmless where there is none. It is gone when this returns. Raises ObjectError."""

    def list(self, prefix: str = "") -> Iterator[str]:
        """Every object's path under a folder, sorted."""


class _ObstoreObjects:
    """What obstore does well for every store."""

    def __init__(self, store: LocalStore | MemoryStore) -> None:
        self._store = store

    def get_range(self, path: str, start: int, length: int) -> bytes:
        if length <= 0:
            return b""
        try:
            return bytes(obstore.get_range(self._store, path, start=start, length=length))
        except FileNotFoundError:
            raise _missing(path) from None
        except (OSError, ValueError, obstore.exceptions.BaseError) as error:
            raise ObjectError(f"Object {path} cannot be read: {_first_line(error)}.") from error

    def size(self, path: str) -> int:
        try:
            return obstore.head(self._store, path)["size"]
        except FileNotFoundError:
            raise _missing(path) from None
        except (OSError, ValueError, obstore.exceptions.BaseError) as error:
            raise ObjectError(f"Object {path} cannot be looked up: {_first_line(error)}.") from error

    def exists(self, path: str) -> bool:
        try:
            obstore.head(self._store, path)
        except FileNotFoundError:
            return False
        except (OSError, ValueError, obstore.exceptions.BaseError) as error:
            raise ObjectError(f"Object {path} cannot be looked up: {_first_line(error)}.") from error
        return True

    def list(self, prefix: str = "") -> Iterator[str]:
        paths = [meta["path"] for batch in obstore.list(self._store, prefix or None) for meta in batch]
        return iter(sorted(paths))


class MemoryObjects(_ObstoreObjects):
    """Objects in memory: the twin for tests and simulation."""

    def __init__(self) -> None:
        super().__init__(MemoryStore())

    def put(self, path: str, pieces: Iterable[bytes]) -> int:
        data = b"".join(pieces)
        obstore.put(self._store, path, data)
        return len(data)

    def delete(self, path: str) -> None:
        if self.exists(path):
            obstore.delete(self._store, path)


class LocalObjects(_ObstoreObjects):
    """Objects as files in a folder, mode 0600."""

    def __init__(self, folder: Path, disk: Disk | None = None) -> None:
        self.folder = folder
        self._disk: Disk = RealDisk() if disk is None else disk
        self._partial = folder / PARTIAL
        self._disk.make_folder(self._partial)
        super().__init__(LocalStore(folder))

    def put(self, path: str, pieces: Iterable[bytes]) -> int:
        target = self._file(path)
        beside = self._partial / f"{target.name}.{os.urandom(4).hex()}"
        size = 0
        try:
            self._disk.make_folder(target.parent)
            handle = self._disk.create(beside)
            try:
                try:
                    for piece in pieces:
                        write_all(self._disk, handle, piece)
                        size += len(piece)
                    self._disk.fsync(handle)
                finally:
                    self._disk.close(handle)
                self._disk.rename(beside, target)
            except BaseException:
                self._forget(beside)
                raise
            self._disk.fsync_folder(target.parent)
        except OSError as error:
            raise ObjectError(
                f"Object {path} could not be stored ({error.strerror}): free or repair the disk under {self.folder}; "
                "the live log keeps the sound until then."
            ) from error
        return size

    def delete(self, path: str) -> None:
        target = self._file(path)
        try:
            try:
                self._disk.unlink(target)
            except FileNotFoundError:
                pass
            if target.parent.is_dir():
                self._disk.fsync_folder(target.parent)
        except OSError as error:
            raise ObjectError(f"Object {path} could not be removed ({error.strerror}): repair the disk.") from error
        if self.exists(path):
            raise ObjectError(f"Object {path} is still there after its removal: remove it by hand and try again.")

    def list(self, prefix: str = "") -> Iterator[str]:
        return (path for path in super().list(prefix) if not path.startswith(PARTIAL + "/"))

    def remove_partials(self) -> int:
        """Remove what a crash left half written, whose key was never committed; returns how many there were.

        Only at the start of the one process that stores objects here: another one's are being written.
        """
        left = self._disk.files(self._partial)
        for path in left:
            self._forget(path)
        return len(left)

    def _file(self, path: str) -> Path:
        parts = path.split("/")
        if any(part in ("", ".", "..", PARTIAL) for part in parts):
            raise ObjectError(f"{path!r} is no object path.")
        return self.folder.joinpath(*parts)

    def _forget(self, path: Path) -> None:
        try:
            self._disk.unlink(path)
        except OSError:
            # Removed at the next start, by `remove_partials`; the first failure is the one to report.
            return


def _missing(path: str) -> ObjectError:
    return ObjectError(f"There is no object {path}: it was erased, or the folder of objects is incomplete.")


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0]
