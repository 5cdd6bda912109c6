"""A standing yes: a consent in writing, in advance, to one purpose in every later conversation, until a stated end. Pure."""

from dataclasses import dataclass

from tallylight.consent.answer import Consent, ConsentState
from tallylight.law.vocabulary import Method, Purpose


@dataclass(frozen=True, kw_only=True)
class StandingYes:
    """Of whom it is, only a keyed hash of their address says; it is found again and tells nothing."""

    id: str
    purpose: str
    """The purpose's name, an operator's own included."""
    given_ms: int
    expires_ms: int
    """From then on it is none: ms UTC. Never without one."""
    evidence: str
    """How the person said so, e.g. `form signed 2026-11-24`. Never who they are."""
    notice: str
    """SHA-256 of the text."""
    text: str
    """What they agreed to, word for word."""
    language: str


def as_consent(standing: StandingYes, purposes: frozenset[Purpose]) -> Consent:
    """The answer a person with a standing yes joins a conversation with. They read the question, and nothing of it is on
    any recording.
    """
    return Consent(
        state=ConsentState.GIVEN,
        purposes=purposes,
        method=Method.WRITTEN,
        notice=standing.notice,
        evidence=evidence_of(standing),
        question_heard=True,
        at_ms=standing.given_ms,
        expires_at_ms=standing.expires_ms,
    )


def evidence_of(standing: StandingYes) -> str:
    """What a conversation names as its proof."""
    return f"standing yes {standing.id}"
