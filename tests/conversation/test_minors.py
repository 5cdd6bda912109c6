"""A child on the line: who says so, what ends with it, and what it does to the lamps."""

import dataclasses

import pytest

from tallylight.conversation.commands import OPERATOR, KnowMinor
from tallylight.conversation.events import ConsentUnanswered, LampsChanged, MinorKnown
from tallylight.conversation.situation import situation
from tallylight.ids import PartyId
from tallylight.law.vocabulary import LawfulBasis, Purpose
from tallylight.policy.decision import Lamp
from tallylight.policy.situation import ConsentState
from tests.conversation.making import Talk
from tests.policy.making import AGENT, CUSTOMER, SETTINGS, SYSTEM

LINE = dataclasses.replace(SETTINGS, minors=True)
RESTING = dataclasses.replace(
    SETTINGS,
    purpose=Purpose.DOCUMENTATION,
    customer_basis=LawfulBasis.LEGITIMATE_INTERESTS,
    balancing_test_from_ms=0,
    balancing_test_until_ms=1 << 60,
    necessity="Orders are made aloud.",
)


def on_the_line() -> Talk:
    talk = Talk(LINE)
    for command in (talk.system(), talk.caller(), talk.agent()):
        talk.did(command)
    return talk


@pytest.mark.parametrize("by", [AGENT, OPERATOR])
def test_the_gate_shuts_at_the_media_time_of_the_act(by: str) -> None:
    talk = Talk().agreed()
    pressed_ms = talk.now_ms - 300
    known, changed = talk.did(KnowMinor(by=by, party=CUSTOMER, offset_ms=pressed_ms))
    assert known == MinorKnown(party=CUSTOMER, by=by, offset_ms=pressed_ms)
    assert isinstance(changed, LampsChanged)
    assert changed.offset_ms == pressed_ms
    assert (talk.lamp(), talk.lamp(AGENT)) == (Lamp.OFF, Lamp.RECORDING)
    assert talk.state.parties[CUSTOMER].consent.state is ConsentState.GIVEN, "what they said stays what they said"
    assert talk.replayed_as_stored()


@pytest.mark.parametrize("by", [CUSTOMER, SYSTEM, "stranger", ""])
def test_nobody_else_says_so(by: str) -> None:
    talk = Talk().agreed()
    assert talk.refused(talk.minor(by)) == "not_allowed"


def test_of_whom() -> None:
    talk = Talk().agreed()
    assert talk.refused(talk.minor(party=AGENT)) == "not_allowed"
    assert talk.refused(talk.minor(party=SYSTEM)) == "not_allowed"
    assert talk.refused(talk.minor(party=PartyId("stranger"))) == "unknown_party"
    talk.did(talk.leave())
    assert talk.refused(talk.minor()) == "not_present"


def test_it_is_said_once_and_stays() -> None:
    talk = Talk().agreed()
    talk.did(talk.minor())
    assert talk.refused(talk.minor(OPERATOR)) == "already_minor"
    assert talk.refused(talk.ask()) == "known_minor"
    talk = on_the_line()
    assert talk.refused(talk.minor()) == "already_minor"


def test_a_question_ends_without_an_answer_and_none_is_put_again() -> None:
    talk = Talk().asked()
    talk.did(talk.agent())
    known, unanswered, *_ = talk.did(talk.minor())
    assert isinstance(known, MinorKnown)
    assert unanswered == ConsentUnanswered(party=CUSTOMER, offset_ms=talk.now_ms)
    assert talk.state.parties[CUSTOMER].question is None
    assert talk.refused(talk.yes()) == "too_late"
    assert talk.refused(talk.ask()) == "known_minor"
    assert talk.lamp() is Lamp.OFF
    talk.did(talk.no())
    assert talk.state.parties[CUSTOMER].consent.state is ConsentState.REFUSED


def test_staff_cannot_agree_for_them() -> None:
    talk = Talk(dataclasses.replace(SETTINGS, attested_consent=True)).asked()
    talk.did(talk.agent())
    talk.did(talk.minor())
    assert talk.refused(talk.attest()) == "known_minor"


def test_where_no_yes_of_theirs_is_needed_they_go_on_and_a_person_looks_at_it() -> None:
    talk = Talk(RESTING)
    for command in (talk.system(), talk.caller(), talk.agent(), talk.notice()):
        talk.did(command)
    assert talk.lamp() is Lamp.RECORDING
    talk.did(talk.minor())
    assert talk.lamp() is Lamp.RECORDING
    assert talk.state.decision is not None
    ruling = talk.state.decision.ruling(CUSTOMER)
    assert ruling is not None
    assert "minor_review" in ruling.actions


def test_a_project_may_know_it_of_every_customer() -> None:
    talk = on_the_line()
    minors = {party.party: party.minor for party in situation(talk.state, LINE).parties}
    assert minors == {SYSTEM: False, CUSTOMER: True, AGENT: False}
    assert talk.refused(talk.ask()) == "known_minor"
    assert (talk.lamp(), talk.lamp(AGENT)) == (Lamp.OFF, Lamp.OFF)
    assert talk.replayed_as_stored()
