"""What receives the voices: the product's own media path, or nothing but the receive loop it is compared with."""

import asyncio
import select
import socket
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from tallylight.bench.choir import Choir, Sung
from tallylight.bench.errors import BenchFailed
from tallylight.bench.kernel import udp_drops
from tallylight.capture.recorder import HOLD_BACK_MS, PartyCapture, TrackRecorder, next_record_s
from tallylight.clock import Clock, SystemClock
from tallylight.ids import DecisionId, EpochId, TrackId, new_id
from tallylight.telephony.rtp.engine import MediaEngine
from tallylight.telephony.rtp.negotiated import Codec, Direction, Negotiated
from tallylight.vault.alarm import Alarm
from tallylight.vault.keys import KeyRing, MemoryKeyWrapper
from tallylight.vault.live_log import LiveLog

LOOPBACK = "127.0.0.1"
PORTS = (22_000, 32_000)
SETTLE_S = 1.5
"""Spoken before and after what is measured, at most: streams are latched, the first records written."""
ECHO_S = 0.2
SYNC_S = 30.0
PROJECT = "bench"


@dataclass(frozen=True, kw_only=True)
class Window:
    """One measured stretch. CPU in s, of every thread of this process; `loop_s` is the media loop's part."""

    packets: int
    cpu_s: float
    loop_s: float
    wall_s: float
    drops: int
    sung: Sung

    @property
    def us_per_packet(self) -> float:
        return self.cpu_s / max(1, self.packets) * 1e6

    @property
    def share(self) -> float:
        """Of one core."""
        return self.cpu_s / self.wall_s


class Rig(Protocol):
    """Something that hears `legs` voices of a choir."""

    def measure(self, choir: Choir, seconds: float) -> Window:
        """Hear them for `seconds` and say what it cost."""

    def close(self) -> None:
        """Give everything back."""


@dataclass(frozen=True)
class _Mark:
    packets: int
    cpu_s: float
    loop_s: float
    wall_s: float

    @classmethod
    def now(cls, packets: int) -> "_Mark":
        return cls(packets, time.process_time(), time.thread_time(), time.monotonic())


def _window(before: _Mark, after: _Mark, drops: int, sung: Sung) -> Window:
    return Window(
        packets=after.packets - before.packets,
        cpu_s=after.cpu_s - before.cpu_s,
        loop_s=after.loop_s - before.loop_s,
        wall_s=after.wall_s - before.wall_s,
        drops=drops,
        sung=sung,
    )


class BareLoop:
    """epoll and recv, and nothing else: the floor under any receiver written in Python. `tick_ms` 0 wakes it for each
    packet, as a plain loop does; otherwise it sleeps so long between one draining and the next, as the product does."""

    def __init__(self, choir: Choir, legs: int, *, tick_ms: int = 0) -> None:
        self._tick_s = tick_ms / 1000
        self._epoll = select.epoll()
        self._ports: list[socket.socket] = []
        for index in range(legs):
            port = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            port.bind((LOOPBACK, 0))
            port.connect((LOOPBACK, choir.source_of(index)))
            port.setblocking(False)
            port.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 64 * 1024)
            self._epoll.register(port.fileno(), select.EPOLLIN)
            self._ports.append(port)
        self._numbers = [port.getsockname()[1] for port in self._ports]
        choir.aim(self._numbers)

    def measure(self, choir: Choir, seconds: float) -> Window:
        receivers = {port.fileno(): port.recv for port in self._ports}
        drops = udp_drops(self._numbers)
        settle_s = min(SETTLE_S, seconds)
        choir.sing(seconds + 2 * settle_s)
        self._hear(settle_s, receivers)
        before = _Mark.now(0)
        heard = self._hear(seconds, receivers)
        after = _Mark.now(heard)
        self._hear(settle_s + ECHO_S, receivers)
        return _window(before, after, udp_drops(self._numbers) - drops, choir.sung())

    def _hear(self, seconds: float, receivers: Mapping[int, Callable[[int], bytes]]) -> int:
        heard = 0
        poll = self._epoll.poll
        due = time.monotonic()
        end = due + seconds
        while due < end:
            if self._tick_s:
                due += self._tick_s
                time.sleep(max(0.0, due - time.monotonic()))
                patience = 0.0
            else:
                due = time.monotonic()
                patience = 0.1
            while waiting := poll(patience, 65536):
                for number, _ in waiting:
                    receivers[number](2048)
                heard += len(waiting)
                if patience:
                    break
        return heard

    def close(self) -> None:
        for port in self._ports:
            port.close()
        self._epoll.close()


class MediaPath:
    """Legs of the product's media engine. `relay`: legs hear each other in pairs. `folder`: what they say is recorded
    there: gate, seal and live log, fsync included. `detect`: voice activity is judged too, as in every call."""

    def __init__(self, choir: Choir, legs: int, *, folder: Path | None, relay: bool, detect: bool = True) -> None:
        self._choir = choir
        self._count = legs
        self._relay = relay
        self._detect = detect
        self._alarms: list[Alarm] = []
        self._log = None if folder is None else LiveLog(folder, on_alarm=self._alarms.append)
        self._ring = KeyRing(MemoryKeyWrapper())
        self._ring.new_project_key(PROJECT, new_id(0))
        self._recorders: list[TrackRecorder] = []
        self.stored_ms = 0
        """Durable, when a measurement is over."""
        self.received_ms = 0
        """Handed on by the legs, which fit each stream to the clock by a millisecond now and then."""
        self.received = 0

    def measure(self, choir: Choir, seconds: float) -> Window:
        return asyncio.run(self._measure(seconds))

    async def _measure(self, seconds: float) -> Window:
        clock = SystemClock()
        engine = MediaEngine(clock=clock, bind=LOOPBACK, ports=PORTS)
        legs = [engine.open_leg() for _ in range(self._count)]
        captures: list[PartyCapture] = []
        for index, leg in enumerate(legs):
            leg.configure(
                Negotiated(
                    remote=(LOOPBACK, self._choir.source_of(index)),
                    codec=Codec.PCMU,
                    telephone_event=101,
                    direction=Direction.SENDRECV if self._relay else Direction.RECVONLY,
                    remote_rtcp=(LOOPBACK, self._choir.reports_port),
                )
            )
            if self._log is not None:
                recorder = self._record(self._log)
                capture = PartyCapture()
                capture.add(recorder)
                capture.pull = leg.hand_over
                leg.sink = capture if self._detect else recorder
                captures.append(capture)
        if self._relay:
            for one, other in zip(legs[::2], legs[1::2], strict=True):
                one.peer, other.peer = other, one
        ports = [leg.port for leg in legs]
        self._choir.aim(ports)
        flushing = [
            _Flushing(clock, captures[first : first + 2], self._recorders[first : first + 2], first % 97 / 97)
            for first in range(0, len(self._recorders), 2)
        ]
        drops = udp_drops(ports)
        engine.start()
        settle_s = min(SETTLE_S, seconds)
        self._choir.sing(seconds + 2 * settle_s)
        await asyncio.sleep(settle_s)
        before = _Mark.now(sum(leg.stats.received for leg in legs))
        await asyncio.sleep(seconds)
        after = _Mark.now(sum(leg.stats.received for leg in legs))
        await asyncio.sleep(settle_s + ECHO_S)
        sung = await asyncio.to_thread(self._choir.sung)
        found = udp_drops(ports) - drops
        for flush in flushing:
            flush.timer.cancel()
        stats = [leg.stats for leg in legs]
        self.received, self.received_ms = (
            sum(each.received for each in stats),
            sum(each.received_ms for each in stats),
        )
        engine.stop()
        for recorder in self._recorders:
            recorder.flush(1 << 40)
        if self._log is not None:
            if not self._log.sync(SYNC_S):
                raise BenchFailed(f"The disk under {self._log.folder} hangs: choose another with --folder.")
            self.stored_ms = sum(self._log.acknowledged(recorder.track) for recorder in self._recorders)
            self._log.release(*(recorder.track for recorder in self._recorders))
        self._recorders.clear()
        return _window(before, after, found, sung)

    def _record(self, log: LiveLog) -> TrackRecorder:
        track, epoch = TrackId(new_id(0)), EpochId(new_id(0))
        recorder = TrackRecorder(track, self._ring.new_epoch(project=PROJECT, track=track, epoch=epoch), log)
        recorder.commit(DecisionId(new_id(0)), 0)
        self._recorders.append(recorder)
        return recorder

    def close(self) -> None:
        if self._log is not None:
            self._log.close()


class _Flushing:
    """One call's records, each second at an instant of its own, as a running conversation has them made."""

    def __init__(
        self, clock: Clock, captures: Sequence[PartyCapture], recorders: Sequence[TrackRecorder], offset_s: float
    ) -> None:
        self._clock = clock
        self._captures = captures
        self._began_ns = clock.monotonic_ns()
        self._recorders = recorders
        self.timer = clock.call_later(offset_s, self._flush)

    def _flush(self) -> None:
        until_ms = (self._clock.monotonic_ns() - self._began_ns) // 1_000_000 - HOLD_BACK_MS
        for capture in self._captures:
            capture.pull()
        for recorder in self._recorders:
            recorder.flush(until_ms)
        self.timer = self._clock.call_later(next_record_s(self._clock.monotonic_ns()), self._flush)
