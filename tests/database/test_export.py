"""The export, and what verification finds when somebody has been at the tables."""

import json
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from tallylight.clock import VirtualClock
from tallylight.database import export
from tallylight.database.checkpoints import LedgerKey
from tallylight.database.engine import open_database
from tallylight.database.errors import LedgerInvalid
from tallylight.database.events import empty_payload
from tallylight.database.export import export_lines, verify_ledger
from tallylight.database.schema import migrate
from tallylight.database.writer import Writer
from tallylight.ledger import verifier
from tests.database.making import unit


@pytest.fixture
def key() -> LedgerKey:
    return LedgerKey.generate()


@pytest.fixture
def written(engine: Engine, key: LedgerKey) -> Engine:
    """Twelve events, signed at 6 and 12."""
    for _ in range(2):
        writer = Writer(engine, clock=VirtualClock(), key=key)
        for stream in "abc":
            writer.submit(unit(stream, 2)).result(10)
        writer.close()
    return engine


def test_the_export_is_verified_by_the_command(written: Engine, key: LedgerKey, tmp_path: Path) -> None:
    with written.begin() as connection:
        assert empty_payload(connection, 4)
    path = tmp_path / "export.jsonl"
    path.write_text("\n".join(export_lines(written, key.verification_key())), encoding="utf-8")
    assert verifier.main([str(path), "--key", key.verification_key()]) == 0
    records = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    assert [at for at, record in enumerate(records) if "checkpoint" in record] == [7, 14]
    assert [record["leaf"] for record in records if "leaf" in record] == [*range(12)]
    assert [record["leaf"] for record in records if record.get("payload", "") is None] == [4]


def test_pages_make_one_log(written: Engine, key: LedgerKey, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = list(export_lines(written, key.verification_key()))
    for page in (1, 5, 6, 12):
        monkeypatch.setattr(export, "PAGE", page)
        assert list(export_lines(written, key.verification_key())) == whole


def test_what_is_appended_meanwhile_is_left_for_the_next_export(written: Engine, key: LedgerKey) -> None:
    lines = export_lines(written, key.verification_key())
    taken = [next(lines)]
    writer = Writer(written, clock=VirtualClock(), key=key)
    writer.submit(unit("a", 3)).result(10)
    writer.close()
    report = verifier.verify_lines([*taken, *lines])
    assert (report.entries, report.signed) == (12, 12)
    assert verify_ledger(written, key).entries == 15


def test_an_empty_ledger_verifies(engine: Engine, key: LedgerKey) -> None:
    assert verify_ledger(engine, key).entries == 0


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE event SET actor = 'nobody' WHERE leaf = 3",
        "UPDATE event SET payload = '{}' WHERE leaf = 3",
        "UPDATE event SET payload = NULL WHERE leaf = 3",
        "UPDATE event SET salt = commitment WHERE leaf = 3",
        "UPDATE event SET commitment = salt WHERE leaf = 3",
        "UPDATE event SET occurred_ms = occurred_ms + 1 WHERE leaf = 11",
        "UPDATE event SET recorded_ms = recorded_ms + 1 WHERE leaf = 0",
        "UPDATE event SET version = 2 WHERE leaf = 3",
        "UPDATE event SET sequence = 99 WHERE leaf = 11",
        "UPDATE event SET leaf = 99 WHERE leaf = 11",
        "DELETE FROM event WHERE leaf = 3",
        "DELETE FROM event WHERE leaf = 0",
        "DELETE FROM event WHERE leaf = 11",
        "DELETE FROM event",
        "UPDATE checkpoint SET size = 7 WHERE size = 6",
        "UPDATE checkpoint SET note = (SELECT note FROM checkpoint WHERE size = 12) WHERE size = 6",
        "UPDATE ledger_head SET size = 11, frontier = (SELECT salt FROM event WHERE leaf = 0)",
    ],
)
def test_every_change_of_the_tables_is_detected(written: Engine, key: LedgerKey, statement: str) -> None:
    assert verify_ledger(written, key).signed == 12
    with written.begin() as connection:
        assert connection.execute(text(statement)).rowcount >= 1
    with pytest.raises(Exception, match=r"does not verify|Restore the database from a backup"):
        verify_ledger(written, key)


def test_another_key_does_not_verify_it(written: Engine) -> None:
    with pytest.raises(LedgerInvalid, match="not signed by the key"):
        verify_ledger(written, LedgerKey.generate())


def test_what_is_not_signed_yet_is_held_against_the_head(engine: Engine, key: LedgerKey) -> None:
    writer = Writer(engine, clock=VirtualClock())
    writer.submit(unit("a", 3)).result(10)
    writer.close()
    assert (verify_ledger(engine, key).entries, verify_ledger(engine, key).signed) == (3, 0)
    with engine.begin() as connection:
        connection.execute(text("UPDATE event SET actor = 'nobody'"))
    with pytest.raises(LedgerInvalid, match="the stored head at 3 entries has another root"):
        verify_ledger(engine, key)


@pytest.mark.parametrize(
    ("column", "value"), [("salt", "'text'"), ("commitment", "7"), ("version", "'one'"), ("payload", "x'00ff'")]
)
def test_a_value_of_another_type_is_detected(tmp_path: Path, key: LedgerKey, column: str, value: str) -> None:
    """SQLite keeps any type in any column."""
    engine = open_database(tmp_path)
    migrate(engine)
    writer = Writer(engine, clock=VirtualClock(), key=key)
    writer.submit(unit("a", 3)).result(10)
    writer.close()
    with engine.begin() as connection:
        connection.execute(text(f"UPDATE event SET {column} = {value} WHERE leaf = 2"))
    with pytest.raises(LedgerInvalid, match="does not verify"):
        verify_ledger(engine, key)
    engine.dispose()
