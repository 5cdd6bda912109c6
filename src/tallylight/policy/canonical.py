"""The canonical form of a situation: the bytes whose hash a decision carries."""

import hashlib
import json

from tallylight.policy.situation import Consent, PartySituation, Situation


def canonical(situation: Situation) -> bytes:
    """UTF-8 JSON with sorted keys and sets; the settings by their version."""
    content = {
        "at_ms": situation.at_ms,
        "channel": situation.channel,
        "direction": situation.direction,
        "on_hold": situation.on_hold,
        "parties": [_party(party) for party in situation.parties],
        "paused_by": situation.paused_by,
        "settings": situation.settings.version,
    }
    return json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def situation_hash(situation: Situation) -> str:
    """SHA-256 of the canonical form."""
    return hashlib.sha256(canonical(situation)).hexdigest()


def _party(party: PartySituation) -> dict[str, object]:
    return {
        "basis": party.basis,
        "consent": _consent(party.consent),
        "employee_notice": party.employee_notice,
        "notice_heard": party.notice_heard,
        "party": party.party,
        "places": [[place.code, place.evidence] for place in party.places],
        "present": party.present,
        "role": party.role,
    }


def _consent(consent: Consent) -> dict[str, object]:
    return {
        "at_ms": consent.at_ms,
        "conditional": consent.conditional,
        "evidence": consent.evidence,
        "method": consent.method,
        "notice": consent.notice,
        "purposes": sorted(consent.purposes),
        "question_heard": consent.question_heard,
        "state": consent.state,
    }
