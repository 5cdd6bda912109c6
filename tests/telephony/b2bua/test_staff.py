"""What staff know of the person on the line, on real calls: an attested consent, and a child."""

import asyncio
from typing import TypeVar

import pytest

from tallylight.catalogue.flags import MINOR
from tallylight.conversation.events import (
    ConsentGiven,
    ConsentRequested,
    ConsentUnanswered,
    Event,
    LampsChanged,
    MinorKnown,
    NoticeGiven,
)
from tallylight.database.engine import read_only
from tallylight.database.events import read_stream
from tallylight.law.vocabulary import Method, Purpose, Role
from tallylight.live.control import CommandRefused, request
from tallylight.policy.decision import Lamp
from tests.telephony.b2bua.world import World, in_world, tone

ON, OFF = Lamp.RECORDING, Lamp.OFF
Happened = TypeVar("Happened", bound=Event)


async def attest(world: World) -> None:
    """As the operator's command line does it."""
    directory, conversation = world.server.store.directory, world.runner().conversation
    await asyncio.to_thread(request, directory, "attest", conversation=conversation, evidence="said aloud")


async def say_minor(world: World) -> None:
    """As the operator's command line does it."""
    directory, conversation = world.server.store.directory, world.runner().conversation
    await asyncio.to_thread(request, directory, "minor", conversation=conversation)


def of(world: World, kind: type[Happened]) -> list[Happened]:
    return [event for event in world.events() if isinstance(event, kind)]


def lamps(world: World) -> tuple[Lamp, Lamp]:
    return world.lamp(Role.CUSTOMER), world.lamp(Role.AGENT)


@in_world(project="attested_consent = true")
async def test_an_attested_yes_is_flagged_and_gives_way_to_the_callers_own(world: World) -> None:
    call = await world.dial(talk=tone(5))
    await world.until_asked()
    await attest(world)
    assert world.runner().state.parties[world.party(Role.CUSTOMER, world.runner())].question is not None
    await world.until_talking()  # silence
    await asyncio.sleep(1)
    assert lamps(world) == (OFF, ON)
    assert [party.flagged != () for party in world.last.people] == [True, False]
    with pytest.raises(CommandRefused) as again:
        await attest(world)
    assert again.value.code == "already_given"
    call.hang_up()
    await world.until_quiet()
    assert world.consent() == "given"
    assert world.talk(Role.CUSTOMER) == world.track(Role.CUSTOMER, Purpose.PROOF_OF_CONSENT) == []
    store = world.server.store
    with read_only(store.engine) as connection:
        stream = read_stream(connection, world.last.conversation, workspace=store.workspace)
        (row,) = [event for event in stream if event.type == "ConsentGiven"]
    assert row.actor == "operator"
    assert row.payload is not None
    assert row.payload["evidence"] == "attested by operator: said aloud"

    call = await world.dial(talk=tone(5))
    await world.until_asked()
    await attest(world)
    call.press("1")
    await world.until_talking(2)
    await asyncio.sleep(2)
    assert lamps(world) == (ON, ON)
    call.hang_up()
    await world.until_quiet()
    assert [event.method for event in of(world, ConsentGiven)] == [
        Method.ATTESTED,
        Method.DIGIT,
    ]
    assert all(not party.flagged for party in world.last.people)
    assert world.talk(Role.CUSTOMER)
    assert world.track(Role.CUSTOMER, Purpose.PROOF_OF_CONSENT)
    assert world.opened_decisions(world.last)


@in_world()
async def test_without_the_right_it_is_refused_with_the_way_out(world: World) -> None:
    call = await world.dial(talk=tone(5))
    await world.until_asked()
    with pytest.raises(CommandRefused, match="set attested_consent = true"):
        await attest(world)
    call.press("2")
    await world.until_talking()
    call.hang_up()


@in_world(project="attested_consent = true")
async def test_never_against_the_callers_no(world: World) -> None:
    call = await world.dial(talk=tone(5))
    await world.until_asked()
    call.press("2")
    await world.until_talking()
    with pytest.raises(CommandRefused) as refused:
        await attest(world)
    assert refused.value.code == "attested_against_refusal"
    call.hang_up()
    await world.until_quiet()
    assert world.consent() == "refused"


@in_world()
async def test_the_agents_code_shuts_a_childs_gate_at_its_last_key(world: World) -> None:
    call = await world.dial(talk=tone(5))
    await world.until_asked()
    call.press("1")
    agent = await world.until_talking()
    await asyncio.sleep(3)
    assert lamps(world) == (ON, ON)
    agent.press("*6")
    await asyncio.sleep(1)
    assert lamps(world) == (OFF, ON)
    agent.press("*6")  # refused: known already
    await asyncio.sleep(3)
    assert not call.is_over.is_set()
    call.hang_up()
    await world.until_quiet()
    (known,) = of(world, MinorKnown)
    assert known.by == world.last.people[1].party
    (shut,) = [event for event in of(world, LampsChanged) if event.offset_ms == known.offset_ms]
    assert shut.decision.lamp(known.party) is OFF
    before = world.talk(Role.CUSTOMER)
    assert before, "what was recorded before anybody knew stays, for a person to look at"
    assert before[-1].start_ms + before[-1].duration_ms <= known.offset_ms
    assert [party.flagged for party in world.last.people] == [(MINOR,), ()]
    assert world.talk(Role.AGENT)[-1].start_ms > known.offset_ms
    assert world.opened_decisions(world.last)


@in_world()
async def test_a_question_that_is_being_put_to_a_child_stops_and_none_follows(world: World) -> None:
    call = await world.dial(talk=tone(5))
    await world.until_asked()
    await say_minor(world)
    assert not world.inbound.caller.speaking
    stopped_ms = world.runner().offset_ms()
    call.press("1")  # nobody asks any more
    agent = await world.until_talking()
    assert world.runner().offset_ms() - stopped_ms < 1500, "the agent is rung at once"
    await asyncio.sleep(2)
    assert lamps(world) == (OFF, ON)
    agent.hang_up()
    await world.until_quiet()
    assert [len(of(world, kind)) for kind in (ConsentRequested, ConsentUnanswered, ConsentGiven)] == [1, 1, 0]
    assert world.consent() == "none"
    assert world.talk(Role.CUSTOMER) == []
    assert world.talk(Role.AGENT), "the child had heard the notice"


@in_world(prompt_s=5.0)
async def test_a_child_is_not_told_to_the_end_either(world: World) -> None:
    call = await world.dial(talk=tone(5))
    await asyncio.sleep(1)
    assert world.inbound.caller.speaking
    await say_minor(world)
    await world.until_talking()
    assert world.runner().offset_ms() < 3000
    await asyncio.sleep(2)
    assert lamps(world) == (OFF, OFF), "who was not told keeps everybody in the dark"
    call.hang_up()
    await world.until_quiet()
    assert of(world, NoticeGiven) == []


@in_world(prompt_s=5.0)
async def test_what_follows_an_answer_stops_too_and_the_child_hears_the_ringing(world: World) -> None:
    world.agent.answer_s = 8
    call = await world.dial(talk=tone(5))
    await world.until_asked()
    call.press("1")
    await world.until(lambda: world.lamp(Role.CUSTOMER) is ON and world.inbound.caller.speaking)
    await asyncio.sleep(0.5)
    await say_minor(world)
    assert not world.inbound.caller.speaking
    heard_ms = call.ear.loud_ms
    await asyncio.sleep(4)
    assert call.ear.loud_ms > heard_ms, "the ringing"
    await world.until_talking()
    assert lamps(world) == (OFF, ON)
    call.hang_up()


@in_world(mode="agent_only_allow_customer", project="minors = true")
async def test_on_a_line_of_children_nothing_delays_the_call_and_nobody_is_recorded(world: World) -> None:
    call = await world.dial(talk=tone(5))
    agent = await world.until_talking()
    assert world.runner().offset_ms() < 1000
    agent.press("*4")  # switched on, and still nobody is asked
    await asyncio.sleep(4)
    assert not world.inbound.caller.speaking
    assert lamps(world) == (OFF, OFF)
    call.hang_up()
    await world.until_quiet()
    assert not any(of(world, kind) for kind in (NoticeGiven, ConsentRequested, MinorKnown))
    assert world.talk(Role.CUSTOMER) == world.talk(Role.AGENT) == []
    assert [party.flagged for party in world.last.people] == [(MINOR,), ()]
    assert world.last.outcome == "completed"


@in_world(project="minors = true")
async def test_there_the_operator_need_not_say_so(world: World) -> None:
    call = await world.dial(talk=tone(5))
    await world.until_talking()
    with pytest.raises(CommandRefused) as refused:
        await say_minor(world)
    assert refused.value.code == "already_minor"
    call.hang_up()


@in_world()
async def test_an_apology_is_heard_to_its_end(world: World) -> None:
    """Nobody answers the child: what is said then is neither a question nor an announcement."""
    world.agent.refuse = 486
    call = await world.dial(talk=tone(5))
    await world.until_asked()
    call.press("1")
    await world.until(lambda: bool(world.agent.rings))
    await asyncio.sleep(0.2)
    await say_minor(world)
    await world.until_quiet()
    assert call.is_over.is_set()
    assert world.last.outcome == "agent_busy"
