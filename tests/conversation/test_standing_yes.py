"""A yes in advance on a conversation: told, not asked, and open to every no."""

import dataclasses

import pytest

from tallylight.consent.answer import ConsentState
from tallylight.conversation.commands import Command, RelyOnStandingYes
from tallylight.conversation.events import ConsentGiven, ConsentRequested, ConsentWithdrawn, LampsChanged
from tallylight.conversation.situation import situation
from tallylight.law.pack import default_files, load
from tallylight.law.vocabulary import Method, Purpose
from tallylight.policy.decide import decide
from tallylight.policy.decision import Lamp
from tallylight.policy.situation import Place
from tests.conversation.making import STANDING, Talk
from tests.policy.making import AGENT, AT_MS, CUSTOMER, SETTINGS, SYSTEM, UNKNOWN, at


def joined(places: tuple[Place, ...] = at("DK")) -> Talk:
    talk = Talk()
    talk.did(talk.system())
    talk.did(talk.caller(places=places))
    return talk


def test_the_gate_opens_once_they_are_told_and_not_before() -> None:
    talk = joined()
    given, *_ = talk.did(talk.in_advance())
    assert given == ConsentGiven(
        party=CUSTOMER,
        purposes=frozenset({Purpose.QUALITY_ASSURANCE}),
        method=Method.WRITTEN,
        evidence="standing yes 01a2",
        notice="c" * 64,
        standing=STANDING,
        offset_ms=talk.now_ms,
    )
    assert talk.lamp() is Lamp.OFF
    talk.did(talk.notice())
    assert talk.lamp() is Lamp.RECORDING
    talk.did(talk.agent())
    assert talk.lamp() is Lamp.RECORDING
    assert not any(isinstance(event, ConsentRequested) for event in talk.events)
    assert talk.replayed_as_stored()


def test_the_yes_is_not_on_the_recording() -> None:
    talk = joined()
    talk.did(talk.in_advance())
    (party,) = (each for each in situation(talk.state, SETTINGS).parties if each.party == CUSTOMER)
    assert not party.consent_on_recording
    for command in (talk.ask(), talk.heard(), talk.yes()):
        talk.did(command)
    (party,) = (each for each in situation(talk.state, SETTINGS).parties if each.party == CUSTOMER)
    assert party.consent_on_recording


@pytest.mark.parametrize("place", ["DK", "DE", "FR", "HU", "GB", "US-CA", "US-NY", "US-WA", None])
def test_what_is_in_writing_counts_wherever_a_yes_is_asked_for(place: str | None) -> None:
    talk = joined((UNKNOWN,) if place is None else at(place))
    talk.did(talk.in_advance())
    talk.did(talk.notice())
    assert talk.lamp() is Lamp.RECORDING


def test_where_a_law_took_only_what_is_on_the_recording_they_would_be_asked() -> None:
    taken = b'accepts = ["written", "spoken", "digit", "web_form", "announcement_on_recording"]'
    files = default_files()
    assert taken in files["us-wa.toml"]
    files = {**files, "us-wa.toml": files["us-wa.toml"].replace(taken, b'accepts = ["announcement_on_recording"]')}
    pack = load(files)
    talk = joined(at("US-WA"))
    talk.did(talk.in_advance())
    talk.did(talk.notice())
    ruling = decide(situation(talk.state, SETTINGS), pack).ruling(CUSTOMER)
    assert ruling is not None
    assert (ruling.lamp, ruling.wants_answer) == (Lamp.OFF, True)
    assert any("another way of saying it" in reason.text for reason in ruling.reasons)
    for command in (talk.ask(), talk.heard(), talk.yes()):
        talk.did(command)
    assert decide(situation(talk.state, SETTINGS), pack).lamp(CUSTOMER) is Lamp.RECORDING


def test_a_withdrawal_ends_it_for_good() -> None:
    talk = joined()
    talk.did(talk.in_advance())
    talk.did(talk.notice())
    withdrawn, changed = talk.did(talk.withdraw())
    assert isinstance(withdrawn, ConsentWithdrawn)
    assert isinstance(changed, LampsChanged)
    assert talk.lamp() is Lamp.OFF
    assert talk.refused(talk.in_advance()) == "already_asked"


def test_the_first_decision_after_its_end_shuts_the_gate() -> None:
    talk = joined()
    talk.did(talk.in_advance(expires_ms=AT_MS + 4000))
    talk.did(talk.notice())
    assert talk.lamp() is Lamp.RECORDING
    talk.did(talk.agent())
    assert talk.lamp() is Lamp.RECORDING
    talk.did(talk.hold())
    assert talk.lamp() is Lamp.OFF
    decision = talk.state.decision
    assert decision is not None
    ruling = decision.ruling(CUSTOMER)
    assert ruling is not None
    assert "it has run out" in ruling.deciding.text


def after(talk: Talk, *commands: Command) -> Talk:
    for command in commands:
        talk.did(command)
    return talk


def test_who_has_answered_or_is_being_asked_has_a_later_word() -> None:
    asked = joined()
    after(asked, asked.notice(), asked.ask())
    silent = joined()
    after(silent, silent.notice(), silent.ask(), silent.heard(), silent.silence())
    no = after(talk := joined(), talk.no())
    yes = joined()
    after(yes, yes.notice(), yes.ask(), yes.heard(), yes.yes())
    for talk in (asked, silent, no, yes):
        assert talk.refused(talk.in_advance()) == "already_asked"


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"purpose": "training"}, "other_purpose"),
        ({"expires_ms": AT_MS + 1000}, "expired"),
        ({"expires_ms": AT_MS}, "expired"),
        ({"given_ms": AT_MS + 1001}, "expired"),
    ],
)
def test_what_does_not_hold_now_is_refused(change: dict[str, object], code: str) -> None:
    talk = joined()
    standing = dataclasses.replace(STANDING, **change)  # type: ignore[arg-type]
    command = RelyOnStandingYes(party=CUSTOMER, standing=standing, offset_ms=1000)
    assert talk.refused(command) == code
    assert talk.state.parties[CUSTOMER].consent.state is ConsentState.NONE


def test_an_employee_cannot_say_yes_in_advance() -> None:
    talk = joined()
    talk.did(talk.agent())
    assert talk.refused(talk.in_advance(AGENT)) == "not_free"
    assert talk.refused(talk.in_advance(SYSTEM)) == "not_free"
