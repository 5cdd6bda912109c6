"""What was decided: a lamp per party, every reason, and what would have to happen."""

from dataclasses import dataclass
from enum import StrEnum

from tallylight.ids import PartyId
from tallylight.law.vocabulary import Action, Confidence

__all__ = ["Confidence", "Decision", "Lamp", "PartyRuling", "Reason", "Verdict"]

ASKING = frozenset({Action.OBTAIN_OPT_IN_CONSENT, Action.OBTAIN_ALL_PARTY_CONSENT, Action.OBTAIN_AGENT_CONSENT})
"""What is owed where somebody's yes would open a gate."""

_ASCENDING = (Confidence.LOW, Confidence.MEDIUM, Confidence.HIGH)


class Lamp(StrEnum):
    """The tally light of one party."""

    RECORDING = "recording"
    PAUSED = "paused"
    OFF = "off"


class Verdict(StrEnum):
    """What one reason says about one party's track."""

    ALLOWS = "allows"
    CLOSES = "closes"
    PAUSES = "pauses"


@dataclass(frozen=True, kw_only=True)
class Reason:
    """One rule or setting and what it said. `cite` is a legal citation, or names the setting (`setting: mode`)."""

    rule: str
    cite: str
    verdict: Verdict
    text: str
    confidence: Confidence = Confidence.HIGH
    effective_from: str | None = None
    checked_at: str | None = None


@dataclass(frozen=True, kw_only=True)
class PartyRuling:
    """One party's lamp and the reasons for it: the one that decided first, then every other that says the same.

    What was passed over (a rule that would allow where another closes) is recomputed by `explain.considered`.
    """

    party: PartyId
    lamp: Lamp
    reasons: tuple[Reason, ...]
    actions: tuple[str, ...] = ()
    """What would open a closed gate or is still owed, from the closed list of actions."""

    @property
    def deciding(self) -> Reason:
        return self.reasons[0]

    @property
    def wants_answer(self) -> bool:
        """Whether a yes of this person would help: only then is anybody asked."""
        return not ASKING.isdisjoint(self.actions)

    @property
    def confidence(self) -> Confidence:
        """The least certain of its reasons."""
        return min((reason.confidence for reason in self.reasons), key=_ASCENDING.index)


@dataclass(frozen=True, kw_only=True)
class Decision:
    """The answer for one situation. Hashes are SHA-256 of pack, settings and situation, so that it can be replayed."""

    rulings: tuple[PartyRuling, ...]
    pack: str
    settings: str
    situation: str
    profile: str

    def ruling(self, party: PartyId) -> PartyRuling | None:
        return next((ruling for ruling in self.rulings if ruling.party == party), None)

    def lamp(self, party: PartyId) -> Lamp:
        ruling = self.ruling(party)
        return ruling.lamp if ruling is not None else Lamp.OFF
