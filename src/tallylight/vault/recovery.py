"""After a crash: what the live log's files hold, what is torn, and what was never decided.

`scan` only looks and opens no key; what it finds of an epoch is read with `read_found`. `recover` cuts torn tails at the
last whole record and sorts epochs into those with a committed key, which are sealed next, and the others, whose sound
nobody can decrypt and which are destroyed and counted. Files are read one after the other, each whole in memory (64 MB).
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from pathlib import Path

from tallylight.ids import EpochId, TrackId
from tallylight.vault.disk import Disk, RealDisk
from tallylight.vault.errors import VaultError
from tallylight.vault.frame import Frame
from tallylight.vault.keys import Epoch
from tallylight.vault.log_writer import SUFFIX, Place
from tallylight.vault.record import Located, RecordHeader, open_record, walk


@dataclass(frozen=True, kw_only=True)
class EpochRecords:
    """What the log holds of one epoch. Times in media ms; each record counts once, in however many files it stands."""

    epoch: EpochId
    track: TrackId
    records: int
    party_ms: int
    ours_ms: int
    start_ms: int
    end_ms: int
    complete: bool
    """The record that says "nothing more will come" is there."""
    places: tuple[Place, ...] = field(repr=False)


@dataclass(frozen=True, kw_only=True)
class LogFile:
    """One file of the live log."""

    path: Path
    size: int
    torn_bytes: int
    """At its end, after the last whole record."""
    damaged_bytes: int
    """Between whole records: rot, never a crash."""


@dataclass(frozen=True, kw_only=True)
class Scan:
    """What is in a folder of log files."""

    files: tuple[LogFile, ...]
    epochs: Mapping[EpochId, EpochRecords]


@dataclass(frozen=True, kw_only=True)
class Recovery:
    """What to do at the restart."""

    committed: tuple[EpochRecords, ...]
    """To be read with `read_found` and sealed."""
    undecided: tuple[EpochRecords, ...]
    """No committed decision or key: destroyed with the files, to be counted and reported."""
    files: tuple[LogFile, ...]
    """To be given to `discard` once everything committed is sealed."""


def log_files(folder: Path, disk: Disk | None = None) -> list[Path]:
    """The live log's files, oldest first."""
    return [path for path in (disk or RealDisk()).files(folder) if path.suffix == SUFFIX]


def _contents(folder: Path, disk: Disk) -> Iterator[tuple[Path, bytes]]:
    for path in log_files(folder, disk):
        try:
            data = disk.read(path)
        except FileNotFoundError:
            # Released by the process that writes the log, since it was listed: nothing in it is needed.
            continue
        yield path, data


def scan(folder: Path, disk: Disk | None = None) -> Scan:
    """Look at every record's header. Works while another process writes; then the newest tail may look torn."""
    disk = disk or RealDisk()
    epochs: dict[EpochId, dict[tuple[bytes, int], tuple[RecordHeader, Place]]] = {}
    files = []
    for path, data in _contents(folder, disk):
        torn = damaged = 0
        for found in walk(data):
            if isinstance(found, Located):
                header = found.header
                place = (path, found.offset, header.size)
                epochs.setdefault(header.epoch, {})[header.prefix, header.index] = (header, place)
            elif found.torn_tail:
                torn = found.length
            else:
                damaged += found.length
        files.append(LogFile(path=path, size=len(data), torn_bytes=torn, damaged_bytes=damaged))
    return Scan(files=tuple(files), epochs={epoch: _sum(list(records.values())) for epoch, records in epochs.items()})


def _sum(records: list[tuple[RecordHeader, Place]]) -> EpochRecords:
    headers = [header for header, _ in records]
    filled = [header for header in headers if header.end_ms]
    return EpochRecords(
        epoch=headers[0].epoch,
        track=headers[0].track,
        records=len(headers),
        party_ms=sum(header.party_ms for header in headers),
        ours_ms=sum(header.ours_ms for header in headers),
        start_ms=min((header.start_ms for header in filled), default=0),
        end_ms=max((header.end_ms for header in filled), default=0),
        complete=any(header.last for header in headers),
        places=tuple(place for _, place in records),
    )


def recover(
    folder: Path, known: Callable[[AbstractSet[EpochId]], AbstractSet[EpochId]], disk: Disk | None = None
) -> Recovery:
    """Make the folder whole again. `known` answers which of the epochs found have a committed key.

    No live log may be open on the folder. Raises OSError where the disk refuses.
    """
    disk = disk or RealDisk()
    found = scan(folder, disk)
    for file in found.files:
        if file.torn_bytes:
            handle = disk.open_append(file.path)
            try:
                disk.truncate(handle, file.size - file.torn_bytes)
                disk.fsync(handle)
            finally:
                disk.close(handle)
    committed = known(found.epochs.keys())
    return Recovery(
        committed=tuple(records for epoch, records in found.epochs.items() if epoch in committed),
        undecided=tuple(records for epoch, records in found.epochs.items() if epoch not in committed),
        files=found.files,
    )


def read_found(
    found: EpochRecords,
    epoch: Epoch,
    *,
    disk: Disk | None = None,
    on_damage: Callable[[VaultError], None] | None = None,
) -> Iterator[Frame]:
    """The frames of what `scan` or `recover` found of one epoch, in the order of writing.

    A record that is whole but not authentic goes to `on_damage` and is left out, or is raised where that is None.
    """
    disk = disk or RealDisk()
    for path, offset, length in found.places:
        try:
            frames = open_record(epoch, disk.read(path, offset, length))
        except VaultError as error:
            if on_damage is None:
                raise
            on_damage(error)
            continue
        yield from frames


def read_records(
    folder: Path,
    epoch: Epoch,
    *,
    disk: Disk | None = None,
    on_damage: Callable[[VaultError], None] | None = None,
) -> Iterator[Frame]:
    """`scan` and `read_found` for a single epoch."""
    found = scan(folder, disk).epochs.get(epoch.id)
    return iter(()) if found is None else read_found(found, epoch, disk=disk, on_damage=on_damage)


def discard(files: Iterable[LogFile], disk: Disk | None = None) -> None:
    """Delete recovered files, durably. Only once all that was committed in them is sealed and registered."""
    disk = disk or RealDisk()
    folders = set()
    for file in files:
        try:
            disk.unlink(file.path)
        except FileNotFoundError:
            pass
        folders.add(file.path.parent)
    for folder in folders:
        disk.fsync_folder(folder)
