"""Phones for these tests: real sockets on loopback, and an engine whose time is virtual."""

import contextlib
import itertools
import os
import socket
from collections.abc import Generator
from dataclasses import dataclass, field

from tallylight.clock import VirtualClock
from tallylight.telephony.rtp import rtcp
from tallylight.telephony.rtp.engine import TICK_MS, MediaEngine
from tallylight.telephony.rtp.leg import DigitSource, RtpLeg
from tallylight.telephony.rtp.negotiated import Address, Codec, Direction, Latch, Negotiated
from tallylight.telephony.rtp.packet import RtpPacket, parse, serialise

EVENT = 101


def port_range() -> tuple[int, int]:
    """Ports of this test process alone when tests run side by side."""
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0")[2:])
    return 40_000 + 400 * worker, 40_399 + 400 * worker


def sound(index: int, size: int = 160) -> bytes:
    """G.711 that tells which packet it was in."""
    return bytes([(index * 7 + 1) % 251]) * size


class Sink:
    """An AudioSink that remembers."""

    def __init__(self) -> None:
        self.heard: list[tuple[int, int, int, bytes]] = []

    def accept(self, start_ms: int, duration_ms: int, payload_type: int, payload: bytes) -> None:
        assert len(payload) == 8 * duration_ms
        # Packets may come joined; those made by `sound` are told from one another by their one byte.
        parts = [bytes(run) for _, run in itertools.groupby(payload)]
        for part in parts if all(len(part) % 8 == 0 for part in parts) else [payload]:
            self.heard.append((start_ms, len(part) // 8, payload_type, part))
            start_ms += len(part) // 8

    @property
    def starts(self) -> list[int]:
        return [start for start, _, _, _ in self.heard]

    @property
    def payloads(self) -> list[bytes]:
        return [payload for _, _, _, payload in self.heard]


class Phone:
    """One telephone's RTP port."""

    def __init__(self, host: str = "127.0.0.1", port: int = 0) -> None:
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        try:
            self.socket.bind((host, port))
        except OSError:
            self.socket.close()
            raise
        self.socket.setblocking(False)
        self.address: Address = self.socket.getsockname()
        self.ssrc = 0x1000 + self.address[1]
        self.sequence = 65_530
        self.timestamp = 0xFFFFFF00
        self.sources: list[Address] = []

    def packet(self, payload: bytes, *, payload_type: int = 0, step: int | None = None, marker: bool = False) -> bytes:
        """The stream's next packet. Sequence and timestamp start just below their wrap."""
        made = serialise(
            RtpPacket(
                payload_type=payload_type,
                sequence=self.sequence,
                timestamp=self.timestamp,
                ssrc=self.ssrc,
                payload=payload,
                marker=marker,
            )
        )
        self.sequence = (self.sequence + 1) & 0xFFFF
        self.timestamp = (self.timestamp + (len(payload) if step is None else step)) & 0xFFFFFFFF
        return made

    def send(self, leg: RtpLeg, payload: bytes, *, payload_type: int = 0, step: int | None = None) -> None:
        self.socket.sendto(self.packet(payload, payload_type=payload_type, step=step), leg.address)

    def send_raw(self, leg: RtpLeg, data: bytes) -> None:
        self.socket.sendto(data, leg.address)

    def receive(self) -> list[RtpPacket]:
        """Everything that has arrived."""
        packets = []
        with contextlib.suppress(BlockingIOError):
            while True:
                data, source = self.socket.recvfrom(2048)
                self.sources.append(source)
                packets.append(parse(data))
        return packets

    def reports(self) -> list[tuple[rtcp.Report, ...]]:
        """Every compound RTCP packet that has arrived."""
        compounds = []
        with contextlib.suppress(BlockingIOError):
            while True:
                compounds.append(rtcp.parse(self.socket.recv(2048)))
        return compounds

    def close(self) -> None:
        self.socket.close()


@dataclass
class House:
    """An engine in virtual time, and what its legs reported."""

    clock: VirtualClock = field(default_factory=VirtualClock)
    digits: list[tuple[str, int, DigitSource]] = field(default_factory=list)
    phones: list[Phone] = field(default_factory=list)
    legs: list[RtpLeg] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.clock.advance(5)
        self.engine = MediaEngine(clock=self.clock, ports=port_range())

    def phone(self, host: str = "127.0.0.1") -> Phone:
        made = Phone(host)
        self.phones.append(made)
        return made

    def pair(self) -> tuple[Phone, Phone]:
        """A phone's RTP port and the RTCP port after it."""
        while True:
            voice = self.phone()
            try:
                reports = Phone(port=voice.address[1] + 1)
            except OSError:
                continue
            self.phones.append(reports)
            return voice, reports

    def leg(
        self,
        phone: Phone,
        *,
        codec: Codec = Codec.PCMU,
        direction: Direction = Direction.SENDRECV,
        telephone_event: int | None = EVENT,
        ptime_ms: int = 20,
        latch: Latch = Latch.ADDRESS,
    ) -> RtpLeg:
        """A configured leg whose digits are collected."""
        leg = self.engine.open_leg()
        self.legs.append(leg)
        leg.on_digit = lambda key, start_ms, source: self.digits.append((key, start_ms, source))
        leg.configure(
            Negotiated(
                remote=phone.address,
                codec=codec,
                telephone_event=telephone_event,
                ptime_ms=ptime_ms,
                direction=direction,
                latch=latch,
            )
        )
        return leg

    def run(self, milliseconds: int) -> None:
        """Let time go by, tick by tick."""
        for _ in range(milliseconds // TICK_MS):
            self.clock.advance(TICK_MS / 1000)
            self.engine.tick()
        for leg in self.legs:
            leg.hand_over()


@contextlib.contextmanager
def opened() -> Generator[House]:
    """A house for one test."""
    house = House()
    try:
        yield house
        assert house.engine.faults == 0
    finally:
        house.engine.stop()
        for phone in house.phones:
            phone.close()
