"""The disk side of the live log: sealed records become durable, in whatever state the disk is.

Everything here runs on the log's thread and may block. A record is *pending* until the operating system has it, *held*
until an fsync has succeeded, then indexed and acknowledged. Held records stay in memory, so that a file whose fsync
failed is given up and they go into a new one, byte for byte: Linux marks the pages clean after the error, and a second
fsync of the same file would lie.
"""

import errno
import logging
import os
import time
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from tallylight.ids import EpochId, TrackId
from tallylight.vault.alarm import AlarmKind, Alarms
from tallylight.vault.disk import Disk
from tallylight.vault.record import RecordHeader

logger = logging.getLogger(__name__)

SUFFIX = ".live"
RESERVE = "reserve"
_FULL = (errno.ENOSPC, errno.EDQUOT)
_BATCH_BYTES = 1 << 20
_FULL_RETRY_S = 0.25
_RESERVE_RETRY_S = 30.0
_DEAD_RETRY_S = (0.0, 0.5, 1.0, 2.0, 5.0, 10.0)
"""Pauses before the next new file while one after the other dies."""


@dataclass(frozen=True, kw_only=True)
class Limits:
    """How the log uses time, memory and disk."""

    queue_bytes: int = 128 << 20
    """Media held in memory because it is not durable yet; beyond it `write` drops. 16 s of 1,000 tracks."""
    rotate_bytes: int = 64 << 20
    fsync_s: float = 1.0
    """The least time from one fsync to the next, while anything waits for one."""
    gather_s: float = 0.04
    """How long the thread gathers records before it looks again: it wakes at most this often."""
    reserve_bytes: int = 4 << 20
    """Disk space kept back for the records that come after the disk is full."""


@dataclass(kw_only=True)
class Counters:
    """For metrics: written by the log, read by anybody."""

    records: int = 0
    bytes: int = 0
    fsyncs: int = 0
    last_fsync_s: float = 0.0
    dead_files: int = 0
    dropped_records: int = 0
    dropped_ms: int = 0


class Record:
    """A sealed record on its way to the disk. `cost` is what it counts in the queue's bound."""

    __slots__ = ("cost", "data", "header", "offset")

    def __init__(self, data: bytes, header: RecordHeader, cost: int) -> None:
        self.data = data
        self.header = header
        self.cost = cost
        self.offset = 0


class _File:
    __slots__ = ("durable", "handle", "path", "size", "tracks")

    def __init__(self, path: Path, handle: int) -> None:
        self.path = path
        self.handle = handle
        self.size = 0
        self.durable = 0
        self.tracks: set[TrackId] = set()


Place = tuple[Path, int, int]
"""Where a durable record lies: file, offset, length."""


class LogWriter:
    """Appends, syncs, rotates and removes the log files in `folder`."""

    def __init__(self, folder: Path, disk: Disk, limits: Limits, counters: Counters, alarms: Alarms) -> None:
        self.done = 0
        """Cost of all records that wait no more: durable, dropped or destroyed. Read by the media loop."""
        self.durable: dict[TrackId, tuple[int, int]] = {}
        """Durable media ms per track and source. Read by anybody, in single steps."""
        self.retry_at = 0.0
        self.synced_at = -float("inf")
        self._folder = folder
        self._disk = disk
        self._limits = limits
        self._counters = counters
        self._alarms = alarms
        self._pending: deque[Record] = deque()
        self._held: list[Record] = []
        self._index: dict[EpochId, list[Place]] = {}
        self._file: _File | None = None
        self._files: list[_File] = []
        self._superseded: list[_File] = []
        self._deaths = 0
        self._reserved = False
        self._reserve_at = 0.0
        disk.make_folder(folder)

    @property
    def pending(self) -> bool:
        """Records wait for the operating system."""
        return bool(self._pending)

    @property
    def held(self) -> bool:
        """Records wait for an fsync."""
        return bool(self._held)

    def add(self, record: Record) -> None:
        """One more to write."""
        self._pending.append(record)

    def append(self) -> None:
        """Hand what is pending to the operating system, as far as it takes it now."""
        while self._pending and time.monotonic() >= self.retry_at:
            file = self._file or self._open()
            if file is None:
                return
            batch: list[Record] = []
            size = 0
            for record in self._pending:
                batch.append(record)
                size += len(record.data)
                if size >= _BATCH_BYTES:
                    break
            self._append(file, batch)
            if self._file is not None and self._file.size >= self._limits.rotate_bytes:
                self._rotate()

    def _append(self, file: _File, batch: list[Record]) -> None:
        data = batch[0].data if len(batch) == 1 else b"".join([record.data for record in batch])
        written = 0
        failure: OSError | None = None
        try:
            while written < len(data):
                step = self._disk.write(file.handle, data[written:] if written else data)
                if step == 0:
                    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
                written += step
        except OSError as error:
            failure = error
        whole = 0
        for record in batch:
            end = whole + len(record.data)
            if end > written:
                break
            record.offset = file.size + whole
            whole = end
            file.tracks.add(record.header.track)
            self._held.append(record)
            self._pending.popleft()
            self._counters.records += 1
        file.size += whole
        self._counters.bytes += whole
        if failure is None:
            return
        if failure.errno not in _FULL:
            self._died(failure)
            return
        if written > whole:
            try:
                self._disk.truncate(file.handle, file.size)
            except OSError as error:
                self._died(error)
                return
        self._full(failure)

    def fsync(self) -> None:
        """Make what is held durable, and acknowledge it."""
        file = self._file
        if file is None:
            return
        began = self.synced_at = time.monotonic()
        try:
            self._disk.fsync(file.handle)
        except OSError as error:
            self._died(error)
            return
        self._counters.fsyncs += 1
        self._counters.last_fsync_s = time.monotonic() - began
        file.durable = file.size
        self._deaths = 0
        for record in self._held:
            header = record.header
            self._index.setdefault(header.epoch, []).append((file.path, record.offset, len(record.data)))
            party_ms, ours_ms = self.durable.get(header.track, (0, 0))
            self.durable[header.track] = (party_ms + header.party_ms, ours_ms + header.ours_ms)
            self.done += record.cost
        self._held.clear()
        if not self._pending:
            for dead in self._superseded:
                self._remove(dead)
            self._superseded.clear()
        if self._alarms.standing and not self._pending:
            self._alarms.raise_(AlarmKind.RECOVERED, f"The live log under {self._folder} stores again; nothing waits.")

    def find(self, epoch: EpochId) -> tuple[list[Place], list[bytes]]:
        """Every record of an epoch: where the durable ones lie, and the others' bytes."""
        return list(self._index.get(epoch, ())), [
            record.data for records in (self._held, self._pending) for record in records if record.header.epoch == epoch
        ]

    def release(self, tracks: Iterable[TrackId], epochs: Iterable[EpochId]) -> None:
        """Forget what waits and what is known of these tracks, and remove each file that holds nothing else."""
        gone = set(tracks)
        for track in gone:
            self.durable.pop(track, None)
        for epoch in epochs:
            self._index.pop(epoch, None)
        for record in (*self._pending, *self._held):
            if record.header.track in gone:
                self.done += record.cost
        self._pending = deque(record for record in self._pending if record.header.track not in gone)
        self._held = [record for record in self._held if record.header.track not in gone]
        for file in self._files:
            file.tracks -= gone
        self._collect()

    def reserve(self) -> None:
        """Set disk space aside, once, for the time when there is none."""
        now = time.monotonic()
        if self._reserved or now < self._reserve_at:
            return
        self._reserve_at = now + _RESERVE_RETRY_S
        path = self._folder / RESERVE
        try:
            self._disk.reserve(path, self._limits.reserve_bytes)
            self._reserved = True
        except OSError as error:
            logger.warning("No reserve of disk space could be set aside: %s", error)
            self._try(lambda: self._disk.unlink(path), path)

    def bury(self) -> None:
        """Give up the current file; what was written to it and is not durable waits for the next one."""
        self.retry_at = time.monotonic() + _DEAD_RETRY_S[min(self._deaths, len(_DEAD_RETRY_S) - 1)]
        self._deaths += 1
        self._pending.extendleft(reversed(self._held))
        self._held.clear()
        file, self._file = self._file, None
        if file is None:
            return
        self._close(file)
        if file.durable == 0:
            self._superseded.append(file)

    def end(self) -> list[Record]:
        """Close the file. Returns what is lost."""
        file, self._file = self._file, None
        if file is not None:
            self._close(file)
        return [*self._held, *self._pending]

    def _open(self) -> _File | None:
        """A new log file, or None: not now."""
        path = self._folder / f"{time.time_ns() // 1_000_000:013d}-{os.urandom(4).hex()}{SUFFIX}"
        try:
            handle = self._disk.create(path)
        except OSError as error:
            self._unopened(error)
            return None
        file = _File(path, handle)
        try:
            self._disk.fsync_folder(self._folder)
        except OSError as error:
            self._close(file)
            self._remove(file)
            self._unopened(error)
            return None
        self._files.append(file)
        self._file = file
        return file

    def _unopened(self, error: OSError) -> None:
        if error.errno in _FULL:
            self._full(error)
        else:
            self._died(error)

    def _full(self, error: OSError) -> None:
        self._alarms.raise_(
            AlarmKind.DISK_FULL,
            f"The disk under {self._folder} is full ({error.strerror}): new sound is kept in memory for a few seconds, "
            "then dropped. Free space now.",
        )
        if self._reserved:
            self._reserved = False
            self._reserve_at = time.monotonic() + _RESERVE_RETRY_S
            path = self._folder / RESERVE
            if self._try(lambda: self._disk.unlink(path), path):
                return
        self.retry_at = time.monotonic() + _FULL_RETRY_S

    def _died(self, error: OSError) -> None:
        self._counters.dead_files += 1
        where = self._folder if self._file is None else self._file.path
        self._alarms.raise_(
            AlarmKind.FILE_DEAD,
            f"The disk failed under {where} ({error.strerror}): a new log file takes over what is in memory. "
            "Check and replace the disk.",
        )
        self.bury()

    def _rotate(self) -> None:
        self.fsync()
        file, self._file = self._file, None
        if file is not None:
            self._close(file)
            self._collect()

    def _collect(self) -> None:
        """Delete every file of which nothing is needed any more."""
        for file in [file for file in self._files if not file.tracks]:
            if file is self._file:
                self._file = None
                self._close(file)
            self._remove(file)

    def _close(self, file: _File) -> None:
        self._try(lambda: self._disk.close(file.handle), file.path)

    def _remove(self, file: _File) -> None:
        if self._try(lambda: self._disk.unlink(file.path), file.path):
            self._try(lambda: self._disk.fsync_folder(self._folder), self._folder)
            if file in self._files:
                self._files.remove(file)

    def _try(self, step: Callable[[], None], path: Path) -> bool:
        """Do what may fail without harm. True where it is done, or was done before."""
        try:
            step()
        except FileNotFoundError:
            return True
        except OSError as error:
            logger.warning("Tidying up %s failed and will be tried again when it matters: %s", path, error)
            return False
        return True
