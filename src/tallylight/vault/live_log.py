"""The live log: one append-only file of sealed records for every track of this process, with a thread of its own.

`write` takes frames on the media loop and never waits for anything. The thread seals them, appends them in batches and
makes them durable at most once a second (`log_writer`). When memory for what waits is used up, because the disk is
full, slow or dead, new media is dropped with an alarm; the call goes on.
"""

import logging
import os
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from pathlib import Path

from tallylight.errors import TallylightError
from tallylight.ids import EpochId, TrackId
from tallylight.vault.alarm import AlarmKind, Alarms, OnAlarm
from tallylight.vault.disk import Disk, RealDisk
from tallylight.vault.errors import KeyForgottenError, RecordError
from tallylight.vault.frame import SOURCE_PARTY, Frame, FrameKind
from tallylight.vault.keys import Epoch
from tallylight.vault.log_writer import Counters, Limits, LogWriter, Place, Record
from tallylight.vault.record import RecordStream, open_record

__all__ = ["Counters", "Limits", "LiveLog"]

logger = logging.getLogger(__name__)

_FRAME_COST = 128
"""Bytes of bookkeeping counted for each frame beside its payload."""

_Found = tuple[list[Place], list[bytes]]


@dataclass(kw_only=True)
class _Order:
    """Something the thread is asked to do between two batches."""

    finish: Epoch | None = None
    release: tuple[TrackId, ...] = ()
    find: EpochId | None = None
    sync: bool = False
    done: "Future[_Found]" = field(default_factory=Future)


class LiveLog:
    """The one live log of this process, in `folder`. The chunk sink of the capture room."""

    def __init__(
        self,
        folder: Path,
        *,
        on_alarm: OnAlarm,
        disk: Disk | None = None,
        limits: Limits | None = None,
        entropy: Callable[[int], bytes] = os.urandom,
    ) -> None:
        self.folder = folder
        self.counters = Counters()
        self._disk: Disk = RealDisk() if disk is None else disk
        self._limits = Limits() if limits is None else limits
        self._entropy = entropy
        self._alarms = Alarms(on_alarm)
        self._writer = LogWriter(folder, self._disk, self._limits, self.counters, self._alarms)
        self._queue: deque[tuple[Epoch, Sequence[Frame], int]] = deque()
        self._taken = 0
        self._orders: deque[_Order] = deque()
        self._waiting: list[_Order] = []
        self._streams: dict[EpochId, tuple[Epoch, RecordStream]] = {}
        self._epochs: dict[TrackId, set[EpochId]] = {}
        self._wake = threading.Event()
        self._closing = threading.Event()
        self._deadline = float("inf")
        self._lost = False
        self._thread = threading.Thread(target=self._run, name="live-log", daemon=True)
        self._thread.start()

    def write(self, epoch: Epoch, frames: Sequence[Frame]) -> None:
        """Take the frames of one record of `epoch`; they must not be changed afterwards. One thread calls this.

        Costs about a microsecond and never waits. Dropped, with an alarm, where memory for what waits is used up.
        """
        cost = 0
        for frame in frames:
            cost += len(frame.payload) + _FRAME_COST
        if self._closing.is_set():
            self._drop(AlarmKind.REFUSED, "Media came after the live log was closed: it was not stored.", frames)
        elif self._taken - self._writer.done + cost > self._limits.queue_bytes:
            self._drop(
                AlarmKind.QUEUE_FULL,
                f"The disk under {self.folder} does not keep up: media is being dropped. Check its health and load.",
                frames,
            )
        else:
            self._taken += cost
            self._queue.append((epoch, frames, cost))
            if not self._wake.is_set():
                self._wake.set()

    def finish(self, epoch: Epoch) -> None:
        """Nothing more will come under `epoch`: mark its end, so that a restart knows it is complete."""
        self._order(_Order(finish=epoch))

    def acknowledged(self, track: TrackId, source: int = SOURCE_PARTY) -> int:
        """Durable media of one of a track's sources, in ms. 0 for a track that is unknown or released."""
        return self._writer.durable.get(track, (0, 0))[source]

    @property
    def waiting_bytes(self) -> int:
        """Media in memory that is not durable yet."""
        return self._taken - self._writer.done

    def read(self, epoch: Epoch, *, timeout: float = 10.0) -> list[Frame]:
        """Every frame written under `epoch` so far, durable or not, in the order of writing.

        For worker threads. Raises TimeoutError where the disk hangs, OSError, RecordError, KeyForgottenError.
        """
        order = _Order(find=epoch.id)
        self._order(order)
        places, waiting = order.done.result(timeout)
        frames: list[Frame] = []
        for path, offset, length in places:
            frames += open_record(epoch, self._disk.read(path, offset, length))
        for data in waiting:
            frames += open_record(epoch, data)
        return frames

    def sync(self, timeout: float = 10.0) -> bool:
        """Wait until everything written so far is durable; False where that took too long. Never on the media loop."""
        order = _Order(sync=True)
        self._order(order)
        try:
            order.done.result(timeout)
        except TimeoutError:
            return False
        return True

    def release(self, *tracks: TrackId) -> None:
        """These tracks are sealed or destroyed: forget their live keys and what waits of them, and delete every file
        that now holds nothing else.
        """
        self._order(_Order(release=tracks))

    def close(self, timeout: float = 10.0) -> bool:
        """Make durable what can be within `timeout` s, and stop. False where something was lost or the disk hangs."""
        self._deadline = time.monotonic() + timeout
        self._closing.set()
        self._wake.set()
        self._thread.join(timeout + 0.5)
        self._refuse_orders()
        return not self._thread.is_alive() and not self._lost

    def _order(self, order: _Order) -> None:
        if not self._thread.is_alive():
            order.done.set_exception(RecordError("The live log is closed: read its files instead."))
            return
        self._orders.append(order)
        self._wake.set()

    def _run(self) -> None:
        while not (self._closing.is_set() and self._over()):
            self._wake.wait(self._patience())
            self._wake.clear()
            try:
                self._round()
            except Exception as error:  # the thread must outlive any fault: without it nothing at all is recorded
                logger.exception("The live log's thread stumbled")
                self._alarms.raise_(AlarmKind.FAULT, f"The live log stumbled ({error!r}) and goes on: report this.")
                self._writer.bury()
            self._closing.wait(self._limits.gather_s)
        lost = self._writer.end()
        if lost:
            self._lost = True
            media_ms = sum(record.header.party_ms + record.header.ours_ms for record in lost)
            self._count_drop(
                AlarmKind.LOST,
                f"The live log was closed while the disk under {self.folder} refused it: what waited is lost.",
                len(lost),
                media_ms,
            )
        self._refuse_orders()

    def _patience(self) -> float | None:
        """Seconds until there is something to do without being asked; None: sleep."""
        if self._closing.is_set():
            return self._limits.gather_s
        due = []
        if self._writer.pending:
            due.append(self._writer.retry_at)
        if self._writer.held:
            due.append(self._writer.synced_at + self._limits.fsync_s)
        return max(0.0, min(due) - time.monotonic()) if due else None

    def _over(self) -> bool:
        empty = not (self._queue or self._orders or self._writer.pending or self._writer.held)
        return empty or time.monotonic() >= self._deadline

    def _round(self) -> None:
        writer = self._writer
        orders = [self._orders.popleft() for _ in range(len(self._orders))]
        for _ in range(len(self._queue)):
            epoch, frames, cost = self._queue.popleft()
            self._seal(epoch, frames, cost, last=False)
        for order in orders:
            if order.finish is not None:
                self._seal(order.finish, (), 0, last=True)
            elif order.release:
                self._release(order.release)
        writer.append()
        for order in orders:
            if order.find is not None:
                order.done.set_result(writer.find(order.find))
            elif order.sync:
                self._waiting.append(order)
        closing = self._closing.is_set()
        now = time.monotonic()
        if writer.held and (self._waiting or closing or now - writer.synced_at >= self._limits.fsync_s):
            writer.fsync()
        if not writer.pending and not writer.held:
            for order in self._waiting:
                order.done.set_result(([], []))
            self._waiting.clear()
            if not closing:
                writer.reserve()

    def _seal(self, epoch: Epoch, frames: Sequence[Frame], cost: int, *, last: bool) -> None:
        known = self._streams.get(epoch.id)
        try:
            if known is None:
                known = self._streams[epoch.id] = (epoch, RecordStream(epoch, self._entropy))
                self._epochs.setdefault(epoch.track, set()).add(epoch.id)
            data, header = known[1].seal(frames, last=last)
        except KeyForgottenError:
            # The track was erased or sealed while this waited: exactly what must not be stored.
            self._writer.done += cost
        except TallylightError as error:
            self._writer.done += cost
            self._drop(AlarmKind.REFUSED, f"A record of track {epoch.track} was not stored: {error}", frames)
        except Exception as error:
            self._writer.done += cost
            logger.exception("A record of track %s could not be sealed", epoch.track)
            self._count_drop(AlarmKind.FAULT, f"A record was not stored ({error!r}): report this fault.", 1, 0)
        else:
            self._writer.add(Record(data, header, cost))
        if last:
            self._streams.pop(epoch.id, None)

    def _release(self, tracks: Sequence[TrackId]) -> None:
        epochs: set[EpochId] = set()
        for track in tracks:
            epochs |= self._epochs.pop(track, set())
        for epoch in epochs:
            known = self._streams.pop(epoch, None)
            if known is not None:
                known[0].forget()
        self._writer.release(tracks, epochs)

    def _refuse_orders(self) -> None:
        while self._orders:
            self._waiting.append(self._orders.popleft())
        for order in self._waiting:
            if not order.done.done():
                order.done.set_exception(RecordError("The live log is closed: read its files instead."))
        self._waiting.clear()

    def _drop(self, kind: AlarmKind, message: str, frames: Sequence[Frame]) -> None:
        media_ms = sum(frame.duration_ms for frame in frames if frame.kind is FrameKind.MEDIA)
        self._count_drop(kind, message, 1, media_ms)

    def _count_drop(self, kind: AlarmKind, message: str, records: int, media_ms: int) -> None:
        self.counters.dropped_records += records
        self.counters.dropped_ms += media_ms
        self._alarms.raise_(kind, message, records, media_ms)
