"""Switching the customer on, and voice receipts: who may, what opens, what takes whose place."""

import dataclasses

import pytest

from tallylight.conversation.commands import OPERATOR
from tallylight.conversation.events import (
    ConsentRefused,
    ConsentWithdrawn,
    ConversationEnded,
    CustomerSwitched,
    LampsChanged,
    ReceiptClosed,
    ReceiptOpened,
)
from tallylight.ids import PartyId
from tallylight.law.vocabulary import LawfulBasis, Mode, ProjectKind, Purpose
from tallylight.policy.decision import Lamp
from tallylight.policy.settings import Settings
from tests.conversation.making import Talk
from tests.policy.making import AGENT, CUSTOMER, SETTINGS, SYSTEM

RECEIPT = Purpose.VOICE_RECEIPT
OUTBOUND = dataclasses.replace(SETTINGS, kind=ProjectKind.OUTBOUND)


def talk_in(settings: Settings) -> Talk:
    """The agent and a customer who was told of the agent's recording alone."""
    talk = Talk(settings)
    for command in (talk.system(), talk.caller(), talk.notice_of_the_agent_alone(), talk.agent()):
        talk.did(command)
    return talk


def outbound(mode: Mode, **changes: object) -> Settings:
    return dataclasses.replace(OUTBOUND, mode=mode, **changes)  # type: ignore[arg-type]


@pytest.mark.parametrize("mode", Mode)
def test_the_agent_switches_the_customer_on_where_the_mode_lets_them(mode: Mode) -> None:
    talk = talk_in(outbound(mode))
    if not mode.allows_switch:
        assert talk.refused(talk.switch()) == "forbidden_by_mode"
        assert talk.refused(talk.switch(OPERATOR)) == "forbidden_by_mode"
        return
    assert talk.lamp() is Lamp.OFF
    assert talk.refused(talk.switch(on=False)) == "already_off"
    switched, *_ = talk.did(talk.switch())
    assert switched == CustomerSwitched(by=AGENT, on=True, offset_ms=talk.now_ms)
    assert talk.refused(talk.switch()) == "already_on"
    assert (talk.lamp(), talk.lamp(AGENT)) == (Lamp.OFF, Lamp.RECORDING)
    talk.agreed_to(SETTINGS.purpose)
    assert talk.lamp() is Lamp.RECORDING
    talk.did(talk.switch(OPERATOR, on=False))
    assert (talk.lamp(), talk.lamp(AGENT)) == (Lamp.OFF, Lamp.RECORDING)
    talk.did(talk.switch())
    assert talk.lamp() is Lamp.RECORDING
    assert talk.replayed_as_stored()


@pytest.mark.parametrize("by", [CUSTOMER, SYSTEM, PartyId("stranger"), ""])
def test_nobody_else_switches_or_receipts(by: str) -> None:
    talk = talk_in(outbound(Mode.VOICE_RECEIPTS_ALLOW_CUSTOMER))
    assert talk.refused(talk.switch(by)) == "not_allowed"
    assert talk.refused(talk.open_receipt(by=by)) == "not_allowed"
    talk.did(talk.open_receipt())
    assert talk.refused(talk.close_receipt(by)) == "not_allowed"


def test_who_said_no_is_not_asked_by_switching_them_on() -> None:
    talk = talk_in(outbound(Mode.AGENT_ONLY_ALLOW_CUSTOMER))
    talk.did(talk.no())
    assert talk.refused(talk.switch()) == "already_refused"


def test_receipts_are_of_outbound_projects_that_record() -> None:
    assert talk_in(SETTINGS).refused(Talk().open_receipt()) == "forbidden_by_mode"
    talk = talk_in(outbound(Mode.NONE))
    assert talk.refused(talk.open_receipt()) == "forbidden_by_mode"
    talk = talk_in(OUTBOUND)
    assert talk.refused(talk.close_receipt()) == "no_receipt"
    talk.did(talk.open_receipt())
    assert talk.refused(talk.open_receipt()) == "receipt_open"


@pytest.mark.parametrize("mode", [Mode.VOICE_RECEIPTS, Mode.VOICE_RECEIPTS_ALLOW_CUSTOMER])
def test_the_customer_is_recorded_within_a_receipt_and_not_outside(mode: Mode) -> None:
    talk = talk_in(outbound(mode))
    opened, lamps = talk.did(talk.open_receipt("A1"))
    assert opened == ReceiptOpened(number=1, order="A1", by=AGENT, offset_ms=talk.now_ms)
    assert isinstance(lamps, LampsChanged)
    assert (talk.lamp(), talk.lamp(AGENT)) == (Lamp.OFF, Lamp.RECORDING)
    talk.agreed_to(RECEIPT)
    assert talk.lamp() is Lamp.RECORDING
    closed, _ = talk.did(talk.close_receipt())
    assert closed == ReceiptClosed(number=1, replaces=(), by=AGENT, offset_ms=talk.now_ms)
    assert (talk.lamp(), talk.lamp(AGENT)) == (Lamp.OFF, Lamp.RECORDING)
    talk.did(talk.open_receipt("A2"))
    assert talk.lamp() is Lamp.RECORDING
    assert talk.replayed_as_stored()


def test_a_receipt_on_a_contract_asks_for_no_yes_but_is_told() -> None:
    talk = talk_in(
        outbound(Mode.VOICE_RECEIPTS, receipt_basis=LawfulBasis.CONTRACT, necessity="Orders are made aloud.")
    )
    talk.did(talk.open_receipt())
    assert talk.lamp() is Lamp.OFF
    talk.did(talk.notice(purpose=RECEIPT))
    assert talk.lamp() is Lamp.RECORDING


def test_a_receipt_changes_the_decision_even_where_every_lamp_stays() -> None:
    """It is another recording from then on: the chunks name another decision."""
    talk = Talk(OUTBOUND).agreed()
    talk.did(talk.open_receipt())
    talk.agreed_to(RECEIPT)
    before = talk.state.decision_id
    _, lamps = talk.did(talk.close_receipt())
    assert isinstance(lamps, LampsChanged)
    assert lamps.decision_id != before
    assert talk.lamp() is Lamp.RECORDING


def test_a_yes_to_a_receipt_takes_nothing_from_an_earlier_yes() -> None:
    talk = Talk(OUTBOUND).agreed()
    talk.did(talk.open_receipt())
    assert talk.lamp() is Lamp.OFF
    talk.agreed_to(RECEIPT)
    talk.did(talk.close_receipt())
    assert talk.lamp() is Lamp.RECORDING


def test_no_to_a_receipt_closes_everything_and_takes_nothing_back() -> None:
    talk = Talk(OUTBOUND).agreed()
    for command in (talk.open_receipt(), talk.notice(purpose=RECEIPT), talk.ask(purpose=RECEIPT), talk.heard()):
        talk.did(command)
    refused, *_ = talk.did(talk.no())
    assert isinstance(refused, ConsentRefused)
    talk.did(talk.close_receipt())
    assert talk.lamp() is Lamp.OFF
    # Their own later yes to a receipt does not bring the other back.
    talk.did(talk.open_receipt())
    talk.agreed_to(RECEIPT)
    assert talk.lamp() is Lamp.RECORDING
    talk.did(talk.close_receipt())
    assert talk.lamp() is Lamp.OFF


def test_what_was_agreed_to_before_a_no_can_still_be_taken_back() -> None:
    talk = Talk(OUTBOUND).agreed()
    for command in (talk.open_receipt(), talk.notice(purpose=RECEIPT), talk.ask(purpose=RECEIPT), talk.heard()):
        talk.did(command)
    talk.did(talk.no())
    withdrawn, *_ = talk.did(talk.withdraw())
    assert isinstance(withdrawn, ConsentWithdrawn)
    assert talk.did(talk.withdraw()) == ()


@pytest.mark.parametrize("several", [False, True])
def test_a_later_receipt_of_an_order_takes_the_place_of_the_earlier(several: bool) -> None:
    talk = talk_in(outbound(Mode.VOICE_RECEIPTS, several_receipts=several))
    replaced: list[tuple[int, ...]] = []
    for order in ("A1", "A2", "A1", "A1"):
        talk.did(talk.open_receipt(order))
        closed, *_ = talk.did(talk.close_receipt())
        assert isinstance(closed, ReceiptClosed)
        replaced.append(closed.replaces)
    assert replaced == ([(), (), (), ()] if several else [(), (), (1,), (1, 3)])


def test_the_end_of_the_call_ends_the_receipt() -> None:
    talk = talk_in(outbound(Mode.VOICE_RECEIPTS))
    talk.did(talk.open_receipt())
    closed, ended = talk.did(talk.end())
    assert isinstance(closed, ReceiptClosed)
    assert isinstance(ended, ConversationEnded)
    assert talk.state.receipt is None


def test_a_start_that_is_paused_records_the_receipts_alone() -> None:
    talk = talk_in(outbound(Mode.VOICE_RECEIPTS, start_paused=True))
    assert talk.lamp(AGENT) is Lamp.PAUSED
    talk.did(talk.open_receipt())
    talk.agreed_to(RECEIPT)
    assert talk.lamp() is talk.lamp(AGENT) is Lamp.RECORDING
    talk.did(talk.close_receipt())
    assert talk.lamp(AGENT) is Lamp.PAUSED
    talk.did(talk.open_receipt())
    talk.did(talk.pause())
    assert talk.lamp() is talk.lamp(AGENT) is Lamp.PAUSED
    assert talk.replayed_as_stored()
