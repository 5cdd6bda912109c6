"""The conditions of a valid consent, each failing alone."""

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallylight.consent.answer import NO_ANSWER, Consent, ConsentState
from tallylight.consent.validity import WORDS, Condition, failing_conditions
from tallylight.law.vocabulary import AFFIRMATIVE_METHODS, Method, Purpose

NOW_MS = 1_790_000_000_000
YES = Consent(
    state=ConsentState.GIVEN,
    purposes=frozenset({Purpose.TRAINING, Purpose.QUALITY_ASSURANCE}),
    method=Method.DIGIT,
    notice="0" * 64,
    evidence="digit 1 at 18420 ms",
    question_heard=True,
    at_ms=NOW_MS,
)


def failing(consent: Consent, *, told: bool = True, employed: bool = False) -> tuple[Condition, ...]:
    return failing_conditions(consent, purpose=Purpose.TRAINING, at_ms=NOW_MS, told=told, employed=employed)


def test_a_good_yes_fails_nothing() -> None:
    assert failing(YES) == ()


@pytest.mark.parametrize("method", Method)
def test_only_a_clear_act_is_affirmative(method: Method) -> None:
    clear = method in {Method.DIGIT, Method.SPOKEN, Method.WEB_FORM, Method.WRITTEN}
    assert failing(dataclasses.replace(YES, method=method)) == (() if clear else (Condition.AFFIRMATIVE,))


@pytest.mark.parametrize(
    ("change", "condition"),
    [
        ({"state": ConsentState.REQUESTED}, Condition.GIVEN),
        ({"state": ConsentState.REFUSED}, Condition.GIVEN),
        ({"state": ConsentState.UNKNOWN}, Condition.GIVEN),
        ({"state": ConsentState.WITHDRAWN}, Condition.NOT_WITHDRAWN),
        ({"method": None}, Condition.AFFIRMATIVE),
        ({"question_heard": False}, Condition.UNAMBIGUOUS),
        ({"at_ms": NOW_MS + 1}, Condition.PRIOR),
        ({"at_ms": None}, Condition.PRIOR),
        ({"conditional": True}, Condition.FREELY_GIVEN),
        ({"purposes": frozenset({Purpose.MARKETING})}, Condition.SPECIFIC),
        ({"purposes": frozenset()}, Condition.SPECIFIC),
        ({"notice": None}, Condition.INFORMED),
        ({"notice": ""}, Condition.INFORMED),
        ({"evidence": None}, Condition.PROVABLE),
        ({"evidence": ""}, Condition.PROVABLE),
    ],
)
def test_each_condition_fails_alone(change: dict[str, object], condition: Condition) -> None:
    assert failing(dataclasses.replace(YES, **change)) == (condition,)  # type: ignore[arg-type]


def test_who_was_not_told_is_not_informed() -> None:
    assert failing(YES, told=False) == (Condition.INFORMED,)


def test_an_employer_cannot_ask_freely() -> None:
    assert failing(YES, employed=True) == (Condition.FREELY_GIVEN,)


def test_no_answer_fails_what_an_answer_would_have_to_be() -> None:
    assert set(failing(NO_ANSWER)) == set(Condition) - {Condition.NOT_WITHDRAWN, Condition.FREELY_GIVEN}


def test_every_condition_has_words() -> None:
    assert WORDS.keys() == set(Condition)


@given(
    st.builds(
        Consent,
        state=st.sampled_from(ConsentState),
        purposes=st.frozensets(st.sampled_from(Purpose)),
        method=st.none() | st.sampled_from(Method),
        notice=st.none() | st.text(max_size=2),
        evidence=st.none() | st.text(max_size=2),
        question_heard=st.booleans(),
        conditional=st.booleans(),
        at_ms=st.none() | st.integers(NOW_MS - 2, NOW_MS + 2),
    )
)
def test_nothing_but_a_standing_clear_yes_is_valid(consent: Consent) -> None:
    if not failing(consent):
        assert consent.state is ConsentState.GIVEN
        assert consent.method in AFFIRMATIVE_METHODS
        assert consent.question_heard
        assert consent.at_ms is not None
        assert consent.at_ms <= NOW_MS
