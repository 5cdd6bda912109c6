"""One dated rule of law. Read from TOML by `reading`."""

from dataclasses import dataclass

from tallylight.law.vocabulary import (
    CallType,
    Channel,
    CheckedBy,
    Confidence,
    Direction,
    EmployeeForm,
    Exemption,
    LawfulBasis,
    Layer,
    Method,
    Purpose,
    Reach,
    Recorder,
    Release,
    Requirement,
    Role,
    Sector,
    Standard,
    Subject,
)


@dataclass(frozen=True, kw_only=True, eq=False)
class Rule:
    """What one jurisdiction asks in one layer. Fields that a layer does not use keep their defaults.

    Compared by identity: packs are compared by hash, and rules are keys of caches on the way to every decision.
    """

    id: str
    jurisdiction: str
    """A country (`DK`), a country and region (`US-CA`), an area (`EEA`), `everywhere`, `unknown`, or `US-unknown`."""
    layer: Layer
    standard: Standard | None = None
    """Wiretap only: how Tallylight rules (the engine's view)."""
    law_view: Standard | None = None
    """Wiretap only, where it differs: what the better authority says, were it settled or verified."""
    reach: Reach = Reach.UNSETTLED
    """All-party wiretap rules only."""
    civil_only: bool = False
    """All-party wiretap rules only: a breach is a wrong against the person and no crime."""
    methods: frozenset[Method] = frozenset()
    """Ways of consent the rule accepts (wiretap and consent layers)."""
    tone_interval_s: int | None = None
    """Where a tone is accepted: seconds between two, at most."""
    bases: frozenset[LawfulBasis] = frozenset()
    """Lawful bases the rule accepts (ground layer)."""
    requires: frozenset[Requirement] = frozenset()
    """What else must be the case (ground and biometric layers)."""
    forms: tuple[frozenset[EmployeeForm], ...] = (frozenset({EmployeeForm.TOLD}),)
    """Employee layer: sets of forms, one of which is needed whole."""
    works_council: bool = False
    """Employee layer: employee representatives must have agreed or been consulted."""
    releases: frozenset[Release] = frozenset()
    """Biometric layer: ways of agreeing that count."""
    subject: Subject | None = None
    """Prohibition layer only."""
    mandatory: bool = False
    """Duty layer: the call must be recorded (else the rule only says how long what there is is kept)."""
    authorises: bool = False
    """Duty layer: the statute itself authorises the recording once everybody was told."""
    retain_min: str | None = None
    """Duty layer: an ISO 8601 duration."""
    retain_max: str | None = None
    """Retention and biometric layers: an ISO 8601 duration."""
    purposes: frozenset[Purpose] | None = None
    """None: every purpose."""
    sectors: frozenset[Sector] | None = None
    channels: frozenset[Channel] | None = None
    directions: frozenset[Direction] | None = None
    call_types: frozenset[CallType] | None = None
    recorder: Recorder | None = None
    """Who makes the recording; None: whoever."""
    place_of: Role | None = None
    """Whose place makes the rule hold: a customer's (or another's who is no employee); None: anybody's on the call."""
    exceptions: frozenset[Exemption] = frozenset()
    """When the rule does not hold."""
    floor: bool = False
    """True: the least that holds everywhere in the area; it does not settle what a country or region asks beyond it."""
    contested: bool = False
    cite: str
    quote: str | None = None
    """The statute's own words, compared with the source."""
    source: str
    effective_from: str | None = None
    """ISO date; None: in force as far back as it matters."""
    effective_to: str | None = None
    """ISO date of the first day it no longer holds."""
    checked_at: str
    checked_by: CheckedBy
    confidence: Confidence
    explain: str
    """One sentence a person understands."""

    def in_force(self, day: str) -> bool:
        """Whether the rule holds on an ISO date."""
        return (self.effective_from is None or self.effective_from <= day) and (
            self.effective_to is None or day < self.effective_to
        )

    def covers(self, purpose: Purpose) -> bool:
        return self.purposes is None or purpose in self.purposes

    @property
    def doubtful(self) -> bool:
        """Contested or not verified: ruled by its conservative view, and a lawyer should look at it."""
        return self.contested or self.checked_by is CheckedBy.UNVERIFIED or self.confidence is Confidence.LOW
