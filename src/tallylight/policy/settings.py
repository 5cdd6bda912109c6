"""A project's effective settings, one immutable version at a time."""

import hashlib
import json
from dataclasses import asdict, dataclass
from functools import cached_property

from tallylight.law.vocabulary import LawfulBasis, Mode, Purpose

__all__ = ["Mode", "Settings"]

_LATER = frozenset({"balancing_test", "balancing_test_from_ms", "balancing_test_until_ms", "necessity"})


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
    terms_acknowledged_by: str | None = None
    """Who accepted the controller's responsibility; None: nothing may be recorded."""
    trial: bool = False
    """True where the settings are the built-in trial profile: every explanation says TRIAL."""

    @property
    def proof_kept_months(self) -> int:
        """How long proof of consent is kept: as long as what it proves, longer only where a ground is named."""
        return self.retention_months if self.proof_ground is None else self.proof_retention_months

    def balanced_at(self, at_ms: int) -> bool:
        """Whether an approved balancing test holds at this instant (ms UTC)."""
        since_ms, until_ms = self.balancing_test_from_ms, self.balancing_test_until_ms
        return since_ms is not None and until_ms is not None and since_ms <= at_ms < until_ms

    @cached_property
    def version(self) -> str:
        # A field that came later and is not used changes no version.
        content = {name: value for name, value in asdict(self).items() if value is not None or name not in _LATER}
        canonical = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        return hashlib.sha256(canonical.encode()).hexdigest()
