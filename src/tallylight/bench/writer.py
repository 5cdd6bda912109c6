"""`writer`: how many events a second reach the disk, and how long each waits for it."""

import sqlite3
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tallylight.bench.errors import BenchFailed
from tallylight.bench.figures import Figure, Findings, median_figure
from tallylight.clock import SystemClock
from tallylight.database.checkpoints import LedgerKey
from tallylight.database.engine import open_database
from tallylight.database.schema import migrate
from tallylight.database.writer import Transaction, Writer
from tallylight.ids import PartyId, new_id
from tallylight.ledger.commitment import JsonValue

EVENTS_PER_UNIT = 2
"""What a command of a conversation mostly leads to: what happened, and the lamps it changed."""
STREAMS = 200
KEEP_UP_S = 120.0
REASON = "The customer has not agreed yet; nobody is recorded before everybody has been told and asked."


@dataclass(frozen=True, kw_only=True)
class WriterLoad:
    """Events a second that are offered, evenly paced, in one run after the other."""

    rates: tuple[int, ...] = (1_000, 2_000, 4_000)
    seconds: float = 5.0
    repeats: int = 3
    folder: Path | None = None


@dataclass(frozen=True, kw_only=True)
class Written:
    """One run. Milliseconds from `submit` to the future's result; CPU of the process per event in ms."""

    rate: float
    p50_ms: float
    p99_ms: float
    cpu_ms: float
    units_per_commit: float


def writer(load: WriterLoad) -> Findings:
    """The group-commit writer on SQLite, at several paces."""
    runs = {rate: [_write(rate, load) for _ in range(load.repeats)] for rate in load.rates}
    figures = [
        figure
        for rate, written in runs.items()
        for figure in _figures(rate, written, at_most_ms=30 if rate == load.rates[0] else None)
    ]
    singles = [_single_commits(load.folder) for _ in range(load.repeats)]
    return Findings(
        benchmark="writer",
        method=[
            f"Units of work of {EVENTS_PER_UNIT} events (a savepoint each) are submitted at an even pace from another"
            " thread, as conversations do; each event is hashed into the ledger, the head moves with each commit,"
            " checkpoints are signed. SQLite, WAL, synchronous=FULL, secure_delete.",
            f"A unit's time is from `submit` to its future's result, after the commit's fsync. {load.seconds:g} s each,"
            f" medians of {load.repeats} repetitions. The limit holds for the first pace.",
            "Beside it: SQLite alone, one row and one commit after the other, in the same folder.",
        ],
        figures=[*figures, median_figure("SQLite alone, single commits", singles, "commits/s")],
    )


def _figures(rate: int, written: list[Written], *, at_most_ms: float | None) -> list[Figure]:
    offered = f"{rate:,} events/s offered"
    least = rate * 0.98 if at_most_ms is not None else None
    return [
        median_figure(f"{offered}: written", [run.rate for run in written], "events/s", at_least=least),
        median_figure(f"{offered}: p50", [run.p50_ms for run in written], "ms"),
        median_figure(f"{offered}: p99", [run.p99_ms for run in written], "ms", at_most=at_most_ms),
        median_figure(f"{offered}: CPU per event", [run.cpu_ms for run in written], "ms"),
        median_figure(f"{offered}: units in a commit", [run.units_per_commit for run in written], "units"),
    ]


def _write(rate: int, load: WriterLoad) -> Written:
    with tempfile.TemporaryDirectory(prefix="tallylight-bench-", dir=load.folder) as directory:
        engine = open_database(Path(directory))
        migrate(engine)
        commits = _Commits()
        made = Writer(engine, clock=SystemClock(), key=LedgerKey.open(Path(directory)), faults=commits)
        try:
            for number in range(20):
                made.submit(_unit(number)).result(30)
            return _pace(made, commits, rate, load.seconds)
        finally:
            made.close()
            engine.dispose()


class _Commits:
    """Counts commits; a `WriterFaults` that lets all of them pass."""

    def __init__(self) -> None:
        self.count = 0

    def before_commit(self, number: int) -> None:
        self.count = number


def _pace(made: Writer, commits: _Commits, rate: int, seconds: float) -> Written:
    units = max(1, round(rate * seconds / EVENTS_PER_UNIT))
    waited_ms: list[float] = []
    last = threading.Event()
    before, cpu_s, began = commits.count, time.process_time(), time.monotonic()

    def written(submitted: float) -> None:
        waited_ms.append((time.monotonic() - submitted) * 1000)
        if len(waited_ms) == units:
            last.set()

    for number in range(units):
        wait = began + number * EVENTS_PER_UNIT / rate - time.monotonic()
        if wait > 0:
            time.sleep(wait)
        submitted = time.monotonic()
        made.submit(_unit(number)).add_done_callback(lambda future, submitted=submitted: written(submitted))  # type: ignore[misc]
    if not last.wait(KEEP_UP_S):
        raise BenchFailed(f"The writer did not keep up with {rate} events/s: offer fewer with --rate.")
    took_s = time.monotonic() - began
    waited_ms.sort()
    return Written(
        rate=units * EVENTS_PER_UNIT / took_s,
        p50_ms=waited_ms[units // 2],
        p99_ms=waited_ms[min(units - 1, units * 99 // 100)],
        cpu_ms=(time.process_time() - cpu_s) / (units * EVENTS_PER_UNIT) * 1000,
        units_per_commit=units / max(1, commits.count - before),
    )


def _unit(number: int) -> Callable[[Transaction], None]:
    party = PartyId(new_id(0))
    happened: dict[str, JsonValue] = {"party": party, "notice": "0" * 64, "language": "en", "offset_ms": 12_345}
    lamps: dict[str, JsonValue] = {
        "offset_ms": 12_345,
        "rulings": [{"party": party, "lamp": "off", "reason": REASON, "actions": ["obtain_opt_in_consent"]}],
        "situation": "0" * 64,
    }

    def write(transaction: Transaction) -> None:
        for kind, payload in (("NoticeGiven", happened), ("LampsChanged", lamps)):
            transaction.append(
                stream=f"conversation-{number % STREAMS}",
                type=kind,
                version=1,
                occurred_ms=transaction.recorded_ms,
                actor="engine",
                payload=payload,
            )

    return write


def _single_commits(folder: Path | None, seconds: float = 1.0) -> float:
    """Commits a second that this disk and SQLite give, one after the other."""
    with tempfile.TemporaryDirectory(prefix="tallylight-bench-", dir=folder) as directory:
        connection = sqlite3.connect(Path(directory) / "single.db", isolation_level=None)
        try:
            connection.execute("PRAGMA journal_mode=WAL")
            connection.execute("PRAGMA synchronous=FULL")
            connection.execute("CREATE TABLE note (content TEXT)")
            began, count = time.monotonic(), 0
            while time.monotonic() - began < seconds:
                connection.execute("INSERT INTO note VALUES (?)", (REASON,))
                count += 1
            return count / (time.monotonic() - began)
        finally:
            connection.close()
