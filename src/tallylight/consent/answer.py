"""Where one person's answer stands, and what proves it."""

from dataclasses import dataclass
from enum import StrEnum

from tallylight.law.vocabulary import Method, Purpose


class ConsentState(StrEnum):
    """Where one person's answer stands (the standing answer, per party)."""

    NONE = "none"
    REQUESTED = "requested"
    GIVEN = "given"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"
    UNKNOWN = "unknown"
    """Asked and not answered, or not understood: never a yes."""


@dataclass(frozen=True, kw_only=True)
class Consent:
    """One person's standing answer and its proof."""

    state: ConsentState = ConsentState.NONE
    purposes: frozenset[Purpose] = frozenset()
    method: Method | None = None
    notice: str | None = None
    """SHA-256 of the exact text of the question."""
    evidence: str | None = None
    """What proves the act, e.g. `digit 1 at 18420 ms`."""
    question_heard: bool = False
    """To its end, before the answer."""
    conditional: bool = False
    """The service depended on a yes (Art. 7(4) GDPR). Never so in a flow of ours; an imported consent may say it."""
    at_ms: int | None = None
    """When it was given, refused or withdrawn: ms UTC."""


NO_ANSWER = Consent()
"""Nobody has asked."""
