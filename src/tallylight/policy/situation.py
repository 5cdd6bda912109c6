"""All that a decision may depend on, at one instant."""

from dataclasses import dataclass
from enum import StrEnum

from tallylight.consent.answer import NO_ANSWER, Consent, ConsentState
from tallylight.ids import PartyId
from tallylight.law.vocabulary import (
    CallType,
    Channel,
    Conference,
    Direction,
    EmployeeForm,
    LawfulBasis,
    Purpose,
    Release,
    Role,
    Sector,
)
from tallylight.policy.settings import Settings

__all__ = ["Circumstances", "Consent", "ConsentState", "PartySituation", "Place", "PlaceEvidence", "Situation"]

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


class Segment(StrEnum):
    """What is going on at this moment of the call."""

    NORMAL = "normal"
    ON_HOLD = "on_hold"
    CARD_ENTRY = "card_entry"
    VOICE_RECEIPT = "voice_receipt"


@dataclass(frozen=True, kw_only=True)
class Circumstances:
    """What law may ask about a call besides who is on it. The defaults are strict, and those of a live conversation whose
    project has nothing on file.
    """

    recorded_by_customer: bool = False
    """A customer makes the recording, not the agent's employer: the mirror image."""
    sector: Sector | None = None
    call_type: CallType | None = None
    segment: Segment = Segment.NORMAL
    conference: Conference = Conference.ALL
    agent_isolated_from_mix: bool = False
    """Both sides come as one mix, from which the agent's voice is kept."""
    per_leg: bool = True
    """Each side is captured apart."""
    unlawful_aim: bool = False
    """Recorded in order to commit a crime or a tort."""
    targets_eu: bool = False
    """Offers goods or services to people in the EEA (Art. 3(2) GDPR)."""
    public_body: bool = False
    balancing_test: bool = False
    """A valid one is on file (Art. 6(1)(f) GDPR)."""
    necessity_documented: bool = False
    other_proof_exists: bool = False
    sampled: bool = False
    systematic: bool = False
    """Every call, permanently."""
    special_category: bool = False
    """Health or other data of Art. 9 GDPR are spoken."""
    art13_notice: bool = True
    """What people heard says all that Art. 13 GDPR asks."""
    reuse: bool = False
    """A new purpose for a recording that exists."""
    card_data_spoken: bool = False
    threat_call: bool = False
    order_call: bool = False
    private_place: bool = True
    biometric_policy_public: bool = False


ORDINARY = Circumstances()
"""Those of a live conversation whose project has nothing on file."""


@dataclass(frozen=True, kw_only=True)
class PartySituation:
    party: PartyId
    role: Role
    places: tuple[Place, ...]
    """Candidates, all of which are judged; empty counts as unknown."""
    basis: LawfulBasis
    notice_heard: bool = False
    """Told that the conversation is recorded, by whom and for what (Arts 13, 12 GDPR)."""
    told_of: frozenset[Purpose] | None = None
    """What their own voice is recorded for, as they were told; None: the notice was about everybody's voice."""
    employee_notice: bool = False
    """Told beforehand by the employer, in the form the law of the place of work asks."""
    employee_forms: frozenset[EmployeeForm] | None = None
    """The forms in which the employer told them; None: whichever the law of the place of work asks."""
    works_council: bool = True
    """Employee representatives have agreed where the law asks it."""
    release: Release | None = None
    """How an employee agreed to a voiceprint."""
    consent: Consent = NO_ANSWER
    consent_on_recording: bool = True
    """The announcement and the answer are themselves on the recording, as wherever we ask on a call."""
    tone_interval_s: float | None = None
    """Seconds between two tones, where a tone tells them."""
    minor: bool = False
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
    purpose: Purpose | None = None
    """What is recorded now is for this instead of the project's purpose."""
    customer_on: bool = False
    """The agent has switched the customer on."""
    circumstances: Circumstances = ORDINARY

    @property
    def recorded_for(self) -> Purpose:
        """What is recorded now is for this."""
        return self.purpose or self.settings.purpose
