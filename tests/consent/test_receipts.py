"""Receipts in their three forms, field by field."""

import base64
import dataclasses
import hashlib
import json
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from tallylight.consent.answer import Modality
from tallylight.consent.errors import ConsentError
from tallylight.consent.receipts import dpv, kantara, vcon
from tallylight.consent.receipts.facts import Act, Deed, Facts, Heard
from tallylight.law.iso8601 import iso_utc
from tallylight.law.vocabulary import LawfulBasis, Method, Purpose, Role

CONVERSATION = "01a2b3c4-0000-7000-8000-000000000001"
PARTY = "01a2b3c4-0000-7000-8000-000000000002"
START_MS = 1_790_000_000_000
TEXT = "Example Ltd records and stores this call."
HASH = hashlib.sha256(TEXT.encode()).hexdigest()
QUESTION = "1" * 64
ASKED = Act(deed=Deed.REQUESTED, at_ms=START_MS + 10_000, notice=QUESTION)
YES = Act(
    deed=Deed.GIVEN,
    at_ms=START_MS + 18_420,
    method=Method.DIGIT,
    evidence="digit 1 at 18420 ms",
    notice=QUESTION,
)
NO = Act(deed=Deed.REFUSED, at_ms=START_MS + 18_420, method=Method.DIGIT, evidence="digit 2 at 18420 ms")
SILENCE = Act(deed=Deed.UNANSWERED, at_ms=START_MS + 30_000)
BACK = Act(deed=Deed.WITHDRAWN, at_ms=START_MS + 60_000, method=Method.DIGIT, evidence="keys *2 at 60000 ms")

FACTS = Facts(
    conversation=CONVERSATION,
    party=PARTY,
    role=Role.CUSTOMER,
    controller="Example Ltd",
    country="DK",
    policy_address="example.com/privacy",
    jurisdictions=("DK", "US-CA"),
    basis=LawfulBasis.CONSENT,
    purposes=(Purpose.QUALITY_ASSURANCE, Purpose.TRAINING),
    retention_months=3,
    withdraw_code="*2",
    heard=(Heard(text=TEXT, sha256=HASH, language="en", at_ms=START_MS + 9_000),),
    acts=(ASKED, YES),
    issued_ms=START_MS + 90_000,
)


def acted(*acts: Act) -> Facts:
    return dataclasses.replace(FACTS, acts=acts)


ISO_27560: dict[str, Callable[[Any], object]] = {
    "schema_version": lambda record: record["dct:conformsTo"],
    "record_id": lambda record: record["dct:identifier"],
    "pii_principal_id": lambda record: record["dpv:hasDataSubject"]["dct:identifier"],
    "privacy_notice": lambda record: record["dpv:hasNotice"][0]["@id"],
    "language": lambda record: record["dpv:hasNotice"][0]["dct:language"],
    "purpose": lambda record: record["dpv:hasProcess"][0]["dpv:hasPurpose"],
    "lawful_basis": lambda record: record["dpv:hasLegalBasis"],
    "pii_information": lambda record: record["dpv:hasProcess"][0]["dpv:hasPersonalData"],
    "pii_controllers": lambda record: record["dpv:hasDataController"],
    "collection_method": lambda record: record["dpv:hasProcess"][0]["dpv:hasPersonalData"][0]["dpv:hasDataSource"],
    "processing_method": lambda record: record["dpv:hasProcess"][0]["dpv:hasProcessing"],
    "storage_locations": lambda record: record["dpv:hasProcess"][0]["dpv:hasStorageCondition"][0]["dpv:hasLocation"],
    "retention_period": lambda record: record["dpv:hasProcess"][0]["dpv:hasStorageCondition"][1]["dpv:hasDuration"],
    "processing_locations": lambda record: record["dpv:hasProcess"][0]["dpv:hasLocation"],
    "jurisdiction": lambda record: record["dpv:hasJurisdiction"],
    "recipient_third_parties": lambda record: record["dpv:hasProcess"][0]["dpv:hasRecipient"],
    "withdrawal_method": lambda record: record["dpv:hasConsentControl"]["dpv:isExercisedAt"],
    "privacy_rights": lambda record: [right["@type"][1] for right in record["dpv:hasRight"]],
    "authority_party": lambda record: record["dpv:hasAuthority"]["dpv:hasJurisdiction"],
    "pii_type": lambda record: record["dpv:hasProcess"][0]["dpv:hasPersonalData"][0]["@type"],
    "pii_optional": lambda record: record["dpv:hasProcess"][0]["dpv:hasPersonalData"][0]["dpv:hasNecessity"],
    "party_id": lambda record: record["dpv:hasDataController"]["dct:identifier"],
    "party_address": lambda record: record["dpv:hasDataController"]["dpv:hasAddress"],
    "party_name": lambda record: record["dpv:hasDataController"]["dpv:hasName"],
    "party_contact": lambda record: record["dpv:hasDataController"]["dpv:hasContact"],
    "party_type": lambda record: record["dpv:hasDataController"]["@type"],
    "event_time": lambda record: record["dpv:hasConsentStatus"][1]["dpv:isIndicatedAtTime"],
    "validity_duration": lambda record: record["dpv:hasConsentStatus"][1]["dpv:hasDuration"]["rdf:value"],
    "entity_id": lambda record: record["dpv:hasConsentStatus"][1]["dpv:isIndicatedBy"],
    "event_type": lambda record: record["dpv:hasConsentStatus"][1]["@type"][1],
    "event_state": lambda record: record["dpv:hasConsentStatus"][1]["@type"][0],
}
"""Every field that ISO/IEC TS 27560 or the GDPR makes mandatory, and where it stands."""

EXPECTED: dict[str, object] = {
    "schema_version": "https://w3id.org/dpv/schema/dpv-27560#record-eu-gdpr",
    "record_id": FACTS.record_id,
    "pii_principal_id": PARTY,
    "privacy_notice": f"urn:sha256:{HASH}",
    "language": "en",
    "purpose": ["dpv:CustomerCare", "dpv:OptimisationForController"],
    "lawful_basis": "eu-gdpr:A6-1-a",
    "pii_information": [
        {
            "@type": "pd:VoiceCommunicationRecording",
            "dct:title": "audio",
            "dpv:hasNecessity": "dpv:Optional",
            "dpv:hasDataSource": "dpv:DataSubjectDataSource",
        }
    ],
    "pii_controllers": {
        "@type": ["dpv:DataController", "dpv:Organisation"],
        "dct:identifier": "Example Ltd",
        "dpv:hasName": "Example Ltd",
        "dpv:hasAddress": "loc:DK",
        "dpv:hasContact": "https://example.com/privacy",
    },
    "collection_method": "dpv:DataSubjectDataSource",
    "processing_method": ["dpv:Collect", "dpv:Record", "dpv:Store"],
    "storage_locations": "loc:DK",
    "retention_period": "P3M",
    "processing_locations": "loc:DK",
    "jurisdiction": ["loc:DK", "loc:US-CA"],
    "recipient_third_parties": ["Example Ltd"],
    "withdrawal_method": ["*2 on the call", "https://example.com/privacy"],
    "privacy_rights": ["eu-gdpr:A7-3", "eu-gdpr:A15", "eu-gdpr:A17", "eu-gdpr:A18", "eu-gdpr:A77"],
    "authority_party": "loc:DK",
    "pii_type": "pd:VoiceCommunicationRecording",
    "pii_optional": "dpv:Optional",
    "party_id": "Example Ltd",
    "party_address": "loc:DK",
    "party_name": "Example Ltd",
    "party_contact": "https://example.com/privacy",
    "party_type": ["dpv:DataController", "dpv:Organisation"],
    "event_time": "2026-09-21T14:13:38.420Z",
    "validity_duration": "withdrawal, or the end of storage",
    "entity_id": f"urn:uuid:{PARTY}",
    "event_type": "dpv:ExplicitlyExpressedConsent",
    "event_state": "dpv:ConsentGiven",
}


@pytest.mark.parametrize("field", ISO_27560)
def test_the_record_has_every_mandatory_field(field: str) -> None:
    assert ISO_27560[field](dpv.record(FACTS)) == EXPECTED[field]


def test_the_receipt_holds_the_record_and_an_id_of_its_own() -> None:
    receipt = dpv.receipt(FACTS)
    record = dpv.record(FACTS)
    assert receipt["@type"] == "dpv:ConsentReceipt"
    assert receipt["dct:conformsTo"] == "https://w3id.org/dpv/schema/dpv-27560#receipt-eu-gdpr"
    assert receipt["dct:identifier"] == FACTS.receipt_id != FACTS.record_id
    assert receipt["dct:created"] == "2026-09-21T14:14:50.000Z"
    assert receipt["@context"] == record.pop("@context")
    assert receipt["dpv:hasRecordOfActivity"] == record


def test_a_further_act_is_a_new_receipt_of_the_same_record() -> None:
    later = acted(ASKED, YES, BACK)
    assert later.record_id == FACTS.record_id
    assert later.receipt_id != FACTS.receipt_id


def statuses(facts: Facts) -> list[object]:
    events: Any = dpv.record(facts)["dpv:hasConsentStatus"]
    return [event["@type"][0] for event in events]


@pytest.mark.parametrize(
    ("acts", "expected"),
    [
        ((ASKED,), ["ConsentRequested"]),
        ((ASKED, YES, BACK), ["ConsentRequested", "ConsentGiven", "ConsentWithdrawn"]),
        ((ASKED, NO), ["ConsentRequested", "ConsentRefused"]),
        ((ASKED, SILENCE), ["ConsentRequested", "ConsentRequestDeferred"]),
        ((YES, BACK, ASKED, YES), ["ConsentGiven", "ConsentWithdrawn", "ConsentRequested", "RenewedConsentGiven"]),
    ],
)
def test_every_act_is_a_status(acts: Sequence[Act], expected: list[str]) -> None:
    assert statuses(acted(*acts)) == [f"dpv:{name}" for name in expected]


def test_maps_are_whole() -> None:
    assert dpv.STATUS.keys() == set(Deed)
    assert dpv.BASIS.keys() == set(LawfulBasis)
    assert dpv.DATA.keys() == set(Modality)
    assert dpv.BASIS[LawfulBasis.LEGITIMATE_INTERESTS] == "eu-gdpr:A6-1-f"


@pytest.mark.parametrize(
    ("method", "kind", "proof"),
    [
        (Method.DIGIT, "ExplicitlyExpressedConsent", "external_system"),
        (Method.SPOKEN, "ExplicitlyExpressedConsent", "verbal_confirmation"),
        (Method.WEB_FORM, "ExplicitlyExpressedConsent", "external_system"),
        (Method.WRITTEN, "ExplicitlyExpressedConsent", "signed_document"),
        (Method.CONTRACT, "ExpressedConsent", "signed_document"),
        (Method.ANNOUNCEMENT, "ImpliedConsent", "external_system"),
        (Method.CONTINUED_AFTER_NOTICE, "ImpliedConsent", "external_system"),
        (Method.IMPORTED, "Consent", "external_system"),
        (Method.ATTESTED, "Consent", "external_system"),
    ],
)
def test_what_kind_of_consent_and_proof_a_method_is(method: Method, kind: str, proof: str) -> None:
    facts = acted(dataclasses.replace(YES, method=method))
    events: Any = dpv.record(facts)["dpv:hasConsentStatus"]
    assert events[0]["@type"] == ["dpv:ConsentGiven", f"dpv:{kind}"]
    proofs: Any = vcon.body(facts)["proof_mechanisms"]
    assert proofs[0]["proof_type"] == proof


def test_every_prefix_is_declared() -> None:
    terms = set()

    def visit(value: object) -> None:
        if isinstance(value, dict):
            for key, inner in value.items():
                terms.add(key)
                visit(inner)
        elif isinstance(value, list):
            for inner in value:
                visit(inner)
        elif isinstance(value, str) and value.partition(":")[0] in {"dpv", "pd", "loc", "eu-gdpr"}:
            terms.add(value)

    receipt = dpv.receipt(FACTS)
    context = receipt.pop("@context")
    visit(receipt)
    prefixes = {term.partition(":")[0] for term in terms if not term.startswith("@")}
    assert isinstance(context, dict)
    assert prefixes <= context.keys()


KANTARA = {
    "version": "KI-CR-v1.1.0",
    "jurisdiction": "DK",
    "consentTimestamp": (START_MS + 18_420) // 1000,
    "collectionMethod": "digit",
    "consentReceiptID": FACTS.receipt_id,
    "publicKey": "log+00000000+key",
    "language": "en",
    "piiPrincipalId": PARTY,
    "piiControllers": [
        {
            "piiController": "Example Ltd",
            "onBehalf": False,
            "contact": "https://example.com/privacy",
            "address": {"addressCountry": "DK"},
            "email": "",
            "phone": "",
            "piiControllerUrl": "https://example.com/privacy",
        }
    ],
    "policyUrl": "https://example.com/privacy",
    "sensitive": False,
    "spiCat": [],
}


def test_kantara_field_by_field() -> None:
    claims = kantara.claims(FACTS, public_key="log+00000000+key")
    assert {name: claims[name] for name in KANTARA} == KANTARA
    services: Any = claims["services"]
    (service,) = services
    assert [purpose["purpose"] for purpose in service["purposes"]] == ["quality_assurance", "training"]
    for purpose in service["purposes"]:
        assert purpose.keys() == {
            "purpose",
            "purposeCategory",
            "consentType",
            "piiCategory",
            "primaryPurpose",
            "termination",
            "thirdPartyDisclosure",
            "thirdPartyName",
        }
        assert purpose["consentType"] == "EXPLICIT"
        assert purpose["termination"] == "*2 on the call, or https://example.com/privacy"


def test_kantara_says_that_a_yes_was_taken_back_or_only_implied() -> None:
    services: Any = kantara.claims(acted(YES, BACK), public_key="k")["services"]
    assert services[0]["purposes"][0]["termination"] == "withdrawn 2026-09-21T14:14:20.000Z"
    stayed = dataclasses.replace(YES, method=Method.CONTINUED_AFTER_NOTICE)
    services = kantara.claims(acted(stayed), public_key="k")["services"]
    assert services[0]["purposes"][0]["consentType"] == "IMPLICIT"


@pytest.mark.parametrize("acts", [(ASKED,), (ASKED, NO), (ASKED, SILENCE)])
def test_kantara_confirms_nothing_but_a_yes(acts: Sequence[Act]) -> None:
    with pytest.raises(ConsentError, match="this customer gave none: use --format dpv") as raised:
        kantara.claims(acted(*acts), public_key="k")
    assert raised.value.code == "no_consent_given"


def decoded(part: str) -> bytes:
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))


def test_the_jwt_verifies_with_the_key_it_names() -> None:
    key = Ed25519PrivateKey.generate()
    public = key.public_key().public_bytes_raw()
    claims = kantara.claims(FACTS, public_key="k")
    header, payload, signature = kantara.jwt(claims, key_id="log+1", public_key=public, sign=key.sign).split(".")
    key.public_key().verify(decoded(signature), f"{header}.{payload}".encode())
    stated = json.loads(decoded(header))
    assert (stated["alg"], stated["typ"], stated["kid"]) == ("EdDSA", "JWT", "log+1")
    assert decoded(stated["jwk"].pop("x")) == public
    assert stated["jwk"] == {"kty": "OKP", "crv": "Ed25519"}
    assert json.loads(decoded(payload)) == claims


def test_vcon_field_by_field() -> None:
    attachment: Any = vcon.attachment(FACTS, party=1)
    body = attachment.pop("body")
    assert attachment == {
        "purpose": "lawful_basis",
        "start": "2026-09-21T14:13:38.420Z",
        "party": 1,
        "dialog": 0,
        "mediatype": "application/json",
        "encoding": "json",
    }
    digest = body.pop("content_hash")
    assert digest == vcon.content_hash(body)
    assert (digest["algorithm"], digest["canonicalization"], len(digest["value"])) == ("sha-256", "jcs", 64)
    assert body["lawful_basis"] == "consent"
    assert body["expiration"] is None
    assert body["purpose_grants"] == [
        {
            "purpose": purpose,
            "granted": True,
            "granted_at": "2026-09-21T14:13:38.420Z",
            "conditions": ["modality:audio", "retention:P3M"],
        }
        for purpose in ("quality_assurance", "training")
    ]
    assert body["terms_of_service"] == "https://example.com/privacy"
    assert body["status_interval"] == "30d"
    assert body["proof_mechanisms"] == [
        {
            "proof_type": "external_system",
            "timestamp": "2026-09-21T14:13:38.420Z",
            "proof_data": {
                "deed": "given",
                "method": "digit",
                "evidence": "digit 1 at 18420 ms",
                "notice_sha256": QUESTION,
            },
        }
    ]
    assert body["metadata"]["notices"] == [{"sha256": HASH, "language": "en"}]


acts = st.sampled_from([ASKED, YES, NO, SILENCE, BACK])


@given(st.lists(acts, min_size=1, max_size=6))
def test_what_is_granted_is_what_the_latest_answer_says(history: list[Act]) -> None:
    facts = acted(*history)
    answers = [act for act in history if act.deed in (Deed.GIVEN, Deed.REFUSED, Deed.WITHDRAWN)]
    body: Any = vcon.body(facts)
    granted = bool(answers) and answers[-1] is YES
    assert {grant["granted"] for grant in body["purpose_grants"]} == {granted}
    assert len(statuses(facts)) == len(history)
    assert json.loads(json.dumps(dpv.receipt(facts))) == dpv.receipt(facts)


IN_ADVANCE = Act(
    deed=Deed.GIVEN,
    at_ms=START_MS - 86_400_000,
    method=Method.WRITTEN,
    evidence="standing yes 01a2",
    notice=QUESTION,
    expires_ms=START_MS + 86_400_000,
)


def test_a_yes_in_advance_names_its_end_in_every_form() -> None:
    facts, ends = acted(IN_ADVANCE), iso_utc(START_MS + 86_400_000)
    record: Any = dpv.record(facts)
    (status,) = record["dpv:hasConsentStatus"]
    assert status == {
        "@type": ["dpv:ConsentGiven", "dpv:ExplicitlyExpressedConsent"],
        "dpv:isIndicatedBy": f"urn:uuid:{PARTY}",
        "dpv:isIndicatedAtTime": iso_utc(START_MS - 86_400_000),
        "dpv:hasDuration": {"@type": "dpv:UntilTimeDuration", "rdf:value": ends},
        "dpv:hasIndicationMethod": "written: standing yes 01a2",
        "dpv:hasNotice": f"urn:sha256:{QUESTION}",
    }
    claims: Any = kantara.claims(facts, public_key="key")
    assert claims["collectionMethod"] == "written"
    assert claims["services"][0]["purposes"][0]["termination"].endswith(f", else {ends}")
    body: Any = vcon.body(facts)
    assert body["expiration"] == ends
    assert [proof["proof_type"] for proof in body["proof_mechanisms"]] == ["signed_document"]
    assert vcon.body(acted(IN_ADVANCE, BACK))["expiration"] is None
