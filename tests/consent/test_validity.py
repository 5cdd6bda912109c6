"""The conditions of a valid consent, each failing alone."""

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallylight.consent.answer import NO_ANSWER, SECOND_HAND, Consent, ConsentState, Modality, attest
from tallylight.consent.errors import ConsentError
from tallylight.consent.validity import WORDS, Condition, Standing, failing_conditions, standing
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
        ({"expires_at_ms": NOW_MS}, Condition.NOT_EXPIRED),
        ({"modalities": frozenset()}, Condition.SPECIFIC),
        ({"modalities": frozenset(Modality) - {Modality.AUDIO}}, Condition.SPECIFIC),
    ],
)
def test_each_condition_fails_alone(change: dict[str, object], condition: Condition) -> None:
    assert failing(dataclasses.replace(YES, **change)) == (condition,)  # type: ignore[arg-type]


def test_who_was_not_told_is_not_informed() -> None:
    assert failing(YES, told=False) == (Condition.INFORMED,)


def test_an_employer_cannot_ask_freely() -> None:
    assert failing(YES, employed=True) == (Condition.FREELY_GIVEN,)


def test_no_answer_fails_what_an_answer_would_have_to_be() -> None:
    assert set(failing(NO_ANSWER)) == set(Condition) - {
        Condition.NOT_WITHDRAWN,
        Condition.NOT_EXPIRED,
        Condition.FREELY_GIVEN,
        Condition.CAPABLE,
    }


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
        modalities=st.frozensets(st.sampled_from(Modality)),
        expires_at_ms=st.none() | st.integers(NOW_MS - 2, NOW_MS + 2),
    )
)
def test_nothing_but_a_standing_clear_yes_is_valid(consent: Consent) -> None:
    if not failing(consent):
        assert consent.state is ConsentState.GIVEN
        assert consent.method in AFFIRMATIVE_METHODS
        assert consent.question_heard
        assert consent.at_ms is not None
        assert consent.at_ms <= NOW_MS
        assert Modality.AUDIO in consent.modalities
        assert consent.expires_at_ms is None or consent.expires_at_ms > NOW_MS
    assert (not failing(consent)) == (where(consent) is Standing.GIVEN)
    assert not consent.flagged or failing(consent)


def where(consent: Consent) -> Standing:
    return standing(consent, purpose=Purpose.TRAINING, at_ms=NOW_MS, told=True, employed=False)


@pytest.mark.parametrize("modality", Modality)
def test_a_yes_to_one_modality_is_none_to_another(modality: Modality) -> None:
    yes = dataclasses.replace(YES, modalities=frozenset({modality}))
    for other in Modality:
        found = failing_conditions(
            yes, purpose=Purpose.TRAINING, at_ms=NOW_MS, told=True, employed=False, modality=other
        )
        assert found == (() if other is modality else (Condition.SPECIFIC,))


def test_who_cannot_give_it_has_not_given_it() -> None:
    given_by_a_child = failing_conditions(
        YES, purpose=Purpose.TRAINING, at_ms=NOW_MS, told=True, employed=False, capable=False
    )
    assert given_by_a_child == (Condition.CAPABLE,)


@pytest.mark.parametrize(
    ("consent", "expected"),
    [
        (NO_ANSWER, Standing.NONE),
        (dataclasses.replace(YES, state=ConsentState.REQUESTED), Standing.REQUESTED),
        (YES, Standing.GIVEN),
        (dataclasses.replace(YES, state=ConsentState.REFUSED), Standing.REFUSED),
        (dataclasses.replace(YES, state=ConsentState.WITHDRAWN), Standing.WITHDRAWN),
        (dataclasses.replace(YES, state=ConsentState.WITHDRAWN, expires_at_ms=NOW_MS), Standing.WITHDRAWN),
        (dataclasses.replace(YES, expires_at_ms=NOW_MS), Standing.EXPIRED),
        (dataclasses.replace(YES, expires_at_ms=NOW_MS + 1), Standing.GIVEN),
        (dataclasses.replace(YES, conditional=True), Standing.INVALID),
        (dataclasses.replace(YES, method=Method.ATTESTED), Standing.INVALID),
        (dataclasses.replace(YES, state=ConsentState.UNKNOWN), Standing.UNKNOWN),
    ],
)
def test_where_an_answer_stands(consent: Consent, expected: Standing) -> None:
    assert where(consent) is expected


def test_every_act_has_a_standing() -> None:
    assert {Standing(state.value) for state in ConsentState} == set(Standing) - {Standing.EXPIRED, Standing.INVALID}


def attested(before: Consent) -> Consent:
    return attest(
        before,
        purposes=frozenset({Purpose.TRAINING}),
        notice="0" * 64,
        evidence="Jane Doe heard a yes before the call",
        at_ms=NOW_MS,
    )


@pytest.mark.parametrize("state", [ConsentState.REFUSED, ConsentState.WITHDRAWN])
def test_staff_cannot_attest_against_a_no(state: ConsentState) -> None:
    with pytest.raises(ConsentError, match="Nobody can say yes in their place") as raised:
        attested(Consent(state=state))
    assert raised.value.code == "attested_against_refusal"


def test_what_staff_attest_is_flagged_and_no_act_of_the_persons_own() -> None:
    consent = attested(dataclasses.replace(NO_ANSWER, question_heard=True))
    assert consent.flagged
    assert failing(consent) == (Condition.AFFIRMATIVE,)
    assert {method for method in Method if dataclasses.replace(YES, method=method).flagged} == SECOND_HAND
