"""What one person was told and answered, as far as a receipt says it."""

import uuid
from dataclasses import dataclass
from enum import StrEnum

from tallylight.consent.answer import Modality
from tallylight.consent.purposes import DPV_TERMS, OwnPurpose
from tallylight.law.vocabulary import LawfulBasis, Method, Purpose, Role


class Deed(StrEnum):
    """What was done about a consent, and by whom."""

    REQUESTED = "requested"
    GIVEN = "given"
    REFUSED = "refused"
    UNANSWERED = "unanswered"
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True, kw_only=True)
class Act:
    deed: Deed
    at_ms: int
    """ms UTC."""
    method: Method | None = None
    evidence: str | None = None
    notice: str | None = None
    """SHA-256 of the question's exact text."""
    expires_ms: int | None = None
    """Of a yes in advance, when it ends: ms UTC."""


@dataclass(frozen=True, kw_only=True)
class Heard:
    """What the person was told, word for word."""

    text: str
    sha256: str
    language: str
    at_ms: int
    """When it had been heard to its end, or was agreed to on paper: ms UTC."""


@dataclass(frozen=True, kw_only=True)
class Facts:
    """Of one person on one conversation, oldest first. They name no number, address or name of that person."""

    conversation: str
    party: str
    role: Role
    controller: str
    country: str
    """The controller's establishment, where everything is stored and processed: ISO 3166-1, or -2 with a region."""
    policy_address: str
    jurisdictions: tuple[str, ...]
    """Every place whose law was looked at, the controller's first; unknown ones are not among them."""
    basis: LawfulBasis
    purposes: tuple[Purpose, ...]
    """As asked for."""
    own_purpose: OwnPurpose | None = None
    """The operator's own name for the one it is judged as."""
    modalities: frozenset[Modality] = frozenset({Modality.AUDIO})
    retention_months: int
    withdraw_code: str
    heard: tuple[Heard, ...]
    acts: tuple[Act, ...]
    """At least one."""
    issued_ms: int

    def name_of(self, purpose: Purpose) -> str:
        """As the operator calls it."""
        own = self.own_purpose
        return own.name if own is not None and own.judged_as is purpose else purpose.value

    def terms_of(self, purpose: Purpose) -> tuple[str, ...]:
        """The DPV terms of a purpose, without their namespace."""
        own = self.own_purpose
        return (own.term,) if own is not None and own.judged_as is purpose else DPV_TERMS[purpose]

    @property
    def record_id(self) -> str:
        """The same for every receipt about this person's answer."""
        return str(uuid.uuid5(uuid.UUID(self.conversation), f"consent record of {self.party}"))

    @property
    def receipt_id(self) -> str:
        """A new one for every further act."""
        return str(uuid.uuid5(uuid.UUID(self.record_id), f"receipt after {len(self.acts)} acts"))

    @property
    def latest(self) -> Act:
        """The act that counts: a question after a no or a yes undoes neither."""
        answers = [act for act in self.acts if act.deed in _ANSWERS]
        return answers[-1] if answers else self.acts[-1]

    @property
    def given(self) -> Act | None:
        """The yes, whether or not it was taken back later."""
        return next((act for act in reversed(self.acts) if act.deed is Deed.GIVEN), None)

    @property
    def policy_url(self) -> str:
        return self.policy_address if "://" in self.policy_address else f"https://{self.policy_address}"


_ANSWERS = (Deed.GIVEN, Deed.REFUSED, Deed.WITHDRAWN)
