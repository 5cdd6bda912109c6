"""The one way anything is written: units of work, grouped by one thread into one commit and one fsync.

Each unit runs under a savepoint, so that one that raises is rolled back alone. A future resolves after the commit that
holds its unit. A failing database fails the futures of the batch and never the thread: the next batch connects anew.
"""

import logging
import queue
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Generic, TypeVar

from sqlalchemy import Connection, Engine, exc
from sqlalchemy.engine.interfaces import DBAPICursor

from tallylight.clock import Clock
from tallylight.database.checkpoints import LedgerKey, last_signed_size, store_checkpoint, unsigned_workspaces
from tallylight.database.errors import DatabaseUnavailable, WriterClosed, WriterOverloaded
from tallylight.database.faults import WriterFaults
from tallylight.database.tail import Tail
from tallylight.errors import TallylightError
from tallylight.ids import DEFAULT_WORKSPACE, WorkspaceId
from tallylight.ledger.commitment import JsonValue

logger = logging.getLogger(__name__)

T = TypeVar("T")

MAX_BATCH = 256
"""Units in one commit."""
MAX_WAITING = 20_000
"""Units that may wait for a stalled database before further ones are refused."""
LINGER_S = 0.005
"""How long a busy writer waits for company before it commits: a commit costs as much as several units of work."""
BUSY_S = 0.010
"""A writer is busy that has something to write again so soon after the last commit."""
CHECKPOINT_LEAVES = 1_000
CHECKPOINT_S = 60.0


class Transaction:
    """What a unit of work holds: a connection inside its savepoint, and the ledger. Valid only while the unit runs."""

    __slots__ = ("_connection", "_tail", "recorded_ms", "workspace")

    def __init__(self, connection: Connection, tail: Tail, workspace: WorkspaceId, recorded_ms: int) -> None:
        self._connection = connection
        self._tail = tail
        self.workspace = workspace
        self.recorded_ms = recorded_ms
        """When what this unit appends is recorded: wall ms UTC."""

    @property
    def connection(self) -> Connection:
        """For the unit's own tables. It may not commit, roll back or close it."""
        self._tail.flush()
        return self._connection

    def append(
        self,
        *,
        stream: str,
        type: str,
        version: int,
        occurred_ms: int,
        actor: str,
        payload: Mapping[str, JsonValue],
    ) -> int:
        """Append one event to its stream and to the ledger. Returns its leaf number; nothing is skipped or reused."""
        return self._tail.append(
            stream=stream,
            type=type,
            version=version,
            occurred_ms=occurred_ms,
            recorded_ms=self.recorded_ms,
            actor=actor,
            payload=payload,
        )


UnitOfWork = Callable[[Transaction], T]


@dataclass(slots=True)
class _Waiting(Generic[T]):
    unit: UnitOfWork[T]
    workspace: WorkspaceId
    future: "Future[T]"
    outcome: T | None = None
    error: BaseException | None = None

    def run(self, transaction: Transaction) -> None:
        self.outcome = self.unit(transaction)

    def resolve(self) -> None:
        if self.error is not None:
            self.future.set_exception(self.error)
        else:
            self.future.set_result(self.outcome)  # type: ignore[arg-type]  # set by run()


class Writer:
    """One per process. `submit` is safe from every thread and never blocks, so also from the media loop.

    `key` signs checkpoints, every 60 s, every 1,000 leaves and on close; without it none are made. `on_alarm` is called
    on the writer thread when the database begins to fail, once per outage. Futures' callbacks run on the writer thread
    too and must be quick.

    A failed future means *not committed* with one exception nobody can remove: where the database vanishes during the
    commit itself, the unit may be found committed later.
    """

    def __init__(
        self,
        engine: Engine,
        *,
        clock: Clock,
        key: LedgerKey | None = None,
        faults: WriterFaults | None = None,
        on_alarm: Callable[[TallylightError], None] | None = None,
        linger_s: float = LINGER_S,
    ) -> None:
        self._engine = engine
        self._clock = clock
        self._key = key
        self._faults = faults
        self._on_alarm = on_alarm
        self._linger_s = linger_s
        self._queue: queue.SimpleQueue[_Waiting[object] | None] = queue.SimpleQueue()
        self._gate = threading.Lock()
        self._closed = False
        self._abandon = False
        self._connection: Connection | None = None
        self._tails: dict[WorkspaceId, Tail] = {}
        self._signed: dict[WorkspaceId, int] = {}
        self._signed_ns = clock.monotonic_ns()
        self._unsigned = key is not None  # until proved otherwise: an earlier process may have left a tail unsigned
        self._commits = 0
        self._busy = False
        self._wrote_ns = 0
        self._failing = False
        self._thread = threading.Thread(target=self._run, name="database-writer", daemon=True)
        self._thread.start()

    @property
    def failing(self) -> bool:
        """Whether the last commit failed."""
        return self._failing

    @property
    def waiting(self) -> int:
        """Units not yet taken into a batch."""
        return self._queue.qsize()

    def submit(self, unit: UnitOfWork[T], *, workspace: WorkspaceId = DEFAULT_WORKSPACE) -> "Future[T]":
        """Run `unit` on the writer thread. The future carries its result after the commit, or why there was none."""
        future: Future[T] = Future()
        item = _Waiting(unit=unit, workspace=workspace, future=future)
        with self._gate:
            if self._closed:
                refusal: TallylightError | None = WriterClosed("The database writer is closed. Start the server again.")
            elif self._queue.qsize() >= MAX_WAITING:
                refusal = WriterOverloaded(f"{MAX_WAITING} writes wait for the database. Look at its disk.")
            else:
                refusal = None
                self._queue.put(item)  # type: ignore[arg-type]  # a queue of every T
        if refusal is not None:
            future.set_running_or_notify_cancel()
            future.set_exception(refusal)
        return future

    def close(self, timeout: float = 10.0) -> None:
        """Write what waits, sign the ledger, end the thread. What is not written within `timeout` s fails."""
        with self._gate:
            if not self._closed:
                self._closed = True
                self._queue.put(None)
        self._thread.join(timeout)
        if self._thread.is_alive():
            self._abandon = True
            logger.error("the database did not finish within %g s of closing; %d writes failed", timeout, self.waiting)
            self._refuse_rest()

    # -- the writer thread ---------------------------------------------------------------------------------------------

    def _run(self) -> None:
        ending = False
        while not ending and not self._abandon:
            batch, ending = self._gather()
            if batch:
                self._write(batch)
                self._wrote_ns = self._clock.monotonic_ns()
            elif not ending:
                self._sign_all()
            # Keys that a unit holds are not to stay in memory until the next one comes.
            del batch
        if not self._abandon:
            self._sign_all()
        self._refuse_rest()
        self._disconnect()

    def _gather(self) -> "tuple[list[_Waiting[object]], bool]":
        """The next batch, and whether it is the last. Empty when a checkpoint is due instead."""
        try:
            first = self._queue.get(timeout=self._until_checkpoint_s())
        except queue.Empty:
            return [], False
        batch: list[_Waiting[object]] = []
        item: _Waiting[object] | None = first
        now_ns = self._clock.monotonic_ns()
        busy = self._busy or now_ns - self._wrote_ns < BUSY_S * 1e9
        deadline_ns = now_ns + int(self._linger_s * 1e9) if busy else 0
        while item is not None:
            batch.append(item)
            if len(batch) >= MAX_BATCH:
                break
            try:
                item = self._queue.get_nowait()
            except queue.Empty:
                remaining_s = (deadline_ns - self._clock.monotonic_ns()) / 1e9
                if remaining_s <= 0:
                    break
                try:
                    item = self._queue.get(timeout=remaining_s)
                except queue.Empty:
                    break
        self._busy = len(batch) > 1
        return batch, item is None

    def _until_checkpoint_s(self) -> float | None:
        if self._key is None or not self._unsigned:
            return None
        return max(0.001, CHECKPOINT_S - (self._clock.monotonic_ns() - self._signed_ns) / 1e9)

    def _write(self, batch: "list[_Waiting[object]]") -> None:
        running = [item for item in batch if item.future.set_running_or_notify_cancel()]
        if not running:
            return
        try:
            self._commit(running, tuple(sorted({item.workspace for item in running})))
        except BaseException as error:
            failure = self._failed(error)
            for item in running:
                item.error = item.error or failure
        else:
            if self._failing:
                self._failing = False
                logger.warning("the database takes commits again")
        for item in running:
            item.resolve()

    def _commit(self, running: "list[_Waiting[object]]", workspaces: tuple[WorkspaceId, ...]) -> None:
        connection = self._connect()
        tails = {workspace: self._tail(workspace) for workspace in workspaces}
        # Savepoints go straight to the driver: two per unit, and SQLAlchemy's way costs ten times the statement.
        savepoints = connection.connection.cursor()
        with connection.begin():
            for tail in tails.values():
                tail.begin(connection)
            recorded_ms = self._clock.wall_ms()
            for item in running:
                self._run_unit(connection, savepoints, item, tails[item.workspace], recorded_ms)
            for workspace, tail in tails.items():
                tail.finish()
                self._maybe_sign(connection, workspace, tail, recorded_ms)
            self._before_commit()
        savepoints.close()
        for tail in tails.values():
            tail.committed()

    def _run_unit(
        self, connection: Connection, savepoints: DBAPICursor, item: _Waiting[object], tail: Tail, recorded_ms: int
    ) -> None:
        before = tail.frontier
        savepoints.execute("SAVEPOINT unit")
        try:
            item.run(Transaction(connection, tail, item.workspace, recorded_ms))
            tail.flush()
        except BaseException as error:
            item.error = self._typed(error)
            tail.rewind(before)
            try:
                savepoints.execute("ROLLBACK TO SAVEPOINT unit")
            except Exception as second:
                # SQLite has rolled everything back by itself (a full disk), or the server is gone.
                raise (second if item.error is error else item.error) from error
        savepoints.execute("RELEASE SAVEPOINT unit")

    def _typed(self, error: BaseException) -> BaseException:
        """A unit's own error as it is; a failing database, which also speaks through the driver, under its own name."""
        driver = self._engine.dialect.loaded_dbapi
        broken = (exc.OperationalError, exc.InterfaceError, driver.Error)
        return _unavailable(error) if isinstance(error, broken) else error

    def _before_commit(self) -> None:
        self._commits += 1
        if self._faults is not None:
            self._faults.before_commit(self._commits)

    def _maybe_sign(self, connection: Connection, workspace: WorkspaceId, tail: Tail, wall_ms: int) -> None:
        if self._key is None:
            return
        signed = self._signed.get(workspace)
        if signed is None:
            signed = self._signed[workspace] = last_signed_size(connection, workspace)
        size = tail.frontier.size
        if size > signed:
            self._unsigned = True
        now_ns = self._clock.monotonic_ns()
        due = now_ns - self._signed_ns >= CHECKPOINT_S * 1e9
        if size - signed >= CHECKPOINT_LEAVES or (size > signed and due):
            store_checkpoint(connection, workspace, tail.frontier, self._key, wall_ms)
            self._signed[workspace] = size
            self._signed_ns = now_ns

    def _sign_all(self) -> None:
        """Sign every head that no checkpoint covers yet: a minute has passed, or the process ends."""
        if self._key is None or not self._unsigned:
            return
        self._signed_ns = self._clock.monotonic_ns()
        try:
            connection = self._connect()
            with connection.begin():
                for workspace in unsigned_workspaces(connection):
                    tail = self._tail(workspace)
                    tail.begin(connection)
                    store_checkpoint(connection, workspace, tail.frontier, self._key, self._clock.wall_ms())
                    self._signed[workspace] = tail.frontier.size
                self._before_commit()
            self._unsigned = False
        except BaseException as error:
            self._failed(error)

    def _tail(self, workspace: WorkspaceId) -> Tail:
        tail = self._tails.get(workspace)
        if tail is None:
            tail = self._tails[workspace] = Tail(workspace, self._engine.dialect.name)
        return tail

    def _connect(self) -> Connection:
        if self._connection is None:
            self._connection = self._engine.connect()
        return self._connection

    def _disconnect(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            try:
                connection.close()
            except Exception:
                logger.warning("the database connection did not close", exc_info=True)

    def _failed(self, error: BaseException) -> TallylightError:
        """Start anew with the next batch; alarm once per outage."""
        failure = _unavailable(error)
        for tail in self._tails.values():
            tail.lost()
        self._signed.clear()
        connection, self._connection = self._connection, None
        if connection is not None:
            try:
                connection.invalidate()
                connection.close()
            except Exception:
                logger.warning("the broken database connection did not close", exc_info=True)
        if not self._failing:
            self._failing = True
            logger.error("the database failed: %s", failure.message, exc_info=error)
            if self._on_alarm is not None:
                try:
                    self._on_alarm(failure)
                except Exception:
                    logger.exception("the alarm for the database failed")
        return failure

    def _refuse_rest(self) -> None:
        while True:
            try:
                item = self._queue.get_nowait()
            except queue.Empty:
                return
            if item is not None and item.future.set_running_or_notify_cancel():
                item.future.set_exception(WriterClosed("The database writer closed before this was written."))


def _unavailable(error: BaseException) -> TallylightError:
    if isinstance(error, TallylightError):
        return error
    cause = getattr(error, "orig", None) or error
    failure = DatabaseUnavailable(
        f"The database did not take the commit ({type(cause).__name__}: {str(cause).strip()})."
        " Look at its disk and its server."
    )
    failure.__cause__ = error
    return failure
