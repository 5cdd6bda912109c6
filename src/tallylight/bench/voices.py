"""The load of voices: `python -m tallylight.bench.voices` sends RTP to many ports, one packet each 20 ms, evenly spread.

A program of its own, so that its CPU is not the CPU of what is measured. Packets leave in batches with sendmmsg(2), and
what comes back is read with recvmmsg(2). Orders come as JSON lines on stdin, answers as JSON lines on stdout.
"""

import ctypes
import json
import os
import random
import socket
import struct
import sys
import time
from array import array
from collections.abc import Sequence
from math import exp, pi, sin

from tallylight.telephony.rtp.g711 import encode
from tallylight.telephony.rtp.negotiated import Codec

LOOPBACK = "127.0.0.1"
SLOTS = 20
"""Every leg speaks in one of these milliseconds, and again 20 ms later."""
SAMPLES = 160
LAST_ECHO_S = 0.05
_BATCH = 512
_DATAGRAM = 2048
_RECEIVE_BUFFER = 4 << 20
_SO_RCVBUFFORCE = 33

_libc = ctypes.CDLL(None, use_errno=True)


class _Piece(ctypes.Structure):
    _fields_ = (("base", ctypes.c_void_p), ("length", ctypes.c_size_t))


class _Header(ctypes.Structure):
    """struct msghdr"""

    _fields_ = (
        ("name", ctypes.c_void_p),
        ("name_length", ctypes.c_uint32),
        ("pieces", ctypes.c_void_p),
        ("piece_count", ctypes.c_size_t),
        ("control", ctypes.c_void_p),
        ("control_length", ctypes.c_size_t),
        ("flags", ctypes.c_int),
    )


class _Message(ctypes.Structure):
    """struct mmsghdr"""

    _fields_ = (("header", _Header), ("moved", ctypes.c_uint32))


def speech(seconds: float = 8.0, seed: int = 1) -> bytes:
    """Something a voice detector takes for talk, with pauses: voiced syllables at random pitch, in µ-law at 8 kHz."""
    chance = random.Random(seed)
    samples = array("h")
    while len(samples) < seconds * 8000:
        pitch, length = chance.uniform(90, 220), int(chance.uniform(0.12, 0.3) * 8000)
        formant = chance.uniform(400, 900)
        for n in range(length):
            shape = sin(pi * n / length)
            voice = sum(
                sin(2 * pi * pitch * k * n / 8000) * exp(-(((pitch * k - formant) / 350) ** 2)) for k in range(1, 9)
            )
            samples.append(int(max(-32000, min(32000, 6000 * shape * voice + chance.gauss(0, 40)))))
        if chance.random() < 0.25:
            samples.extend(int(chance.gauss(0, 20)) for _ in range(int(chance.uniform(0.2, 0.8) * 8000)))
    return encode(Codec.PCMU, samples[: int(seconds * 8000)].tobytes())


class _Slot:
    """All legs that speak in the same millisecond, behind one socket: one header and one sound for all of them."""

    def __init__(self) -> None:
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind((LOOPBACK, 0))
        self.socket.setblocking(False)
        try:
            self.socket.setsockopt(socket.SOL_SOCKET, _SO_RCVBUFFORCE, _RECEIVE_BUFFER)
        except OSError:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _RECEIVE_BUFFER)
        self.port: int = self.socket.getsockname()[1]
        self._head = bytearray(8)
        self._sound = bytearray(SAMPLES)
        self._kept: list[object] = []
        self._messages: ctypes.Array[_Message] = (_Message * 0)()

    def aim(self, ports: Sequence[int]) -> None:
        """Speak to these ports, to each under a source of its own."""
        if not ports:
            self._messages = (_Message * 0)()
            return
        messages = (_Message * len(ports))()
        pieces = (_Piece * (3 * len(ports)))()
        sources = bytearray(os.urandom(4 * len(ports)))
        targets = bytearray().join(
            struct.pack("=HH", socket.AF_INET, socket.htons(port)) + socket.inet_aton(LOOPBACK) + bytes(8)
            for port in ports
        )
        head, sound = _address(self._head), _address(self._sound)
        source, target = _address(sources), _address(targets)
        for index in range(len(ports)):
            first = 3 * index
            pieces[first] = _Piece(head, 8)
            pieces[first + 1] = _Piece(source + 4 * index, 4)
            pieces[first + 2] = _Piece(sound, SAMPLES)
            header = messages[index].header
            header.name, header.name_length = target + 16 * index, 16
            header.pieces = ctypes.addressof(pieces) + first * ctypes.sizeof(_Piece)
            header.piece_count = 3
        self._messages = messages
        self._kept = [pieces, sources, targets]

    def speak(self, sequence: int, timestamp: int, sound: bytes) -> int:
        """One packet to each leg. Returns how many left."""
        struct.pack_into(">BBHI", self._head, 0, 0x80, 0, sequence & 0xFFFF, timestamp & 0xFFFFFFFF)
        self._sound[:] = sound
        count, size = len(self._messages), ctypes.sizeof(_Message)
        sent: int = 0
        while sent < count:
            batch = ctypes.byref(self._messages, sent * size)
            # Refused by the kernel, as after an ICMP error: the next one.
            sent += max(1, int(_libc.sendmmsg(self.socket.fileno(), batch, min(_BATCH, count - sent), 0)))
        return sent


class _Drain:
    """Reads and forgets what comes back."""

    def __init__(self) -> None:
        self._scratch = bytearray(_DATAGRAM)
        self._pieces = (_Piece * _BATCH)()
        self._messages = (_Message * _BATCH)()
        for index in range(_BATCH):
            self._pieces[index] = _Piece(_address(self._scratch), _DATAGRAM)
            self._messages[index].header.pieces = ctypes.addressof(self._pieces) + index * ctypes.sizeof(_Piece)
            self._messages[index].header.piece_count = 1

    def read(self, port: socket.socket) -> int:
        """How many datagrams were waiting."""
        total = 0
        while True:
            moved: int = _libc.recvmmsg(port.fileno(), self._messages, _BATCH, socket.MSG_DONTWAIT, None)
            if moved <= 0:
                return total
            total += moved
            if moved < _BATCH:
                return total


def _address(buffer: bytearray) -> int:
    address: int = ctypes.addressof(ctypes.c_char.from_buffer(buffer))
    return address


class Voices:
    """Every leg that is spoken to, one millisecond's worth after the other."""

    def __init__(self) -> None:
        self._slots = [_Slot() for _ in range(SLOTS)]
        self._reports = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._reports.bind((LOOPBACK, 0))
        self._drain = _Drain()
        self._sound = speech()
        self._said = self._sequence = self._timestamp = 0

    def addresses(self) -> dict[str, object]:
        """Where the voices come from, and where reports may go."""
        return {"ports": [slot.port for slot in self._slots], "reports": self._reports.getsockname()[1]}

    def aim(self, ports: Sequence[int]) -> None:
        """Speak to these ports, in streams of their own."""
        for index, slot in enumerate(self._slots):
            slot.aim(ports[index::SLOTS])
        self._said, self._sequence, self._timestamp = 0, random.randrange(1 << 16), random.randrange(1 << 32)

    def speak(self, seconds: float) -> dict[str, object]:
        """Speak for so long. Where this program was late it catches up, and says how late it was at worst."""
        sent = heard = late_ms = 0
        began = time.monotonic()
        for millisecond in range(round(seconds * 1000)):
            wait = began + millisecond / 1000 - time.monotonic()
            if wait > 0:
                time.sleep(wait)
            else:
                late_ms = max(late_ms, round(-wait * 1000))
            turn, index = divmod(self._said, SLOTS)
            begin = turn * SAMPLES % len(self._sound)
            slot = self._slots[index]
            sent += slot.speak(
                self._sequence + turn, self._timestamp + turn * SAMPLES, self._sound[begin : begin + SAMPLES]
            )
            heard += self._drain.read(slot.socket)
            self._said += 1
            if millisecond % 100 == 0:
                self._drain.read(self._reports)
        time.sleep(LAST_ECHO_S)
        heard += sum(self._drain.read(slot.socket) for slot in self._slots)
        return {"sent": sent, "heard": heard, "late_ms": late_ms}


def main() -> None:
    """Obey orders until stdin ends: {"ports": [...]}, then {"seconds": n}."""
    voices = Voices()
    _say(voices.addresses())
    for line in sys.stdin:
        order = json.loads(line)
        if "ports" in order:
            voices.aim(order["ports"])
            _say({"aimed": len(order["ports"])})
        else:
            _say(voices.speak(order["seconds"]))


def _say(answer: dict[str, object]) -> None:
    sys.stdout.write(json.dumps(answer) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
