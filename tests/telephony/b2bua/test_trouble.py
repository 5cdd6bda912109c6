"""Databases, keys and servers that fail under a call: people keep talking, and nothing opens that should not."""

import asyncio
from pathlib import Path

import pytest

from tallylight.conversation.events import ConsentGiven, OpeningMissed, RecordingFailed
from tallylight.demo.phone import PhoneCall
from tallylight.health.alarms import AlarmKind
from tallylight.law.vocabulary import Purpose, Role
from tallylight.policy.decision import Lamp
from tallylight.vault.alarm import Alarm as LogAlarm
from tallylight.vault.alarm import AlarmKind as LogAlarmKind
from tests.telephony.b2bua.world import World, in_world, tone


async def yes_behind_a_stall(world: World, seconds: float) -> PhoneCall:
    """A yes whose commit stands still for so long."""
    call = await world.dial(talk=tone(5))
    await world.until_asked()
    stall = world.commits.stall(world.commits.next)
    world.stalled = True
    call.press("1")
    await asyncio.sleep(seconds)
    assert world.lamp(Role.CUSTOMER) is Lamp.OFF
    stall.release()
    world.stalled = False
    await asyncio.sleep(0.05)
    return call


@in_world()
async def test_they_are_told_that_they_are_recorded_only_once_they_are(world: World) -> None:
    world.agent.answer_s = 5
    call = await yes_behind_a_stall(world, 0.7)
    runner = world.runner()
    assert world.lamp(Role.CUSTOMER) is Lamp.RECORDING
    assert world.inbound.caller.speaking
    await asyncio.sleep(5)
    call.hang_up()
    await world.until_quiet()
    given = next(event for event in world.events() if isinstance(event, ConsentGiven))
    words = [frame for frame in world.talk(Role.SYSTEM) if frame.start_ms > given.offset_ms]
    assert words[0].start_ms - given.offset_ms >= 650
    # What was said while the commit was on its way waited in memory, and is on the recording.
    assert world.talk(Role.CUSTOMER)[0].start_ms - given.offset_ms <= 250
    assert world.opened_decisions(world.last)
    assert runner.ended


@in_world()
async def test_an_opening_that_was_missed_is_a_gap_and_the_words_come_behind_the_late_commit(world: World) -> None:
    world.agent.answer_s = 8
    call = await yes_behind_a_stall(world, 2.0)
    committed_ms = world.runner().offset_ms()
    assert world.lamp(Role.CUSTOMER) is Lamp.RECORDING
    assert world.inbound.caller.speaking
    await asyncio.sleep(8)
    call.hang_up()
    await world.until_quiet()
    missed = [event for event in world.events() if isinstance(event, OpeningMissed)]
    for party in {event.party for event in missed}:
        of_party = [event for event in missed if event.party == party]
        assert len(of_party) == 2
        assert of_party[0].until_ms == of_party[1].from_ms
        assert abs(of_party[1].until_ms - committed_ms) <= 100
    assert abs(world.talk(Role.CUSTOMER)[0].start_ms - committed_ms) <= 100
    proof = world.track(Role.CUSTOMER, Purpose.PROOF_OF_CONSENT)
    assert 3000 <= proof[-1].start_ms + proof[-1].duration_ms - committed_ms <= 3700
    assert world.opened_decisions(world.last)
    assert "opening_missed" in {alarm.kind for alarm in world.last.alarms}


@in_world()
async def test_an_acknowledgement_that_comes_too_late_is_left_unsaid(world: World) -> None:
    world.agent.answer_s = 1
    call = await yes_behind_a_stall(world, 6.0)
    assert not world.inbound.caller.speaking
    assert world.lamp(Role.CUSTOMER) is Lamp.RECORDING
    assert len(world.agent.calls) == 1
    call.hang_up()


@in_world(errors=8)
async def test_a_database_that_refuses_shuts_every_gate_and_ends_no_call(world: World) -> None:
    call = await world.dial(talk=tone(5))
    await world.until_asked()
    world.commits.fail_all()
    call.press("1")
    agent = await world.until_talking()
    await asyncio.sleep(5)
    assert agent.ear.loud_ms > 4000
    assert set(world.runner().lamps().values()) == {Lamp.OFF}
    world.commits.recover()
    await asyncio.sleep(3)
    assert set(world.runner().lamps().values()) == {Lamp.OFF}
    call.hang_up()
    await world.until_quiet()
    assert world.consent() == "given"
    assert world.last.outcome == "completed"
    assert [world.talk(role) for role in (Role.CUSTOMER, Role.AGENT)] == [[], []]
    assert any(isinstance(event, RecordingFailed) for event in world.events())


@in_world(errors=8)
async def test_a_call_that_ends_while_the_database_is_gone_is_written_once_it_is_back(world: World) -> None:
    call = await world.dial(talk=tone(5))
    await world.until_asked()
    call.press("1")
    await world.until_talking()
    await asyncio.sleep(3)
    world.commits.fail_all()
    call.hang_up()
    await asyncio.sleep(10)
    assert world.server.switchboard.calls
    world.commits.recover()
    await world.until_quiet()
    assert world.last.outcome == "completed"
    assert sum(frame.duration_ms for frame in world.talk(Role.CUSTOMER)) > 2500


@in_world(errors=8, unsealed=True)
async def test_a_missing_key_stops_the_recording_and_not_the_call(world: World) -> None:
    call = await world.dial(talk=tone(5))
    await world.until_asked()
    world.server.store.keyring.unload_project("main")
    call.press("1")
    agent = await world.until_talking()
    await asyncio.sleep(3)
    assert agent.ear.loud_ms > 2500
    assert set(world.runner().lamps().values()) == {Lamp.OFF}
    assert AlarmKind.RECORDING_FAILED in world.server.store.alarms.counts()
    call.hang_up()


@in_world(errors=12, unsealed=True)
async def test_a_live_log_that_was_closed_stops_the_recording_and_not_the_call(world: World) -> None:
    call = await world.dial(talk=tone(5))
    await world.until_asked()
    call.press("1")
    agent = await world.until_talking()
    await asyncio.sleep(1)
    await asyncio.to_thread(world.server.log.close, 2.0)
    await asyncio.sleep(3)
    assert agent.ear.loud_ms > 3000
    call.hang_up()
    await world.until(call.is_over.is_set)


@in_world(errors=12)
async def test_a_live_log_that_drops_what_it_is_given_puts_out_every_lamp(world: World) -> None:
    call = await world.dial(talk=tone(5))
    await world.until_asked()
    call.press("1")
    agent = await world.until_talking()
    await asyncio.sleep(1)
    assert world.lamp(Role.CUSTOMER) is Lamp.RECORDING
    dropped = LogAlarm(kind=LogAlarmKind.QUEUE_FULL, message="the disk is too slow", dropped_ms=1000)
    await asyncio.to_thread(world.server.on_log_alarm, dropped)
    await asyncio.sleep(2)
    assert set(world.runner().lamps().values()) == {Lamp.OFF}
    assert agent.ear.loud_ms > 2500
    call.hang_up()


MOMENTS = [0.0, 0.2, 0.6, 1.0, 1.3, 2.0, 4.0]


@pytest.mark.parametrize("at_s", MOMENTS)
def test_a_server_that_stops_ends_every_call_in_good_order(
    at_s: float, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    @in_world()
    async def scene(world: World) -> None:
        call = await world.dial(talk=tone(5))
        runner = world.runner()
        while runner.offset_ms() < 1000 * at_s:
            if runner.offset_ms() > 850 and not world.agent.rings:
                call.press("1")
                await asyncio.sleep(0.2)
            await asyncio.sleep(0.01)
        began = world.loop.time()
        await world.server.end_calls()
        assert world.loop.time() - began < 1.0
        await asyncio.sleep(0.1)
        assert call.is_over.is_set()
        assert all(agent.is_over.is_set() for agent in world.agent.calls)
        assert world.last.outcome == "shutdown"
        assert all(track.state in {"sealed", "erased"} for party in world.last.parties for track in party.tracks)
        assert bool(world.talk(Role.CUSTOMER)) == (world.consent() == "given" and at_s >= 1.3)

    scene(tmp_path, caplog)
