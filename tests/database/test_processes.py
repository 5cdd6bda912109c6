"""Several processes on one ledger, and processes that die."""

import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from sqlalchemy import Engine

from tallylight.clock import SystemClock
from tallylight.database.checkpoints import LedgerKey, sign_head
from tallylight.database.engine import read_only
from tallylight.database.events import StoredEvent, read_after
from tallylight.database.export import verify_ledger
from tallylight.database.writer import Writer
from tests.database.making import unit

CHECKOUT = Path(__file__).resolve().parents[2]


class Child:
    """An appending process, told to begin once every one of them is ready."""

    def __init__(self, engine: Engine, name: str, count: int) -> None:
        database = engine.url.database or ""
        target = (
            str(Path(database).parent)
            if engine.dialect.name == "sqlite"
            else engine.url.render_as_string(hide_password=False)
        )
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.database.child", target, name, str(count)],
            cwd=CHECKOUT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.acknowledged: list[int] = []
        self.enough = threading.Event()
        self._reader = threading.Thread(target=self._read)
        assert self._process.stdout is not None
        assert self._process.stdout.readline() == "ready\n"

    def begin(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write("go\n")
        self._process.stdin.flush()
        self._reader.start()

    def kill(self) -> None:
        self._process.kill()
        self.wait()

    def wait(self) -> int:
        self._reader.join(60)
        assert self._process.stdin is not None
        self._process.stdin.close()
        return self._process.wait(60)

    def _read(self) -> None:
        assert self._process.stdout is not None
        with self._process.stdout as lines:
            for line in lines:
                if line.endswith("\n"):
                    self.acknowledged.extend(map(int, line.split()))
                    self.enough.set()


def all_events(engine: Engine) -> list[StoredEvent]:
    events: list[StoredEvent] = []
    while True:
        with read_only(engine) as connection:
            page = read_after(connection, len(events) - 1, 1_000)
        if not page:
            return events
        events.extend(page)


def test_two_processes_append_to_one_ledger_without_gaps(engine: Engine) -> None:
    children = [Child(engine, name, 15) for name in ("one", "two")]
    for child in children:
        child.begin()
    key = LedgerKey.generate()
    writer = Writer(engine, clock=SystemClock(), key=key)
    own = [leaf for _ in range(40) for leaf in writer.submit(unit("shared")).result(30)]
    assert [child.wait() for child in children] == [0, 0]
    writer.close()
    assert sorted([*own, *children[0].acknowledged, *children[1].acknowledged]) == list(range(2 * 15 * 13 + 40))
    report = verify_ledger(engine, key)
    assert (report.entries, report.signed) == (430, 430)
    assert len([event for event in all_events(engine) if event.stream == "shared"]) == 70


@pytest.mark.parametrize("after_ms", [0, 7, 31, 62, 115])
def test_a_process_killed_while_committing_loses_nothing_acknowledged(engine: Engine, after_ms: int) -> None:
    child = Child(engine, "mortal", 0)
    child.begin()
    assert child.enough.wait(30)
    time.sleep(after_ms / 1000)  # where in its commits the process dies must vary, not be waited for
    child.kill()
    key = LedgerKey.generate()
    stored = {event.leaf for event in all_events(engine)}
    assert child.acknowledged
    assert stored.issuperset(child.acknowledged)
    writer = Writer(engine, clock=SystemClock())
    assert writer.submit(unit("shared", 2)).result(30) == [len(stored), len(stored) + 1]
    writer.close()
    sign_head(engine, key, 0)
    assert verify_ledger(engine, key).signed == len(stored) + 2
