"""What a wording must not leave out (Arts 7, 12, 13 GDPR), and what it must not say."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from tallylight.consent.notices import WITHDRAW_CODE, Terms, wording
from tallylight.law.vocabulary import Mode


class Element(StrEnum):
    """What a first layer with its question tells."""

    CONTROLLER = "controller"
    PURPOSES = "purposes"
    RECORDED = "recorded"
    STORED = "stored"
    RETENTION = "retention"
    WITHDRAWAL = "withdrawal"
    POLICY_ADDRESS = "policy_address"
    SAME_SERVICE = "same_service"
    CERTAIN = "certain"
    """That it is recorded, not that it may be."""
    FREE = "free"
    """That nothing depends on a yes (Art. 7(4))."""


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One thing wrong with a wording."""

    element: Element
    message: str


def lint(text: str, terms: Terms, *, withdraw_code: str = WITHDRAW_CODE) -> tuple[Finding, ...]:
    """What is wrong with a first layer and its question, in the project's language; empty: nothing."""
    return tuple(_findings(text, terms, withdraw_code))


def _findings(text: str, terms: Terms, withdraw_code: str) -> Iterator[Finding]:
    words, said = wording(terms.language), " ".join(text.casefold().split())

    def missing(element: Element, wanted: tuple[str, ...], message: str) -> Iterator[Finding]:
        if not any(phrase.casefold() in said for phrase in wanted):
            yield Finding(element=element, message=message)

    def unwanted(element: Element, phrases: tuple[str, ...], message: str) -> Iterator[Finding]:
        for phrase in phrases:
            if phrase in said:
                yield Finding(element=element, message=f"{message}: {phrase!r}.")

    yield from missing(Element.CONTROLLER, (terms.controller,), f"Say who records: {terms.controller}.")
    if terms.mode is Mode.NONE:
        return
    purpose = words.purposes[terms.purpose]
    yield from missing(Element.PURPOSES, (purpose.rstrip(","),), f"Say what for: {purpose}.")
    yield from missing(Element.RECORDED, words.says_recorded, "Say that the call is recorded.")
    yield from missing(Element.STORED, words.says_stored, "Say that the recording is stored.")
    months = words.duration(terms.retention_months)
    digits = f"{terms.retention_months} {months.rpartition(' ')[2]}"
    yield from missing(Element.RETENTION, (months, digits), f"Say for how long: {months}.")
    address = (terms.policy_address, words.address(terms.policy_address))
    yield from missing(Element.POLICY_ADDRESS, address, f"Say where the policy is: {terms.policy_address}.")
    yield from unwanted(Element.CERTAIN, words.hedges, "Say that it is recorded, not that it may be")
    yield from unwanted(Element.FREE, words.conditions, "The service must not depend on a yes")
    if terms.mode is Mode.BOTH:
        keys = words.keys(withdraw_code)
        yield from missing(Element.WITHDRAWAL, (keys, withdraw_code), f"Say how to withdraw: {keys}.")
        message = "Say that the service is the same either way."
        yield from missing(Element.SAME_SERVICE, words.says_same_service, message)
