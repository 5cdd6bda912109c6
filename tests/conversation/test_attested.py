"""What staff say of a person's consent: whose word it is, when it is refused, and that the person's own answer goes first."""

import dataclasses

import pytest

from tallylight.conversation.commands import OPERATOR, AttestConsent
from tallylight.conversation.errors import ConversationError
from tallylight.conversation.events import ConsentGiven, ConsentRequested, ConsentUnanswered, ConsentWithdrawn
from tallylight.conversation.handle import Refusal
from tallylight.conversation.state import apply
from tallylight.ids import PartyId
from tallylight.law.vocabulary import LawfulBasis, Method, Mode, ProjectKind, Purpose
from tallylight.policy.decision import Lamp
from tallylight.policy.settings import Settings
from tallylight.policy.situation import ConsentState
from tests.conversation.making import Talk
from tests.policy.making import AGENT, CUSTOMER, SETTINGS, SYSTEM

LEAVE = dataclasses.replace(SETTINGS, attested_consent=True)
RESTING = dataclasses.replace(
    LEAVE,
    purpose=Purpose.DOCUMENTATION,
    customer_basis=LawfulBasis.LEGITIMATE_INTERESTS,
    balancing_test_from_ms=0,
    balancing_test_until_ms=1 << 60,
    necessity="Orders are made aloud.",
)
"""Nobody's yes is asked for by the law of Denmark."""
STRANGER = PartyId("stranger")


def told(settings: Settings = LEAVE) -> Talk:
    talk = Talk(settings)
    for command in (talk.system(), talk.caller(), talk.agent(), talk.notice()):
        talk.did(command)
    return talk


def test_who_attested_what_stands_in_the_event() -> None:
    talk = told()
    talk.did(talk.attest(evidence=" said so aloud "))
    (given,) = [event for event in talk.events if isinstance(event, ConsentGiven)]
    assert given == ConsentGiven(
        party=CUSTOMER,
        purposes=frozenset({SETTINGS.purpose}),
        method=Method.ATTESTED,
        evidence="attested by operator: said so aloud",
        notice="",
        offset_ms=talk.now_ms,
    )
    consent = talk.state.parties[CUSTOMER].consent
    assert (consent.state, consent.flagged) == (ConsentState.GIVEN, True)
    assert talk.lamp() is Lamp.OFF, "this project asks for the customer's own yes"
    talk = told()
    by_agent = talk.did(talk.attest(AGENT))[0]
    assert isinstance(by_agent, ConsentGiven)
    assert by_agent.evidence == "attested by agent: said aloud"


@pytest.mark.parametrize("by", [CUSTOMER, SYSTEM, STRANGER, "settings", ""])
def test_nobody_else_attests(by: str) -> None:
    talk = told()
    assert talk.refused(talk.attest(by)) == "not_allowed"


def test_without_the_right_nobody_does_and_the_setting_is_named() -> None:
    talk = told(SETTINGS)
    for by in (AGENT, OPERATOR):
        assert talk.refused(talk.attest(by)) == "not_allowed"
    outcome = talk.tell(talk.attest())
    assert isinstance(outcome, Refusal)
    assert "attested_consent = true" in outcome.message


@pytest.mark.parametrize("party", [AGENT, SYSTEM])
def test_only_of_customers_and_third_persons(party: PartyId) -> None:
    talk = told()
    assert talk.refused(talk.attest(party=party)) == "not_allowed"
    assert talk.refused(talk.attest(party=STRANGER)) == "unknown_party"
    talk.did(talk.leave())
    assert talk.refused(talk.attest()) == "not_present"


def test_how_one_knows_has_to_be_said() -> None:
    assert told().refused(AttestConsent(by=OPERATOR, party=CUSTOMER, evidence=" ", offset_ms=5000)) == "no_evidence"


def test_never_against_the_persons_own_no_nor_in_place_of_their_yes() -> None:
    for act in ("no", "withdraw"):
        talk = told()
        talk.did(getattr(talk, act)())
        assert talk.refused(talk.attest()) == "attested_against_refusal"
    talk = Talk(LEAVE).agreed()
    assert talk.refused(talk.attest()) == "already_given"
    talk.did(talk.withdraw())
    assert talk.refused(talk.attest()) == "attested_against_refusal"
    with pytest.raises(ConversationError, match="said no"):
        apply(
            talk.state,
            ConsentGiven(
                party=CUSTOMER, purposes=frozenset(), method=Method.ATTESTED, evidence="x", notice="", offset_ms=0
            ),
        )


def test_once_is_enough() -> None:
    talk = told()
    talk.did(talk.attest())
    assert talk.refused(talk.attest()) == "already_given"


def test_it_is_no_answer_of_the_persons_own() -> None:
    talk = Talk(LEAVE).asked()
    assert talk.refused(talk.yes(method=Method.ATTESTED)) == "not_allowed"


def test_a_question_goes_on_and_their_own_yes_takes_its_place() -> None:
    talk = told()
    talk.did(talk.ask())
    talk.did(talk.attest())
    assert talk.lamp() is Lamp.OFF
    assert talk.refused(talk.yes()) == "too_early"
    talk.did(talk.heard())
    talk.did(talk.yes())
    consent = talk.state.parties[CUSTOMER].consent
    assert (consent.method, consent.flagged) == (Method.DIGIT, False)
    assert talk.lamp() is Lamp.RECORDING
    assert talk.replayed_as_stored()


def test_they_can_be_asked_later_and_their_own_yes_takes_its_place() -> None:
    talk = told()
    talk.did(talk.attest())
    assert talk.refused(talk.yes()) == "too_early"
    for command in (talk.ask(), talk.heard(), talk.yes()):
        talk.did(command)
    assert not talk.state.parties[CUSTOMER].consent.flagged
    assert talk.lamp() is Lamp.RECORDING


def test_their_own_no_takes_its_place() -> None:
    for act in ("no", "withdraw"):
        for asked in (False, True):
            talk = told(RESTING)
            if asked:
                talk.did(talk.ask())
                talk.did(talk.heard())
            talk.did(talk.attest())
            after = talk.did(getattr(talk, act)())
            assert isinstance(after[0], ConsentWithdrawn), "what is stored on it goes"
            assert talk.lamp() is Lamp.OFF
            assert not talk.state.parties[CUSTOMER].consent.flagged
            assert not talk.state.parties[CUSTOMER].given


def test_it_ends_the_waiting_after_silence_where_nobodys_yes_is_asked_for() -> None:
    talk = told(RESTING)
    assert talk.lamp() is Lamp.RECORDING
    talk.did(talk.ask())
    assert talk.lamp() is Lamp.OFF, "who is asked is waited for"
    talk.did(talk.attest())
    talk.did(talk.heard())
    assert talk.lamp() is Lamp.OFF, "nobody else's word stands for their answer"
    unanswered, *_ = talk.did(talk.silence())
    assert isinstance(unanswered, ConsentUnanswered)
    assert talk.lamp() is Lamp.RECORDING
    asked, *_ = talk.did(talk.ask())
    assert isinstance(asked, ConsentRequested)
    assert talk.lamp() is Lamp.OFF
    assert talk.replayed_as_stored()


def test_their_own_yes_to_something_else_drops_what_was_attested() -> None:
    settings = dataclasses.replace(LEAVE, kind=ProjectKind.OUTBOUND, mode=Mode.BOTH)
    talk = told(settings)
    talk.did(talk.attest())
    talk.did(talk.open_receipt())
    talk.agreed_to(Purpose.VOICE_RECEIPT)
    party = talk.state.parties[CUSTOMER]
    assert party.given.keys() == {Purpose.VOICE_RECEIPT}
    assert talk.refused(talk.attest()) == "already_given"
    talk.did(talk.close_receipt())
    assert talk.lamp() is Lamp.OFF


def test_in_a_receipt_it_is_about_the_receipt() -> None:
    talk = told(dataclasses.replace(LEAVE, kind=ProjectKind.OUTBOUND))
    talk.did(talk.open_receipt())
    given = talk.did(talk.attest())[0]
    assert isinstance(given, ConsentGiven)
    assert given.purposes == {Purpose.VOICE_RECEIPT}
