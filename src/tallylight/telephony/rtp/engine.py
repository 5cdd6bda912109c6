"""All legs of this process: their ports, and the one tick that receives and sends for all of them.

Ports are drained each 10 ms; those of a steady voice that goes on to nobody, each 70 ms: several packets of one stream
at once cost less than as many one by one. Waiting packets are taken in rounds, one or four a socket, so that a flooded
port starves no other.
"""

import heapq
import itertools
import logging
import os
from collections.abc import Callable
from typing import TypeVar

from tallylight.clock import Clock, Timer
from tallylight.telephony.rtp.leg import RtpLeg
from tallylight.telephony.rtp.network import DatagramSocket, MediaNetwork, UdpNetwork
from tallylight.telephony.rtp.outgoing import NEVER
from tallylight.telephony.rtp.ports import DEFAULT_PORTS, PortPairs

TICK_MS = 10

TURNS = 40
"""In each tick one leg in so many is looked after: its voice handed on, its reports sent. Each leg's turn comes every
400 ms."""

ROUNDS = 16
"""Most packets taken from a socket in a hurry in a tick: 1,600 a second, thirty times a call's."""

PATIENT_TICKS = 7
"""In one tick of so many the ports in no hurry are drained. No multiple of a stream's 20 ms: so the least delay of its
packets, by which `capture.timeline` corrects the sender's clock, shows in every few drainings as it does in ticks."""

AT_ONCE = 4
"""Packets taken from a socket in no hurry in a round, as many as a stream of 20 ms sends meanwhile."""

DATAGRAM_SIZE = 2048
"""Bytes of a datagram that are read; no Ethernet packet is longer."""

T = TypeVar("T")
_log = logging.getLogger(__name__)


class MediaEngine:
    """Opens legs and moves their packets. Everything happens on the thread that calls `tick`.

    `bind` is the local address; `advertise` the one SDP names where that differs (0.0.0.0, NAT)."""

    def __init__(
        self,
        *,
        clock: Clock,
        bind: str = "127.0.0.1",
        advertise: str | None = None,
        ports: tuple[int, int] = DEFAULT_PORTS,
        network: MediaNetwork | None = None,
        random_bytes: Callable[[int], bytes] = os.urandom,
    ) -> None:
        self._clock = clock
        self._bind = bind
        self._advertise = advertise or bind
        self._network = network if network is not None else UdpNetwork()
        self._random = random_bytes
        first, last = ports
        self._pairs = PortPairs(first, last, skip=int.from_bytes(random_bytes(4), "big") % max(1, (last - first) // 2))
        self._legs: dict[RtpLeg, int] = {}
        self._turns: list[set[RtpLeg]] = [set() for _ in range(TURNS)]
        self._turn = 0
        self._patience = 0
        """Ticks since the ports in no hurry were drained."""
        self._agenda: list[tuple[int, int, RtpLeg]] = []
        """When which leg may have something to send, soonest first; the number only keeps legs from being compared."""
        self._paced: dict[RtpLeg, int] = {}
        """The entry of the agenda that counts for a leg: at its `due_ms` or sooner. Others are left over."""
        self._entries = itertools.count()
        self._handlers: dict[int, tuple[Callable[[int], object], Callable[..., None], RtpLeg]] = {}
        self._timer: Timer | None = None
        self._due_ns = 0
        self._started = False
        self._stopped = False
        self.datagram_size = DATAGRAM_SIZE
        self.faults = 0
        """Exceptions in the handling of a packet or a prompt; each is logged, and the call goes on."""
        self.worst_lag_ms = 0
        """The longest a tick came after its instant."""

    @property
    def legs(self) -> int:
        """Legs open now."""
        return len(self._legs)

    @property
    def free_pairs(self) -> int:
        """Pairs of ports left."""
        return self._pairs.free

    def start(self) -> None:
        """Tick each 10 ms from now on, on the clock's loop, while there are legs."""
        self._started = True
        if self._timer is None and self._legs:
            self._schedule()

    def stop(self) -> None:
        """Tick no more and close every leg."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._started = False
        self._stopped = True
        for leg in list(self._legs):
            leg.close()
        self._network.close()

    def open_leg(self, anchor_ns: int | None = None) -> RtpLeg:
        """A leg on a fresh pair of ports. `anchor_ns` is the conversation's start on the clock's monotonic time, now if
        not yet known (`RtpLeg.anchor` sets it later). Raises `PortsExhausted`."""
        port, voice, reports = self._pairs.open(self._network, self._bind)
        anchor_ms = self.now_ms() if anchor_ns is None else anchor_ns // 1_000_000
        leg = RtpLeg(
            host=self,
            address=(self._advertise, port),
            voice=voice,
            reports=reports,
            anchor_ms=anchor_ms,
            random_bytes=self._random,
        )
        self._legs[leg] = port
        min(self._turns, key=len).add(leg)
        if self._started:
            self.start()
        return leg

    def tick(self) -> None:
        """Receive what has arrived, then send what is due."""
        now_ms = self.now_ms()
        self._drain(now_ms, hurried=True)
        self._patience += 1
        if self._patience >= PATIENT_TICKS:
            self._patience = 0
            self._drain(now_ms, hurried=False)
        self._send(now_ms)
        self._turn = (self._turn + 1) % TURNS
        for leg in tuple(self._turns[self._turn]):
            try:
                leg.look_after(now_ms)
            except Exception:
                self._fault(leg)

    # What a leg asks for

    def now_ms(self) -> int:
        return self._clock.monotonic_ns() // 1_000_000

    def wall_ms(self) -> int:
        return self._clock.wall_ms()

    def watch(
        self, leg: RtpLeg, port: DatagramSocket, receive: Callable[[int], T], accept: Callable[[T, int], None]
    ) -> None:
        self._handlers[port.fileno()] = (receive, accept, leg)

    def pace(self, leg: RtpLeg) -> None:
        due_ms = leg.outgoing.due_ms
        if due_ms < self._paced.get(leg, NEVER):
            self._paced[leg] = due_ms
            heapq.heappush(self._agenda, (due_ms, next(self._entries), leg))

    def release(self, leg: RtpLeg, *ports: DatagramSocket) -> None:
        for port in ports:
            self._handlers.pop(port.fileno(), None)
        for turn in self._turns:
            turn.discard(leg)
        self._paced.pop(leg, None)
        pair = self._legs.pop(leg, None)
        if pair is not None:
            self._pairs.give_back(pair)

    def _drain(self, now_ms: int, *, hurried: bool) -> None:
        handlers = self._handlers
        poll = self._network.poll
        size = self.datagram_size
        at_once = range(1 if hurried else AT_ONCE)
        for _ in range(ROUNDS):
            waiting = () if self._stopped else poll(hurried)
            if not waiting:
                return
            for number, _flags in waiting:
                handler = handlers.get(number)
                if handler is None:
                    continue  # closed by what another packet of this round did
                receive, accept, leg = handler
                for turn in at_once:
                    if turn and handlers.get(number) is not handler:
                        break  # closed, or taken otherwise from now on, by the packet before
                    try:
                        data = receive(size)
                    except BlockingIOError:
                        break
                    except OSError:
                        leg.port_failed()
                        break
                    try:
                        accept(data, now_ms)
                    except Exception:
                        self._fault(leg)

    def _send(self, now_ms: int) -> None:
        """Whatever is due, once for each leg."""
        due: list[RtpLeg] = []
        while self._agenda and self._agenda[0][0] <= now_ms:
            at_ms, _, leg = heapq.heappop(self._agenda)
            if self._paced.get(leg) == at_ms:
                del self._paced[leg]
                due.append(leg)
        for leg in due:
            if leg.outgoing.due_ms <= now_ms:
                try:
                    leg.outgoing.pace(now_ms)
                except Exception:
                    self._fault(leg)
            self.pace(leg)

    def _fault(self, leg: RtpLeg) -> None:
        self.faults += 1
        if self.faults <= 10 or self.faults % 1000 == 0:
            _log.exception("A packet of the leg on port %d could not be handled; the call goes on.", leg.address[1])

    def _schedule(self) -> None:
        """The next whole multiple of a tick on the clock; instants that have gone by are left out."""
        tick_ns = TICK_MS * 1_000_000
        now_ns = self._clock.monotonic_ns()
        self._due_ns = (now_ns // tick_ns + 1) * tick_ns
        self._timer = self._clock.call_later((self._due_ns - now_ns) / 1e9, self._run)

    def _run(self) -> None:
        lag_ms = (self._clock.monotonic_ns() - self._due_ns) // 1_000_000
        self.worst_lag_ms = max(self.worst_lag_ms, lag_ms)
        try:
            self.tick()
        finally:
            self._timer = None
            if self._started and self._legs:
                self._schedule()
