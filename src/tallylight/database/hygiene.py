"""What an erasure needs from the database: an empty write-ahead log, a rewritten file, and a search of raw bytes."""

import os
import sqlite3
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Engine, exc

from tallylight.database.errors import DatabaseUnavailable

WINDOW = 1 << 20
RETRY_S = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class Hit:
    """Bytes that should be gone and are not."""

    path: Path
    offset: int
    needle: int
    """The needle's index in the sequence searched for."""


def checkpoint_wal(engine: Engine, timeout_s: float = 10.0) -> bool:
    """Move everything from SQLite's write-ahead log to its file and cut the log to nothing, retried for `timeout_s`.

    False where readers or writers did not let go in time. PostgreSQL: True at once; its log is the server's and counts
    as a copy of its own.
    """
    if engine.dialect.name != "sqlite":
        return True
    deadline = time.monotonic() + timeout_s
    while True:
        busy = _sqlite(engine, "PRAGMA wal_checkpoint(TRUNCATE)", timeout_s=max(0.0, deadline - time.monotonic()))
        if busy is not None and busy[0] == 0:
            return True
        if time.monotonic() >= deadline:
            return False
        time.sleep(RETRY_S)


def vacuum(engine: Engine) -> None:
    """Rewrite the whole database without what was deleted. Slow on a large one; follow it with `checkpoint_wal`."""
    if engine.dialect.name == "sqlite":
        if _sqlite(engine, "VACUUM", timeout_s=10.0) is None:
            raise DatabaseUnavailable("The database was too busy to be rewritten. Repeat when fewer calls are running.")
        return
    with engine.connect() as connection:
        connection.execution_options(isolation_level="AUTOCOMMIT").exec_driver_sql("VACUUM FULL")


def raw_search(paths: Sequence[Path], needles: Sequence[bytes]) -> list[Hit]:
    """Where any of `needles` occurs in the files, byte for byte. A file that does not exist holds nothing.

    Reads 1 MB windows that overlap by the longest needle, never a memory map: SQLite may cut its log meanwhile, and a
    map of it would then kill the process.
    """
    if any(not needle for needle in needles):
        raise ValueError("an empty needle is everywhere")
    if not needles:
        return []
    overlap = max(map(len, needles)) - 1
    hits: list[Hit] = []
    for path in paths:
        try:
            descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:
            continue
        try:
            hits.extend(_search(descriptor, path, needles, overlap))
        finally:
            os.close(descriptor)
    return hits


def _search(descriptor: int, path: Path, needles: Sequence[bytes], overlap: int) -> list[Hit]:
    hits: list[Hit] = []
    offset = 0
    window = b""
    while block := os.pread(descriptor, WINDOW, offset + len(window)):
        kept = len(window)
        window += block
        for index, needle in enumerate(needles):
            # What ends before the new block was found in the window before.
            at = window.find(needle, max(0, kept - len(needle) + 1))
            while at >= 0:
                hits.append(Hit(path=path, offset=offset + at, needle=index))
                at = window.find(needle, at + 1)
        keep = min(overlap, len(window))
        offset += len(window) - keep
        window = window[len(window) - keep :]
    return hits


def _sqlite(engine: Engine, statement: str, *, timeout_s: float) -> tuple[int, ...] | None:
    """One statement outside any transaction on a connection of its own; None where the database was locked."""
    connection = engine.raw_connection()
    try:
        driver = connection.driver_connection
        assert isinstance(driver, sqlite3.Connection)
        (configured,) = driver.execute("PRAGMA busy_timeout").fetchone()
        driver.execute(f"PRAGMA busy_timeout={int(timeout_s * 1000)}")
        try:
            row: tuple[int, ...] | None = driver.execute(statement).fetchone()
            return row or ()
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
                return None
            raise DatabaseUnavailable(f"The database refused {statement} ({error}). Look at its disk.") from error
        finally:
            driver.execute(f"PRAGMA busy_timeout={configured}")
    except exc.SQLAlchemyError as error:
        raise DatabaseUnavailable(f"The database cannot be opened ({error}). Look at its disk.") from error
    finally:
        connection.close()
