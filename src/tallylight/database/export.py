"""The ledger as the stand-alone verifier reads it, and its verification in place."""

import base64
import json
from collections.abc import Iterator, Sequence

from sqlalchemy import Engine

from tallylight.database.checkpoints import LedgerKey, read_checkpoints, verify_signature
from tallylight.database.engine import read_only
from tallylight.database.errors import LedgerInvalid
from tallylight.database.events import StoredEvent, read_after, read_head
from tallylight.ids import DEFAULT_WORKSPACE, WorkspaceId
from tallylight.ledger.verifier import FORMAT, Report, VerificationError, verify_lines

PAGE = 1_000
"""Events read in one short look at the database."""


def export_lines(engine: Engine, verification_key: str, *, workspace: WorkspaceId = DEFAULT_WORKSPACE) -> Iterator[str]:
    """The log as it stands now, as JSON lines without line ends: header, entries, each checkpoint at its place.

    Pages of a log that goes on growing are one log: what is appended meanwhile is left for the next export. A payload
    erased meanwhile is left out or not, and either verifies.
    """
    with read_only(engine) as connection:
        head = read_head(connection, workspace=workspace)
    size, root = head.size, base64.b64encode(head.root()).decode()
    yield json.dumps({"format": FORMAT, "workspace": workspace, "size": size, "root": root, "key": verification_key})
    notes = _checkpoints(engine, workspace, size)
    note = next(notes, None)
    leaf = -1
    while leaf + 1 < size:
        with read_only(engine) as connection:
            page = read_after(connection, leaf, min(PAGE, size - leaf - 1), workspace=workspace)
        if not page:
            break  # rows are missing: the verifier will say so
        for event in page:
            # Somebody may have put a blob where text belongs: that must fail verification, not the export.
            yield json.dumps(_entry(event), ensure_ascii=False, default=repr)
            leaf = event.leaf
            while note is not None and note[0] <= leaf + 1:
                yield json.dumps({"checkpoint": note[1]}, ensure_ascii=False)
                note = next(notes, None)
    while note is not None:
        yield json.dumps({"checkpoint": note[1]}, ensure_ascii=False)
        note = next(notes, None)


def verify_ledger(
    engine: Engine,
    key: LedgerKey,
    *,
    workspace: WorkspaceId = DEFAULT_WORKSPACE,
    against: str | None = None,
    kept: Sequence[str] = (),
) -> Report:
    """Verify the log where it lies: every leaf, every checkpoint. LedgerInvalid says what is wrong.

    `against` is a public key got elsewhere, instead of the folder's own; `kept` are checkpoints kept from earlier.
    """
    verification_key = key.verification_key(workspace)
    try:
        return verify_lines(
            export_lines(engine, verification_key, workspace=workspace),
            key=verification_key if against is None else against,
            kept=kept,
            verify_signature=verify_signature,
        )
    except VerificationError as error:
        raise LedgerInvalid(
            f"The ledger does not verify: {error}. Restore it from a backup and find out who changed it."
        ) from None


def _checkpoints(engine: Engine, workspace: WorkspaceId, size: int) -> Iterator[tuple[int, str]]:
    after = 0
    while True:
        with read_only(engine) as connection:
            page = read_checkpoints(connection, workspace=workspace, after=after, limit=PAGE)
        for found, note in page:
            if found > size:
                return
            yield found, note
            after = found
        if len(page) < PAGE:
            return


def _entry(event: StoredEvent) -> dict[str, int | str | None]:
    return {
        "leaf": event.leaf,
        "stream": event.stream,
        "sequence": event.sequence,
        "type": event.type,
        "version": event.version,
        "occurred_ms": event.occurred_ms,
        "recorded_ms": event.recorded_ms,
        "actor": event.actor,
        "payload": event.payload_text,
        "salt": None if event.salt is None else event.salt.hex(),
        "commitment": event.commitment.hex(),
    }
