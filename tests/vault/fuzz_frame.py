"""Fuzz target: any bytes are frames, or FrameError; what parses is written back as it was."""

from tallylight.vault.errors import FrameError
from tallylight.vault.frame import parse_all, parse_stream, serialise_all


def fuzz_one(data: bytes) -> None:
    try:
        frames = parse_all(data)
    except FrameError:
        frames = None
    pieces = [data[: len(data) // 3], data[len(data) // 3 :]]
    if frames is None:
        try:
            list(parse_stream(pieces))
        except FrameError:
            return
        raise AssertionError("parse_stream took what parse_all refuses")
    assert serialise_all(frames) == data
    assert list(parse_stream(pieces)) == frames
