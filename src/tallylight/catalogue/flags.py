"""What a person has to look at: whose consent is somebody else's word, and who is known to be a minor."""

from collections.abc import Iterable
from dataclasses import dataclass

from tallylight.consent.answer import SECOND_HAND
from tallylight.conversation.events import (
    ConsentGiven,
    ConsentRefused,
    ConsentWithdrawn,
    Event,
    MinorKnown,
    PartyJoined,
)
from tallylight.database.events import JsonValue
from tallylight.ids import PartyId
from tallylight.policy.settings import Settings

ATTESTED = "their consent is somebody else's word and no act of their own: a person has to look at it"

MINOR = "they are known to be a minor: a person has to look at whatever is stored of them"


@dataclass(frozen=True, kw_only=True)
class Flag:
    party: PartyId
    at_ms: int
    """Media time since when it is known, ms since the start."""
    why: str
    """To follow a name."""
    evidence: str | None = None

    def to_json(self) -> dict[str, JsonValue]:
        """As `tallylight explain --json` prints it."""
        return {"party": self.party, "at_s": self.at_ms / 1000, "why": self.why, "evidence": self.evidence}


def flags(events: Iterable[Event], settings: Settings | None) -> tuple[Flag, ...]:
    """What still stands at the end, in the order in which it came up. `settings`: of the conversation, if they are kept."""
    found: dict[tuple[PartyId, str], Flag] = {}
    for event in events:
        match event:
            case ConsentGiven(party=party) if event.method in SECOND_HAND:
                flag = Flag(party=party, at_ms=event.offset_ms, why=ATTESTED, evidence=event.evidence)
                found[party, ATTESTED] = flag
            case ConsentGiven(party=party) | ConsentRefused(party=party) | ConsentWithdrawn(party=party):
                found.pop((party, ATTESTED), None)
            case MinorKnown(party=party):
                found[party, MINOR] = Flag(party=party, at_ms=event.offset_ms, why=MINOR)
            case PartyJoined(party=party) if settings is not None and settings.knows_minor(event.role):
                found[party, MINOR] = Flag(party=party, at_ms=event.offset_ms, why=MINOR)
            case _:
                pass
    return tuple(found.values())
