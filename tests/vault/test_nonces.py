"""No key ever meets a nonce twice with other content, and no power cut loses what was acknowledged."""

import errno
from dataclasses import dataclass, field
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from tallylight.vault.alarm import Alarm
from tallylight.vault.disk import Call, FaultyDisk
from tallylight.vault.keys import Epoch, EpochRow
from tallylight.vault.live_log import Limits, LiveLog
from tallylight.vault.memory_disk import MemoryDisk
from tallylight.vault.record import Located, RecordStream, parse_header, walk
from tallylight.vault.recovery import recover, scan
from tests.vault.making import epoch, media, ring

KEYS = ring()
FOLDER = Path("/live")


@dataclass
class _Nonces:
    """Every record ever sealed, by key and nonce."""

    seen: dict[tuple[str, bytes, int, bool], bytes] = field(default_factory=dict)
    repeated: int = 0

    def add(self, data: bytes, offset: int = 0) -> None:
        header = parse_header(data, offset)
        nonce = (str(header.epoch), header.prefix, header.index, header.last)
        record = data[offset : offset + header.size]
        known = self.seen.setdefault(nonce, record)
        self.repeated += known is not record
        assert known == record, "one nonce, two contents"


@given(st.lists(st.integers(0, 6), max_size=60))
@settings(max_examples=500)
def test_no_nonce_is_used_twice_over_any_history_of_crashes(history: list[int]) -> None:
    """0 to 3 seal that many records; 4 crashes and opens a new epoch, as the design says; 5 and 6 crash and, against
    all rules, resume the same key from its row.
    """
    nonces = _Nonces()
    made = epoch(KEYS)
    stream = RecordStream(made)
    for number, step in enumerate(history):
        for _ in range(step if step < 4 else 0):
            nonces.add(stream.seal([media(number, 1)], last=number % 3 == 0)[0])
        if step == 4:
            made = epoch(KEYS)
        if step >= 4:
            row: EpochRow = made.row
            stream = RecordStream(KEYS.open_epoch(row))
    assert nonces.repeated == 0


class _Tape(MemoryDisk):
    """A disk that remembers every byte it was ever given."""

    def __init__(self) -> None:
        super().__init__()
        self.written: list[bytes] = []

    def write(self, handle: int, data: bytes) -> int:
        self.written.append(data)
        return super().write(handle, data)


_step = st.one_of(
    st.tuples(st.just("write"), st.integers(0, 2)),
    st.tuples(st.just("sync"), st.just(0)),
    st.tuples(st.just("eio"), st.integers(0, 1)),
    st.tuples(st.just("crash"), st.integers(0, 2000)),
    st.tuples(st.just("close"), st.just(0)),
)


@given(st.lists(_step, max_size=25))
@settings(max_examples=60, deadline=None)
def test_power_cuts_and_failed_fsyncs_repeat_no_nonce_and_lose_nothing_acknowledged(
    history: list[tuple[str, int]],
) -> None:
    tape, nonces, alarms = _Tape(), _Nonces(), list[Alarm]()
    disk = FaultyDisk(tape)

    def start() -> tuple[LiveLog, list[Epoch]]:
        limits = Limits(fsync_s=0.0, gather_s=0.0, rotate_bytes=1500, reserve_bytes=10)
        return LiveLog(FOLDER, on_alarm=alarms.append, disk=disk, limits=limits), [epoch(KEYS) for _ in range(3)]

    log, epochs = start()
    at_ms = 0
    promised: dict[str, int] = {}
    for what, value in history:
        if what == "write":
            log.write(epochs[value], [media(at_ms, 10)])
            at_ms += 10
        elif what == "sync":
            assert log.sync(20)
        elif what == "eio":
            disk.fail((Call.FSYNC, Call.WRITE)[value], errno.EIO)
        else:
            disk.heal()
            if what == "close":
                assert log.close()
            promised |= {made.id: log.acknowledged(made.track) for made in epochs}
            if what == "crash":
                _kill(log, disk)
                tape.crash(keep=value)
            log, epochs = start()
    disk.heal()
    assert log.close()
    promised |= {made.id: log.acknowledged(made.track) for made in epochs}
    tape.crash()
    recover(FOLDER, set, tape)
    found = scan(FOLDER, tape)
    stored = {str(key): records.party_ms for key, records in found.epochs.items()}
    assert {key: ms for key, ms in promised.items() if ms > stored.get(key, 0)} == {}
    assert all(file.torn_bytes == 0 for file in found.files)
    for data in tape.written:
        for item in walk(data):
            if isinstance(item, Located):
                nonces.add(data, item.offset)


def _kill(log: LiveLog, disk: FaultyDisk) -> None:
    """Nothing more of this log reaches the disk."""
    for call in (Call.WRITE, Call.CREATE, Call.FSYNC):
        disk.fail(call, errno.EIO, times=1 << 60)
    log.close(0.0)
    disk.heal()
