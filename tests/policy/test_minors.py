"""A known minor: never for training or marketing, never by their own yes in the house, and always looked at."""

import dataclasses
import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tallylight.law.vocabulary import Action, LawfulBasis, Purpose, Role
from tallylight.policy.decision import ASKING, Lamp
from tallylight.policy.profile import Profile
from tallylight.policy.situation import ORDINARY, Consent, ConsentState, Situation
from tallylight.policy.view import view
from tests.policy.making import AGENT, PACK, SETTINGS, YES, agent, at, customer, lamps, ruling, situation, situations
from tests.policy.test_properties import changed, never_opens

NEVER = (Purpose.TRAINING, Purpose.MARKETING)
FACTS = dataclasses.replace(ORDINARY, balancing_test=True, necessity_documented=True)


def call(place: str, basis: LawfulBasis, purpose: Purpose, consent: Consent, *, minor: bool) -> Situation:
    chosen = dataclasses.replace(SETTINGS, country=place, customer_basis=basis, purpose=purpose)
    child = customer(consent, places=at(place), basis=basis, minor=minor)
    return dataclasses.replace(situation(child, agent(places=at(place)), settings=chosen), circumstances=FACTS)


@settings(max_examples=1_000)
@given(situations(), st.data())
def test_knowing_that_it_is_a_minor_never_opens_a_gate(of: Situation, data: st.DataObject) -> None:
    index = data.draw(st.integers(0, len(of.parties) - 1))
    party = of.parties[index]
    adult, minor = (changed(of, index, dataclasses.replace(party, minor=known)) for known in (False, True))
    never_opens(adult, minor)


@pytest.mark.parametrize("basis", LawfulBasis)
@pytest.mark.parametrize("purpose", Purpose)
def test_places_bases_and_purposes(basis: LawfulBasis, purpose: Purpose) -> None:
    """The whole table of a customer who said yes."""
    yes = dataclasses.replace(YES, purposes=frozenset(Purpose))
    for place, profile in itertools.product(PACK.places, Profile):
        known, unknown = (call(place, basis, purpose, yes, minor=minor) for minor in (True, False))
        minor, law = ruling(known, profile=profile), view(known, PACK, profile).law
        assert Action.MINOR_REVIEW in minor.actions
        if purpose in NEVER:
            assert minor.lamp is Lamp.OFF
        elif profile is Profile.LAW:
            assert minor.lamp is ruling(unknown, profile=profile).lamp, place
        elif basis is LawfulBasis.CONSENT or (law.all_party and not law.duty):
            assert minor.lamp is Lamp.OFF, place
        if profile is Profile.HOUSE:
            assert ASKING.isdisjoint(minor.actions), "nobody asks a child"


def test_their_yes_is_none_in_the_house_and_says_why() -> None:
    now = situation(customer(minor=True), agent())
    child = ruling(now)
    assert (child.lamp, child.deciding.text) == (
        Lamp.OFF,
        "The customer's yes does not count: the person could not give it.",
    )
    assert not child.wants_answer
    assert lamps(now)[AGENT] is Lamp.RECORDING
    assert ruling(now, profile=Profile.LAW).lamp is Lamp.RECORDING


def test_where_no_yes_of_theirs_is_needed_a_person_looks_at_it() -> None:
    now = call("US-TX", LawfulBasis.LEGITIMATE_INTERESTS, Purpose.QUALITY_ASSURANCE, Consent(), minor=True)
    assert ruling(now).lamp is Lamp.RECORDING
    assert Action.MINOR_REVIEW in ruling(now).actions


@pytest.mark.parametrize("state", ConsentState)
def test_on_a_line_of_children_nobody_is_told_so_nobody_is_recorded(state: ConsentState) -> None:
    consent = dataclasses.replace(YES, state=state)
    for place, basis in itertools.product(PACK.places, LawfulBasis):
        now = call(place, basis, Purpose.QUALITY_ASSURANCE, consent, minor=True)
        untold = tuple(
            dataclasses.replace(party, notice_heard=party.role is not Role.CUSTOMER and party.notice_heard)
            for party in now.parties
        )
        assert set(lamps(dataclasses.replace(now, parties=untold)).values()) == {Lamp.OFF}
