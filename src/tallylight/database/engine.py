"""Engines: SQLite in a directory by default, PostgreSQL by URL, one code path above.

Every SQLite connection gets journal_mode=WAL, synchronous=FULL, secure_delete=ON, foreign_keys=ON and a busy timeout. A
transaction begins with BEGIN IMMEDIATE, so that two writers queue instead of failing half-way; `read_only` begins a
deferred one that takes no lock. Error messages never show a statement's parameters, so that no log holds them.
"""

import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Connection, Engine, create_engine, event, exc, make_url
from sqlalchemy.engine import URL, ExceptionContext
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.pool import ConnectionPoolEntry

from tallylight.database.errors import DatabaseUnavailable, ReadTooLong

FILE_NAME = "tallylight.db"
BUSY_TIMEOUT_MS = 5_000
READ_LIMIT_S = 1.0
"""A reader that stays longer keeps SQLite from emptying its write-ahead log, which an erasure must do."""

_PRAGMAS = (
    f"PRAGMA busy_timeout={BUSY_TIMEOUT_MS}",
    "PRAGMA journal_mode=WAL",
    "PRAGMA synchronous=FULL",
    "PRAGMA secure_delete=ON",
    "PRAGMA foreign_keys=ON",
)
_READ_ONLY = "tallylight_read_only"
_PROGRESS_STEPS = 20_000
"""SQLite virtual machine steps between two looks at the clock, about 1 ms."""


def open_database(directory_or_url: Path | str) -> Engine:
    """The engine for a data directory (made, mode 0700, if missing) or for a `postgresql://` URL."""
    if isinstance(directory_or_url, str) and "://" in directory_or_url:
        try:
            url = make_url(directory_or_url)
        except exc.ArgumentError:
            raise DatabaseUnavailable(
                "The database URL is not well-formed. Write postgresql://user@host/name."
            ) from None
        if url.get_backend_name() == "postgresql":
            return _open_postgresql(url)
        raise DatabaseUnavailable(
            f"{url.get_backend_name()} is not supported. Give a directory for SQLite or a postgresql:// URL."
        )
    return _open_sqlite(Path(directory_or_url))


def database_files(engine: Engine) -> tuple[Path, ...]:
    """The files that hold an SQLite database's bytes, present or not; empty for PostgreSQL, whose files are its own."""
    if engine.dialect.name != "sqlite" or not engine.url.database:
        return ()
    return tuple(Path(engine.url.database + suffix) for suffix in ("", "-wal", "-shm", "-journal"))


@contextmanager
def read_only(engine: Engine, *, limit_s: float = READ_LIMIT_S) -> Iterator[Connection]:
    """One consistent, short look at the database; writing fails. Read large things in pages, one look each.

    A statement still running after `limit_s` is stopped with `ReadTooLong`. On SQLite the limit counts from here; on
    PostgreSQL it holds for each statement.
    """
    with engine.connect() as connection:
        connection = connection.execution_options(**{_READ_ONLY: True})
        if engine.dialect.name == "postgresql":
            connection = connection.execution_options(postgresql_readonly=True)
            try:
                with connection.begin():
                    connection.exec_driver_sql(f"SET LOCAL statement_timeout = {int(limit_s * 1000)}")
                    yield connection
            except exc.OperationalError as error:
                raise _too_long(limit_s) if getattr(error.orig, "sqlstate", None) == "57014" else error from error
            return
        driver = connection.connection.driver_connection
        assert isinstance(driver, sqlite3.Connection)
        deadline = time.monotonic() + limit_s
        driver.set_progress_handler(lambda: time.monotonic() > deadline, _PROGRESS_STEPS)
        driver.execute("PRAGMA query_only=ON")
        try:
            with connection.begin():
                yield connection
        except exc.OperationalError as error:
            raise _too_long(limit_s) if "interrupted" in str(error.orig) else error from error
        finally:
            driver.set_progress_handler(None, 0)
            driver.execute("PRAGMA query_only=OFF")


def _too_long(limit_s: float) -> ReadTooLong:
    return ReadTooLong(f"A read took longer than {limit_s:g} s and was stopped. Ask for a smaller page.")


def _open_sqlite(directory: Path) -> Engine:
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise DatabaseUnavailable(
            f"The data directory {directory} cannot be made ({error.strerror}). Choose another with --data."
        ) from error
    engine = create_engine(URL.create("sqlite", database=str(directory / FILE_NAME)), hide_parameters=True)
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    event.listen(engine, "handle_error", _lose_broken)
    return engine


def _prepare_sqlite(driver: DBAPIConnection, _entry: ConnectionPoolEntry) -> None:
    assert isinstance(driver, sqlite3.Connection)
    driver.isolation_level = None  # the driver begins nothing by itself; `_begin_sqlite` does
    for pragma in _PRAGMAS:
        driver.execute(pragma).close()


def _begin_sqlite(connection: Connection) -> None:
    read = connection.get_execution_options().get(_READ_ONLY, False)
    connection.exec_driver_sql("BEGIN" if read else "BEGIN IMMEDIATE")


def _lose_broken(context: ExceptionContext) -> None:
    """A connection that saw an I/O error is not used again."""
    if isinstance(context.original_exception, sqlite3.OperationalError):
        name = getattr(context.original_exception, "sqlite_errorname", "")
        if name.startswith(("SQLITE_IOERR", "SQLITE_CANTOPEN", "SQLITE_CORRUPT", "SQLITE_NOTADB")):
            context.is_disconnect = True


def _open_postgresql(url: URL) -> Engine:
    if url.drivername == "postgresql":
        url = url.set(drivername="postgresql+psycopg")
    try:
        return create_engine(url, hide_parameters=True)
    except ModuleNotFoundError as error:
        raise DatabaseUnavailable(
            "PostgreSQL needs its driver. Install it with pip install 'tallylight[postgres]'."
        ) from error
