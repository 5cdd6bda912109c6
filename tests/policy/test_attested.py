"""What staff attest is worth as much as never having been asked: it ends the waiting after silence, and opens nothing
where law or the project asks for the person's own yes.
"""

import dataclasses
import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tallylight.consent.answer import NO_ANSWER, attest
from tallylight.law.vocabulary import AFFIRMATIVE_METHODS, LawfulBasis, Method, Purpose
from tallylight.policy.decide import decide
from tallylight.policy.decision import Lamp
from tallylight.policy.profile import Profile
from tallylight.policy.situation import ORDINARY, Consent, ConsentState, PartySituation, Situation
from tallylight.policy.view import view
from tests.policy.making import AT_MS, PACK, SETTINGS, agent, at, customer, ruling, situation, situations

ATTESTED = attest(
    NO_ANSWER,
    purposes=frozenset(Purpose),
    notice="0" * 64,
    evidence="attested by operator: said aloud",
    at_ms=AT_MS - 1,
)
HEARD = dataclasses.replace(ATTESTED, question_heard=True)
OPEN_TO_SILENCE = (ConsentState.NONE, ConsentState.REQUESTED, ConsentState.UNKNOWN)


def test_no_law_takes_it_for_a_consent() -> None:
    assert Method.ATTESTED not in AFFIRMATIVE_METHODS
    assert [rule.id for rule in PACK.rules if Method.ATTESTED in rule.methods] == []


def with_answer(of: Situation, index: int, consent: Consent) -> Situation:
    parties = list(of.parties)
    parties[index] = dataclasses.replace(parties[index], consent=consent)
    return dataclasses.replace(of, parties=tuple(parties))


@settings(max_examples=1_000)
@given(situations(), st.sampled_from([ATTESTED, HEARD]), st.sampled_from(Profile), st.data())
def test_every_lamp_is_as_if_nobody_had_asked(
    of: Situation, attested: Consent, profile: Profile, data: st.DataObject
) -> None:
    index = data.draw(st.integers(0, len(of.parties) - 1))
    unasked = decide(with_answer(of, index, NO_ANSWER), PACK, profile)
    said = decide(with_answer(of, index, attested), PACK, profile)
    assert [each.lamp for each in said.rulings] == [each.lamp for each in unasked.rulings]


def person(place: str, basis: LawfulBasis, consent: Consent) -> PartySituation:
    return customer(consent, places=at(place), basis=basis)


@pytest.mark.parametrize("basis", LawfulBasis)
@pytest.mark.parametrize("profile", Profile)
def test_bases_laws_and_states(basis: LawfulBasis, profile: Profile) -> None:
    """The whole table: where it opens a gate, silence alone had kept it shut."""
    opened = set()
    facts = dataclasses.replace(ORDINARY, balancing_test=True, necessity_documented=True)
    for place, state in itertools.product(PACK.places, OPEN_TO_SILENCE):
        chosen = dataclasses.replace(SETTINGS, country=place, customer_basis=basis)
        before, after = (
            dataclasses.replace(
                situation(person(place, basis, consent), agent(places=at(place)), settings=chosen), circumstances=facts
            )
            for consent in (Consent(state=state), HEARD)
        )
        shut, attested = ruling(before, profile=profile), ruling(after, profile=profile)
        if attested.lamp is not shut.lamp:
            opened.add(place)
            assert (attested.lamp, shut.deciding.rule) == (Lamp.RECORDING, "house.silence_is_no")
            assert state is not ConsentState.NONE
            assert not view(after, PACK, profile).law.all_party, place
    if profile is Profile.LAW or basis is LawfulBasis.CONSENT:
        assert not opened
    elif basis is LawfulBasis.LEGITIMATE_INTERESTS:
        assert {"US-TX", "US-NY"} <= opened


def test_it_says_whose_word_it_is() -> None:
    texan = dataclasses.replace(SETTINGS, country="US-TX", customer_basis=LawfulBasis.LEGITIMATE_INTERESTS)
    parties = (person("US-TX", LawfulBasis.LEGITIMATE_INTERESTS, HEARD), agent(places=at("US-TX")))
    assert ruling(situation(*parties, settings=texan)).deciding.text == "The customer agreed, as staff attest."
    refused = ruling(situation(customer(HEARD), agent()))
    assert (refused.lamp, refused.deciding.text) == (
        Lamp.OFF,
        "The customer's yes does not count: it was not a clear act.",
    )
