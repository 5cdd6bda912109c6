"""Fuzz target: any bytes are walked from end to end, every byte accounted for once, and never an exception."""

from tallylight.vault.errors import FrameError, RecordError
from tallylight.vault.record import Located, open_record, walk
from tests.vault.making import epoch, ring

_EPOCH = epoch(ring())


def fuzz_one(data: bytes) -> None:
    offset = 0
    for found in walk(data):
        assert found.offset == offset
        offset += found.header.size if isinstance(found, Located) else found.length
        try:
            open_record(_EPOCH, data, found.offset)
        except (RecordError, FrameError):
            continue
    assert offset == len(data)
