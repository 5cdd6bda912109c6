"""What a recording is for: the closed purposes, their DPV terms, and an operator's own (Art. 5(1)(b) GDPR).

DPV is the W3C Data Privacy Vocabulary, 2.2 (https://w3id.org/dpv). What a machine does ("analyse data") is no purpose.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from tallylight.config.words import one_of
from tallylight.consent.errors import PurposeError
from tallylight.law.vocabulary import Purpose

DPV = "https://w3id.org/dpv#"

DPV_TERMS: Mapping[Purpose, tuple[str, ...]] = {
    Purpose.QUALITY_ASSURANCE: ("CustomerCare", "OptimisationForController"),
    Purpose.TRAINING: ("PersonnelManagement",),
    Purpose.SERVICE_IMPROVEMENT: ("ImproveExistingProductsAndServices", "ImproveInternalCRMProcesses"),
    Purpose.DOCUMENTATION: ("FulfilmentOfContractualObligation", "CustomerOrderManagement"),
    Purpose.VOICE_RECEIPT: ("EstablishContractualAgreement", "CustomerOrderManagement"),
    Purpose.COMPLIANCE: ("LegalCompliance",),
    Purpose.SECURITY: ("EnforceSecurity",),
    Purpose.MARKETING: ("Marketing",),
    Purpose.DISPUTE_EVIDENCE: ("DisputeManagement",),
    Purpose.PROOF_OF_CONSENT: ("LegalCompliance", "RecordManagement"),
}
"""Terms of the vocabulary, the nearest first."""

CASE_WORDS: Mapping[Purpose, str] = {
    Purpose.QUALITY_ASSURANCE: "quality",
    Purpose.TRAINING: "training",
    Purpose.SERVICE_IMPROVEMENT: "quality",
    Purpose.DOCUMENTATION: "documentation",
    Purpose.VOICE_RECEIPT: "documentation",
    Purpose.COMPLIANCE: "compliance",
    Purpose.SECURITY: "security",
    Purpose.MARKETING: "marketing",
    Purpose.DISPUTE_EVIDENCE: "dispute",
    Purpose.PROOF_OF_CONSENT: "compliance",
}
"""The purpose of the law's cases that each is judged as. `criminal_or_tortious` is a purpose of nobody here."""

KNOWN_TERMS = frozenset(term for terms in DPV_TERMS.values() for term in terms) | {
    "CommunicationManagement",
    "CustomerManagement",
    "CustomerRelationshipManagement",
    "FraudPreventionAndDetection",
    "HumanResourceManagement",
    "IdentityVerification",
    "RequestedServiceProvision",
    "RightsFulfilment",
    "ServiceProvision",
    "ServiceOptimisation",
}
"""The terms an operator's own purpose may be mapped to."""


def dpv_iris(purpose: Purpose) -> tuple[str, ...]:
    """The DPV terms of a purpose as IRIs."""
    return tuple(DPV + term for term in DPV_TERMS[purpose])


@dataclass(frozen=True, kw_only=True)
class OwnPurpose:
    """A purpose an operator names, judged as one of ours. Raises PurposeError where it cannot be placed."""

    name: str
    """`snake_case`, and none of ours."""
    words: Mapping[str, str]
    """By language: what joins it to "records this call ..."."""
    term: str
    """A DPV term, without its namespace."""
    judged_as: Purpose

    def __post_init__(self) -> None:
        if self.name in set(Purpose):
            raise PurposeError(f"{self.name!r} is a purpose of ours: use it as it is, or give yours another name.")
        if not self.name.isascii() or not self.name.isidentifier() or self.name != self.name.lower():
            raise PurposeError(f"{self.name!r} names no purpose: use small letters, digits and underscores.")
        if self.term not in KNOWN_TERMS:
            raise PurposeError(f"Purpose {self.name!r}: the DPV term {one_of(self.term, sorted(KNOWN_TERMS))}.")
        if not self.words or not all(text.strip() for text in self.words.values()):
            raise PurposeError(f"Purpose {self.name!r} has no words that people hear: give them in each language used.")
        if self.judged_as is Purpose.PROOF_OF_CONSENT:
            raise PurposeError(f"Purpose {self.name!r}: proof of consent is no purpose of a project's own.")

    @property
    def iris(self) -> tuple[str, ...]:
        return (DPV + self.term,)


def find_purpose(name: str, own: Iterable[OwnPurpose] = ()) -> Purpose | OwnPurpose:
    """The purpose of a name. Raises PurposeError naming the nearest."""
    by_name: dict[str, Purpose | OwnPurpose] = {purpose.value: purpose for purpose in Purpose}
    by_name.update({purpose.name: purpose for purpose in own})
    found = by_name.get(name)
    if found is None:
        raise PurposeError(f"The purpose {one_of(name, by_name)}.", code="purpose_unknown")
    return found
