"""The canonical form of a situation: the bytes whose hash a decision carries."""

import dataclasses
import hashlib

import orjson

from tallylight.consent.answer import NO_ANSWER
from tallylight.policy.situation import ORDINARY, Circumstances, Consent, PartySituation, Situation


def canonical(situation: Situation) -> bytes:
    """UTF-8 JSON with sorted keys and sets; the settings by their version. What is as usual is left out, so that a
    situation of an earlier version keeps its hash.
    """
    content: dict[str, object] = {
        "at_ms": situation.at_ms,
        "channel": situation.channel,
        "direction": situation.direction,
        "on_hold": situation.on_hold,
        "parties": [_party(party) for party in situation.parties],
        "paused_by": situation.paused_by,
        "settings": situation.settings.version,
    }
    if situation.purpose is not None:
        content["purpose"] = situation.purpose
    if situation.customer_on:
        content["customer_on"] = True
    if situation.circumstances is not ORDINARY and (unusual := _unusual(situation.circumstances)):
        content["circumstances"] = unusual
    return orjson.dumps(content, option=orjson.OPT_SORT_KEYS)


def situation_hash(situation: Situation) -> str:
    """SHA-256 of the canonical form."""
    return hashlib.sha256(canonical(situation)).hexdigest()


def _party(party: PartySituation) -> dict[str, object]:
    content: dict[str, object] = {
        "basis": party.basis,
        "consent": _consent(party.consent),
        "employee_notice": party.employee_notice,
        "notice_heard": party.notice_heard,
        "party": party.party,
        "places": [[place.code, place.evidence] for place in party.places],
        "present": party.present,
        "role": party.role,
    }
    if party.told_of is not None:
        content["told_of"] = sorted(party.told_of)
    if party.employee_forms is not None:
        content["employee_forms"] = sorted(party.employee_forms)
    if not party.works_council:
        content["works_council"] = False
    if party.release is not None:
        content["release"] = party.release
    if not party.consent_on_recording:
        content["consent_on_recording"] = False
    if party.tone_interval_s is not None:
        content["tone_interval_s"] = party.tone_interval_s
    if party.minor:
        content["minor"] = True
    return content


def _unusual(circumstances: Circumstances) -> dict[str, object]:
    return {
        field.name: getattr(circumstances, field.name)
        for field in dataclasses.fields(circumstances)
        if getattr(circumstances, field.name) != field.default
    }


def _consent(consent: Consent) -> dict[str, object]:
    content: dict[str, object] = {
        "at_ms": consent.at_ms,
        "conditional": consent.conditional,
        "evidence": consent.evidence,
        "method": consent.method,
        "notice": consent.notice,
        "purposes": sorted(consent.purposes),
        "question_heard": consent.question_heard,
        "state": consent.state,
    }
    if consent.modalities != NO_ANSWER.modalities:
        content["modalities"] = sorted(consent.modalities)
    if consent.expires_at_ms is not None:
        content["expires_at_ms"] = consent.expires_at_ms
    return content
