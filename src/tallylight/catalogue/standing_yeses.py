"""Standing yeses as they are kept: found by a keyed hash of whose they are, and ended in the caller's unit of work.

Each act is an event in the ledger that does not say whose it is. Here, and not in `rights`, because an erasure and a
sweep end them too.
"""

from enum import StrEnum

import sqlalchemy as sa

from tallylight.catalogue.addresses import comparable
from tallylight.catalogue.tables import standing_yes as yeses
from tallylight.consent.standing_yes import StandingYes
from tallylight.database.events import JsonValue, empty_payload, read_stream
from tallylight.database.writer import Transaction
from tallylight.ids import WorkspaceId
from tallylight.vault.keys import KeyRing

SUBJECT = "standing yes"
"""The kind of blind index; neither conversations nor objections are found by it."""


class End(StrEnum):
    """Why a standing yes is over."""

    REMOVED = "removed"
    """The person took it back, in writing."""
    NO = "no"
    """The person said no on a conversation."""
    OBJECTION = "objection"
    RENEWED = "renewed"
    """A later yes to the same purpose stands in its place."""
    EXPIRED = "expired"
    ERASURE = "erasure"


def subject_of(keys: KeyRing, canonical: str) -> bytes:
    """The keyed hash of somebody's canonical address."""
    return keys.blind(SUBJECT, comparable(canonical))


def of_person(workspace: WorkspaceId, subject: bytes) -> sa.ColumnElement[bool]:
    """Those of one person."""
    return sa.and_(yeses.c.workspace == workspace, yeses.c.subject == subject)


def run_out(workspace: WorkspaceId, now_ms: int) -> sa.ColumnElement[bool]:
    """Those that are over by now."""
    return sa.and_(yeses.c.workspace == workspace, yeses.c.expires_ms <= now_ms)


def read(connection: sa.Connection, which: sa.ColumnElement[bool], *, limit: int | None = None) -> list[StandingYes]:
    """Oldest first."""
    rows = connection.execute(sa.select(yeses).where(which).order_by(yeses.c.standing_yes).limit(limit))
    return [_standing(row) for row in rows]


def keep(transaction: Transaction, subject: bytes, standing: StandingYes, *, actor: str) -> None:
    """Keep one for which there is none of the same person and purpose yet."""
    columns: dict[str, JsonValue] = {
        "purpose": standing.purpose,
        "given_ms": standing.given_ms,
        "expires_ms": standing.expires_ms,
        "evidence": standing.evidence,
        "notice": standing.notice,
        "text": standing.text,
        "language": standing.language,
    }
    whose = {"workspace": transaction.workspace, "subject": subject, "standing_yes": standing.id}
    transaction.connection.execute(sa.insert(yeses), {**whose, **columns})
    transaction.append(
        stream=standing.id,
        type="StandingYesGiven",
        version=1,
        occurred_ms=standing.given_ms,
        actor=actor,
        payload=columns,
    )


def end(
    transaction: Transaction,
    which: sa.ColumnElement[bool],
    why: End,
    *,
    now_ms: int,
    actor: str,
    evidence: str | None = None,
) -> list[StandingYes]:
    """Delete them and what the ledger says of them but that they were: a conversation that rests on one has its text.

    Returns those that were there.
    """
    connection = transaction.connection
    ended = read(connection, which)
    connection.execute(sa.delete(yeses).where(which))
    for standing in ended:
        for event in read_stream(connection, standing.id, workspace=transaction.workspace):
            empty_payload(connection, event.leaf, workspace=transaction.workspace)
        transaction.append(
            stream=standing.id,
            type="StandingYesEnded",
            version=1,
            occurred_ms=now_ms,
            actor=actor,
            payload={"why": why.value, **({} if evidence is None else {"evidence": evidence})},
        )
    return ended


def _standing(row: sa.Row[tuple[object, ...]]) -> StandingYes:
    return StandingYes(
        id=row.standing_yes,
        purpose=row.purpose,
        given_ms=row.given_ms,
        expires_ms=row.expires_ms,
        evidence=row.evidence,
        notice=row.notice,
        text=row.text,
        language=row.language,
    )
