"""A capture file of what a phone would send, for sipp to replay: one RTP stream, continuous over speech and keys."""

import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.peers.sound import RATE, Samples, encode

EVENTS = "0123456789*#ABCD"
EVENT_TYPE = 101
COMFORT_NOISE = 13
GLOBAL_HEADER = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1)

Put = Callable[[int, int, int, bytes], None]


@dataclass(frozen=True, kw_only=True)
class Press:
    """A key, pressed at this time of the stream for 100 ms (RFC 4733)."""

    at_ms: int
    key: str


def stream(
    voice: Samples,
    *,
    presses: Sequence[Press] = (),
    payload_type: int = 0,
    ptime_ms: int = 20,
    ssrc: int = 0x7A11,
    quiet: tuple[int, int] | None = None,
) -> list[tuple[int, bytes]]:
    """RTP packets with the ms at which each is sent: the voice, keys in its place while they are pressed.

    `quiet` (from ms, until ms): nothing is sent there but comfort noise (RFC 3389) every 100 ms, as phones do that
    detect silence.
    """
    packets: list[tuple[int, bytes]] = []
    sequence = 17
    samples = ptime_ms * RATE // 1000
    coded = encode(voice, payload_type)
    keys = sorted(presses, key=lambda press: press.at_ms)
    marker = 0x80
    busy_until = 0

    def put(at_ms: int, kind: int, timestamp: int, payload: bytes) -> None:
        nonlocal sequence
        packets.append((at_ms, struct.pack("!BBHII", 0x80, kind, sequence & 0xFFFF, timestamp, ssrc) + payload))
        sequence += 1

    for at in range(0, len(coded), samples):
        at_ms = at * 1000 // RATE
        if keys and keys[0].at_ms <= at_ms and at_ms >= busy_until:
            _press(put, keys.pop(0).key, at_ms, 4000 + at, ptime_ms)
            busy_until, marker = at_ms + 120, 0x80
        if at_ms < busy_until:
            continue
        if quiet is not None and quiet[0] <= at_ms < quiet[1]:
            if (at_ms - quiet[0]) % 100 < ptime_ms:
                put(at_ms, COMFORT_NOISE, 4000 + at, b"\x40")
            marker = 0x80
            continue
        payload = coded[at : at + samples]
        if len(payload) == samples:
            put(at_ms, marker | payload_type, 4000 + at, payload)
            marker = 0
    assert not keys, "a key comes after the end of the voice"
    return packets


def _press(put: Put, key: str, at_ms: int, timestamp: int, ptime_ms: int) -> None:
    event = EVENTS.index(key)
    step = max(ptime_ms, 20)
    updates = max(1, 100 // step)
    for n in range(updates):
        put(
            at_ms + n * step,
            EVENT_TYPE | (0x80 if n == 0 else 0),
            timestamp,
            struct.pack("!BBH", event, 10, (n + 1) * step * 8),
        )
    for _ in range(3):
        put(at_ms + 100, EVENT_TYPE, timestamp, struct.pack("!BBH", event, 0x80 | 10, 800))


def write(path: Path, packets: Sequence[tuple[int, bytes]]) -> None:
    """The file. Addresses and ports in it are sipp's to set."""
    with path.open("wb") as file:
        file.write(GLOBAL_HEADER)
        for at_ms, rtp in packets:
            udp = struct.pack("!HHHH", 5000, 5002, 8 + len(rtp), 0) + rtp
            host = bytes((127, 0, 0, 1))
            ip = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(udp), 0, 0, 64, 17, 0, host, host) + udp
            frame = bytes(12) + b"\x08\x00" + ip
            file.write(struct.pack("<IIII", 1 + at_ms // 1000, at_ms % 1000 * 1000, len(frame), len(frame)) + frame)
