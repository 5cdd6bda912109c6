"""The disk as a port, one method per system call, so that each can be made to fail.

`RealDisk` is the machine's; `FaultyDisk` wraps another disk and fails, shortens or stalls its n-th call of a kind.
"""

import errno
import os
import threading
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Protocol


class Disk(Protocol):
    """What the vault asks of a file system. Everything raises OSError; `handle` is a file descriptor."""

    def create(self, path: Path) -> int:
        """A new file, mode 0600, written at its end. It must not exist."""

    def open_append(self, path: Path) -> int:
        """An existing file, written at its end."""

    def write(self, handle: int, data: bytes) -> int:
        """Write what fits and say how much that was: it may be less than asked."""

    def fsync(self, handle: int) -> None:
        """Data and size are on the medium (fdatasync). After an error the file must not be trusted again."""

    def truncate(self, handle: int, size: int) -> None:
        """Cut to `size` bytes."""

    def reserve(self, path: Path, size: int) -> None:
        """A file whose `size` bytes really are allocated."""

    def close(self, handle: int) -> None:
        """Give the descriptor back."""

    def read(self, path: Path, offset: int = 0, length: int | None = None) -> bytes:
        """Bytes from `offset`: `length` of them, fewer at the end of the file; None is all."""

    def size(self, path: Path) -> int:
        """Bytes of a file."""

    def files(self, folder: Path) -> list[Path]:
        """The files in a folder by name; none where it is missing."""

    def rename(self, source: Path, target: Path) -> None:
        """Atomically, replacing `target`."""

    def unlink(self, path: Path) -> None:
        """Remove a name."""

    def make_folder(self, path: Path) -> None:
        """A folder with mode 0700 and its parents, durably; harmless where it exists."""

    def fsync_folder(self, path: Path) -> None:
        """Names made, changed and removed in the folder are on the medium."""


class RealDisk:
    """The machine's file system."""

    def create(self, path: Path) -> int:
        return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_CLOEXEC, 0o600)

    def open_append(self, path: Path) -> int:
        return os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC)

    def write(self, handle: int, data: bytes) -> int:
        return os.write(handle, data)

    def fsync(self, handle: int) -> None:
        # macOS has no fdatasync; there os.fsync is the nearest thing.
        (os.fdatasync if hasattr(os, "fdatasync") else os.fsync)(handle)

    def truncate(self, handle: int, size: int) -> None:
        os.ftruncate(handle, size)

    def reserve(self, path: Path, size: int) -> None:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            if hasattr(os, "posix_fallocate"):
                os.posix_fallocate(handle, 0, size)
            else:
                os.ftruncate(handle, size)
        finally:
            os.close(handle)

    def close(self, handle: int) -> None:
        os.close(handle)

    def read(self, path: Path, offset: int = 0, length: int | None = None) -> bytes:
        handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            wanted = max(0, os.fstat(handle).st_size - offset) if length is None else length
            pieces = []
            while wanted > 0:
                piece = os.pread(handle, min(wanted, 1 << 26), offset)
                if not piece:
                    break
                pieces.append(piece)
                offset += len(piece)
                wanted -= len(piece)
            return pieces[0] if len(pieces) == 1 else b"".join(pieces)
        finally:
            os.close(handle)

    def size(self, path: Path) -> int:
        return path.stat().st_size

    def files(self, folder: Path) -> list[Path]:
        return sorted(path for path in folder.iterdir() if path.is_file()) if folder.is_dir() else []

    def rename(self, source: Path, target: Path) -> None:
        os.rename(source, target)

    def unlink(self, path: Path) -> None:
        os.unlink(path)

    def make_folder(self, path: Path) -> None:
        missing = []
        while not path.is_dir():
            missing.append(path)
            path = path.parent
        for folder in reversed(missing):
            folder.mkdir(mode=0o700, exist_ok=True)
            self.fsync_folder(folder.parent)

    def fsync_folder(self, path: Path) -> None:
        handle = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


class Call(StrEnum):
    """The kinds of call a `FaultyDisk` counts."""

    CREATE = "create"
    WRITE = "write"
    FSYNC = "fsync"
    READ = "read"
    TRUNCATE = "truncate"
    RESERVE = "reserve"
    RENAME = "rename"
    UNLINK = "unlink"
    MAKE_FOLDER = "make_folder"
    FSYNC_FOLDER = "fsync_folder"


@dataclass
class Stall:
    """A call that hangs until released."""

    entered: threading.Event = field(default_factory=threading.Event)
    """Set once the call hangs."""
    _released: threading.Event = field(default_factory=threading.Event)

    def release(self) -> None:
        """Let it go on."""
        self._released.set()

    def hang(self) -> None:
        self.entered.set()
        self._released.wait()


@dataclass(frozen=True, kw_only=True)
class _Fault:
    first: int
    last: int
    error: int | None = None
    keep: int | None = None
    stall: Stall | None = None


class FaultyDisk:
    """A disk with faults to order. Calls are counted from 1, per kind, from the making of this object."""

    def __init__(self, inner: Disk | None = None) -> None:
        self._inner: Disk = RealDisk() if inner is None else inner
        self._lock = threading.Lock()
        self._faults: dict[Call, list[_Fault]] = {}
        self._capacity: int | None = None
        self._paths: dict[Path, int] = {}
        self._handles: dict[int, Path] = {}
        self.calls: dict[Call, int] = dict.fromkeys(Call, 0)

    def fail(self, call: Call, error: int, *, nth: int | None = None, times: int = 1) -> None:
        """The `nth` call from the start (default: the next one) and `times` - 1 more raise OSError(`error`)."""
        self._add(call, nth, times, error=error)

    def shorten(self, keep: int, *, nth: int | None = None) -> None:
        """One write stores only `keep` bytes and says so."""
        self._add(Call.WRITE, nth, 1, keep=keep)

    def stall(self, call: Call, *, nth: int | None = None) -> Stall:
        """One call hangs until the returned stall is released."""
        stall = Stall()
        self._add(call, nth, 1, stall=stall)
        return stall

    def heal(self) -> None:
        """No more faults, and room again."""
        with self._lock:
            self._faults.clear()
            self._capacity = None

    def limit(self, capacity: int | None) -> None:
        """A disk of `capacity` bytes for files made through this object: short writes, then ENOSPC."""
        with self._lock:
            self._capacity = capacity

    def _add(
        self,
        call: Call,
        nth: int | None,
        times: int,
        *,
        error: int | None = None,
        keep: int | None = None,
        stall: Stall | None = None,
    ) -> None:
        with self._lock:
            first = self.calls[call] + 1 if nth is None else nth
            self._faults.setdefault(call, []).append(
                _Fault(first=first, last=first + times - 1, error=error, keep=keep, stall=stall)
            )

    def _enter(self, call: Call) -> int | None:
        """Count the call, stall or raise as ordered; how many bytes to keep where a write is shortened."""
        with self._lock:
            self.calls[call] += 1
            count = self.calls[call]
            due = [fault for fault in self._faults.get(call, ()) if fault.first <= count <= fault.last]
        keep = None
        for fault in due:
            if fault.stall is not None:
                fault.stall.hang()
            if fault.error is not None:
                raise OSError(fault.error, os.strerror(fault.error))
            if fault.keep is not None:
                keep = fault.keep
        return keep

    def _room(self) -> int | None:
        if self._capacity is None:
            return None
        return max(0, self._capacity - sum(self._paths.values()))

    def create(self, path: Path) -> int:
        self._enter(Call.CREATE)
        handle = self._inner.create(path)
        with self._lock:
            self._handles[handle] = path
            self._paths[path] = 0
        return handle

    def open_append(self, path: Path) -> int:
        return self._inner.open_append(path)

    def write(self, handle: int, data: bytes) -> int:
        keep = self._enter(Call.WRITE)
        with self._lock:
            room = self._room()
        if room is not None:
            if room == 0 and data:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            keep = room if keep is None else min(keep, room)
        written = self._inner.write(handle, data if keep is None else data[:keep])
        with self._lock:
            path = self._handles.get(handle)
            if path is not None:
                self._paths[path] += written
        return written

    def fsync(self, handle: int) -> None:
        self._enter(Call.FSYNC)
        self._inner.fsync(handle)

    def truncate(self, handle: int, size: int) -> None:
        self._enter(Call.TRUNCATE)
        self._inner.truncate(handle, size)
        with self._lock:
            path = self._handles.get(handle)
            if path is not None:
                self._paths[path] = size

    def reserve(self, path: Path, size: int) -> None:
        self._enter(Call.RESERVE)
        with self._lock:
            room = self._room()
        if room is not None and room < size:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        self._inner.reserve(path, size)
        with self._lock:
            self._paths[path] = size

    def close(self, handle: int) -> None:
        with self._lock:
            self._handles.pop(handle, None)
        self._inner.close(handle)

    def read(self, path: Path, offset: int = 0, length: int | None = None) -> bytes:
        self._enter(Call.READ)
        return self._inner.read(path, offset, length)

    def size(self, path: Path) -> int:
        return self._inner.size(path)

    def files(self, folder: Path) -> list[Path]:
        return self._inner.files(folder)

    def rename(self, source: Path, target: Path) -> None:
        self._enter(Call.RENAME)
        self._inner.rename(source, target)
        with self._lock:
            if source in self._paths:
                self._paths[target] = self._paths.pop(source)

    def unlink(self, path: Path) -> None:
        self._enter(Call.UNLINK)
        self._inner.unlink(path)
        with self._lock:
            self._paths.pop(path, None)

    def make_folder(self, path: Path) -> None:
        self._enter(Call.MAKE_FOLDER)
        self._inner.make_folder(path)

    def fsync_folder(self, path: Path) -> None:
        self._enter(Call.FSYNC_FOLDER)
        self._inner.fsync_folder(path)


def write_all(disk: Disk, handle: int, data: bytes) -> None:
    """Write every byte of `data`, however many calls it takes. Raises OSError when the disk will take no more."""
    done = disk.write(handle, data)
    while done < len(data):
        step = disk.write(handle, data[done:])
        if step == 0:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        done += step
