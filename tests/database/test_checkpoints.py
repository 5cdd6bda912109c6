"""The ledger's key and its signed checkpoints."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from sqlalchemy import Engine

from tallylight.clock import VirtualClock
from tallylight.database.checkpoints import LedgerKey, origin, read_checkpoints, sign_head, verify_signature
from tallylight.database.engine import read_only
from tallylight.database.errors import DatabaseUnavailable, LedgerKeyError
from tallylight.database.events import read_head
from tallylight.database.faults import FaultyCommits
from tallylight.database.writer import CHECKPOINT_S, Writer
from tallylight.ids import DEFAULT_WORKSPACE
from tallylight.ledger.checkpoint import Checkpoint, parse_verification_key, verify
from tests.database.making import unit


def sizes(engine: Engine) -> list[int]:
    with read_only(engine) as connection:
        return [size for size, _ in read_checkpoints(connection)]


def newest(engine: Engine, key: LedgerKey) -> Checkpoint:
    with read_only(engine) as connection:
        _, note = read_checkpoints(connection)[-1]
    return verify(note, name=origin(DEFAULT_WORKSPACE), public_key=key.public_key, verify_signature=verify_signature)


def test_the_key_is_made_once_for_its_owner_alone(tmp_path: Path) -> None:
    key = LedgerKey.open(tmp_path / "data")
    path = tmp_path / "data" / "keys" / "ledger.key"
    assert path.stat().st_mode & 0o777 == 0o400
    assert path.parent.stat().st_mode & 0o777 == 0o700
    assert [entry.name for entry in path.parent.iterdir()] == ["ledger.key"]
    assert LedgerKey.open(tmp_path / "data").public_key == key.public_key
    assert parse_verification_key(key.verification_key()) == (origin(DEFAULT_WORKSPACE), key.public_key)


def test_processes_that_start_together_share_one_key(tmp_path: Path) -> None:
    script = (
        "import sys; from pathlib import Path; from tallylight.database.checkpoints import LedgerKey;"
        "sys.stdin.read(); sys.stdout.write(LedgerKey.open(Path(sys.argv[1])).verification_key())"
    )
    children = [
        subprocess.Popen([sys.executable, "-c", script, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        for _ in range(3)
    ]
    assert len({child.communicate(timeout=60)[0] for child in children}) == 1


def test_a_key_that_others_can_read_is_refused(tmp_path: Path) -> None:
    LedgerKey.open(tmp_path)
    (tmp_path / "keys" / "ledger.key").chmod(0o440)
    with pytest.raises(LedgerKeyError, match="Run: chmod 0400"):
        LedgerKey.open(tmp_path)


def test_what_is_no_key_is_refused_in_words(tmp_path: Path) -> None:
    path = tmp_path / "keys" / "ledger.key"
    path.parent.mkdir()
    pem = generate_private_key(65_537, 1_024).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    for content in (b"", b"nonsense", pem):
        path.write_bytes(content)
        path.chmod(0o600)
        with pytest.raises(LedgerKeyError, match="back from its backup"):
            LedgerKey.open(tmp_path)


def test_a_key_that_cannot_be_made_is_refused_in_words(tmp_path: Path) -> None:
    (tmp_path / "keys").write_text("in the way", encoding="utf-8")
    with pytest.raises(LedgerKeyError, match="cannot be"):
        LedgerKey.open(tmp_path)
    os.unlink(tmp_path / "keys")
    (tmp_path / "keys" / "ledger.key").mkdir(parents=True)
    with pytest.raises(LedgerKeyError, match="cannot be read"):
        LedgerKey.open(tmp_path)


def test_closing_signs_the_end(engine: Engine) -> None:
    key = LedgerKey.generate()
    writer = Writer(engine, clock=VirtualClock(), key=key)
    writer.submit(unit("a", 5)).result(10)
    assert sizes(engine) == []
    writer.close()
    with read_only(engine) as connection:
        head = read_head(connection)
    assert newest(engine, key) == Checkpoint(origin=origin(DEFAULT_WORKSPACE), size=5, root=head.root())


def test_every_thousand_leaves_are_signed_with_their_commit(engine: Engine) -> None:
    writer = Writer(engine, clock=VirtualClock(), key=LedgerKey.generate())
    for _ in range(5):
        writer.submit(unit("a", 500)).result(10)
    assert sizes(engine) == [1_000, 2_000]
    writer.close()
    assert sizes(engine) == [1_000, 2_000, 2_500]


def test_a_minute_later_the_next_commit_is_signed(engine: Engine) -> None:
    clock = VirtualClock()
    writer = Writer(engine, clock=clock, key=LedgerKey.generate())
    writer.submit(unit("a")).result(10)
    assert sizes(engine) == []
    clock.advance(CHECKPOINT_S)
    for _ in range(3):
        writer.submit(unit("a")).result(10)
    assert sizes(engine) == [2]
    writer.close()
    assert sizes(engine) == [2, 4]


def test_an_idle_writer_signs_what_an_earlier_process_left_unsigned(engine: Engine) -> None:
    Writer(engine, clock=VirtualClock()).submit(unit("a", 3)).result(10)
    key, clock, faults = LedgerKey.generate(), VirtualClock(), FaultyCommits()
    clock.advance(CHECKPOINT_S)
    signing = faults.stall(1)
    # Born when its first minute is over by its own clock, it has nothing to do but sign.
    writer = Writer(engine, clock=_Late(clock), key=key, faults=faults)
    assert signing.reached.wait(10)
    signing.release()
    writer.close()
    assert newest(engine, key).size == 3
    assert sizes(engine) == [3]


class _Late(VirtualClock):
    """A clock on which a minute passes between any two looks."""

    def __init__(self, inner: VirtualClock) -> None:
        super().__init__(inner.wall_ms())

    def monotonic_ns(self) -> int:
        self.advance(CHECKPOINT_S)
        return super().monotonic_ns()


def test_a_head_is_signed_once(engine: Engine) -> None:
    key = LedgerKey.generate()
    sign_head(engine, key, 1)
    assert sizes(engine) == []
    writer = Writer(engine, clock=VirtualClock(), key=key)
    writer.submit(unit("a")).result(10)
    sign_head(engine, key, 2)
    sign_head(engine, key, 3)
    writer.close()
    assert sizes(engine) == [1]


def test_a_checkpoint_that_was_not_committed_is_signed_again(engine: Engine) -> None:
    faults = FaultyCommits()
    writer = Writer(engine, clock=VirtualClock(), key=LedgerKey.generate(), faults=faults)
    faults.fail(1)
    with pytest.raises(DatabaseUnavailable):
        writer.submit(unit("a", 1_000)).result(10)
    writer.submit(unit("a", 1_000)).result(10)
    assert sizes(engine) == [1_000]
    writer.close()


def test_checkpoints_are_read_in_pages(engine: Engine) -> None:
    key = LedgerKey.generate()
    writer = Writer(engine, clock=VirtualClock())
    for _ in range(4):
        writer.submit(unit("a")).result(10)
        sign_head(engine, key, 0)
    writer.close()
    with read_only(engine) as connection:
        assert [size for size, _ in read_checkpoints(connection, limit=2)] == [1, 2]
        assert [size for size, _ in read_checkpoints(connection, after=2, limit=2)] == [3, 4]
