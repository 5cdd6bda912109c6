"""A disk in memory that can lose its power: what was not synced may be gone, in whole or in part.

The twin of `RealDisk` for simulation. Stricter than real file systems: after `crash` an unsynced name is gone, and of
unsynced data only a prefix of the caller's choosing is left.
"""

import errno
import os
import threading
from pathlib import Path


class _Node:
    """A file's content, as read now and as it would be after a power cut."""

    def __init__(self) -> None:
        self.data = bytearray()
        self.durable = b""


class MemoryDisk:
    """Files by path; folders need not be made."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._names: dict[Path, _Node] = {}
        self._durable_names: dict[Path, _Node] = {}
        self._open: dict[int, _Node] = {}
        self._next = 1

    def crash(self, keep: int = 0) -> None:
        """Cut the power: every unsynced name is gone; of each file's unsynced data at most `keep` bytes are left."""
        with self._lock:
            self._open.clear()
            self._names = dict(self._durable_names)
            for node in self._names.values():
                synced = len(node.durable)
                if bytes(node.data[:synced]) != node.durable or len(node.data) < synced:
                    node.data = bytearray(node.durable)
                else:
                    del node.data[synced + keep :]
                node.durable = bytes(node.data)

    def create(self, path: Path) -> int:
        with self._lock:
            if path in self._names:
                raise _error(errno.EEXIST, path)
            self._names[path] = _Node()
            return self._handle(self._names[path])

    def open_append(self, path: Path) -> int:
        with self._lock:
            return self._handle(self._node(path))

    def write(self, handle: int, data: bytes) -> int:
        with self._lock:
            self._opened(handle).data += data
            return len(data)

    def fsync(self, handle: int) -> None:
        with self._lock:
            node = self._opened(handle)
            node.durable = bytes(node.data)

    def truncate(self, handle: int, size: int) -> None:
        with self._lock:
            del self._opened(handle).data[size:]

    def reserve(self, path: Path, size: int) -> None:
        with self._lock:
            node = self._names.setdefault(path, _Node())
            node.data.extend(bytes(max(0, size - len(node.data))))

    def close(self, handle: int) -> None:
        with self._lock:
            self._opened(handle)
            del self._open[handle]

    def read(self, path: Path, offset: int = 0, length: int | None = None) -> bytes:
        with self._lock:
            data = self._node(path).data
            return bytes(data[offset:] if length is None else data[offset : offset + length])

    def size(self, path: Path) -> int:
        with self._lock:
            return len(self._node(path).data)

    def files(self, folder: Path) -> list[Path]:
        with self._lock:
            return sorted(path for path in self._names if path.parent == folder)

    def rename(self, source: Path, target: Path) -> None:
        with self._lock:
            node = self._node(source)
            del self._names[source]
            self._names[target] = node

    def unlink(self, path: Path) -> None:
        with self._lock:
            self._node(path)
            del self._names[path]

    def make_folder(self, path: Path) -> None:
        """Folders are only parts of names here."""

    def fsync_folder(self, path: Path) -> None:
        with self._lock:
            kept = {name: node for name, node in self._durable_names.items() if name.parent != path}
            kept.update((name, node) for name, node in self._names.items() if name.parent == path)
            self._durable_names = kept

    def _handle(self, node: _Node) -> int:
        self._next += 1
        self._open[self._next] = node
        return self._next

    def _node(self, path: Path) -> _Node:
        node = self._names.get(path)
        if node is None:
            raise _error(errno.ENOENT, path)
        return node

    def _opened(self, handle: int) -> _Node:
        node = self._open.get(handle)
        if node is None:
            raise OSError(errno.EBADF, os.strerror(errno.EBADF))
        return node


def _error(number: int, path: Path) -> OSError:
    return OSError(number, os.strerror(number), str(path))
