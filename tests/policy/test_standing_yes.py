"""How long a standing yes may stand, what its text must say, and which calls it carries."""

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallylight.consent.errors import ConsentError
from tallylight.consent.lint import Element
from tallylight.consent.notices import wording
from tallylight.consent.purposes import OwnPurpose
from tallylight.consent.standing_yes import StandingYes
from tallylight.law.vocabulary import LawfulBasis, Mode, Purpose
from tallylight.policy.retention import add_months
from tallylight.policy.settings import Settings
from tallylight.policy.standing_yes import LONGEST_MONTHS, day_of, require_end, shortfall, untrue
from tests.policy.making import AT_MS, SETTINGS
from tests.policy.test_retention import ms

EXPIRES_MS = ms("2027-11-24T00:00")
TEXT = """\
Example Ltd records and stores my calls for quality assurance, for three months each. This yes stands for every call of
mine until 2027-11-24. Our service is the same without it. To withdraw: *2 during the call, afterwards at
example.com/privacy.
"""
EN = wording("en")


def found(text: str, settings: Settings = SETTINGS, expires_ms: int = EXPIRES_MS) -> list[Element]:
    wrong = untrue(text, settings, expires_ms=expires_ms, withdraw_code="*2", words=EN)
    return [each.element for each in wrong]


def test_a_text_that_says_everything() -> None:
    assert found(TEXT) == []


@pytest.mark.parametrize(
    ("said", "instead", "element"),
    [
        ("Example Ltd", "We", Element.CONTROLLER),
        ("for quality assurance", "", Element.PURPOSES),
        ("for quality assurance", "for marketing", Element.PURPOSES),
        ("records and stores", "stores", Element.RECORDED),
        ("and stores ", "", Element.STORED),
        ("three months", "a while", Element.RETENTION),
        ("three months", "six months", Element.RETENTION),
        ("*2 during the call", "write to us", Element.WITHDRAWAL),
        ("the same", "faster with it, slower", Element.SAME_SERVICE),
        ("example.com/privacy", "our site", Element.POLICY_ADDRESS),
        ("2027-11-24", "2027-11-25", Element.EXPIRY),
        ("2027-11-24", "further notice", Element.EXPIRY),
        ("the same", "the same, but you must agree", Element.FREE),
        ("records and", "calls may be recorded; it records and", Element.CERTAIN),
    ],
)
def test_each_thing_left_out_is_found(said: str, instead: str, element: Element) -> None:
    assert said in TEXT
    assert found(TEXT.replace(said, instead)) == [element]


def test_a_text_in_the_operators_own_words() -> None:
    own = OwnPurpose(
        name="coaching", words={"en": "to coach our staff"}, term="PersonnelManagement", judged_as=Purpose.TRAINING
    )
    settings = dataclasses.replace(SETTINGS, purpose=Purpose.TRAINING, own_purpose=own)
    assert found(TEXT.replace("for quality assurance", "to coach our staff"), settings) == []
    assert found(TEXT.replace("for quality assurance", "for staff training"), settings) == [Element.PURPOSES]
    unworded = dataclasses.replace(settings, own_purpose=dataclasses.replace(own, words={"da": "til sparring"}))
    assert found(TEXT, unworded) == [Element.PURPOSES]


@given(
    st.integers(ms("2026-01-01T00:00"), ms("2030-01-01T00:00")), st.integers(-5, 5) | st.integers(0, 800 * 86_400_000)
)
def test_it_ends_later_than_it_was_given_and_within_two_years(given_ms: int, for_ms: int) -> None:
    expires_ms = given_ms + for_ms
    if for_ms > 0 and expires_ms <= add_months(given_ms, 24):
        require_end(given_ms, expires_ms)
        return
    with pytest.raises(ConsentError) as raised:
        require_end(given_ms, expires_ms)
    assert raised.value.code == "expiry_invalid"


def test_the_longest_is_allowed_and_is_named_to_whoever_asks_for_more() -> None:
    latest_ms = add_months(AT_MS, LONGEST_MONTHS)
    require_end(AT_MS, latest_ms)
    with pytest.raises(ConsentError, match=f"24 months at most.*until {day_of(latest_ms)}"):
        require_end(AT_MS, latest_ms + 1)
    with pytest.raises(ConsentError, match="a day to come"):
        require_end(AT_MS, AT_MS)


STANDING = StandingYes(
    id="01a2",
    purpose="quality_assurance",
    given_ms=AT_MS,
    expires_ms=EXPIRES_MS,
    evidence="form signed 2026-09-21",
    notice="0" * 64,
    text=TEXT,
    language="en",
)


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({}, None),
        ({"mode": Mode.AGENT_ONLY_ALLOW_CUSTOMER}, None),
        ({"mode": Mode.AGENT_ONLY}, "does not record customers"),
        ({"mode": Mode.VOICE_RECEIPTS}, "does not record customers"),
        ({"mode": Mode.NONE}, "does not record customers"),
        ({"customer_basis": LawfulBasis.LEGITIMATE_INTERESTS}, None),
        ({"purpose": Purpose.TRAINING}, "another purpose"),
        ({"retention_months": 6}, "does not say what the project does now (retention)"),
        ({"retention_months": 2}, "does not say what the project does now (retention)"),
        ({"controller": "Other Ltd"}, "does not say what the project does now (controller)"),
        ({"policy_address": "example.com/new"}, "does not say what the project does now (policy_address)"),
    ],
)
def test_which_projects_it_carries(changes: dict[str, object], why: str | None) -> None:
    settings = dataclasses.replace(SETTINGS, **changes)  # type: ignore[arg-type]
    said = shortfall(STANDING, settings, until_ms=EXPIRES_MS - 1, withdraw_code="*2", words=EN)
    assert said is None if why is None else said is not None and why in said


@pytest.mark.parametrize(
    ("until_ms", "carries"), [(EXPIRES_MS - 1, True), (EXPIRES_MS, False), (EXPIRES_MS + 1, False)]
)
def test_it_carries_no_call_that_could_outlast_it(until_ms: int, carries: bool) -> None:
    why = shortfall(STANDING, SETTINGS, until_ms=until_ms, withdraw_code="*2", words=EN)
    assert why == (None if carries else "it may run out during the call")


def test_another_code_to_withdraw_is_another_text() -> None:
    why = shortfall(STANDING, SETTINGS, until_ms=AT_MS, withdraw_code="*9", words=EN)
    assert why == "its text does not say what the project does now (withdrawal)"
