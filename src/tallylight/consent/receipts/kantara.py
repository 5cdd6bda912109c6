"""Kantara Consent Receipt 1.1 as a signed JWT (RFC 7519, EdDSA after RFC 8037), for older consumers."""

import base64
import json
from collections.abc import Callable

from tallylight.consent.errors import ConsentError
from tallylight.consent.purposes import DPV
from tallylight.consent.receipts.dpv import DATA, JsonValue
from tallylight.consent.receipts.facts import Deed, Facts
from tallylight.law.iso8601 import iso_utc
from tallylight.law.vocabulary import AFFIRMATIVE_METHODS

VERSION = "KI-CR-v1.1.0"

Sign = Callable[[bytes], bytes]
"""Ed25519 signature (64 B) of a message."""


def claims(facts: Facts, *, public_key: str) -> dict[str, JsonValue]:
    """The receipt of a yes. `public_key`: the key it is signed with, as text.

    Raises ConsentError (`no_consent_given`) where there was none: this form knows no other answer.
    """
    given = facts.given
    if given is None:
        raise ConsentError(
            f"A Kantara receipt confirms a yes, and this {facts.role.value} gave none: use --format dpv.",
            code="no_consent_given",
        )
    taken_back = facts.latest.at_ms if facts.latest.deed is Deed.WITHDRAWN else None
    ends = "" if given.expires_ms is None else f", else {iso_utc(given.expires_ms)}"
    termination = (
        f"{facts.withdraw_code} on the call, or {facts.policy_url}{ends}"
        if taken_back is None
        else f"withdrawn {iso_utc(taken_back)}"
    )
    return {
        "version": VERSION,
        "jurisdiction": facts.country,
        "consentTimestamp": given.at_ms // 1000,
        "collectionMethod": given.method.value if given.method is not None else "unknown",
        "consentReceiptID": facts.receipt_id,
        "publicKey": public_key,
        "language": facts.heard[-1].language if facts.heard else "",
        "piiPrincipalId": facts.party,
        "piiControllers": [
            {
                "piiController": facts.controller,
                "onBehalf": False,
                "contact": facts.policy_url,
                "address": {"addressCountry": facts.country},
                "email": "",
                "phone": "",
                "piiControllerUrl": facts.policy_url,
            }
        ],
        "policyUrl": facts.policy_url,
        "services": [
            {
                "service": "recording of conversations",
                "purposes": [
                    {
                        "purpose": facts.name_of(purpose),
                        "purposeCategory": [DPV + term for term in facts.terms_of(purpose)],
                        "consentType": "EXPLICIT" if given.method in AFFIRMATIVE_METHODS else "IMPLICIT",
                        "piiCategory": [DATA[modality] for modality in sorted(facts.modalities)],
                        "primaryPurpose": False,
                        "termination": termination,
                        "thirdPartyDisclosure": False,
                        "thirdPartyName": "",
                    }
                    for purpose in facts.purposes
                ],
            }
        ],
        "sensitive": False,
        "spiCat": [],
        "iat": facts.issued_ms // 1000,
        "iss": facts.controller,
        "sub": facts.party,
        "jti": facts.receipt_id,
    }


def jwt(content: dict[str, JsonValue], *, key_id: str, public_key: bytes, sign: Sign) -> str:
    """The claims, signed: JWS compact serialization (RFC 7515 section 7.1). The key (32 B) travels in the header."""
    header: dict[str, JsonValue] = {
        "alg": "EdDSA",
        "typ": "JWT",
        "kid": key_id,
        "jwk": {"kty": "OKP", "crv": "Ed25519", "x": _base64url(public_key)},
    }
    signing_input = f"{_encoded(header)}.{_encoded(content)}"
    return f"{signing_input}.{_base64url(sign(signing_input.encode()))}"


def _encoded(value: dict[str, JsonValue]) -> str:
    return _base64url(json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode())


def _base64url(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()
