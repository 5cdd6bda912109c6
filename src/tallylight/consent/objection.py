"""A standing objection, "never record me": a no in advance, on every conversation of every project. Pure."""

from dataclasses import dataclass

from tallylight.consent.answer import Consent, ConsentState
from tallylight.law.vocabulary import Method

GROUND = "kept to honour the objection: Arts 21, 6(1)(c) GDPR"
"""Why it outlives an erasure: forgotten, it could not be honoured."""


@dataclass(frozen=True, kw_only=True)
class StandingObjection:
    """Of whom it is, only a keyed hash of their address says; it is found again and tells nothing."""

    id: str
    raised_ms: int
    """ms UTC."""
    evidence: str
    """How the person said so, e.g. `letter of 2026-11-24`. Never who they are."""


def as_refusal(objection: StandingObjection) -> Consent:
    """The answer a person with a standing objection joins a conversation with: only their own later yes undoes it."""
    return Consent(
        state=ConsentState.REFUSED,
        method=Method.WRITTEN,
        evidence=f"standing objection {objection.id}",
        at_ms=objection.raised_ms,
    )
