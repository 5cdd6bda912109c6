"""A track at rest: its frames sorted, freed of repetitions, joined, and sealed into one object under a new key."""

import audioop
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from tallylight.ids import WorkspaceId, id_bytes
from tallylight.vault.errors import VaultError
from tallylight.vault.frame import SOURCE_OURS, SOURCE_PARTY, Frame, FrameKind, MediaType, parse_stream, serialise
from tallylight.vault.keys import Epoch, EpochKind, EpochRow
from tallylight.vault.objects import ObjectStore
from tallylight.vault.sealed import SealedReader, encrypt

BYTES_PER_MS = 8
"""G.711: 8,000 samples a second, one byte each."""
CHUNK_MS = 1000
"""Frames are joined up to this length."""
_PIECE_BYTES = 256 << 10
_PCM_WIDTH = 2


@dataclass(frozen=True, kw_only=True)
class SealedObject:
    """One track in the object store. Sizes in bytes, times in ms."""

    path: str
    size: int
    stored_ms: int
    """Media of the track's own source, each instant counted once."""
    payload_bytes: Mapping[int, int]
    """Stored payload per source."""


def object_path(row: EpochRow) -> str:
    """Where the object under this key lies: workspace, two random digits to spread folders, epoch."""
    return _path(row.workspace, row.epoch)


def _path(workspace: WorkspaceId, epoch: str) -> str:
    return f"{workspace}/{epoch[-2:]}/{epoch}"


def _associated(row: EpochRow) -> bytes:
    return b"tallylight object 1\0" + b"".join(map(id_bytes, (row.workspace, row.track, row.epoch)))


def seal(
    frames: Iterable[Frame], epoch: Epoch, objects: ObjectStore, *, own_source: int = SOURCE_PARTY
) -> SealedObject:
    """Store a track's frames as one object under `epoch`, a key of kind SEALED. Durable when this returns.

    `own_source` is whose time counts as stored: 0 the party, 1 ours for the system track. The caller's unit of work
    then registers the object, inserts `epoch.row` and deletes the live keys. Raises ObjectError, KeyForgottenError.
    """
    if epoch.kind is not EpochKind.SEALED:
        raise VaultError(f"Epoch {epoch.id} is for live records: make one of kind SEALED for the object.")
    tidy = arrange(frames)
    stored_ms = 0
    payload_bytes = {SOURCE_PARTY: 0, SOURCE_OURS: 0}
    for frame in tidy:
        if frame.kind is FrameKind.MEDIA:
            payload_bytes[frame.source] += len(frame.payload)
            if frame.source == own_source:
                stored_ms += frame.duration_ms
    path = object_path(epoch.row)
    size = objects.put(path, encrypt(epoch.key, _associated(epoch.row), _pieces(tidy)))
    return SealedObject(path=path, size=size, stored_ms=stored_ms, payload_bytes=payload_bytes)


def read_object(objects: ObjectStore, path: str, epoch: Epoch) -> Iterator[Frame]:
    """The frames of a sealed object by time. Raises ObjectError, SealedError, FrameError, KeyForgottenError."""
    size = objects.size(path)
    reader = SealedReader(
        epoch.key, _associated(epoch.row), size, lambda start, length: objects.get_range(path, start, length)
    )
    return parse_stream(reader.pieces())


def arrange(frames: Iterable[Frame]) -> list[Frame]:
    """Frames by time: of one source no instant twice (the first kept wins), touching ones joined up to a second."""
    everything = list(frames)
    arranged: list[Frame] = []
    for source in (SOURCE_PARTY, SOURCE_OURS):
        arranged += _joined(_once(frame for frame in everything if frame.source == source))
    arranged.sort(key=lambda frame: (frame.start_ms, frame.source))
    return arranged


def _once(frames: Iterable[Frame]) -> Iterator[Frame]:
    """One source's frames by time, media that is there already left out or cut short, repeated marks left out."""
    end = -1
    marks: set[Frame] = set()
    for frame in sorted(frames, key=lambda frame: frame.start_ms):
        if frame.kind is not FrameKind.MEDIA:
            if frame not in marks:
                marks.add(frame)
                yield frame
        elif frame.start_ms >= end:
            yield frame
            end = frame.end_ms
        elif frame.end_ms > end:
            yield replace(
                frame,
                start_ms=end,
                duration_ms=frame.end_ms - end,
                payload=frame.payload[(end - frame.start_ms) * BYTES_PER_MS :],
            )
            end = frame.end_ms


def _joined(frames: Iterable[Frame]) -> Iterator[Frame]:
    run: list[Frame] = []
    for frame in frames:
        if run and not _touches(run, frame):
            yield _join(run)
            run = []
        run.append(frame)
    if run:
        yield _join(run)


def _touches(run: list[Frame], frame: Frame) -> bool:
    last = run[-1]
    return (
        last.kind is FrameKind.MEDIA
        and frame.kind is FrameKind.MEDIA
        and frame.start_ms == last.end_ms
        and frame.media is last.media
        and frame.decision == last.decision
        and frame.end_ms - run[0].start_ms <= CHUNK_MS
        and len(last.payload) == last.duration_ms * BYTES_PER_MS
    )


def _join(run: list[Frame]) -> Frame:
    first = run[0]
    if len(run) == 1:
        return first
    return replace(
        first, duration_ms=run[-1].end_ms - first.start_ms, payload=b"".join([frame.payload for frame in run])
    )


def _pieces(frames: Iterable[Frame]) -> Iterator[bytes]:
    waiting: list[bytes] = []
    size = 0
    for frame in frames:
        data = serialise(frame)
        waiting.append(data)
        size += len(data)
        if size >= _PIECE_BYTES:
            yield b"".join(waiting)
            waiting.clear()
            size = 0
    if waiting:
        yield b"".join(waiting)


def render_pcm(frames: Iterable[Frame], until_ms: int | None = None) -> bytes:
    """Sound as mono 16-bit little-endian PCM at 8 kHz, from media time 0 to `until_ms` (None: the last frame's end).

    Gaps are silence. Of one source a later frame replaces what it overlaps; different sources are added and clipped.
    """
    tracks: dict[int, bytearray] = {}
    decoders = {MediaType.PCMU: audioop.ulaw2lin, MediaType.PCMA: audioop.alaw2lin}
    per_ms = BYTES_PER_MS * _PCM_WIDTH
    total = 0
    for frame in frames:
        if until_ms is not None and frame.start_ms >= until_ms:
            continue
        if frame.kind is not FrameKind.MEDIA:
            total = max(total, frame.end_ms * per_ms)
            continue
        sound = decoders[frame.media](frame.payload, _PCM_WIDTH)
        begin = frame.start_ms * per_ms
        track = tracks.setdefault(frame.source, bytearray())
        if len(track) < begin:
            track.extend(bytes(begin - len(track)))
        track[begin : begin + len(sound)] = sound
        total = max(total, begin + len(sound))
    if until_ms is not None:
        total = until_ms * per_ms
    mixed = b""
    for track in tracks.values():
        sound = bytes(track[:total]).ljust(total, b"\0")
        mixed = audioop.add(mixed, sound, _PCM_WIDTH) if mixed else sound
    return mixed or bytes(total)
