"""Fuzz target: any bytes are refused as an object with SealedError; no key of ours ever sealed them."""

from tallylight.vault.errors import SealedError
from tallylight.vault.sealed import SealedReader


def fuzz_one(data: bytes) -> None:
    try:
        reader = SealedReader(
            bytes(32), b"", len(data), lambda start, length: data[start : start + length], segment_bytes=128
        )
        list(reader.pieces())
    except SealedError:
        return
    raise AssertionError("bytes that nobody sealed were opened")
