"""A standing yes is a consent to one purpose, for as long as it stands and not a moment longer."""

from hypothesis import given
from hypothesis import strategies as st

from tallylight.consent.answer import ConsentState
from tallylight.consent.standing_yes import StandingYes, as_consent
from tallylight.consent.validity import Condition, Standing, failing_conditions, standing
from tallylight.law.vocabulary import Method, Purpose

GIVEN_MS, EXPIRES_MS = 1_790_000_000_000, 1_790_000_001_000
YES = StandingYes(
    id="01a2",
    purpose="training",
    given_ms=GIVEN_MS,
    expires_ms=EXPIRES_MS,
    evidence="form signed 2026-09-21",
    notice="0" * 64,
    text="You record and store my calls.",
    language="en",
)


def test_who_agreed_in_advance_joins_with_a_yes_in_writing() -> None:
    consent = as_consent(YES, frozenset({Purpose.TRAINING}))
    assert (consent.state, consent.method, consent.notice) == (ConsentState.GIVEN, Method.WRITTEN, "0" * 64)
    assert consent.evidence == "standing yes 01a2"
    assert (consent.at_ms, consent.expires_at_ms) == (GIVEN_MS, EXPIRES_MS)
    assert consent.in_advance
    assert not consent.flagged


@given(
    st.integers(GIVEN_MS - 3, GIVEN_MS + 3) | st.integers(EXPIRES_MS - 3, EXPIRES_MS + 3),
    st.sampled_from([Purpose.TRAINING, Purpose.MARKETING]),
    st.booleans(),
    st.booleans(),
)
def test_it_holds_from_its_giving_to_its_end_for_its_purpose_once_the_person_is_told(
    at_ms: int, purpose: Purpose, told: bool, employed: bool
) -> None:
    consent = as_consent(YES, frozenset({Purpose.TRAINING}))
    failing = failing_conditions(consent, purpose=purpose, at_ms=at_ms, told=told, employed=employed)
    expected = {
        Condition.PRIOR: at_ms < GIVEN_MS,
        Condition.NOT_EXPIRED: at_ms >= EXPIRES_MS,
        Condition.SPECIFIC: purpose is not Purpose.TRAINING,
        Condition.INFORMED: not told,
        Condition.FREELY_GIVEN: employed,
    }
    assert set(failing) == {condition for condition, fails in expected.items() if fails}
    where = standing(consent, purpose=purpose, at_ms=at_ms, told=told, employed=employed)
    if at_ms >= EXPIRES_MS:
        assert where is Standing.EXPIRED
    else:
        assert where is (Standing.INVALID if failing else Standing.GIVEN)
