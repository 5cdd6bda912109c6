"""The chunk frame: a stretch of one track's media time, the decision it stands under, and the payload as received.

Wire format, big-endian, 32 bytes and the payload:

    start_ms u32 | duration_ms u32 | media u8 | source u8 | kind u8 | zero u8 | decision 16 B | length u32 | payload

The live log, the sealed object and (later) the browser's upload carry the same frames, one after the other.
"""

import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import IntEnum

from tallylight.ids import DecisionId
from tallylight.vault.errors import FrameError

HEADER = struct.Struct(">IIBBBB16sI")
MAX_PAYLOAD = 1 << 20
"""Bytes; a second of G.711 is 8,000."""
MAX_MS = (1 << 32) - 1

SOURCE_PARTY = 0
"""The voice of the party whose track it is."""
SOURCE_OURS = 1
"""Our own prompt."""


class MediaType(IntEnum):
    """What the payload is: an RTP static payload type (RFC 3551 section 6), or none."""

    PCMU = 0
    PCMA = 8
    NONE = 255


class FrameKind(IntEnum):
    """Why there is, or is not, sound."""

    MEDIA = 0
    GAP = 1
    """Nothing arrived, or it was dropped."""
    CLOSED = 2
    """The gate was shut."""
    HOLD = 3


@dataclass(frozen=True, kw_only=True, slots=True)
class Frame:
    """Media time [start_ms, start_ms + duration_ms) of one track, in ms since the conversation's start."""

    start_ms: int
    duration_ms: int
    media: MediaType
    source: int = SOURCE_PARTY
    kind: FrameKind = FrameKind.MEDIA
    decision: DecisionId
    payload: bytes = b""

    @property
    def end_ms(self) -> int:
        return self.start_ms + self.duration_ms


_MEDIA = {int(media): media for media in MediaType}
_KINDS = {int(kind): kind for kind in FrameKind}


def serialise(frame: Frame) -> bytes:
    """The bytes of one frame. Raises FrameError where a field does not fit."""
    try:
        decision = bytes.fromhex(frame.decision.replace("-", ""))
        header = HEADER.pack(
            frame.start_ms, frame.duration_ms, frame.media, frame.source, frame.kind, 0, decision, len(frame.payload)
        )
    except (struct.error, ValueError) as error:
        raise FrameError(
            f"A frame at {frame.start_ms} ms does not fit the format ({error}): do not store it."
        ) from error
    _check(frame.end_ms, frame.media, frame.source, frame.kind, len(frame.payload), len(decision))
    return header + frame.payload


def serialise_all(frames: Iterable[Frame]) -> bytes:
    """Frames one after the other."""
    return b"".join([serialise(frame) for frame in frames])


def parse(data: bytes, offset: int = 0) -> tuple[Frame, int]:
    """The frame at `offset` and the offset behind it. Raises FrameError."""
    if len(data) - offset < HEADER.size:
        raise FrameError(f"The frame at byte {offset} is cut off in its header: treat the rest as lost.")
    start_ms, duration_ms, media, source, kind, zero, decision, length = HEADER.unpack_from(data, offset)
    if media not in _MEDIA or kind not in _KINDS or zero:
        raise FrameError(
            f"The frame at byte {offset} is of an unknown media type or kind: read it with a newer version."
        )
    _check(start_ms + duration_ms, media, source, kind, length, len(decision))
    begin = offset + HEADER.size
    if len(data) - begin < length:
        raise FrameError(f"The frame at byte {offset} is cut off in its payload: treat the rest as lost.")
    digits = decision.hex()
    frame = Frame(
        start_ms=start_ms,
        duration_ms=duration_ms,
        media=_MEDIA[media],
        source=source,
        kind=_KINDS[kind],
        decision=DecisionId(f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"),
        payload=bytes(data[begin : begin + length]),
    )
    return frame, begin + length


def parse_all(data: bytes) -> list[Frame]:
    """Every frame of `data`, which must end with one. Raises FrameError."""
    frames = []
    offset = 0
    while offset < len(data):
        frame, offset = parse(data, offset)
        frames.append(frame)
    return frames


def parse_stream(pieces: Iterable[bytes]) -> Iterator[Frame]:
    """Frames of a stream cut anywhere. Raises FrameError where it ends inside a frame."""
    rest = b""
    for piece in pieces:
        data = rest + piece
        offset = 0
        while len(data) - offset >= HEADER.size:
            length = HEADER.unpack_from(data, offset)[-1]
            if length <= MAX_PAYLOAD and len(data) - offset - HEADER.size < length:
                break
            frame, offset = parse(data, offset)
            yield frame
        rest = data[offset:]
    if rest:
        parse(rest)


def _check(end_ms: int, media: int, source: int, kind: int, length: int, decision_length: int) -> None:
    if end_ms > MAX_MS:
        raise FrameError(f"A frame ends at {end_ms} ms, after the end of media time: check where its start comes from.")
    if source not in (SOURCE_PARTY, SOURCE_OURS):
        raise FrameError(f"A frame names source {source}: only 0 (the party) and 1 (ours) exist.")
    if length > MAX_PAYLOAD:
        raise FrameError(f"A frame's payload of {length} bytes is longer than {MAX_PAYLOAD}: cut it into chunks.")
    if decision_length != 16:
        raise FrameError("A frame's decision id is not a UUID: nothing is stored without a decision.")
    if (kind == FrameKind.MEDIA) != (media != MediaType.NONE) or (kind != FrameKind.MEDIA and length):
        raise FrameError("A frame is either media with a media type, or has neither media type nor payload.")
