"""How long a standing yes may be given for, what its text must say, and which calls it carries. Pure."""

import datetime
from collections.abc import Iterator

from tallylight.consent.errors import ConsentError, NoticeError
from tallylight.consent.lint import Element, Finding, lint
from tallylight.consent.standing_yes import StandingYes
from tallylight.consent.wording.form import Variant, Wording
from tallylight.law.vocabulary import Mode
from tallylight.policy.retention import add_months
from tallylight.policy.settings import Settings

LONGEST_MONTHS = 24
"""A consent is to be refreshed at appropriate intervals (EDPB Guidelines 05/2020, para 110). The law names none: this
many is a rule of the house, after which people are asked again."""


def require_end(given_ms: int, expires_ms: int) -> None:
    """Raises ConsentError (`expiry_invalid`) unless a yes given at `given_ms` may stand until `expires_ms` (ms UTC)."""
    if expires_ms <= given_ms:
        raise ConsentError("A standing yes ends later than it is given: name a day to come.", code="expiry_invalid")
    latest_ms = add_months(given_ms, LONGEST_MONTHS)
    if expires_ms > latest_ms:
        raise ConsentError(
            f"A standing yes holds for {LONGEST_MONTHS} months at most, and is then asked for anew: name a day until"
            f" {day_of(latest_ms)}.",
            code="expiry_invalid",
        )


def day_of(at_ms: int) -> str:
    """The day (UTC) of an instant, as the text of a standing yes has to write its end: `2027-11-24`."""
    return datetime.datetime.fromtimestamp(at_ms / 1000, datetime.UTC).date().isoformat()


def may_record_customers(settings: Settings) -> bool:
    """Whether a project records customers for its own purpose at all: for nothing else a standing yes is of use."""
    return settings.mode is Mode.BOTH or settings.mode.allows_switch


def untrue(
    text: str, settings: Settings, *, expires_ms: int, withdraw_code: str, words: Wording
) -> tuple[Finding, ...]:
    """What the text of a standing yes leaves out of a project, or must not say; empty: it is true of the project.

    `words`: the wording of the text's language.
    """
    return tuple(_findings(text, settings, expires_ms, withdraw_code, words))


def _findings(text: str, settings: Settings, expires_ms: int, withdraw_code: str, words: Wording) -> Iterator[Finding]:
    try:
        yield from lint(
            text, settings.for_customer, withdraw_code=withdraw_code, variant=Variant.COMPANION, words=words
        )
    except NoticeError as error:
        yield Finding(element=Element.PURPOSES, message=error.message)
    if day_of(expires_ms) not in text:
        yield Finding(element=Element.EXPIRY, message=f"Say until when the yes stands: {day_of(expires_ms)}.")


def shortfall(
    standing: StandingYes, settings: Settings, *, until_ms: int, withdraw_code: str, words: Wording
) -> str | None:
    """Why a standing yes does not carry a call that may last until `until_ms` (ms UTC); None: it does.

    What a project does may have changed since: then what the person agreed to is something else, and they are asked.
    """
    if not may_record_customers(settings):
        return "the project does not record customers for its own purpose"
    if standing.purpose != settings.purpose_name:
        return "it is for another purpose"
    if standing.expires_ms <= until_ms:
        return "it may run out during the call"
    found = untrue(standing.text, settings, expires_ms=standing.expires_ms, withdraw_code=withdraw_code, words=words)
    return f"its text does not say what the project does now ({found[0].element.value})" if found else None
