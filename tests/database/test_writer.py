"""Group commit: alone in failure, together in the fsync, and never dead."""

import threading
from collections.abc import Iterator
from concurrent.futures import CancelledError

import pytest
from sqlalchemy import Connection, Engine, exc, text
from sqlalchemy import event as happenings

from tallylight.clock import SystemClock, VirtualClock
from tallylight.database.engine import open_database, read_only
from tallylight.database.errors import DatabaseUnavailable, WriterClosed, WriterOverloaded
from tallylight.database.events import read_after, read_head, read_stream
from tallylight.database.faults import FaultyCommits
from tallylight.database.schema import migrate
from tallylight.database.writer import Transaction, Writer
from tallylight.errors import TallylightError
from tallylight.ledger.errors import PayloadError
from tests import needs
from tests.database.making import note, unit
from tests.databases import PostgresqlCluster


@pytest.fixture
def faults() -> FaultyCommits:
    return FaultyCommits()


@pytest.fixture
def alarms() -> list[TallylightError]:
    return []


@pytest.fixture
def writer(engine: Engine, faults: FaultyCommits, alarms: list[TallylightError]) -> Iterator[Writer]:
    opened = Writer(engine, clock=SystemClock(), faults=faults, on_alarm=alarms.append)
    yield opened
    opened.close()


def leaves(engine: Engine) -> list[int]:
    with read_only(engine) as connection:
        return [event.leaf for event in read_after(connection, -1, 10_000)]


def test_a_future_resolves_after_the_commit(engine: Engine, writer: Writer, faults: FaultyCommits) -> None:
    stall = faults.stall(1)
    future = writer.submit(unit("a"))
    assert stall.reached.wait(10)
    assert not future.done()
    assert leaves(engine) == []
    stall.release()
    assert future.result(10) == [0]
    assert leaves(engine) == [0]


def test_what_waits_is_committed_together(engine: Engine, writer: Writer, faults: FaultyCommits) -> None:
    commits: list[Connection] = []
    stall = faults.stall(1)
    first = writer.submit(unit("a"))
    assert stall.reached.wait(10)
    happenings.listen(engine, "commit", commits.append)
    futures = [writer.submit(unit(f"s{number}", 2)) for number in range(50)]
    stall.release()
    assert [future.result(10) for future in [first, *futures]] == [[0], *([n, n + 1] for n in range(1, 101, 2))]
    assert len(commits) == 2  # the stalled one and one for all fifty


def test_a_unit_that_raises_is_rolled_back_alone(engine: Engine, writer: Writer, faults: FaultyCommits) -> None:
    class ChangedMind(Exception):
        pass

    def flawed(transaction: Transaction) -> None:
        note(transaction, "a")
        transaction.connection.execute(text("UPDATE workspace SET created_ms = 9"))
        note(transaction, "bad")
        raise ChangedMind

    stall = faults.stall(1)
    blocker = writer.submit(unit("blocker"))
    assert stall.reached.wait(10)
    before, bad, after = writer.submit(unit("a", 2)), writer.submit(flawed), writer.submit(unit("a", 2))
    stall.release()
    with pytest.raises(ChangedMind):
        bad.result(10)
    assert (blocker.result(10), before.result(10), after.result(10)) == ([0], [1, 2], [3, 4])
    with read_only(engine) as connection:
        assert [event.sequence for event in read_stream(connection, "a")] == [0, 1, 2, 3]
        assert read_stream(connection, "bad") == []
        assert connection.execute(text("SELECT created_ms FROM workspace")).scalar() == 0
        assert read_head(connection).size == 5


@pytest.mark.parametrize("statement", ["INSERT INTO workspace (id) VALUES ('x')", "SELECT * FROM nowhere"])
def test_a_unit_with_bad_sql_is_rolled_back_alone(engine: Engine, writer: Writer, statement: str) -> None:
    def flawed(transaction: Transaction) -> None:
        note(transaction, "a")
        transaction.connection.execute(text(statement))

    with pytest.raises((exc.DBAPIError, DatabaseUnavailable)):
        writer.submit(flawed).result(10)
    assert writer.submit(unit("a")).result(10) == [0]
    assert not writer.failing
    assert leaves(engine) == [0]


def test_a_unit_may_catch_a_refused_payload_and_go_on(writer: Writer) -> None:
    def stubborn(transaction: Transaction) -> int:
        with pytest.raises(PayloadError):
            transaction.append(
                stream="a", type="T", version=1, occurred_ms=0, actor="engine", payload={"x": float("nan")}
            )
        return note(transaction, "a")

    assert writer.submit(stubborn).result(10) == 0


def test_a_unit_reads_what_it_appended(writer: Writer) -> None:
    def read_own(transaction: Transaction) -> list[int]:
        note(transaction, "a")
        note(transaction, "a")
        return [event.sequence for event in read_stream(transaction.connection, "a")]

    assert writer.submit(read_own).result(10) == [0, 1]


def test_a_transaction_ends_with_its_unit(writer: Writer) -> None:
    kept = writer.submit(lambda transaction: transaction).result(10)
    with pytest.raises(RuntimeError, match="after its unit of work had ended"):
        note(kept, "a")


def test_a_failed_commit_fails_its_futures_and_alarms_once(
    engine: Engine, writer: Writer, faults: FaultyCommits, alarms: list[TallylightError]
) -> None:
    assert writer.submit(unit("a")).result(10) == [0]
    faults.fail_all()
    for _ in range(3):
        with pytest.raises(DatabaseUnavailable, match="injected fault"):
            writer.submit(unit("a")).result(10)
        assert writer.failing
    assert [alarm.code for alarm in alarms] == ["database_unavailable"]
    assert leaves(engine) == [0]
    faults.recover()
    assert writer.submit(unit("a", 2)).result(10) == [1, 2]
    assert not writer.failing
    faults.fail(faults.next, lambda: OSError("disk on fire"))
    with pytest.raises(DatabaseUnavailable, match=r"did not take the commit \(OSError: disk on fire\)"):
        writer.submit(unit("a")).result(10)
    assert len(alarms) == 2
    assert writer.submit(unit("a")).result(10) == [3]
    with read_only(engine) as connection:
        assert [event.sequence for event in read_stream(connection, "a")] == [0, 1, 2, 3]


def test_every_unit_of_a_failed_commit_fails(writer: Writer, faults: FaultyCommits) -> None:
    stall = faults.stall(1)
    first = writer.submit(unit("a"))
    assert stall.reached.wait(10)
    faults.fail(2)
    futures = [writer.submit(unit("a")) for _ in range(5)]
    stall.release()
    assert first.result(10) == [0]
    for future in futures:
        with pytest.raises(DatabaseUnavailable):
            future.result(10)
    assert writer.submit(unit("a")).result(10) == [1]


def test_an_alarm_that_raises_does_not_stop_the_writer(engine: Engine, faults: FaultyCommits) -> None:
    def broken(error: TallylightError) -> None:
        raise RuntimeError(error.code)

    writer = Writer(engine, clock=SystemClock(), faults=faults, on_alarm=broken)
    faults.fail(1, SystemExit)
    with pytest.raises(DatabaseUnavailable, match="SystemExit"):
        writer.submit(unit("a")).result(10)
    assert writer.submit(unit("a")).result(10) == [0]
    writer.close()


@needs.postgresql
def test_the_writer_connects_anew_after_losing_the_server(postgresql_cluster: PostgresqlCluster) -> None:
    engine = open_database(postgresql_cluster.url())
    migrate(engine)
    writer = Writer(engine, clock=SystemClock())
    assert writer.submit(unit("a")).result(10) == [0]
    with engine.connect() as connection:
        connection.execute(
            text(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        )
    with pytest.raises(DatabaseUnavailable):
        writer.submit(unit("a")).result(10)
    assert writer.submit(unit("a")).result(10) == [1]
    writer.close()
    engine.dispose()


def test_a_database_that_cannot_be_reached_fails_futures_until_it_can(
    engine: Engine, alarms: list[TallylightError]
) -> None:
    def refuse(*_: object) -> None:
        raise OSError("no route")

    happenings.listen(engine, "do_connect", refuse)
    engine.dispose()
    writer = Writer(engine, clock=SystemClock(), on_alarm=alarms.append)
    with pytest.raises(DatabaseUnavailable, match="no route"):
        writer.submit(unit("a")).result(10)
    happenings.remove(engine, "do_connect", refuse)
    assert writer.submit(unit("a")).result(10) == [0]
    writer.close()
    assert len(alarms) == 1


def test_closing_writes_what_waits_and_refuses_the_rest(engine: Engine, faults: FaultyCommits) -> None:
    writer = Writer(engine, clock=SystemClock(), faults=faults)
    stall = faults.stall(1)
    first = writer.submit(unit("a"))
    assert stall.reached.wait(10)
    waiting = [writer.submit(unit("a")) for _ in range(600)]
    closing = threading.Thread(target=writer.close)
    closing.start()
    stall.release()
    closing.join(20)
    assert [future.result(0) for future in [first, *waiting]] == [[number] for number in range(601)]
    late = writer.submit(unit("a"))
    with pytest.raises(WriterClosed, match="Start the server again"):
        late.result(0)
    writer.close()
    assert len(leaves(engine)) == 601


def test_closing_does_not_wait_for_ever(engine: Engine, faults: FaultyCommits) -> None:
    writer = Writer(engine, clock=SystemClock(), faults=faults)
    stall = faults.stall(1)
    held = writer.submit(unit("a"))
    assert stall.reached.wait(10)
    waiting = writer.submit(unit("a"))
    writer.close(timeout=0.05)
    with pytest.raises(WriterClosed, match="closed before this was written"):
        waiting.result(0)
    stall.release()
    assert held.result(10) == [0]


def test_a_cancelled_unit_does_not_run(writer: Writer, faults: FaultyCommits) -> None:
    stall = faults.stall(1)
    first = writer.submit(unit("a"))
    assert stall.reached.wait(10)
    second, third = writer.submit(unit("a")), writer.submit(unit("a"))
    assert second.cancel()
    stall.release()
    assert (first.result(10), third.result(10)) == ([0], [1])
    with pytest.raises(CancelledError):
        second.result(0)


def test_a_stalled_database_does_not_fill_the_memory(
    writer: Writer, faults: FaultyCommits, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tallylight.database.writer.MAX_WAITING", 300)
    stall = faults.stall(1)
    first = writer.submit(unit("a"))
    assert stall.reached.wait(10)
    waiting = [writer.submit(lambda transaction: None) for _ in range(300)]
    with pytest.raises(WriterOverloaded, match="Look at its disk"):
        writer.submit(unit("a")).result(0)
    stall.release()
    assert first.result(10) == [0]
    waiting[-1].result(10)


def test_sequences_go_on_after_another_process_appended(engine: Engine) -> None:
    one = Writer(engine, clock=VirtualClock())
    two = Writer(engine, clock=VirtualClock())
    for number in range(6):
        assert (one if number % 2 else two).submit(unit("a")).result(10) == [number]
    one.close()
    two.close()
    with read_only(engine) as connection:
        assert [event.sequence for event in read_stream(connection, "a")] == [*range(6)]
