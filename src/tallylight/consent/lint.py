"""What a wording must not leave out (Arts 7, 12, 13 GDPR), and what it must not say."""

import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from tallylight.consent.notices import (
    LANGUAGES,
    WITHDRAW_CODE,
    WRITTEN,
    NoticeKind,
    RenderedNotice,
    Terms,
    purpose_words,
    render,
    withdrawal,
    wording,
)
from tallylight.consent.wording.form import FOLLOWING, Variant, Wording
from tallylight.law.vocabulary import Mode, Purpose


class Element(StrEnum):
    """What a first layer with its question tells."""

    CONTROLLER = "controller"
    PURPOSES = "purposes"
    RECORDED = "recorded"
    STORED = "stored"
    RETENTION = "retention"
    WITHDRAWAL = "withdrawal"
    OBJECTION = "objection"
    """To an employee, whose recording rests on no consent."""
    POLICY_ADDRESS = "policy_address"
    SAME_SERVICE = "same_service"
    UNRECORDED_LINE = "unrecorded_line"
    """Where staying on counts as a yes."""
    CERTAIN = "certain"
    """That it is recorded, not that it may be."""
    FREE = "free"
    """That nothing depends on a yes (Art. 7(4))."""
    EXPIRY = "expiry"
    """Of a standing yes: until when it stands."""


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One thing wrong with a wording."""

    element: Element
    message: str


def lint(
    text: str,
    terms: Terms,
    *,
    withdraw_code: str = WITHDRAW_CODE,
    variant: Variant = Variant.INBOUND,
    words: Wording | None = None,
) -> tuple[Finding, ...]:
    """What is wrong with a first layer and its question, in the project's language; empty: nothing."""
    return tuple(_findings(text, terms, withdraw_code, variant, wording(terms.language) if words is None else words))


def _findings(text: str, terms: Terms, withdraw_code: str, variant: Variant, words: Wording) -> Iterator[Finding]:
    said = " ".join(text.casefold().split())
    way = withdrawal(words, variant, withdraw_code)
    own = said
    for name in (terms.controller, way, terms.policy_address):
        # A controller called Recorded Ltd, or a button that says so, has told nobody anything.
        own = own.replace(name.casefold(), "")

    def missing(element: Element, wanted: tuple[str, ...], message: str, where: str = said) -> Iterator[Finding]:
        if not any(phrase.casefold() in where for phrase in wanted):
            yield Finding(element=element, message=message)

    def unwanted(element: Element, phrases: tuple[str, ...], message: str) -> Iterator[Finding]:
        for phrase in phrases:
            if phrase.casefold() in said:
                yield Finding(element=element, message=f"{message}: {phrase!r}.")

    yield from missing(Element.CONTROLLER, (terms.controller,), f"Say who records: {terms.controller}.")
    if terms.mode is Mode.NONE:
        return
    purpose = purpose_words(words, terms)
    yield from missing(Element.PURPOSES, (purpose.rstrip(","),), f"Say what for: {purpose}.")
    yield from missing(Element.RECORDED, words.says_recorded, "Say that the call is recorded.", own)
    yield from missing(Element.STORED, words.says_stored, "Say that the recording is stored.", own)
    months = words.duration(terms.retention_months)
    digits = f"{terms.retention_months} {months.rpartition(' ')[2]}"
    yield from missing(Element.RETENTION, (months, digits), f"Say for how long: {months}.")
    address = (terms.policy_address, words.address(terms.policy_address))
    yield from missing(Element.POLICY_ADDRESS, address, f"Say where the policy is: {terms.policy_address}.")
    yield from unwanted(Element.CERTAIN, words.hedges, "Say that it is recorded, not that it may be")
    yield from unwanted(Element.FREE, words.conditions, "The service must not depend on a yes")
    if variant is Variant.EMPLOYEE:
        yield from missing(Element.OBJECTION, words.says_object, "Say that one may object.", own)
    elif terms.mode is Mode.BOTH:
        ways = (way,) if variant in WRITTEN else (way, withdraw_code)
        yield from missing(Element.WITHDRAWAL, ways, f"Say how to withdraw: {way}.")
        message = "Say that the service is the same either way."
        yield from missing(Element.SAME_SERVICE, words.says_same_service, message, own)
        if variant is Variant.CONTINUED:
            message = "Offer a line without recording: staying on is no choice without it."
            yield from missing(Element.UNRECORDED_LINE, words.says_unrecorded, message, own)


@dataclass(frozen=True, kw_only=True)
class _Sample:
    """A project that a wording is tried on. What differs by project stands for itself, so that findings name it."""

    language: str
    mode: Mode
    purpose: Purpose
    controller: str = "{controller}"
    policy_address: str = "{address}"
    retention_months: int = 7
    proof_kept_months: int = 11
    own_purpose: None = None


@dataclass(frozen=True, kw_only=True)
class WordingFinding:
    """One thing wrong with one text of a wording. `text` is its key in the file."""

    text: str
    element: Element
    message: str


def lint_wording(words: Wording) -> tuple[WordingFinding, ...]:
    """Everything wrong with a whole wording, each thing once: first layers leave nothing out, no text says what is forbidden.

    In a language of the house its own list of what says what is used, and what must not be said is added to the file's.
    """
    if words.language in LANGUAGES:
        house = wording(words.language)
        words = dataclasses.replace(
            words,
            says_recorded=house.says_recorded,
            says_stored=house.says_stored,
            says_same_service=house.says_same_service,
            says_object=house.says_object,
            says_unrecorded=house.says_unrecorded,
            hedges=tuple(dict.fromkeys((*house.hedges, *words.hedges))),
            conditions=tuple(dict.fromkeys((*house.conditions, *words.conditions))),
        )
    return tuple(dict.fromkeys((*_first_layer_findings(words), *_other_findings(words))))


def _first_layer_findings(words: Wording) -> Iterator[WordingFinding]:
    for purpose in Purpose:
        for mode in Mode:
            terms = _Sample(language=words.language, mode=mode, purpose=purpose)
            for key, variant, notice in _first_layers(words, terms):
                for finding in lint(notice.text, terms, variant=variant, words=words):
                    message = finding.message
                    if finding.element is Element.PURPOSES:
                        message = "Say what for: {purpose}."
                    yield WordingFinding(text=key, element=finding.element, message=message)


def _first_layers(words: Wording, terms: _Sample) -> Iterator[tuple[str, Variant, RenderedNotice]]:
    """Each first layer under these terms, by its key."""

    def rendered(kind: NoticeKind, variant: Variant = Variant.INBOUND) -> RenderedNotice:
        return render(kind, words.language, terms, variant=variant, words=words)

    if terms.mode is not Mode.BOTH:
        names = {Mode.NONE: "first_layer_none", Mode.AGENT_ONLY: "first_layer_agent_only"}
        key = f"texts.{names.get(terms.mode, 'first_layer_on_request')}"
        yield key, Variant.INBOUND, rendered(NoticeKind.FIRST_LAYER)
        return
    yield "texts.first_layer_informed", Variant.INBOUND, rendered(NoticeKind.FIRST_LAYER_INFORMED)
    for variant in Variant:
        key = "texts.first_layer" if variant is Variant.INBOUND else f"variants.{variant.value}"
        yield key, variant, rendered(NoticeKind.FIRST_LAYER, variant)


def _other_findings(words: Wording) -> Iterator[WordingFinding]:
    """What stands in the texts that follow a first layer and must not."""
    terms = _Sample(language=words.language, mode=Mode.BOTH, purpose=Purpose.QUALITY_ASSURANCE)
    texts = {f"texts.{name}": str(getattr(words, name)) for name in FOLLOWING}
    texts.update({f"questions.{variant.value}": text for variant, text in words.questions.items()})
    for key, text in texts.items():
        for finding in lint(text, terms, words=words):
            if finding.element in (Element.CERTAIN, Element.FREE):
                yield WordingFinding(text=key, element=finding.element, message=finding.message)
