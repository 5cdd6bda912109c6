"""The event table: appended in order, read in order, emptied without a trace in the tree."""

import json

import pytest
from sqlalchemy import Engine, text

from tallylight.clock import VirtualClock
from tallylight.database.checkpoints import LedgerKey
from tallylight.database.engine import read_only
from tallylight.database.errors import LedgerInvalid
from tallylight.database.events import empty_payload, read_after, read_head, read_stream
from tallylight.database.export import verify_ledger
from tallylight.database.writer import Transaction, Writer
from tallylight.ids import DEFAULT_WORKSPACE, WorkspaceId
from tallylight.ledger.commitment import commit
from tallylight.ledger.merkle import Frontier
from tests.database.making import PAYLOAD, note, unit

OTHER = WorkspaceId("00000000-0000-7000-8000-000000000002")


def test_what_is_appended_is_read_in_order(engine: Engine) -> None:
    clock = VirtualClock()
    writer = Writer(engine, clock=clock)
    first = writer.submit(unit("a", 2)).result(10)
    second = writer.submit(lambda transaction: [note(transaction, "b"), note(transaction, "a", occurred_ms=-7)]).result(
        10
    )
    writer.close()
    assert (first, second) == ([0, 1], [2, 3])
    with read_only(engine) as connection:
        stream = read_stream(connection, "a")
        assert [(event.leaf, event.sequence) for event in stream] == [(0, 0), (1, 1), (3, 2)]
        assert [event.leaf for event in read_stream(connection, "a", after=0)] == [1, 3]
        assert read_stream(connection, "nothing") == []
        assert [event.leaf for event in read_after(connection, -1, 3)] == [0, 1, 2]
        assert [event.leaf for event in read_after(connection, 2, 3)] == [3]
        assert read_after(connection, 3, 3) == []
        event = stream[2]
    assert event.payload == {**PAYLOAD, "content": "something happened"}
    assert (event.workspace, event.type, event.version, event.actor) == (DEFAULT_WORKSPACE, "Noted", 1, "engine")
    assert (event.occurred_ms, event.recorded_ms) == (-7, clock.wall_ms())
    assert event.payload_text is not None
    assert event.salt is not None
    assert event.commitment == commit(event.salt, event.payload_text.encode())


def test_the_head_is_the_tree_of_all_rows(engine: Engine) -> None:
    writer = Writer(engine, clock=VirtualClock())
    for number in range(7):
        writer.submit(unit(f"s{number % 2}", number)).result(10)
    writer.close()
    frontier = Frontier()
    with read_only(engine) as connection:
        assert read_head(connection, workspace=OTHER) == Frontier()
        for event in read_after(connection, -1, 1_000):
            frontier = frontier.append(event.leaf_hash())
        assert read_head(connection) == frontier
        stored = connection.execute(text("SELECT size FROM ledger_head")).scalar()
    assert frontier.size == stored == 21


def test_salts_are_fresh(engine: Engine) -> None:
    writer = Writer(engine, clock=VirtualClock())
    writer.submit(unit("a", 50)).result(10)
    writer.close()
    with read_only(engine) as connection:
        events = read_after(connection, -1, 100)
    assert len({event.salt for event in events}) == 50
    assert len({event.commitment for event in events}) == 50
    assert {len(event.salt or b"") for event in events} == {32}


def test_an_emptied_event_keeps_its_place_and_its_commitment(engine: Engine) -> None:
    key = LedgerKey.generate()
    writer = Writer(engine, clock=VirtualClock(), key=key)
    writer.submit(unit("a", 3)).result(10)

    def erase(transaction: Transaction) -> list[bool]:
        return [empty_payload(transaction.connection, leaf) for leaf in (1, 1, 99)]

    assert writer.submit(erase).result(10) == [True, False, False]
    writer.close()
    with read_only(engine) as connection:
        events = read_stream(connection, "a")
    assert [event.payload is None for event in events] == [False, True, False]
    assert (events[1].salt, events[1].payload_text) == (None, None)
    report = verify_ledger(engine, key)
    assert (report.entries, report.erased, report.signed) == (3, 1, 3)


def test_each_workspace_has_a_ledger_of_its_own(engine: Engine) -> None:
    with engine.begin() as connection:
        connection.execute(text("INSERT INTO workspace (id, created_ms) VALUES (:id, 0)"), {"id": OTHER})
    key = LedgerKey.generate()
    writer = Writer(engine, clock=VirtualClock(), key=key)
    futures = [writer.submit(unit("a", 2), workspace=workspace) for workspace in (DEFAULT_WORKSPACE, OTHER) * 3]
    leaves = [future.result(10) for future in futures]
    assert writer.submit(lambda transaction: transaction.workspace, workspace=OTHER).result(10) == OTHER
    writer.close()
    assert leaves == [[0, 1], [0, 1], [2, 3], [2, 3], [4, 5], [4, 5]]
    for workspace in (DEFAULT_WORKSPACE, OTHER):
        assert verify_ledger(engine, key, workspace=workspace).signed == 6
        with read_only(engine) as connection:
            assert [event.sequence for event in read_stream(connection, "a", workspace=workspace)] == [*range(6)]


def test_a_damaged_payload_is_named(engine: Engine) -> None:
    writer = Writer(engine, clock=VirtualClock())
    writer.submit(unit("a")).result(10)
    writer.close()
    with engine.begin() as connection:
        connection.execute(text("UPDATE event SET payload = 'not json'"))
    with read_only(engine) as connection:
        (event,) = read_stream(connection, "a")
    with pytest.raises(LedgerInvalid, match="payload of event 0 is damaged"):
        assert event.payload


def test_every_text_that_json_can_hold_is_kept(engine: Engine) -> None:
    content = "".join(map(chr, [*range(0x300), 0x2028, 0xFEFF, 0xFFFF, 0x1F4A1]))
    writer = Writer(engine, clock=VirtualClock())
    writer.submit(unit("a", content=content)).result(10)
    writer.close()
    with read_only(engine) as connection:
        (event,) = read_stream(connection, "a")
    assert event.payload is not None
    assert event.payload["content"] == content
    assert json.loads(event.payload_text or "")["content"] == content
