"""Fuzz target: a stream of telephone events never raises and presses only keys. Byte 0 cuts the rest into packets."""

from tallylight.telephony.rtp.digits import KEYS, EventReceiver


def fuzz_one(data: bytes) -> None:
    receiver = EventReceiver()
    size = data[0] % 9 + 1 if data else 1
    for index in range(1, len(data), size):
        marker = data[index] >= 0x80
        for pressed in receiver.feed(data[index : index + size], index * data[0] & 0xFFFFFFFF, marker=marker):
            assert pressed.key in KEYS
