"""What a controller has to write down before a lawful basis holds: balancing test, necessity, responsibility. Pure.

Arts 5(2), 6(1), 24 GDPR. Instants are ms UTC; every record says at which it holds, and what keeps it from holding.
"""

from collections.abc import Iterable
from dataclasses import dataclass, fields
from enum import StrEnum

from tallylight.consent.errors import BasisError
from tallylight.law.vocabulary import LawfulBasis, Purpose, Role


class Outcome(StrEnum):
    """How a balancing test came out."""

    INTERESTS_NOT_OVERRIDDEN = "interests_not_overridden"
    INTERESTS_OVERRIDDEN = "interests_overridden"


class Lack(StrEnum):
    """Why a basis does not hold now."""

    MISSING = "missing"
    OTHER_PURPOSE = "other_purpose"
    NOT_APPROVED = "not_approved"
    OVERRIDDEN = "overridden"
    EXPIRED = "expired"


@dataclass(frozen=True, kw_only=True)
class BalancingTest:
    """A legitimate-interests assessment (Art. 6(1)(f) GDPR). Raises BasisError where a field says nothing."""

    id: str
    purpose: Purpose
    interest: str
    necessity: str
    less_intrusive_alternatives: str
    data_subject_expectations: str
    impact: str
    safeguards: str
    opt_out_mechanism: str
    outcome: Outcome
    approved_by: str | None = None
    approved_at: int | None = None
    review_by: int
    """It holds until then and not longer."""

    def __post_init__(self) -> None:
        texts = {each.name: getattr(self, each.name) for each in fields(self)}
        empty = [name for name, text in texts.items() if isinstance(text, str) and not text.strip()]
        if empty:
            raise BasisError(f"Balancing test {self.id!r} says nothing under {', '.join(empty)}: fill it in.")
        if (self.approved_by is None) != (self.approved_at is None):
            raise BasisError(f"Balancing test {self.id!r}: an approval has a name and an instant, or neither.")
        if self.approved_at is not None and self.review_by <= self.approved_at:
            raise BasisError(f"Balancing test {self.id!r} ends before it is approved: set a later review_by.")

    def lacks(self, purpose: Purpose, at_ms: int) -> tuple[Lack, ...]:
        """Why it does not carry `purpose` at this instant; empty: it does."""
        holds = (
            (Lack.OTHER_PURPOSE, self.purpose is purpose),
            (Lack.NOT_APPROVED, self.approved_at is not None and self.approved_at <= at_ms),
            (Lack.OVERRIDDEN, self.outcome is Outcome.INTERESTS_NOT_OVERRIDDEN),
            (Lack.EXPIRED, at_ms < self.review_by),
        )
        return tuple(lack for lack, held in holds if not held)


@dataclass(frozen=True, kw_only=True)
class NecessityStatement:
    """Why this has to be recorded at all (Arts 5(1)(c), 25 GDPR): asked for whenever recording is switched on."""

    purpose: Purpose
    text: str
    stated_by: str
    stated_at: int

    def __post_init__(self) -> None:
        if not self.text.strip() or not self.stated_by.strip():
            raise BasisError("A necessity statement has a text and the name of who stands for it.")

    def lacks(self, purpose: Purpose, at_ms: int) -> tuple[Lack, ...]:
        """As `BalancingTest.lacks`."""
        holds = ((Lack.OTHER_PURPOSE, self.purpose is purpose), (Lack.NOT_APPROVED, self.stated_at <= at_ms))
        return tuple(lack for lack, held in holds if not held)


@dataclass(frozen=True, kw_only=True)
class Acknowledgement:
    """A named person takes the controller's responsibility under a version of the terms (Art. 24 GDPR)."""

    person: str
    terms_version: str
    acknowledged_at: int

    def __post_init__(self) -> None:
        if not self.person.strip():
            raise BasisError("The controller's responsibility is taken by a person: name them.")

    def holds(self, terms_version: str, at_ms: int) -> bool:
        """Whether it covers the terms of this instant: new terms are acknowledged anew."""
        return self.terms_version == terms_version and self.acknowledged_at <= at_ms


@dataclass(frozen=True, kw_only=True)
class Ground:
    """On what one party's voice is recorded for one purpose."""

    role: Role
    purpose: Purpose
    basis: LawfulBasis
    balancing_test: str | None = None
    """The id of the test a legitimate interest rests on."""


@dataclass(frozen=True, kw_only=True)
class Shortcoming:
    """Why a ground does not hold: for programs, and in words that say what to do."""

    lack: Lack
    message: str


def shortcomings(ground: Ground, tests: Iterable[BalancingTest], *, at_ms: int) -> tuple[Shortcoming, ...]:
    """What keeps a ground from holding at `at_ms`, as far as it is a matter of records; empty: nothing.

    A consent is judged by `validity`, a duty by law, an agent's employment by the law of the place of work.
    """
    if ground.basis is not LawfulBasis.LEGITIMATE_INTERESTS:
        return ()
    known = {test.id: test for test in tests}
    name = ground.purpose.value
    if ground.balancing_test not in known:
        wanted = "" if ground.balancing_test is None else f" {ground.balancing_test!r}"
        there = f" There are {', '.join(sorted(known))}." if known else ""
        message = f"Legitimate interests for {name} need a balancing test; there is none{wanted}.{there}"
        return (Shortcoming(lack=Lack.MISSING, message=message),)
    test = known[ground.balancing_test]
    words = {
        Lack.OTHER_PURPOSE: f"is for {test.purpose.value}, not for {name}: write one for {name}",
        Lack.NOT_APPROVED: "is not approved yet: have a named person approve it",
        Lack.OVERRIDDEN: "came out against the recording: choose another basis, or do not record",
        Lack.EXPIRED: "was to be reviewed by now: review it and approve it anew",
    }
    return tuple(
        Shortcoming(lack=lack, message=f"Balancing test {test.id!r} {words[lack]}.")
        for lack in test.lacks(ground.purpose, at_ms)
    )
