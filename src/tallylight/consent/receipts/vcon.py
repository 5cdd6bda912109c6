"""The `lawful_basis` attachment of a vCon (draft-howe-vcon-lawful-basis).

The draft has no proof type for a key press and no record of a withdrawal: a key press is an `external_system` whose data
says so, and a withdrawal is a grant that is not granted any more, with the act in the metadata.
"""

import hashlib
import json
from collections.abc import Mapping

from tallylight.consent.receipts.dpv import JsonValue
from tallylight.consent.receipts.facts import Act, Deed, Facts
from tallylight.law.iso8601 import iso_utc
from tallylight.law.vocabulary import Method

STATUS_INTERVAL = "30d"
"""How long a reader may rely on it before asking anew."""

PROOF_TYPE: Mapping[Method, str] = {
    Method.SPOKEN: "verbal_confirmation",
    Method.SPOKEN_ON_RECORDING: "verbal_confirmation",
    Method.WRITTEN: "signed_document",
    Method.CONTRACT: "signed_document",
}
"""Everything else is known to a system alone."""
EXTERNAL_SYSTEM = "external_system"


def attachment(facts: Facts, *, party: int, dialog: int = 0) -> dict[str, JsonValue]:
    """The attachment; `party` and `dialog` are indices into the vCon's arrays."""
    return {
        "purpose": "lawful_basis",
        "start": iso_utc(facts.latest.at_ms),
        "party": party,
        "dialog": dialog,
        "mediatype": "application/json",
        "encoding": "json",
        "body": body(facts),
    }


def body(facts: Facts) -> dict[str, JsonValue]:
    """What is granted now; without a standing yes, nothing is."""
    granted = facts.latest.deed is Deed.GIVEN
    expires_ms = facts.latest.expires_ms
    content: dict[str, JsonValue] = {
        "lawful_basis": facts.basis.value,
        "expiration": None if expires_ms is None else iso_utc(expires_ms),
        "purpose_grants": [
            {
                "purpose": facts.name_of(purpose),
                "granted": granted,
                "granted_at": iso_utc(facts.latest.at_ms),
                "conditions": [
                    *(f"modality:{modality.value}" for modality in sorted(facts.modalities)),
                    f"retention:P{facts.retention_months}M",
                ],
            }
            for purpose in facts.purposes
        ],
        "terms_of_service": facts.policy_url,
        "status_interval": STATUS_INTERVAL,
        "proof_mechanisms": [_proof(act, act.method) for act in facts.acts if act.method is not None],
        "metadata": {
            "record": facts.record_id,
            "conversation": facts.conversation,
            "party": facts.party,
            "controller": facts.controller,
            "acts": [{"deed": act.deed.value, "at": iso_utc(act.at_ms)} for act in facts.acts],
            "notices": [{"sha256": heard.sha256, "language": heard.language} for heard in facts.heard],
        },
    }
    return {**content, "content_hash": content_hash(content)}


def content_hash(content: dict[str, JsonValue]) -> dict[str, JsonValue]:
    """Over the body without this member, canonical after RFC 8785 (its keys are ASCII, its numbers whole)."""
    canonical = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return {
        "algorithm": "sha-256",
        "canonicalization": "jcs",
        "value": hashlib.sha256(canonical.encode()).hexdigest(),
    }


def _proof(act: Act, method: Method) -> dict[str, JsonValue]:
    return {
        "proof_type": PROOF_TYPE.get(method, EXTERNAL_SYSTEM),
        "timestamp": iso_utc(act.at_ms),
        "proof_data": {
            "deed": act.deed.value,
            "method": method.value,
            "evidence": act.evidence,
            "notice_sha256": act.notice,
        },
    }
