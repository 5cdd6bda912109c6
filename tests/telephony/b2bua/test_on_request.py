"""What an agent may ask for in mid-call, and what somebody has asked for once and for all."""

import asyncio

import pytest

from tallylight.conversation.events import ConsentRefused, ConsentRequested, NoticeGiven, ReceiptOpened
from tallylight.law.vocabulary import Purpose, Role
from tallylight.live.control import CommandRefused, request
from tallylight.policy.decision import Lamp
from tests.telephony.b2bua.world import NUMBER, World, in_world, tone

ON, OFF = Lamp.RECORDING, Lamp.OFF
SALES = 'kind = "outbound"'


def lamps(world: World) -> tuple[Lamp, Lamp]:
    return world.lamp(Role.CUSTOMER), world.lamp(Role.AGENT)


def told(world: World) -> list[str]:
    return [event.text for event in world.events() if isinstance(event, NoticeGiven)]


@in_world(mode="agent_only_allow_customer")
async def test_the_agent_switches_the_customer_on_who_is_told_and_asked_first(world: World) -> None:
    call = await world.dial(talk=tone(5))
    agent = await world.until_talking()
    agent.leg.play(tone(3))
    await asyncio.sleep(1)
    assert lamps(world) == (OFF, ON)
    agent.press("*4")
    await world.until_asked()
    heard_ms = agent.ear.loud_ms
    assert lamps(world) == (OFF, ON)
    call.press("1")
    await asyncio.sleep(2)
    assert lamps(world) == (ON, ON)
    assert agent.ear.loud_ms - heard_ms > 1500
    agent.press("*4")
    await asyncio.sleep(1)
    assert lamps(world) == (OFF, ON)
    agent.press("*4")
    await asyncio.sleep(1)
    assert lamps(world) == (ON, ON)
    call.hang_up()
    await world.until_quiet()
    assert world.consent() == "given"
    assert world.talk(Role.CUSTOMER)
    assert world.track(Role.CUSTOMER, Purpose.PROOF_OF_CONSENT)
    first, second = told(world)
    assert "unless we tell you first" in first
    assert "only if you say yes" in second
    assert sum(isinstance(event, ConsentRequested) for event in world.events()) == 1
    assert world.opened_decisions(world.last)


@in_world(mode="agent_only_allow_customer")
async def test_a_no_in_mid_call_costs_nothing_and_is_not_asked_again(world: World) -> None:
    call = await world.dial(talk=tone(5))
    agent = await world.until_talking()
    agent.press("*4")
    await world.until_asked()
    call.press("2")
    await asyncio.sleep(1)
    agent.press("*4")  # off
    await asyncio.sleep(1)
    agent.press("*4")  # refused
    await asyncio.sleep(10)
    assert lamps(world) == (OFF, ON)
    assert not call.is_over.is_set()
    call.hang_up()
    await world.until_quiet()
    assert world.consent() == "refused"
    assert sum(isinstance(event, ConsentRequested) for event in world.events()) == 1
    assert [party.tracks for party in world.last.parties if party.role is Role.CUSTOMER] == [()]


@in_world(mode="agent_only")
async def test_a_mode_that_forbids_it(world: World) -> None:
    await world.dial(talk=tone(5))
    agent = await world.until_talking()
    agent.press("*4")
    agent.press("*5")
    await asyncio.sleep(10)
    assert lamps(world) == (OFF, ON)
    agent.hang_up()
    await world.until_quiet()
    assert not world.talk(Role.CUSTOMER)
    assert told(world)[0].endswith("Privacy policy: example dot com slash privacy.")
    assert len(told(world)) == 1


@in_world(mode="voice_receipts", project=SALES)
async def test_the_customer_is_recorded_in_the_receipt_alone(world: World) -> None:
    call = await world.dial(talk=tone(5))
    agent = await world.until_talking()
    agent.leg.play(tone(3))
    await asyncio.sleep(1)
    assert lamps(world) == (OFF, ON)
    agent.press("*5")
    await world.until_asked()
    call.press("1")
    await asyncio.sleep(3)
    assert lamps(world) == (ON, ON)
    closed_ms = world.runner().offset_ms()
    agent.press("*5")
    await asyncio.sleep(3)
    assert lamps(world) == (OFF, ON)
    call.hang_up()
    await world.until_quiet()
    receipt = world.track(Role.CUSTOMER, Purpose.VOICE_RECEIPT)
    assert receipt
    # The lamp goes out at the code's last key.
    assert receipt[-1].start_ms + receipt[-1].duration_ms <= closed_ms + 1000
    assert not world.talk(Role.CUSTOMER)
    assert world.track(Role.AGENT, Purpose.VOICE_RECEIPT)
    assert world.talk(Role.AGENT)[-1].start_ms > receipt[-1].start_ms
    opened = next(event for event in world.events() if isinstance(event, ReceiptOpened))
    assert all(frame.start_ms >= opened.offset_ms for frame in receipt)
    assert ["as a receipt" in text for text in told(world)] == [False, True]
    assert world.opened_decisions(world.last)


@in_world(mode="voice_receipts", project=SALES)
async def test_a_receipt_that_is_closed_while_the_question_is_put_ends_it(world: World) -> None:
    call = await world.dial(talk=tone(5))
    agent = await world.until_talking()
    agent.press("*5")
    await world.until_asked()
    agent.press("*5")
    await asyncio.sleep(1)
    assert not world.inbound.caller.speaking
    call.press("1")  # nobody asks any more
    await asyncio.sleep(10)
    assert lamps(world) == (OFF, ON)
    call.hang_up()
    await world.until_quiet()
    assert world.consent() == "none"
    assert not world.track(Role.CUSTOMER, Purpose.VOICE_RECEIPT)


@in_world(mode="both", project=SALES)
async def test_the_operator_records_a_receipt_too(world: World) -> None:
    call = await world.dial(talk=tone(5))
    await world.until_asked()
    call.press("1")
    await world.until_talking()
    await asyncio.sleep(5)
    directory, conversation = world.server.store.directory, world.runner().conversation
    await asyncio.to_thread(request, directory, "receipt", conversation=conversation, open=True, order="A1")
    await asyncio.sleep(0.1)
    assert lamps(world) == (OFF, ON)
    await world.until_asked()
    call.press("1")
    await asyncio.sleep(2)
    assert lamps(world) == (ON, ON)
    await asyncio.to_thread(request, directory, "receipt", conversation=conversation, open=False)
    with pytest.raises(CommandRefused, match="does not leave it to the agent"):
        await asyncio.to_thread(request, directory, "customer", conversation=conversation, on=True)
    await asyncio.sleep(2)
    assert lamps(world) == (ON, ON)
    call.hang_up()
    await world.until_quiet()
    entry = world.last
    assert world.track(Role.CUSTOMER, Purpose.VOICE_RECEIPT)
    proofs = [
        track
        for party in entry.parties
        for track in party.tracks
        if party.role is Role.CUSTOMER and track.purpose is Purpose.PROOF_OF_CONSENT
    ]
    assert len(proofs) == 2
    assert [event.order for event in world.events() if isinstance(event, ReceiptOpened)] == ["A1"]
    await asyncio.to_thread(request, directory, "erase", person="sip:agent@127.0.0.2")
    assert any(isinstance(event, ReceiptOpened) for event in world.events()), "the order is the customer's"
    await asyncio.to_thread(request, directory, "erase", person=NUMBER)
    assert not any(isinstance(event, ReceiptOpened) for event in world.events())


@in_world()
async def test_who_objects_once_and_for_all_is_told_and_never_asked(world: World) -> None:
    world.server.objections.raise_objection(NUMBER, evidence="letter", actor="operator")
    call = await world.dial(talk=tone(5))
    agent = await world.until_talking()
    assert agent is world.agent.calls[0]
    assert lamps(world) == (OFF, ON)
    await asyncio.sleep(2)
    call.hang_up()
    await world.until_quiet()
    assert world.consent() == "refused"
    (text,) = told(world)
    assert "Your own voice is not recorded." in text
    (refused,) = [event for event in world.events() if isinstance(event, ConsentRefused)]
    assert refused.evidence.startswith("standing objection ")
    assert not any(isinstance(event, ConsentRequested) for event in world.events())
    assert not world.talk(Role.CUSTOMER)


@in_world()
async def test_an_objection_in_mid_call_closes_the_gate_at_once(world: World) -> None:
    call = await world.dial(talk=tone(5))
    await world.until_asked()
    call.press("1")
    await world.until_talking()
    await asyncio.sleep(2)
    assert lamps(world) == (ON, ON)
    directory = world.server.store.directory
    await asyncio.to_thread(request, directory, "object", person="20 12 34 56", evidence="mail")
    assert lamps(world) == (OFF, ON)
    call.hang_up()
    await world.until_quiet()
    assert world.consent() == "withdrawn"
    assert not world.talk(Role.CUSTOMER)


@in_world(errors=1)
async def test_an_objection_that_cannot_be_looked_up_is_taken_for_one(world: World) -> None:
    async def unknown(address: str) -> None:
        raise OSError("the disk is gone")

    object.__setattr__(world.server.desk, "objection_of", unknown)
    call = await world.dial(talk=tone(5))
    await world.until_talking()
    assert lamps(world) == (OFF, ON)
    call.hang_up()
    await world.until_quiet()
    (refused,) = [event for event in world.events() if isinstance(event, ConsentRefused)]
    assert refused.evidence == "standing objections could not be looked up"


@in_world(mode="agent_only_allow_customer", project="prompts = false")
async def test_no_prompt_delays_a_call_whose_line_has_none(world: World) -> None:
    """An emergency or relay line: nobody was told, so nobody is recorded, until the agent has the caller told and asked."""
    call = await world.dial(talk=tone(5))
    agent = await world.until_talking()
    assert world.runner().offset_ms() < 1000
    await asyncio.sleep(3)
    assert lamps(world) == (OFF, OFF)
    agent.press("*4")
    await world.until_asked()
    call.press("1")
    await asyncio.sleep(2)
    assert lamps(world) == (ON, ON)
    call.hang_up()
    await world.until_quiet()
    (text,) = told(world)
    assert "only if you say yes" in text
    assert world.last.outcome == "completed"
    assert world.opened_decisions(world.last)


@in_world(project="prompts = false")
async def test_who_objects_is_heeded_on_such_a_line_too(world: World) -> None:
    world.server.objections.raise_objection(NUMBER, evidence="letter", actor="operator")
    call = await world.dial(talk=tone(5))
    await world.until_talking()
    await asyncio.sleep(1)
    call.hang_up()
    await world.until_quiet()
    assert world.consent() == "refused"
    assert world.track(Role.AGENT, Purpose.QUALITY_ASSURANCE) == []


@in_world(flow='customer_code = "*77"', mode="agent_only_allow_customer")
async def test_the_codes_are_the_operators_choice(world: World) -> None:
    await world.dial(talk=tone(5))
    agent = await world.until_talking()
    agent.press("*4")
    await asyncio.sleep(5)
    assert not world.runner().state.customer_on
    agent.press("*77")
    await world.until(lambda: world.runner().state.customer_on)
    agent.hang_up()


@in_world()
async def test_a_caller_is_told_and_asked_in_a_language_their_phone_names(world: World) -> None:
    world.phone.languages = ("da-DK", "en")
    call = await world.dial(talk=tone(5))
    await world.until_asked()
    call.press("1")
    await world.until_talking()
    await asyncio.sleep(1)
    assert lamps(world) == (ON, ON)
    call.hang_up()
    await world.until_quiet()
    (text,) = told(world)
    assert text.startswith("Example Ltd optager og gemmer denne samtale til kvalitetssikring")
    (asked,) = [event for event in world.events() if isinstance(event, ConsentRequested)]
    assert (asked.language, asked.text) == (
        "da",
        "Må vi optage din stemme? Tryk 1 for ja, 2 for nej eller 9 for at høre mere.",
    )


@in_world()
async def test_who_understands_no_language_of_ours_is_told_and_not_asked(world: World) -> None:
    world.phone.languages = ("fi", "sv")
    call = await world.dial(talk=tone(5))
    await world.until_talking()
    await asyncio.sleep(1)
    assert lamps(world) == (OFF, ON)
    call.hang_up()
    await world.until_quiet()
    (text,) = told(world)
    assert "Your own voice is not recorded." in text
    assert not any(isinstance(event, ConsentRequested) for event in world.events())


@in_world(mode="agent_only_allow_customer")
async def test_a_withdrawal_is_confirmed_although_nothing_was_left_to_ask(world: World) -> None:
    """Switched on, agreed, switched off again: the caller's code is heeded and they hear so."""
    call = await world.dial(talk=tone(5))
    agent = await world.until_talking()
    await asyncio.sleep(1)
    agent.press("*4")
    await world.until_asked()
    call.press("1")
    await asyncio.sleep(4)
    assert lamps(world) == (ON, ON)
    agent.press("*4")
    await asyncio.sleep(4)
    assert lamps(world) == (OFF, ON)
    from_sample = len(call.ear.samples)
    await asyncio.sleep(1)
    assert max(call.ear.samples[from_sample:]) < 1000
    from_sample = len(call.ear.samples)
    call.press("*2")
    await asyncio.sleep(4)
    assert max(call.ear.samples[from_sample:]) > 1000
    call.hang_up()
    await world.until_quiet()
    assert world.consent() == "withdrawn"
