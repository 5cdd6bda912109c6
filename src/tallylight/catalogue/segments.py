"""The timeline of an explanation: which decision held for whom, from when until when."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from tallylight.consent.answer import Consent
from tallylight.database.events import JsonValue
from tallylight.ids import DecisionId, PartyId
from tallylight.law.iso8601 import iso_utc
from tallylight.law.vocabulary import Role
from tallylight.policy.decision import Lamp, Reason


@dataclass(frozen=True, kw_only=True)
class Segment:
    """A stretch of media time in which one decision held for one party. Times in ms since the start."""

    from_ms: int
    until_ms: int | None
    """None while the conversation runs."""
    party: PartyId
    role: Role
    lamp: Lamp
    decision: DecisionId
    deciding: Reason
    reasons: tuple[Reason, ...]
    """The deciding reason and every other that says the same."""
    passed_over: tuple[Reason, ...]
    """What was considered and outweighed, recomputed; empty where settings or law of then are not kept."""
    actions: tuple[str, ...]
    consent: Consent
    """Where the party's answer stood."""
    consent_erased: bool = False
    """The act was erased with the person: only how it was listed is left."""

    def covers(self, at_ms: int) -> bool:
        """Whether it holds at an instant."""
        return self.from_ms <= at_ms and (self.until_ms is None or at_ms < self.until_ms)

    def to_json(self) -> dict[str, JsonValue]:
        """Seconds with ms."""
        consent = self.consent
        return {
            "from_s": self.from_ms / 1000,
            "until_s": None if self.until_ms is None else self.until_ms / 1000,
            "party": self.party,
            "role": self.role.value,
            "lamp": self.lamp.value,
            "decision": self.decision,
            "reason": self.deciding.text,
            "deciding": reason_json(self.deciding),
            "reasons": [reason_json(reason) for reason in self.reasons],
            "passed_over": [reason_json(reason) for reason in self.passed_over],
            "actions": list(self.actions),
            "consent": {
                "state": consent.state.value,
                "method": None if consent.method is None else consent.method.value,
                "evidence": consent.evidence,
                "at": None if consent.at_ms is None else iso_utc(consent.at_ms),
                "question_heard": consent.question_heard,
                "flagged": consent.flagged,
                "notice": consent.notice,
                "expires": None if consent.expires_at_ms is None else iso_utc(consent.expires_at_ms),
                "erased": self.consent_erased,
            },
        }


def said_in_advance(consent: Consent) -> str:
    """How, until when, and to which text somebody said yes before the conversation."""
    until = "" if consent.expires_at_ms is None else f", until {iso_utc(consent.expires_at_ms)}"
    return f"{consent.method} ({consent.evidence}{until}), to the text with the SHA-256 {consent.notice}"


def reason_json(reason: Reason) -> dict[str, JsonValue]:
    """A reason in full."""
    return {
        "rule": reason.rule,
        "cite": reason.cite,
        "verdict": reason.verdict.value,
        "text": reason.text,
        "confidence": reason.confidence.value,
        "effective_from": reason.effective_from,
        "checked_at": reason.checked_at,
    }


def in_time(segments: Sequence[Segment], ended_ms: int | None) -> tuple[Segment, ...]:
    """Each segment until the next of its party, the last until the end. A later act may reach back: it wins."""
    by_party: dict[PartyId, list[Segment]] = {}
    for segment in segments:
        line = by_party.setdefault(segment.party, [])
        while line and line[-1].from_ms >= segment.from_ms:
            line.pop()
        if line:
            line[-1] = replace(line[-1], until_ms=segment.from_ms)
        line.append(segment)
    if ended_ms is not None:
        for line in by_party.values():
            line[-1] = replace(line[-1], until_ms=max(ended_ms, line[-1].from_ms))
    everything = [segment for line in by_party.values() for segment in line]
    return tuple(sorted(everything, key=lambda segment: segment.from_ms))
