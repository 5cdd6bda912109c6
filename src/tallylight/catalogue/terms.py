"""How long each track is kept, and what has moved that."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from tallylight.conversation.events import Event, TermMoved, TrackErased, TrackKept, TrackOpened
from tallylight.database.events import JsonValue
from tallylight.ids import PartyId, TrackId
from tallylight.law.iso8601 import iso_utc
from tallylight.law.vocabulary import Purpose

MOVED = "stricter law came with somebody who joined"


@dataclass(frozen=True, kw_only=True)
class Change:
    """What moved a track's term, or ended it."""

    at_ms: int
    kind: str
    """`moved`, `kept` (a law has it kept although it was to go) or `erased`."""
    why: str


@dataclass(frozen=True, kw_only=True)
class Term:
    """One track's. `opened_ms` and the changes count from the conversation's start; the rest is ms UTC."""

    track: TrackId
    party: PartyId
    purpose: Purpose
    receipt: int | None
    opened_ms: int
    deadline_ms: int | None
    """When it must be gone; None: it is."""
    floor_ms: int | None
    """Until when a law has it kept."""
    changes: tuple[Change, ...] = ()

    def to_json(self) -> dict[str, JsonValue]:
        """As `tallylight explain --json` prints it."""
        return {
            "track": self.track,
            "party": self.party,
            "purpose": self.purpose.value,
            "receipt": self.receipt,
            "opened_s": self.opened_ms / 1000,
            "until": None if self.deadline_ms is None else iso_utc(self.deadline_ms),
            "kept_by_law_until": None if self.floor_ms is None else iso_utc(self.floor_ms),
            "changes": [
                {"at_s": change.at_ms / 1000, "kind": change.kind, "why": change.why} for change in self.changes
            ],
        }


def terms(events: Iterable[Event]) -> tuple[Term, ...]:
    """Every track's, in the order in which they were opened."""
    found: dict[TrackId, Term] = {}
    for event in events:
        match event:
            case TrackOpened():
                found[event.track] = Term(
                    track=event.track,
                    party=event.party,
                    purpose=event.purpose,
                    receipt=event.receipt,
                    opened_ms=event.offset_ms,
                    deadline_ms=event.deadline_ms,
                    floor_ms=event.floor_ms,
                )
            case TermMoved(track=track) if track in found:
                moved = replace(found[track], deadline_ms=event.deadline_ms, floor_ms=event.floor_ms)
                found[track] = _changed(moved, Change(at_ms=event.offset_ms, kind="moved", why=MOVED))
            case TrackKept(track=track) if track in found:
                kept = replace(found[track], deadline_ms=event.floor_ms, floor_ms=event.floor_ms)
                found[track] = _changed(kept, Change(at_ms=event.offset_ms, kind="kept", why=event.why))
            case TrackErased(track=track) if track in found:
                gone = replace(found[track], deadline_ms=None, floor_ms=None)
                found[track] = _changed(gone, Change(at_ms=event.offset_ms, kind="erased", why=event.why))
            case _:
                pass
    return tuple(found.values())


def _changed(term: Term, change: Change) -> Term:
    return replace(term, changes=(*term.changes, change))
