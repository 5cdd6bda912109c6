"""A project's effective settings, one immutable version at a time."""

import hashlib
import json
from dataclasses import asdict, dataclass, fields, replace
from functools import cached_property

from tallylight.consent.purposes import OwnPurpose
from tallylight.law.vocabulary import Conference, LawfulBasis, Mode, ProjectKind, Purpose, Role, Sector

__all__ = ["Mode", "Settings"]

_FIRST = frozenset(
    {
        "project",
        "controller",
        "country",
        "policy_address",
        "language",
        "mode",
        "purpose",
        "customer_basis",
        "agent_basis",
        "start_paused",
        "retention_months",
        "proof_ground",
        "proof_retention_months",
        "terms_acknowledged_by",
        "trial",
    }
)
"""Fields that every version names. One that came later and has its default is left out: it changes no version."""


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What a controller has chosen for one project. `version` is the SHA-256 of the content."""

    project: str
    controller: str
    country: str
    """The controller's establishment: ISO 3166-1 alpha-2, with the region where law differs by it (`US-TX`)."""
    policy_address: str
    language: str
    mode: Mode
    purpose: Purpose
    customer_basis: LawfulBasis
    agent_basis: LawfulBasis = LawfulBasis.CONTRACT
    start_paused: bool = False
    retention_months: int = 3
    proof_ground: str | None = None
    """Why proof of consent outlives the recording (Arts 7(1), 17(3)(e) GDPR); None: it goes with the recording."""
    proof_retention_months: int = 36
    """Only where there is a ground."""
    balancing_test: str | None = None
    """The id of the assessment that legitimate interests rest on (Art. 6(1)(f) GDPR); None: there is none."""
    balancing_test_from_ms: int | None = None
    balancing_test_until_ms: int | None = None
    """When it was approved, and when it is to be reviewed: ms UTC, the end excluded."""
    necessity: str | None = None
    """Why the content cannot practically be documented another way; None: nobody has stated it."""
    kind: ProjectKind = ProjectKind.OMNI
    conference: Conference = Conference.ALL
    agents_hear_others: bool = False
    """Whether agents may listen to other agents' recordings."""
    several_receipts: bool = False
    """Whether every voice receipt of an order is kept; False: a later one takes the place of the earlier."""
    attested_consent: bool = False
    """Whether staff may attest that a person agreed. It never stands for a yes that law or the project asks for."""
    receipt_basis: LawfulBasis = LawfulBasis.CONSENT
    """For the customer's voice in a voice receipt."""
    receipt_months: int | None = None
    """How long a voice receipt is kept; None: as long as everything else."""
    own_purpose: OwnPurpose | None = None
    """The operator's own name and words for `purpose`, as which it is judged."""
    wording: str | None = None
    """SHA-256 of the operator's own wordings; None: the house's."""
    spoken_answers: bool = False
    """Whether a person may answer aloud, where what they say can be recognised."""
    sector: Sector | None = None
    """Whose duties to record or keep hold as well; None: no regulated one."""
    prompts: bool = True
    """False: no prompt ever delays a call (emergency and relay lines): who was not told otherwise is not recorded."""
    minors: bool = False
    """Whether the customers are children (a helpline, a school): no prompt ever delays them, and nothing is asked of them."""
    terms_acknowledged_by: str | None = None
    """Who accepted the controller's responsibility; None: nothing may be recorded."""
    trial: bool = False
    """True where the settings are the built-in trial profile: every explanation says TRIAL."""

    @property
    def prompted(self) -> bool:
        """Whether a customer is told and asked before anybody is rung."""
        return self.prompts and not self.minors

    def knows_minor(self, role: Role) -> bool:
        """Whether somebody in this role is known to be a child before anybody has spoken."""
        return self.minors and role is Role.CUSTOMER

    @property
    def proof_kept_months(self) -> int:
        """How long proof of consent is kept: as long as what it proves, longer only where a ground is named."""
        return self.retention_months if self.proof_ground is None else self.proof_retention_months

    @property
    def purpose_name(self) -> str:
        """What the operator calls the purpose."""
        return self.purpose.value if self.own_purpose is None else self.own_purpose.name

    def purpose_with(self, receipt: object | None) -> Purpose:
        """What is recorded is for this: a voice receipt, where one is open."""
        return self.purpose if receipt is None else Purpose.VOICE_RECEIPT

    def months_for(self, purpose: Purpose) -> int:
        """How many months what is said for this purpose is kept; the proof of a consent to it has a term of its own."""
        if purpose is Purpose.VOICE_RECEIPT and self.receipt_months is not None:
            return self.receipt_months
        return self.retention_months

    @cached_property
    def for_receipts(self) -> "Settings":
        """The same as far as voice receipts go: what a notice about one has to tell."""
        return replace(
            self,
            mode=Mode.BOTH,
            purpose=Purpose.VOICE_RECEIPT,
            own_purpose=None,
            customer_basis=self.receipt_basis,
            retention_months=self.months_for(Purpose.VOICE_RECEIPT),
        )

    @cached_property
    def for_agent(self) -> "Settings":
        """The same for somebody who is never recorded themselves."""
        return replace(self, mode=Mode.AGENT_ONLY)

    @cached_property
    def for_customer(self) -> "Settings":
        """The same once the customer is switched on: what a notice about that has to tell."""
        return replace(self, mode=Mode.BOTH)

    @property
    def notices(self) -> tuple["Settings", ...]:
        """The terms that people on a conversation of this project may be told of."""
        told = [self]
        if self.mode.allows_switch:
            told.append(self.for_customer)
        if self.kind is ProjectKind.OUTBOUND and self.mode is not Mode.NONE:
            told.append(self.for_receipts)
        if self.mode is not Mode.NONE:
            told.append(self.for_agent)
        return tuple(told)

    def balanced_at(self, at_ms: int) -> bool:
        """Whether an approved balancing test holds at this instant (ms UTC)."""
        since_ms, until_ms = self.balancing_test_from_ms, self.balancing_test_until_ms
        return since_ms is not None and until_ms is not None and since_ms <= at_ms < until_ms

    @cached_property
    def version(self) -> str:
        content = {name: value for name, value in asdict(self).items() if name in _FIRST or value != _DEFAULTS[name]}
        canonical = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        return hashlib.sha256(canonical.encode()).hexdigest()


_DEFAULTS = {field.name: field.default for field in fields(Settings)}
