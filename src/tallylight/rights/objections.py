"""Raising, lifting and finding standing objections. Each act is an event in the ledger, without whose it is.

The keyed hash is made under a key of its own, so that an erasure, which destroys the index by which somebody's
conversations are found, leaves their objection to be honoured.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import sqlalchemy as sa

from tallylight.catalogue.addresses import canonical_address, comparable, names_nobody
from tallylight.catalogue.standing_yeses import End, end, of_person, subject_of
from tallylight.consent.objection import GROUND, StandingObjection
from tallylight.database.engine import read_only
from tallylight.database.events import JsonValue
from tallylight.database.writer import Transaction
from tallylight.ids import WorkspaceId, new_id
from tallylight.rights.errors import ObjectionError
from tallylight.rights.register import COMMIT_S, Register
from tallylight.rights.tables import objection as objections
from tallylight.vault.keys import KeyRing

SUBJECT = "objection"
"""The kind of blind index; a person's conversations are found by another."""


@dataclass(frozen=True, kw_only=True)
class Objections(Register):
    """The standing objections of one workspace, all projects together."""

    def raise_objection(self, person: str, *, evidence: str, actor: str) -> StandingObjection:
        """Keep that `person` (an address in any spelling) is never to be recorded. One raised before stays as it is.

        Whatever they had agreed to in advance ends with it. Raises AddressError, and ObjectionError where the address is
        no person's.
        """
        address = self._address(person)
        subject = _subject(self.keys, address)
        now_ms = self.clock.wall_ms()
        raised = StandingObjection(id=new_id(now_ms), raised_ms=now_ms, evidence=evidence)

        def write(transaction: Transaction) -> StandingObjection:
            agreed = of_person(self.workspace, subject_of(self.keys, address))
            end(transaction, agreed, End.OBJECTION, now_ms=now_ms, actor=actor)
            standing = _find(transaction.connection, self.workspace, subject)
            if standing is not None:
                return standing
            transaction.connection.execute(
                sa.insert(objections),
                {
                    "workspace": self.workspace,
                    "subject": subject,
                    "objection": raised.id,
                    "raised_ms": raised.raised_ms,
                    "evidence": raised.evidence,
                },
            )
            payload = {"evidence": raised.evidence, "ground": GROUND}
            _append(transaction, raised, "StandingObjectionRaised", now_ms, actor, payload)
            return raised

        return self.writer.submit(write, workspace=self.workspace).result(COMMIT_S)

    def lift(self, person: str, *, evidence: str, actor: str) -> StandingObjection:
        """Forget a person's objection, on their own word. Raises ObjectionError where there is none."""
        subject = _subject(self.keys, self._address(person))
        now_ms = self.clock.wall_ms()

        def write(transaction: Transaction) -> StandingObjection:
            standing = _find(transaction.connection, self.workspace, subject)
            if standing is None:
                raise ObjectionError("This person has no standing objection.", code="objection_unknown")
            transaction.connection.execute(sa.delete(objections).where(_is(self.workspace, subject)))
            _append(transaction, standing, "StandingObjectionLifted", now_ms, actor, {"evidence": evidence})
            return standing

        return self.writer.submit(write, workspace=self.workspace).result(COMMIT_S)

    def find(self, person: str) -> StandingObjection | None:
        """The objection of a person, whichever project they call. Raises as `raise_objection`."""
        with read_only(self.engine) as connection:
            return _find(connection, self.workspace, _subject(self.keys, self._address(person)))

    def all(self) -> tuple[StandingObjection, ...]:
        """Oldest first. Whose they are nobody can tell from them."""
        query = sa.select(objections).where(objections.c.workspace == self.workspace)
        with read_only(self.engine) as connection:
            return tuple(_objection(row) for row in connection.execute(query.order_by(objections.c.objection)))

    def _address(self, person: str) -> str:
        address = canonical_address(person, country=self.country)
        if names_nobody(address):
            raise ObjectionError("This address is no person's: a hidden caller says no on the call.")
        return address


def has_objection(connection: sa.Connection, keys: KeyRing, workspace: WorkspaceId, canonical: str) -> bool:
    """Whether somebody with this canonical address is never to be recorded."""
    return _find(connection, workspace, _subject(keys, canonical)) is not None


def _subject(keys: KeyRing, canonical: str) -> bytes:
    return keys.blind(SUBJECT, comparable(canonical))


def _is(workspace: WorkspaceId, subject: bytes) -> sa.ColumnElement[bool]:
    return sa.and_(objections.c.workspace == workspace, objections.c.subject == subject)


def _find(connection: sa.Connection, workspace: WorkspaceId, subject: bytes) -> StandingObjection | None:
    row = connection.execute(sa.select(objections).where(_is(workspace, subject))).one_or_none()
    return None if row is None else _objection(row)


def _objection(row: sa.Row[tuple[object, ...]]) -> StandingObjection:
    return StandingObjection(id=row.objection, raised_ms=row.raised_ms, evidence=row.evidence)


def _append(
    transaction: Transaction,
    objection: StandingObjection,
    kind: str,
    now_ms: int,
    actor: str,
    payload: Mapping[str, JsonValue],
) -> None:
    transaction.append(stream=objection.id, type=kind, version=1, occurred_ms=now_ms, actor=actor, payload=payload)
