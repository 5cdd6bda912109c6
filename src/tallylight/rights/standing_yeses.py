"""Giving, ending and finding standing yeses: the mirror image of a standing objection, and never stronger than one.

The keyed hash is made under a key of its own: nobody can tell from the table on which conversations somebody was.
"""

from dataclasses import dataclass

import sqlalchemy as sa

from tallylight.catalogue.addresses import canonical_address, names_nobody
from tallylight.catalogue.standing_yeses import End, end, keep, of_person, read, subject_of
from tallylight.catalogue.tables import standing_yes as yeses
from tallylight.consent.standing_yes import StandingYes
from tallylight.conversation.commands import ENGINE
from tallylight.database.engine import read_only
from tallylight.database.writer import Transaction
from tallylight.policy.standing_yes import require_end
from tallylight.rights.errors import StandingYesError
from tallylight.rights.objections import has_objection
from tallylight.rights.register import COMMIT_S, Register


@dataclass(frozen=True, kw_only=True)
class StandingYeses(Register):
    """The standing yeses of one workspace, all projects together."""

    def give(self, person: str, standing: StandingYes, *, actor: str) -> StandingYes:
        """Keep that `person` (an address in any spelling) agreed. One to the same purpose ends for it.

        Raises AddressError, ConsentError for an end that cannot be, and StandingYesError where the address is no
        person's or the person has a standing objection (`objection_stands`).
        """
        address = self._address(person)
        subject = subject_of(self.keys, address)
        require_end(standing.given_ms, standing.expires_ms)

        def write(transaction: Transaction) -> StandingYes:
            if has_objection(transaction.connection, self.keys, self.workspace, address):
                raise StandingYesError(
                    "This person has a standing objection: they are recorded after they have lifted it, not before.",
                    code="objection_stands",
                )
            former = self._to(subject, standing.purpose)
            end(transaction, former, End.RENEWED, now_ms=standing.given_ms, actor=actor)
            keep(transaction, subject, standing, actor=actor)
            return standing

        return self.writer.submit(write, workspace=self.workspace).result(COMMIT_S)

    def take_back(self, person: str, purpose: str | None, *, evidence: str, actor: str) -> tuple[StandingYes, ...]:
        """End a person's yes to a purpose, or all of theirs, on their own word.

        Raises AddressError, and StandingYesError where there is none (`standing_yes_unknown`).
        """
        which = self._to(subject_of(self.keys, self._address(person)), purpose)
        now_ms = self.clock.wall_ms()

        def write(transaction: Transaction) -> tuple[StandingYes, ...]:
            ended = end(transaction, which, End.REMOVED, now_ms=now_ms, actor=actor, evidence=evidence)
            if not ended:
                raise StandingYesError("This person has no such standing yes.", code="standing_yes_unknown")
            return tuple(ended)

        return self.writer.submit(write, workspace=self.workspace).result(COMMIT_S)

    def said_no(self, transaction: Transaction, canonical: str) -> None:
        """Somebody has said no on a conversation: the unit of work that holds their no ends all of their yeses."""
        if not names_nobody(canonical):
            which = of_person(self.workspace, subject_of(self.keys, canonical))
            end(transaction, which, End.NO, now_ms=self.clock.wall_ms(), actor=ENGINE)

    def find(self, person: str, purpose: str) -> StandingYes | None:
        """A person's yes to a purpose, run out or not. Raises as `give`."""
        found = self.of(person, purpose)
        return found[0] if found else None

    def of(self, person: str, purpose: str | None = None) -> tuple[StandingYes, ...]:
        """A person's, to all purposes or to one, oldest first. Raises as `give`."""
        return self._read(self._to(subject_of(self.keys, self._address(person)), purpose))

    def all(self) -> tuple[StandingYes, ...]:
        """Oldest first. Whose they are nobody can tell from them."""
        return self._read(yeses.c.workspace == self.workspace)

    def _read(self, which: sa.ColumnElement[bool]) -> tuple[StandingYes, ...]:
        with read_only(self.engine) as connection:
            return tuple(read(connection, which))

    def _to(self, subject: bytes, purpose: str | None) -> sa.ColumnElement[bool]:
        theirs = of_person(self.workspace, subject)
        return theirs if purpose is None else sa.and_(theirs, yeses.c.purpose == purpose)

    def _address(self, person: str) -> str:
        address = canonical_address(person, country=self.country)
        if names_nobody(address):
            raise StandingYesError("This address is no person's: a hidden caller is asked on the call.")
        return address
