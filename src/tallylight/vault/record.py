"""A record of the live log: about a second of one track's frames, sealed. Pure: bytes in, bytes out.

Wire format, big-endian:

    magic "TLR" 0x01 | body length u32 | track 16 B | epoch 16 B | index u32 | start_ms u32 | end_ms u32 |
    party_ms u32 | ours_ms u32 | prefix 7 B | flags u8 | crc32 u32 | body

The body is AES-256-GCM over the frames, tag last, under the epoch's key. Nonce = prefix | index | flags, as in STREAM
(Hoang, Reyhanitabar, Rogaway, Vizar 2015). Everything before the crc is associated data. The crc, over header and
body, only tells a torn or rotten record from a forged one; the tag is the authority. `party_ms` and `ours_ms` are the
media ms of each source, in clear, so that a restart can say what is durable before any key is opened.
"""

import os
import struct
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from cryptography.exceptions import InvalidTag

from tallylight.ids import EpochId, TrackId, id_bytes, id_text
from tallylight.vault.errors import RecordError
from tallylight.vault.frame import SOURCE_PARTY, Frame, FrameKind, parse_all, serialise_all
from tallylight.vault.keys import Epoch

MAGIC = b"TLR\x01"
HEADER = struct.Struct(">4sI16s16sIIIII7sBI")
AUTHENTIC = HEADER.size - 4
"""How much of the header is associated data: all but the crc."""
TAG_BYTES = 16
MAX_BODY = 2 << 20
PREFIX_BYTES = 7
FLAG_LAST = 1
_NONCE = struct.Struct(">7sIB")


@dataclass(frozen=True, kw_only=True, slots=True)
class RecordHeader:
    """What a record says in clear. Times in media ms."""

    track: TrackId
    epoch: EpochId
    index: int
    start_ms: int
    end_ms: int
    party_ms: int
    ours_ms: int
    prefix: bytes
    last: bool
    body_length: int

    @property
    def size(self) -> int:
        """Bytes of the whole record."""
        return HEADER.size + self.body_length


@dataclass(frozen=True, kw_only=True, slots=True)
class Located:
    """A whole record and where it lies."""

    offset: int
    header: RecordHeader


@dataclass(frozen=True, kw_only=True, slots=True)
class Damaged:
    """Bytes that are no whole record: a torn tail where nothing whole follows, rot where something does."""

    offset: int
    length: int
    torn_tail: bool


class RecordStream:
    """Seals the records of one epoch. The prefix is drawn here, and never written down to be resumed: whoever opens
    the same epoch again, by mistake or after a crash, seals under other nonces.
    """

    __slots__ = ("_epoch", "_epoch_bytes", "_index", "_prefix", "_track_bytes")

    def __init__(self, epoch: Epoch, entropy: Callable[[int], bytes] = os.urandom) -> None:
        self._epoch = epoch
        self._track_bytes = id_bytes(epoch.track)
        self._epoch_bytes = id_bytes(epoch.id)
        self._prefix = entropy(PREFIX_BYTES)
        self._index = 0

    def seal(self, frames: Sequence[Frame], *, last: bool = False) -> tuple[bytes, RecordHeader]:
        """The bytes of the next record. Raises FrameError, KeyForgottenError; then the index is not used up."""
        cipher = self._epoch.cipher
        plain = serialise_all(frames)
        start_ms = min([frame.start_ms for frame in frames], default=0)
        end_ms = max([frame.end_ms for frame in frames], default=0)
        party_ms = ours_ms = 0
        for frame in frames:
            if frame.kind is FrameKind.MEDIA:
                if frame.source == SOURCE_PARTY:
                    party_ms += frame.duration_ms
                else:
                    ours_ms += frame.duration_ms
        body_length = len(plain) + TAG_BYTES
        if body_length > MAX_BODY:
            raise RecordError(f"A record of {body_length} bytes is longer than {MAX_BODY}: hand over fewer frames.")
        flags = FLAG_LAST if last else 0
        index = self._index
        try:
            header = HEADER.pack(
                MAGIC, body_length, self._track_bytes, self._epoch_bytes, index,
                start_ms, end_ms, party_ms, ours_ms, self._prefix, flags, 0,
            )[:AUTHENTIC]  # fmt: skip
        except struct.error as error:
            raise RecordError(f"The frames of a record do not fit it ({error}): check their times.") from error
        self._index = index + 1
        body = cipher.encrypt(_NONCE.pack(self._prefix, index, flags), plain, header)
        crc = zlib.crc32(body, zlib.crc32(header))
        described = RecordHeader(
            track=self._epoch.track,
            epoch=self._epoch.id,
            index=index,
            start_ms=start_ms,
            end_ms=end_ms,
            party_ms=party_ms,
            ours_ms=ours_ms,
            prefix=self._prefix,
            last=last,
            body_length=body_length,
        )
        return b"".join((header, crc.to_bytes(4, "big"), body)), described


def parse_header(data: bytes, offset: int = 0) -> RecordHeader:
    """The header of a whole record at `offset`, its crc checked. Raises RecordError."""
    if len(data) - offset < HEADER.size:
        raise RecordError(f"The record at byte {offset} is cut off in its header.")
    (magic, body_length, track, epoch, index, start_ms, end_ms, party_ms, ours_ms, prefix, flags, crc) = (
        HEADER.unpack_from(data, offset)
    )
    if magic != MAGIC or not TAG_BYTES <= body_length <= MAX_BODY or flags & ~FLAG_LAST:
        raise RecordError(f"At byte {offset} there is no record of this format.")
    body = offset + HEADER.size
    if len(data) - body < body_length:
        raise RecordError(f"The record at byte {offset} is cut off in its body.")
    view = memoryview(data)
    if zlib.crc32(view[body : body + body_length], zlib.crc32(view[offset : offset + AUTHENTIC])) != crc:
        raise RecordError(f"The record at byte {offset} is damaged.")
    return RecordHeader(
        track=TrackId(id_text(track)),
        epoch=EpochId(id_text(epoch)),
        index=index,
        start_ms=start_ms,
        end_ms=end_ms,
        party_ms=party_ms,
        ours_ms=ours_ms,
        prefix=prefix,
        last=bool(flags & FLAG_LAST),
        body_length=body_length,
    )


def open_record(epoch: Epoch, data: bytes, offset: int = 0) -> list[Frame]:
    """The frames of the record at `offset`. Raises RecordError where it is damaged, forged or of another epoch."""
    header = parse_header(data, offset)
    if header.epoch != epoch.id or header.track != epoch.track:
        raise RecordError(f"The record at byte {offset} belongs to epoch {header.epoch}, not {epoch.id}.")
    body = offset + HEADER.size
    nonce = _NONCE.pack(header.prefix, header.index, FLAG_LAST if header.last else 0)
    view = memoryview(data)
    try:
        plain = epoch.cipher.decrypt(nonce, view[body : body + header.body_length], view[offset : offset + AUTHENTIC])
    except InvalidTag:
        raise RecordError(
            f"Record {header.index} of epoch {epoch.id} is not authentic: it was changed, or its key is another one."
        ) from None
    return parse_all(plain)


def walk(data: bytes) -> Iterator[Located | Damaged]:
    """Every whole record of a log file, in order, and every stretch that is none."""
    offset = 0
    bad_from: int | None = None
    while offset < len(data):
        try:
            header = parse_header(data, offset)
        except RecordError:
            bad_from = offset if bad_from is None else bad_from
            offset = data.find(MAGIC, offset + 1)
            if offset < 0:
                break
            continue
        if bad_from is not None:
            yield Damaged(offset=bad_from, length=offset - bad_from, torn_tail=False)
            bad_from = None
        yield Located(offset=offset, header=header)
        offset += header.size
    if bad_from is not None:
        yield Damaged(offset=bad_from, length=len(data) - bad_from, torn_tail=True)
