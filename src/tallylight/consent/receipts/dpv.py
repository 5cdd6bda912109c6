"""ISO/IEC TS 27560:2023 record and receipt as JSON-LD in the W3C Data Privacy Vocabulary 2.2.

After the DPVCG's guide (https://w3id.org/dpv/guides/consent-27560), profiles `record-eu-gdpr` and `receipt-eu-gdpr`: all
that the GDPR makes mandatory is there, wherever the person is.
"""

from collections.abc import Mapping
from typing import TypeAlias

from tallylight.consent.answer import SECOND_HAND, Modality
from tallylight.consent.purposes import DPV
from tallylight.consent.receipts.facts import Act, Deed, Facts, Heard
from tallylight.law.iso8601 import iso_utc
from tallylight.law.vocabulary import AFFIRMATIVE_METHODS, LawfulBasis, Method, Purpose, Role

JsonValue: TypeAlias = "bool | int | str | list[JsonValue] | dict[str, JsonValue] | None"

SCHEMA = "https://w3id.org/dpv/schema/dpv-27560"

CONTEXT: Mapping[str, str] = {
    "dpv": DPV,
    "eu-gdpr": "https://w3id.org/dpv/legal/eu/gdpr#",
    "loc": "https://w3id.org/dpv/loc#",
    "pd": "https://w3id.org/dpv/pd#",
    "dct": "http://purl.org/dc/terms/",
    "rdf": "http://www.w3.org/1999/02/22-rdf-syntax-ns#",
    "schema": "https://schema.org/",
}

STATUS: Mapping[Deed, str] = {
    Deed.REQUESTED: "dpv:ConsentRequested",
    Deed.GIVEN: "dpv:ConsentGiven",
    Deed.REFUSED: "dpv:ConsentRefused",
    Deed.UNANSWERED: "dpv:ConsentRequestDeferred",
    Deed.WITHDRAWN: "dpv:ConsentWithdrawn",
}
"""A second yes is `dpv:RenewedConsentGiven`. No deed of ours expires, revokes or invalidates."""

BASIS: Mapping[LawfulBasis, str] = {
    basis: f"eu-gdpr:A6-1-{letter}" for basis, letter in zip(LawfulBasis, "abcdef", strict=True)
}

DATA: Mapping[Modality, str] = {
    Modality.AUDIO: "pd:VoiceCommunicationRecording",
    Modality.VIDEO: "pd:Picture",
    Modality.SCREEN: "dpv:PersonalData",
    Modality.TRANSCRIPT: "dpv:PersonalData",
}

RIGHTS: Mapping[str, str] = {
    "eu-gdpr:A7-3": "To withdraw consent",
    "eu-gdpr:A15": "Access",
    "eu-gdpr:A17": "Erasure",
    "eu-gdpr:A18": "Restriction",
    "eu-gdpr:A77": "To complain to the data protection authority",
}


def consent_type(method: Method) -> str:
    """What kind of consent an act is; nothing is claimed of what others say somebody did."""
    if method in AFFIRMATIVE_METHODS:
        return "dpv:ExplicitlyExpressedConsent"
    if method in SECOND_HAND:
        return "dpv:Consent"
    return "dpv:ExpressedConsent" if method is Method.CONTRACT else "dpv:ImpliedConsent"


def record(facts: Facts) -> dict[str, JsonValue]:
    """The consent record."""
    return {"@context": dict(CONTEXT), **_record(facts)}


def receipt(facts: Facts) -> dict[str, JsonValue]:
    """The receipt for the person, with the record in it."""
    return {
        "@context": dict(CONTEXT),
        "@id": f"urn:uuid:{facts.receipt_id}",
        "@type": "dpv:ConsentReceipt",
        "dct:identifier": facts.receipt_id,
        "dct:conformsTo": f"{SCHEMA}#receipt-eu-gdpr",
        "dct:created": iso_utc(facts.issued_ms),
        "dct:publisher": facts.controller,
        "schema:recipient": _subject_id(facts),
        "dpv:hasRecordOfActivity": _record(facts),
    }


def _record(facts: Facts) -> dict[str, JsonValue]:
    return {
        "@id": f"urn:uuid:{facts.record_id}",
        "@type": "dpv:ConsentRecord",
        "dct:identifier": facts.record_id,
        "dct:conformsTo": f"{SCHEMA}#record-eu-gdpr",
        "dpv:hasDataSubject": {
            "@id": _subject_id(facts),
            "@type": "dpv:Employee" if facts.role is Role.AGENT else "dpv:Customer",
            "dct:identifier": facts.party,
        },
        "dpv:hasDataController": _controller(facts),
        "dpv:hasJurisdiction": [f"loc:{place}" for place in facts.jurisdictions],
        "dpv:hasLegalBasis": BASIS[facts.basis],
        "dpv:hasNotice": [_notice(heard) for heard in facts.heard],
        "dpv:hasProcess": [_process(facts, purpose) for purpose in facts.purposes],
        "dpv:hasConsentControl": {
            "@type": "dpv:WithdrawConsent",
            "dpv:isExercisedAt": [f"{facts.withdraw_code} on the call", facts.policy_url],
        },
        "dpv:hasRight": [
            {"@type": ["dpv:DataSubjectRight", right], "dct:title": title, "dpv:isExercisedAt": facts.policy_url}
            for right, title in RIGHTS.items()
        ],
        "dpv:hasAuthority": {
            "@type": "dpv:DataProtectionAuthority",
            "dpv:hasJurisdiction": f"loc:{facts.country.partition('-')[0]}",
        },
        "dpv:hasConsentStatus": [_event(facts, number) for number in range(len(facts.acts))],
    }


def _subject_id(facts: Facts) -> str:
    return f"urn:uuid:{facts.party}"


def _controller(facts: Facts) -> dict[str, JsonValue]:
    return {
        "@type": ["dpv:DataController", "dpv:Organisation"],
        "dct:identifier": facts.controller,
        "dpv:hasName": facts.controller,
        "dpv:hasAddress": f"loc:{facts.country}",
        "dpv:hasContact": facts.policy_url,
    }


def _notice(heard: Heard) -> dict[str, JsonValue]:
    return {
        "@id": f"urn:sha256:{heard.sha256}",
        "@type": "dpv:ConsentNotice",
        "dct:date": iso_utc(heard.at_ms),
        "dct:language": heard.language,
        "rdf:value": heard.text,
    }


def _process(facts: Facts, purpose: Purpose) -> dict[str, JsonValue]:
    place = f"loc:{facts.country}"
    return {
        "@type": "dpv:Process",
        "dct:title": facts.name_of(purpose),
        "dpv:hasPurpose": [f"dpv:{term}" for term in facts.terms_of(purpose)],
        "dpv:hasPersonalData": [
            {
                "@type": DATA[modality],
                "dct:title": modality.value,
                "dpv:hasNecessity": "dpv:Optional",
                "dpv:hasDataSource": "dpv:DataSubjectDataSource",
            }
            for modality in sorted(facts.modalities)
        ],
        "dpv:hasProcessing": ["dpv:Collect", "dpv:Record", "dpv:Store"],
        "dpv:hasLocation": place,
        "dpv:hasStorageCondition": [
            {"@type": "dpv:StorageLocation", "dpv:hasLocation": place},
            {"@type": "dpv:StorageDuration", "dpv:hasDuration": f"P{facts.retention_months}M"},
        ],
        "dpv:hasRecipient": [facts.controller],
    }


def _event(facts: Facts, number: int) -> dict[str, JsonValue]:
    act = facts.acts[number]
    status = STATUS[act.deed]
    if act.deed is Deed.GIVEN and any(before.deed is Deed.GIVEN for before in facts.acts[:number]):
        status = "dpv:RenewedConsentGiven"
    kind = consent_type(act.method) if act.deed is Deed.GIVEN and act.method is not None else "dpv:Consent"
    event: dict[str, JsonValue] = {
        "@type": [status, kind],
        "dpv:isIndicatedBy": facts.controller if act.deed is Deed.REQUESTED else _subject_id(facts),
        "dpv:isIndicatedAtTime": iso_utc(act.at_ms),
        "dpv:hasDuration": _duration(act),
        "dpv:hasIndicationMethod": _method(act),
    }
    if act.notice:
        event["dpv:hasNotice"] = f"urn:sha256:{act.notice}"
    return event


def _duration(act: Act) -> dict[str, JsonValue]:
    if act.expires_ms is not None:
        return {"@type": "dpv:UntilTimeDuration", "rdf:value": iso_utc(act.expires_ms)}
    return {"@type": "dpv:UntilEventDuration", "rdf:value": _until(act)}


def _until(act: Act) -> str:
    match act.deed:
        case Deed.GIVEN:
            return "withdrawal, or the end of storage"
        case Deed.REQUESTED:
            return "an answer, or the end of the call"
        case Deed.REFUSED | Deed.UNANSWERED | Deed.WITHDRAWN:
            return "the person's own yes"


def _method(act: Act) -> str:
    if act.method is None:
        return "question asked" if act.deed is Deed.REQUESTED else "silence"
    return act.method.value if act.evidence is None else f"{act.method.value}: {act.evidence}"
