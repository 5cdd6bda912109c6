"""All that a decision may depend on, at one instant."""

from dataclasses import dataclass
from enum import StrEnum

from tallylight.consent.answer import NO_ANSWER, Consent, ConsentState
from tallylight.ids import PartyId
from tallylight.law.vocabulary import Channel, Direction, LawfulBasis, Role
from tallylight.policy.settings import Settings

__all__ = ["Consent", "ConsentState", "PartySituation", "Place", "PlaceEvidence", "Situation"]

PAUSED_BY_SETTINGS = "settings"
"""`paused_by` of a conversation that starts paused, until somebody resumes it."""


class PlaceEvidence(StrEnum):
    """How a place is known, best first."""

    DECLARED = "declared"
    VERIFIED_ADDRESS = "verified_address"
    FIXED_NUMBER = "fixed_number"
    MOBILE_NUMBER = "mobile_number"
    SITE = "site"
    """The controller's own site, where its agents sit."""
    UNKNOWN = "unknown"


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where a party may be: `code` is a country (`DK`), or with a region (`US-CA`); None is unknown and strict."""

    code: str | None
    evidence: PlaceEvidence


@dataclass(frozen=True, kw_only=True)
class PartySituation:
    party: PartyId
    role: Role
    places: tuple[Place, ...]
    """Candidates, all of which are judged; empty counts as unknown."""
    basis: LawfulBasis
    notice_heard: bool = False
    """Told that the conversation is recorded, by whom and for what (Arts 13, 12 GDPR)."""
    employee_notice: bool = False
    """Told beforehand by the employer, in the form the law of the place of work asks."""
    consent: Consent = NO_ANSWER
    present: bool = True


@dataclass(frozen=True, kw_only=True)
class Situation:
    """The instant, the settings in force and everybody on the conversation."""

    at_ms: int
    channel: Channel
    direction: Direction
    settings: Settings
    parties: tuple[PartySituation, ...]
    paused_by: PartyId | str | None = None
    """Who paused the recording: a party id, `operator` or `settings`; None is not paused."""
    on_hold: bool = False
