"""Connections are what an erasure and a crash rely on."""

import sqlite3
import threading
from pathlib import Path

import pytest
from sqlalchemy import Engine, exc, text

from tallylight.database.engine import database_files, open_database, read_only
from tallylight.database.errors import DatabaseUnavailable, ReadTooLong

MADE_LONG = {
    "sqlite": (
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000000000) SELECT max(i) FROM n"
    ),
    "postgresql": "SELECT pg_sleep(30)",
}


def test_every_sqlite_connection_is_durable_and_forgets(tmp_path: Path) -> None:
    engine = open_database(tmp_path)
    with engine.connect() as one, engine.connect() as two, engine.connect() as three:
        for connection in (one, two, three):
            settings = [
                connection.exec_driver_sql(f"PRAGMA {name}").scalar()
                for name in ("journal_mode", "synchronous", "secure_delete", "foreign_keys", "busy_timeout")
            ]
            assert settings == ["wal", 2, 1, 1, 5_000]
            connection.rollback()
    engine.dispose()


def test_the_directory_is_made_for_its_owner_alone(tmp_path: Path) -> None:
    engine = open_database(tmp_path / "new" / "data")
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE t (x INTEGER)"))
    assert (tmp_path / "new" / "data").stat().st_mode & 0o777 == 0o700
    assert [path.exists() for path in database_files(engine)[:2]] == [True, True]
    engine.dispose()


def test_reading_cannot_write(engine: Engine) -> None:
    with read_only(engine) as connection, pytest.raises(exc.DBAPIError):
        connection.execute(text("UPDATE workspace SET created_ms = 1"))
    with engine.begin() as connection:
        assert connection.execute(text("UPDATE workspace SET created_ms = 1")).rowcount == 1


def test_a_read_that_takes_too_long_is_stopped(engine: Engine) -> None:
    with (
        pytest.raises(ReadTooLong, match=r"longer than 0\.2 s and was stopped"),
        read_only(engine, limit_s=0.2) as connection,
    ):
        connection.execute(text(MADE_LONG[engine.dialect.name])).scalar()
    with read_only(engine) as connection:
        assert connection.execute(text("SELECT 1")).scalar() == 1


def test_a_reader_sees_one_state(tmp_path: Path) -> None:
    engine = open_database(tmp_path)
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE t (x INTEGER)"))
    with read_only(engine) as reader:
        assert reader.execute(text("SELECT count(*) FROM t")).scalar() == 0
        with engine.begin() as writer:
            writer.execute(text("INSERT INTO t VALUES (1)"))
        assert reader.execute(text("SELECT count(*) FROM t")).scalar() == 0
    with read_only(engine) as reader:
        assert reader.execute(text("SELECT count(*) FROM t")).scalar() == 1
    engine.dispose()


def test_two_writers_queue_instead_of_failing(tmp_path: Path) -> None:
    """Both read before they write: deferred transactions would fail half-way with `database is locked`."""
    engine = open_database(tmp_path)
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE t (x INTEGER)"))
        connection.execute(text("INSERT INTO t VALUES (0)"))

    def count_up() -> None:
        for _ in range(20):
            with engine.begin() as connection:
                connection.execute(text("SELECT x FROM t")).scalar()
                connection.execute(text("UPDATE t SET x = x + 1"))

    threads = [threading.Thread(target=count_up) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    with read_only(engine) as connection:
        assert connection.execute(text("SELECT x FROM t")).scalar() == 60
    engine.dispose()


def test_errors_do_not_show_what_was_written(engine: Engine) -> None:
    with pytest.raises(exc.IntegrityError) as caught, engine.begin() as connection:
        connection.execute(
            text("INSERT INTO ledger_head (workspace, size, frontier) VALUES (:w, :s, NULL)"),
            {"w": "+4512345678", "s": 1},
        )
    assert "parameters hidden" in str(caught.value)
    if engine.dialect.name == "sqlite":
        assert "+4512345678" not in str(caught.value)


@pytest.mark.parametrize(
    ("target", "words"),
    [
        ("mysql://root@localhost/x", "mysql is not supported"),
        ("://", "not well-formed"),
    ],
)
def test_what_is_no_database_is_refused_in_words(target: str, words: str) -> None:
    with pytest.raises(DatabaseUnavailable, match=words):
        open_database(target)


def test_a_directory_that_cannot_be_made_is_refused_in_words(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way", encoding="utf-8")
    with pytest.raises(DatabaseUnavailable, match="Choose another with --data"):
        open_database(tmp_path / "file" / "data")


def test_a_connection_with_an_io_error_is_not_used_again(tmp_path: Path) -> None:
    engine = open_database(tmp_path)
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE t (x INTEGER)"))
    path = database_files(engine)[0]
    engine.dispose()
    path.write_bytes(b"no database at all" * 400)
    for other in database_files(engine)[1:]:
        other.unlink(missing_ok=True)
    with pytest.raises((exc.DBAPIError, sqlite3.DatabaseError)), engine.connect() as connection:
        connection.execute(text("SELECT * FROM t"))
    engine.dispose()
