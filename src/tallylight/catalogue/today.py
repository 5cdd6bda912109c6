"""What the law data of today say of decisions that were made under other law data."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from tallylight.catalogue.segments import Segment, reason_json
from tallylight.database.events import JsonValue
from tallylight.ids import DecisionId
from tallylight.policy.decision import Decision, PartyRuling


@dataclass(frozen=True, kw_only=True)
class Otherwise:
    """A stretch for which today's law has another lamp, or the same by another rule."""

    then: Segment
    """As it was decided, whatever failed afterwards."""
    today: PartyRuling

    def to_json(self) -> dict[str, JsonValue]:
        return {
            "from_s": self.then.from_ms / 1000,
            "until_s": None if self.then.until_ms is None else self.then.until_ms / 1000,
            "party": self.then.party,
            "role": self.then.role.value,
            "decision": self.then.decision,
            "then": {"lamp": self.then.lamp.value, "deciding": reason_json(self.then.deciding)},
            "today": {"lamp": self.today.lamp.value, "deciding": reason_json(self.today.deciding)},
        }


@dataclass(frozen=True, kw_only=True)
class Today:
    """The same situations and settings, judged by the law pack of today."""

    pack: str
    """SHA-256 of today's pack."""
    same_pack: bool
    """It is the one the conversation kept: there was nothing to judge."""
    differences: tuple[Otherwise, ...] = ()
    unavailable: str | None = None
    """Why nothing could be judged; None where it could, or need not."""

    def to_json(self) -> dict[str, JsonValue]:
        return {
            "pack": self.pack,
            "same_pack": self.same_pack,
            "unavailable": self.unavailable,
            "differences": [each.to_json() for each in self.differences],
        }


def otherwise(segments: Iterable[Segment], today: Mapping[DecisionId, Decision]) -> tuple[Otherwise, ...]:
    """The segments whose decision, made today, has another lamp or another deciding rule."""
    found: list[Otherwise] = []
    for segment in segments:
        decision = today.get(segment.decision)
        ruling = None if decision is None else decision.ruling(segment.party)
        if ruling is not None and (ruling.lamp, ruling.deciding.rule) != (segment.lamp, segment.deciding.rule):
            found.append(Otherwise(then=segment, today=ruling))
    return tuple(found)
