"""What really went over the loopback, with the kernel's time of each datagram: the judge between a peer and the house.

Needs root (a packet socket). Only what goes to or from one block of ports is looked at. On the loopback a SIP message
over TCP is one segment, so that segments are read like datagrams.
"""

import ctypes
import re
import socket
import struct
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Self

from tests.peers.ports import SIZE, Ports
from tests.peers.sound import RATE, Samples, decode, silence

ETH_P_IP = 0x0800
PACKET_HOST = 0
SO_ATTACH_FILTER, SO_TIMESTAMPNS, SO_RCVBUFFORCE = 26, 35, 33
HEAD = 14
EVENTS = "0123456789*#ABCD"


@dataclass(frozen=True, kw_only=True)
class Datagram:
    """One UDP datagram or TCP segment. `at_ns`: the kernel's wall clock as it arrived."""

    at_ns: int
    source: int
    target: int
    payload: bytes


@dataclass(frozen=True, kw_only=True)
class Rtp:
    """One RTP packet."""

    at_ns: int
    payload_type: int
    marker: bool
    sequence: int
    timestamp: int
    ssrc: int
    payload: bytes


@dataclass(frozen=True, kw_only=True)
class Leg:
    """One side of a call, found by the caller's user part: our RTP port, and when its INVITE was answered with 200."""

    call_id: str
    port: int
    """The house's own."""
    ok_ns: int


class Wire:
    """Listens from `__enter__` on."""

    def __init__(self, ports: Ports) -> None:
        self._house = ports.sip(0)
        self._datagrams: list[Datagram] = []
        self._socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_IP))
        self._socket.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 16 << 20)
        self._socket.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
        _filter(self._socket, ports.first, ports.first + SIZE - 1)
        self._socket.bind(("lo", ETH_P_IP))
        self._socket.settimeout(0.2)
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._listen, name="wire", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._stopping.set()
        self._thread.join()
        self._socket.close()

    def _listen(self) -> None:
        while not self._stopping.is_set():
            try:
                data, extra, _, address = self._socket.recvmsg(65_535, 64)
            except TimeoutError:
                continue
            if address[2] != PACKET_HOST:
                continue  # the same datagram on its way out
            seconds, nanoseconds = struct.unpack("@qq", extra[0][2][:16])
            start = HEAD + (data[HEAD] & 15) * 4
            source, target = struct.unpack_from("!HH", data, start)
            head = 8 if data[HEAD + 9] == socket.IPPROTO_UDP else (data[start + 12] >> 4) * 4
            payload = data[start + head : HEAD + int.from_bytes(data[HEAD + 2 : HEAD + 4], "big")]
            at_ns = seconds * 1_000_000_000 + nanoseconds
            self._datagrams.append(Datagram(at_ns=at_ns, source=source, target=target, payload=payload))

    # -- what was said ------------------------------------------------------------------------------------------------

    def datagrams(self, wanted: Callable[[Datagram], bool]) -> list[Datagram]:
        """Those so far that fit, in order."""
        return [datagram for datagram in tuple(self._datagrams) if wanted(datagram)]

    def messages(self, pattern: bytes) -> list[Datagram]:
        """SIP messages with this regular expression in them."""
        found = re.compile(pattern, re.DOTALL)
        return self.datagrams(lambda datagram: b"SIP/2.0" in datagram.payload and bool(found.search(datagram.payload)))

    def caller(self, user: str) -> Leg:
        """The leg of the caller who calls as `user`: the house answered its INVITE."""
        invite = self.invites(user, to_house=True)[0]
        call_id = _header(invite.payload, b"Call-ID")
        answer = self._answer(call_id)
        return Leg(call_id=call_id.decode(), port=_media_port(answer.payload), ok_ns=answer.at_ns)

    def agent(self, user: str) -> Leg:
        """The leg on which the house called an agent in this caller's name."""
        invite = self.invites(user, to_house=False)[0]
        call_id = _header(invite.payload, b"Call-ID")
        return Leg(call_id=call_id.decode(), port=_media_port(invite.payload), ok_ns=self._answer(call_id).at_ns)

    def invites(self, user: str, *, to_house: bool) -> list[Datagram]:
        """The INVITEs in this user's name: the user's own, or the house's to an agent."""
        found = self.messages(rb"^INVITE [^\n]*\r\n(?:[^\n]+\n)*?From:[^\n]*sip:" + re.escape(user).encode() + rb"@")
        return [invite for invite in found if (invite.target == self._house) is to_house]

    def _answer(self, call_id: bytes) -> Datagram:
        found = self.messages(rb"^SIP/2.0 200 .*" + re.escape(call_id))
        return next(answer for answer in found if b"INVITE" in _header(answer.payload, b"CSeq"))

    def to_house(self, leg: Leg) -> list[Rtp]:
        """The RTP that the party sent."""
        return _rtp(self.datagrams(lambda datagram: datagram.target == leg.port))

    def from_house(self, leg: Leg) -> list[Rtp]:
        """The RTP that the party was sent."""
        return _rtp(self.datagrams(lambda datagram: datagram.source == leg.port))


def voice(packets: list[Rtp], since_ns: int) -> Samples:
    """What the voice packets sound like, each where it came in time: sample 0 is `since_ns`."""
    sounds = [packet for packet in packets if packet.payload_type in (0, 8)]
    if not sounds:
        return silence(0)
    # By the timestamps of each stretch, so that the jitter of a busy machine does not tear the sound apart.
    heard = silence((sounds[-1].at_ns - since_ns) / 1e9 + 1)
    base = sounds[0]
    for packet in sounds:
        expected_ns = base.at_ns + _samples(packet.timestamp, base.timestamp) * 1_000_000_000 // RATE
        if abs(packet.at_ns - expected_ns) > 300_000_000 or packet.ssrc != base.ssrc:
            base, expected_ns = packet, packet.at_ns
        at = (expected_ns - since_ns) * RATE // 1_000_000_000
        samples = decode(packet.payload, packet.payload_type)
        if 0 <= at <= len(heard) - len(samples):
            heard[at : at + len(samples)] = samples
    return heard


def keys(packets: list[Rtp]) -> str:
    """The keys among the packets (RFC 4733), each once."""
    events = {packet.timestamp: EVENTS[packet.payload[0]] for packet in packets if packet.payload_type == 101}
    return "".join(events.values())


def _samples(timestamp: int, base: int) -> int:
    step = (timestamp - base) & 0xFFFFFFFF
    return step - (1 << 32) if step >= 1 << 31 else step


def _rtp(datagrams: list[Datagram]) -> list[Rtp]:
    packets = []
    for datagram in datagrams:
        if len(datagram.payload) < 12 or datagram.payload[0] >> 6 != 2:
            continue
        _, kind, sequence, timestamp, ssrc = struct.unpack_from("!BBHII", datagram.payload)
        packets.append(
            Rtp(
                at_ns=datagram.at_ns,
                payload_type=kind & 127,
                marker=kind >= 128,
                sequence=sequence,
                timestamp=timestamp,
                ssrc=ssrc,
                payload=datagram.payload[12:],
            )
        )
    return packets


def _header(message: bytes, name: bytes) -> bytes:
    found = re.search(rb"^" + name + rb":\s*([^\r\n]*)", message, re.MULTILINE | re.IGNORECASE)
    assert found is not None, message
    return found[1].strip()


def _media_port(message: bytes) -> int:
    found = re.search(rb"^m=audio (\d+)", message, re.MULTILINE)
    assert found is not None, message
    return int(found[1])


def _filter(sock: socket.socket, first: int, last: int) -> None:
    """Let the kernel drop everything but UDP and TCP from or to the ports first..last (classic BPF)."""
    program = (
        (0x28, 0, 0, 12),  # ldh [12]: the Ethernet type
        (0x15, 0, 11, ETH_P_IP),
        (0x30, 0, 0, 23),  # ldb [23]: the IP protocol
        (0x15, 1, 0, socket.IPPROTO_UDP),
        (0x15, 0, 8, socket.IPPROTO_TCP),
        (0xB1, 0, 0, HEAD),  # ldxb 4*([14]&0xf): the length of the IP header
        (0x48, 0, 0, HEAD),  # ldh [x+14]: the source port
        (0x35, 0, 1, first),
        (0x25, 0, 3, last),
        (0x48, 0, 0, HEAD + 2),  # ldh [x+16]: the target port
        (0x35, 0, 2, first),
        (0x25, 1, 0, last),
        (0x06, 0, 0, 65_535),
        (0x06, 0, 0, 0),
    )
    code = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *step) for step in program))
    sock.setsockopt(socket.SOL_SOCKET, SO_ATTACH_FILTER, struct.pack("HL", len(program), ctypes.addressof(code)))
