"""What a person has to look at: whose consent is somebody else's word."""

from collections.abc import Iterable
from dataclasses import dataclass

from tallylight.consent.answer import SECOND_HAND
from tallylight.conversation.events import ConsentGiven, ConsentRefused, ConsentWithdrawn, Event
from tallylight.database.events import JsonValue
from tallylight.ids import PartyId

ATTESTED = "their consent is somebody else's word and no act of their own: a person has to look at it"


@dataclass(frozen=True, kw_only=True)
class Flag:
    party: PartyId
    at_ms: int
    """Media time since when it is known, ms since the start."""
    why: str
    """To follow a name."""
    evidence: str | None

    def to_json(self) -> dict[str, JsonValue]:
        """As `tallylight explain --json` prints it."""
        return {"party": self.party, "at_s": self.at_ms / 1000, "why": self.why, "evidence": self.evidence}


def flags(events: Iterable[Event]) -> tuple[Flag, ...]:
    """What still stands at the end, in the order in which it came up."""
    found: dict[tuple[PartyId, str], Flag] = {}
    for event in events:
        match event:
            case ConsentGiven(party=party) if event.method in SECOND_HAND:
                flag = Flag(party=party, at_ms=event.offset_ms, why=ATTESTED, evidence=event.evidence)
                found[party, ATTESTED] = flag
            case ConsentGiven(party=party) | ConsentRefused(party=party) | ConsentWithdrawn(party=party):
                found.pop((party, ATTESTED), None)
            case _:
                pass
    return tuple(found.values())
