"""Databases that are full, locked or slow: futures fail in words, and the next commit is tried anew."""

import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine, event

from tallylight.clock import SystemClock
from tallylight.database.checkpoints import LedgerKey
from tallylight.database.engine import open_database
from tallylight.database.errors import DatabaseUnavailable
from tallylight.database.export import verify_ledger
from tallylight.database.faults import FaultyCommits
from tallylight.database.schema import migrate
from tallylight.database.writer import Writer
from tallylight.errors import TallylightError
from tests.database.making import unit


@pytest.fixture
def data(tmp_path: Path) -> Iterator[Engine]:
    engine = open_database(tmp_path)
    migrate(engine)
    engine.dispose()
    yield engine
    engine.dispose()


def set_on_every_connection(engine: Engine, pragmas: dict[str, int]) -> None:
    """`pragmas` may change meanwhile: what is in it counts for connections made later."""

    def prepare(driver: sqlite3.Connection, _: object) -> None:
        for name, value in pragmas.items():
            driver.execute(f"PRAGMA {name}={value}").close()

    event.listen(engine, "connect", prepare)


def test_a_full_disk_fails_writes_until_there_is_room(data: Engine) -> None:
    key, alarms = LedgerKey.generate(), list[TallylightError]()
    with data.connect() as connection:
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar() or 0
    data.dispose()
    limits = {"max_page_count": pages + 20}
    set_on_every_connection(data, limits)
    writer = Writer(data, clock=SystemClock(), key=key, on_alarm=alarms.append)
    futures = [writer.submit(unit("a", 20)) for _ in range(100)]
    refusals = [future.exception(10) for future in futures]
    written = 20 * refusals.count(None)
    assert written < 2_000
    for refusal in refusals:
        assert refusal is None or (isinstance(refusal, DatabaseUnavailable) and "disk is full" in refusal.message)
    assert [alarm.code for alarm in alarms] == ["database_unavailable"]
    with pytest.raises(DatabaseUnavailable, match="full"):
        writer.submit(unit("b", 2_000)).result(10)
    limits["max_page_count"] = 1_000_000
    # The first commit with room fails no more: a full disk cost the connection, not the thread.
    assert writer.submit(unit("a", 200)).result(10)[0] == written
    assert not writer.failing
    writer.close()
    report = verify_ledger(data, key)
    assert (report.entries, report.signed) == (written + 200, written + 200)


def test_a_locked_database_fails_writes_until_it_is_let_go(data: Engine) -> None:
    set_on_every_connection(data, {"busy_timeout": 50})
    writer = Writer(data, clock=SystemClock())
    with data.begin():
        with pytest.raises(DatabaseUnavailable, match="locked"):
            writer.submit(unit("a")).result(10)
        assert writer.failing
    assert writer.submit(unit("a")).result(10) == [0]
    writer.close()


def test_a_slow_commit_is_waited_for(data: Engine) -> None:
    faults = FaultyCommits()
    writer = Writer(data, clock=SystemClock(), faults=faults)
    faults.stall(faults.next, seconds=0.2)
    started = time.monotonic()
    future = writer.submit(unit("a"))
    assert time.monotonic() - started < 0.2  # submitting never waits
    assert future.result(10) == [0]
    assert time.monotonic() - started >= 0.2
    assert faults.next == 2
    writer.close()
