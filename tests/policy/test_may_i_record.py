"""The answer to a person or a company that asks: monotone in what is known, never more lenient than the law."""

import datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tallylight.law.pack import default_pack
from tallylight.law.vocabulary import Purpose
from tallylight.policy.may_i_record import Answer, Asker, Opinion, Question, Step, may_i_record
from tallylight.policy.situation import Place, PlaceEvidence

PACK = default_pack()
AT_MS = round(datetime.datetime(2026, 11, 24, tzinfo=datetime.UTC).timestamp() * 1000)
NOWHERE = (Place(code=None, evidence=PlaceEvidence.UNKNOWN),)
STEPS = (*Step, None)
"""Least first; None: no step is enough."""

places = st.sampled_from(PACK.places).map(lambda code: (Place(code=code, evidence=PlaceEvidence.DECLARED),))
askers, purposes = (
    st.sampled_from(Asker),
    st.sampled_from([each for each in Purpose if each is not Purpose.PROOF_OF_CONSENT]),
)


def at(*codes: str) -> tuple[Place, ...]:
    return tuple(Place(code=code, evidence=PlaceEvidence.DECLARED) for code in codes)


def ask(
    asker: Asker,
    mine: tuple[Place, ...],
    theirs: tuple[Place, ...],
    purpose: Purpose,
    *,
    they_announced: bool = False,
) -> Opinion:
    return may_i_record(
        Question(
            asker=asker,
            my_places=mine,
            their_places=theirs,
            purpose=purpose,
            they_announced=they_announced,
            at_ms=AT_MS,
        ),
        PACK,
    )


def strictness(opinion: Opinion) -> int:
    return STEPS.index(opinion.step)


@pytest.mark.parametrize(
    ("asker", "mine", "theirs", "step", "rule"),
    [
        (Asker.CUSTOMER, "US-NY", "US-TX", Step.NOTHING, None),
        (Asker.CUSTOMER, "US-NY", "US-CA", Step.STAYED, "US-CA.wiretap"),
        (Asker.CUSTOMER, "US-CA", "US-NY", Step.STAYED, "US-CA.wiretap"),
        (Asker.CUSTOMER, "US-NY", "US-WA", Step.STAYED, "US-WA.wiretap"),
        (Asker.CUSTOMER, "DK", "DK", Step.NOTHING, None),
        (Asker.CUSTOMER, "DK", "DE", Step.AGREED, "DE.wiretap"),
        (Asker.COMPANY, "DK", "DK", Step.AGREED, "EEA.consent"),
        (Asker.COMPANY, "DE", "DE", Step.AGREED, None),
        (Asker.COMPANY, "GB", "GB", Step.TOLD, "GB.notice"),
        (Asker.COMPANY, "US-TX", "US-TX", Step.NOTHING, None),
        (Asker.COMPANY, "US-TX", "US-CA", Step.STAYED, "US-CA.wiretap"),
    ],
)
def test_what_the_law_of_both_places_asks(asker: Asker, mine: str, theirs: str, step: Step, rule: str | None) -> None:
    purpose = Purpose.DISPUTE_EVIDENCE if asker is Asker.CUSTOMER else Purpose.QUALITY_ASSURANCE
    opinion = ask(asker, at(mine), at(theirs), purpose)
    assert opinion.step is step
    assert opinion.answer is (Answer.YES if step is Step.NOTHING else Answer.ONLY_IF)
    assert opinion.deciding is not None
    assert rule is None or opinion.deciding.rule == rule


@pytest.mark.parametrize("asker", Asker)
def test_a_place_nobody_knows_asks_for_a_yes(asker: Asker) -> None:
    opinion = ask(asker, at("US-TX"), NOWHERE, Purpose.QUALITY_ASSURANCE)
    assert opinion.step is Step.AGREED
    assert "treat_as_all_party" in opinion.ruling.actions


def test_what_a_company_owes_although_it_may() -> None:
    opinion = ask(Asker.COMPANY, at("DK"), at("DK"), Purpose.DOCUMENTATION)
    assert {"document_necessity"} <= set(opinion.ruling.actions)
    german = ask(Asker.COMPANY, at("DE"), at("DE"), Purpose.DOCUMENTATION)
    assert "obtain_agent_consent" in german.ruling.actions


def test_their_own_message_is_argued_never_relied_on() -> None:
    california = ask(Asker.CUSTOMER, at("US-NY"), at("US-CA"), Purpose.DISPUTE_EVIDENCE, they_announced=True)
    silent = ask(Asker.CUSTOMER, at("US-NY"), at("US-CA"), Purpose.DISPUTE_EVIDENCE)
    assert california.announcement is not None
    assert (california.announcement.needed, california.announcement.would_suffice) == (True, True)
    assert california.step is silent.step
    germany = ask(Asker.CUSTOMER, at("US-NY"), at("DE"), Purpose.DISPUTE_EVIDENCE, they_announced=True)
    assert germany.announcement is not None
    assert not germany.announcement.would_suffice
    texas = ask(Asker.CUSTOMER, at("US-NY"), at("US-TX"), Purpose.DISPUTE_EVIDENCE, they_announced=True)
    assert texas.announcement is not None
    assert not texas.announcement.needed
    assert silent.announcement is None


@given(asker=askers, mine=places, theirs=places, purpose=purposes)
@settings(max_examples=300)
def test_every_answer_names_the_rule_it_rests_on(
    asker: Asker, mine: tuple[Place, ...], theirs: tuple[Place, ...], purpose: Purpose
) -> None:
    opinion = ask(asker, mine, theirs, purpose)
    assert opinion.deciding is not None
    assert opinion.deciding.cite
    assert opinion.deciding.text
    assert opinion.dates
    assert (opinion.step is None) == (opinion.answer is Answer.NO)
    assert opinion.ruling.both == (opinion.answer is not Answer.NO)


@given(asker=askers, mine=places, theirs=places, other=places, purpose=purposes)
@settings(max_examples=300)
def test_one_more_place_they_may_be_in_is_never_more_lenient(
    asker: Asker, mine: tuple[Place, ...], theirs: tuple[Place, ...], other: tuple[Place, ...], purpose: Purpose
) -> None:
    assert strictness(ask(asker, mine, theirs, purpose)) <= strictness(ask(asker, mine, (*theirs, *other), purpose))


@given(asker=askers, mine=places, theirs=places, purpose=purposes)
@settings(max_examples=300)
def test_an_unknown_place_is_never_more_lenient_than_a_known_one(
    asker: Asker, mine: tuple[Place, ...], theirs: tuple[Place, ...], purpose: Purpose
) -> None:
    assert strictness(ask(asker, mine, theirs, purpose)) <= strictness(ask(asker, mine, NOWHERE, purpose))
