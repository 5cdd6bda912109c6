"""Keys in the database."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Connection, Engine
from sqlalchemy.exc import IntegrityError

from tallylight.database.engine import database_files, open_database
from tallylight.database.schema import migrate
from tallylight.ids import EpochId, TrackId, WorkspaceId
from tallylight.vault import tables
from tallylight.vault.keys import EpochKind, KeyRing, MemoryKeyWrapper
from tests.vault.making import PROJECT, epoch, fresh, ring


@pytest.fixture
def connection(engine: Engine) -> Iterator[Connection]:
    with engine.connect() as opened:
        yield opened


def test_keys_are_stored_and_a_new_ring_opens_them(connection: Connection) -> None:
    wrapper = MemoryKeyWrapper()
    keys = KeyRing(wrapper)
    tables.insert_project_key(connection, first := keys.new_project_key(PROJECT, fresh()))
    tables.insert_project_key(connection, second := keys.new_project_key(PROJECT, fresh(), version=2))
    made = epoch(keys)
    tables.insert_epoch(connection, made.row)
    assert tables.read_project_keys(connection) == [first, second]
    restarted = KeyRing(wrapper)
    for row in tables.read_project_keys(connection):
        restarted.load_project_key(row)
    [found] = tables.read_epochs(connection, made.track)
    assert restarted.open_epoch(found).key == made.key
    assert found == made.row


def test_sealing_and_erasing_delete_by_track_and_kind(connection: Connection) -> None:
    keys = ring()
    track, other = TrackId(fresh()), TrackId(fresh())
    live = [epoch(keys, track) for _ in range(3)]
    sealed = epoch(keys, track, EpochKind.SEALED)
    kept = epoch(keys, other)
    for made in (*live, sealed, kept):
        tables.insert_epoch(connection, made.row)
    assert len(tables.read_epochs(connection, track)) == 4
    assert tables.read_epochs(connection, track, kind=EpochKind.SEALED) == [sealed.row]
    assert tables.delete_epochs(connection, track, kind=EpochKind.LIVE) == 3
    assert tables.read_epochs(connection, track) == [sealed.row]
    assert tables.delete_epochs(connection, track, workspace=WorkspaceId(fresh())) == 0
    assert tables.delete_epochs(connection, track) == 1
    assert tables.delete_epochs(connection, track) == 0
    assert tables.read_epochs(connection, other) == [kept.row]


def test_recovery_asks_for_many_epochs_at_once(connection: Connection) -> None:
    keys = ring()
    known = [epoch(keys) for _ in range(3)]
    for made in known:
        tables.insert_epoch(connection, made.row)
    asked = [EpochId(fresh()) for _ in range(1200)] + [made.id for made in known]
    assert tables.read_known_epochs(connection, asked) == {made.id: made.row for made in known}
    assert tables.read_known_epochs(connection, []) == {}


def test_an_epoch_is_stored_once(connection: Connection) -> None:
    made = epoch(ring())
    tables.insert_epoch(connection, made.row)
    with pytest.raises(IntegrityError):
        tables.insert_epoch(connection, made.row)


def test_a_deleted_key_leaves_no_byte_in_the_files(tmp_path: Path) -> None:
    engine = open_database(tmp_path)
    migrate(engine)
    keys = ring()
    made = [epoch(keys) for _ in range(300)]
    with engine.begin() as connection:
        for one in made:
            tables.insert_epoch(connection, one.row)
    assert made[100].row.wrapped in _raw(engine)
    with engine.begin() as connection:
        tables.delete_epochs(connection, made[100].track)
    with engine.connect() as connection:
        connection.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    content = _raw(engine)
    engine.dispose()
    assert made[100].row.wrapped not in content
    assert made[101].row.wrapped in content


def _raw(engine: Engine) -> bytes:
    return b"".join(path.read_bytes() for path in database_files(engine) if path.exists())


def test_every_key_of_a_table_begins_with_the_workspace() -> None:
    for table in (tables.key, tables.project_key):
        assert next(iter(table.primary_key.columns)).name == "workspace"
        assert all(next(iter(index.columns)).name == "workspace" for index in table.indexes)
