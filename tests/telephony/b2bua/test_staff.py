"""What staff know of the person on the line, on real calls: an attested consent."""

import asyncio

import pytest

from tallylight.conversation.events import ConsentGiven
from tallylight.database.engine import read_only
from tallylight.database.events import read_stream
from tallylight.law.vocabulary import Method, Purpose, Role
from tallylight.live.control import CommandRefused, request
from tallylight.policy.decision import Lamp
from tests.telephony.b2bua.world import World, in_world, tone

ON, OFF = Lamp.RECORDING, Lamp.OFF


async def attest(world: World) -> None:
    """As the operator's command line does it."""
    directory, conversation = world.server.store.directory, world.runner().conversation
    await asyncio.to_thread(request, directory, "attest", conversation=conversation, evidence="said aloud")


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
    assert [event.method for event in world.events() if isinstance(event, ConsentGiven)] == [
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
