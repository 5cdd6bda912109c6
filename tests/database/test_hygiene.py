"""After an erasure the bytes are gone from the files."""

import os
import threading
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, text

from tallylight.clock import SystemClock
from tallylight.database import hygiene
from tallylight.database.engine import database_files, open_database, read_only
from tallylight.database.events import empty_payload
from tallylight.database.hygiene import Hit, checkpoint_wal, raw_search, vacuum
from tallylight.database.schema import migrate
from tallylight.database.writer import Transaction, Writer
from tests.database.making import note, unit

CANARY = b"canary-in-the-payload-\xc3\xbc"


def hits(path: Path, content: bytes, needles: list[bytes]) -> list[tuple[int, int]]:
    path.write_bytes(content)
    return [(hit.offset, hit.needle) for hit in raw_search([path], needles)]


def test_every_occurrence_is_found_in_every_file(tmp_path: Path) -> None:
    one, two, missing = tmp_path / "one", tmp_path / "two", tmp_path / "missing"
    one.write_bytes(b"..ab..ab")
    two.write_bytes(b"bab")
    assert raw_search([one, missing, two], [b"ab", b"ba"]) == [
        Hit(path=one, offset=2, needle=0),
        Hit(path=one, offset=6, needle=0),
        Hit(path=two, offset=1, needle=0),
        Hit(path=two, offset=0, needle=1),
    ]
    assert raw_search([one], []) == []
    with pytest.raises(ValueError, match="empty needle"):
        raw_search([one], [b"ab", b""])


@pytest.mark.parametrize("around", range(-5, 6))
def test_an_occurrence_across_two_windows_is_found_once(tmp_path: Path, around: int) -> None:
    at = hygiene.WINDOW + around
    content = bytearray(2 * hygiene.WINDOW + 10)
    content[at : at + 5] = b"abcab"
    assert hits(tmp_path / "file", bytes(content), [b"abc", b"ab", b"cab"]) == sorted(
        [(at, 0), (at, 1), (at + 3, 1), (at + 2, 2)],
        key=lambda hit: (hit[0] + (3, 2, 3)[hit[1]] > hygiene.WINDOW, hit[1], hit[0]),
    )


@settings(max_examples=200)
@given(st.binary(max_size=60), st.lists(st.binary(min_size=1, max_size=5), max_size=4), st.integers(1, 20))
def test_windows_of_any_size_find_the_same(
    tmp_path_factory: pytest.TempPathFactory, content: bytes, needles: list[bytes], window: int
) -> None:
    path = tmp_path_factory.getbasetemp() / "searched"
    expected = {
        (at, index)
        for index, needle in enumerate(needles)
        for at in range(len(content))
        if content.startswith(needle, at)
    }
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(hygiene, "WINDOW", window)
        found = hits(path, content, needles)
    assert set(found) == expected
    assert len(found) == len(expected)


@pytest.fixture
def data(tmp_path: Path) -> Engine:
    engine = open_database(tmp_path)
    migrate(engine)
    return engine


def test_an_emptied_payload_is_gone_from_the_files(data: Engine) -> None:
    writer = Writer(data, clock=SystemClock())

    def several(transaction: Transaction) -> list[int]:
        return [note(transaction, f"s{number % 3}", content=CANARY.decode() * (1 + 7 * number)) for number in range(60)]

    writer.submit(unit("before", 100)).result(30)
    marked = writer.submit(several).result(30)
    writer.submit(unit("after", 100)).result(30)
    with read_only(data) as connection:
        salts = connection.execute(text("SELECT salt FROM event WHERE leaf >= 100 AND leaf < 160")).scalars().all()
    needles = [CANARY, *salts]
    assert {hit.needle for hit in raw_search(database_files(data), needles)} == set(range(61))

    def erase(transaction: Transaction) -> None:
        for leaf in marked:
            assert empty_payload(transaction.connection, leaf)

    writer.submit(erase).result(30)
    assert checkpoint_wal(data)
    assert database_files(data)[1].stat().st_size == 0
    assert raw_search(database_files(data), needles) == []
    writer.close()
    data.dispose()


def test_a_rewritten_database_holds_what_it_held(engine: Engine) -> None:
    writer = Writer(engine, clock=SystemClock())
    writer.submit(unit("a", 50)).result(30)
    vacuum(engine)
    assert checkpoint_wal(engine)
    assert writer.submit(unit("a")).result(30) == [50]
    writer.close()


def test_a_reader_that_stays_holds_the_log(data: Engine) -> None:
    with data.connect() as reader:
        reader.exec_driver_sql("SELECT count(*) FROM event").scalar()
        reader.rollback()
        reader = reader.execution_options(tallylight_read_only=True)
        reader.exec_driver_sql("SELECT count(*) FROM event").scalar()
        with data.begin() as writer:
            writer.execute(text("UPDATE workspace SET created_ms = 1"))
        started = time.monotonic()
        assert not checkpoint_wal(data, timeout_s=0.3)
        assert 0.3 <= time.monotonic() - started < 5
        released = threading.Timer(0.3, reader.rollback)
        released.start()
        assert checkpoint_wal(data)
        released.join()
    with data.connect() as connection:
        assert connection.exec_driver_sql("PRAGMA busy_timeout").scalar() == 5_000
    data.dispose()


def test_searching_while_the_log_is_cut_short_is_harmless(data: Engine) -> None:
    """A memory map of the log would be killed with SIGBUS here."""
    stop = threading.Event()
    writer = Writer(data, clock=SystemClock())

    def cut() -> None:
        while not stop.is_set():
            writer.submit(unit("a", 20)).result(30)
            checkpoint_wal(data)

    cutting = threading.Thread(target=cut)
    cutting.start()
    found = [raw_search(database_files(data), [os.urandom(32)]) for _ in range(100)]
    stop.set()
    cutting.join(30)
    writer.close()
    assert found == [[]] * 100
    data.dispose()
