"""Told, asked and answered, in whole calls: what each answer opens, and that nothing else does."""

import asyncio

from tallylight.conversation.events import ConsentGiven, LampsChanged, NoticeGiven, QuestionHeard, RecordingResumed
from tallylight.law.vocabulary import Purpose, Role
from tallylight.policy.decision import Lamp
from tallylight.vault.frame import SOURCE_OURS, SOURCE_PARTY
from tests.telephony.b2bua.world import World, in_world, tone


@in_world()
async def test_a_yes_opens_the_gate_and_its_proof_holds_our_words_and_the_answer(world: World) -> None:
    call = await world.dial(talk=tone(5))
    await world.until_asked()
    assert world.lamp(Role.CUSTOMER) is Lamp.OFF
    asked_ms = world.runner().offset_ms()
    call.press("1")
    agent = await world.until_talking()
    assert {world.lamp(Role.CUSTOMER), world.lamp(Role.AGENT)} == {Lamp.RECORDING}
    await asyncio.sleep(5)
    ended_ms = world.runner().offset_ms()
    call.hang_up()
    await world.until_quiet()
    assert agent.is_over.is_set()
    entry = world.last
    assert (entry.outcome, world.consent()) == ("completed", "given")
    assert [party.role for party in entry.parties] == [Role.SYSTEM, Role.CUSTOMER, Role.AGENT]
    # Second 0 is our 200 OK: our own words come first, at their true time, and the customer's voice only after the yes.
    system = world.talk(Role.SYSTEM)
    assert system[0].start_ms <= 60
    talk = world.talk(Role.CUSTOMER)
    given = next(event for event in world.events() if isinstance(event, ConsentGiven))
    assert given.offset_ms >= asked_ms
    assert 0 <= talk[0].start_ms - given.offset_ms <= 250  # a phone is silent while it presses a key
    assert ended_ms - 40 <= talk[-1].start_ms + talk[-1].duration_ms <= ended_ms + 20
    proof = world.track(Role.CUSTOMER, Purpose.PROOF_OF_CONSENT)
    assert {frame.source for frame in proof} == {SOURCE_OURS, SOURCE_PARTY}
    ours = [frame for frame in proof if frame.source == SOURCE_OURS]
    assert sum(frame.duration_ms for frame in ours) == 400
    assert 0 <= proof[0].start_ms - given.offset_ms <= 40
    end_ms = max(frame.start_ms + frame.duration_ms for frame in proof)
    assert abs(end_ms - (ours[-1].start_ms + ours[-1].duration_ms + 3000)) <= 40
    assert world.opened_decisions(entry)


@in_world()
async def test_a_refuser_reaches_the_same_agent_and_leaves_no_voice(world: World) -> None:
    call = await world.dial(talk=tone(5))
    await world.until_asked()
    call.press("2")
    agent = await world.until_talking()
    agent.leg.play(tone(3))
    await asyncio.sleep(3)
    assert world.lamp(Role.CUSTOMER) is Lamp.OFF
    assert world.lamp(Role.AGENT) is Lamp.RECORDING
    assert agent.ear.loud_ms > 2500
    assert call.ear.loud_ms > 2500
    call.hang_up()
    await world.until_quiet()
    assert world.consent() == "refused"
    assert [party.tracks for party in world.last.parties if party.role is Role.CUSTOMER] == [()]
    assert world.talk(Role.AGENT)


@in_world()
async def test_silence_is_no_after_one_repetition(world: World) -> None:
    await world.dial(talk=tone(5))
    await world.until_talking()
    runner = world.runner()
    # Notice, question, 4 s, question, 4 s.
    assert 0.4 * 3 + 8 <= runner.offset_ms() / 1000 <= 0.4 * 3 + 8 + 1
    assert world.lamp(Role.CUSTOMER) is Lamp.OFF
    world.agent.calls[0].hang_up()
    await world.until_quiet()
    assert world.consent() == "none"
    assert world.talk(Role.CUSTOMER) == []


@in_world()
async def test_a_one_before_the_question_was_heard_opens_nothing(world: World) -> None:
    call = await world.dial(talk=tone(5))
    await asyncio.sleep(0.1)
    call.press("1")
    await asyncio.sleep(0.5)
    call.press("1")
    await world.until_talking()
    call.hang_up()
    await world.until_quiet()
    assert world.consent() == "none"
    assert world.talk(Role.CUSTOMER) == []


@in_world(prompt_s=0.2)
async def test_a_one_around_the_very_end_of_the_question_counts_only_if_it_began_behind_it(world: World) -> None:
    for at_ms in range(330, 480, 10):
        call = await world.dial(talk=tone(5))
        runner = world.runner()
        await asyncio.sleep(max(0.0, (at_ms - runner.offset_ms()) / 1000))
        call.press("1")
        await asyncio.sleep(0.5)
        call.hang_up()
        await world.until(lambda: not world.server.switchboard.calls)
        heard = next(event for event in world.events() if isinstance(event, QuestionHeard))
        given = [event for event in world.events() if isinstance(event, ConsentGiven)]
        for event in given:
            assert int(event.evidence.split()[3]) >= heard.offset_ms
        if not given:
            assert at_ms <= heard.offset_ms + 40
    assert {world.consent(entry) for entry in world.listed()} == {"given", "none"}


@in_world()
async def test_details_start_the_question_anew(world: World) -> None:
    call = await world.dial(talk=tone(5))
    await world.until_asked()
    call.press("9")
    await asyncio.sleep(0.2)
    call.press("1")
    await asyncio.sleep(0.1)
    assert world.lamp(Role.CUSTOMER) is Lamp.OFF
    await asyncio.sleep(0.5)
    await world.until_asked()
    call.press("1")
    await world.until_talking()
    assert world.lamp(Role.CUSTOMER) is Lamp.RECORDING
    call.hang_up()


@in_world(prompt_s=2.0)
async def test_after_a_no_in_mid_notice_the_agent_stays_dark_until_the_truth_was_heard(world: World) -> None:
    world.agent.answer_s = 0.1
    call = await world.dial(talk=tone(5))
    await asyncio.sleep(0.5)
    call.press("2")
    await world.until_talking()
    dark_from = world.runner().offset_ms()
    assert world.lamp(Role.AGENT) is Lamp.OFF
    await asyncio.sleep(1.0)
    assert world.lamp(Role.AGENT) is Lamp.OFF
    await world.until(lambda: world.lamp(Role.AGENT) is Lamp.RECORDING, 3)
    await asyncio.sleep(1)
    call.hang_up()
    await world.until_quiet()
    told = next(event for event in world.events() if isinstance(event, NoticeGiven))
    assert told.offset_ms - dark_from > 1000
    assert world.talk(Role.AGENT)[0].start_ms >= told.offset_ms
    assert world.consent() == "refused"


@in_world()
async def test_a_withdrawal_stops_at_once_erases_the_talk_and_is_confirmed(world: World) -> None:
    call = await world.dial(talk=tone(5))
    await world.until_asked()
    call.press("1")
    agent = await world.until_talking()
    await asyncio.sleep(5)
    call.press("*2")
    await world.until(lambda: world.lamp(Role.CUSTOMER) is Lamp.OFF, 1.5)
    assert world.lamp(Role.AGENT) is Lamp.RECORDING
    await asyncio.sleep(3)
    assert agent.keys_heard == []
    call.hang_up()
    await world.until_quiet()
    assert world.consent() == "withdrawn"
    assert world.talk(Role.CUSTOMER) == []
    assert world.track(Role.CUSTOMER, Purpose.PROOF_OF_CONSENT)
    assert world.talk(Role.AGENT)


@in_world(prompt_s=2.0)
async def test_a_withdrawal_during_our_own_words_leaves_the_call_its_ringing(world: World) -> None:
    world.agent.answer_s = 10
    call = await world.dial(talk=tone(5))
    await world.until_asked()
    call.press("1")
    await asyncio.sleep(0.5)
    call.press("*2")
    await asyncio.sleep(0.5)
    assert world.lamp(Role.CUSTOMER) is Lamp.OFF
    await asyncio.sleep(2.5)
    quiet_from = len(call.ear.samples)
    await asyncio.sleep(4.0)
    assert max(call.ear.samples[quiet_from:]) > 1000, "no ringing after our words"
    call.hang_up()
    await world.until_quiet()
    assert world.last.outcome == "abandoned"
    assert world.consent() == "withdrawn"
    assert world.talk(Role.CUSTOMER) == []


@in_world(prompt_s=1.0)
async def test_the_code_pressed_while_the_truth_is_told_does_not_keep_the_agent_dark(world: World) -> None:
    world.agent.answer_s = 0.1
    call = await world.dial(talk=tone(5))
    await asyncio.sleep(0.3)
    call.press("2")
    await asyncio.sleep(0.5)
    call.press("*2")
    await world.until_talking()
    await world.until(lambda: world.lamp(Role.AGENT) is Lamp.RECORDING, 3)
    call.hang_up()


@in_world(mode="agent_only", basis="consent")
async def test_where_no_caller_is_recorded_the_code_is_a_no_and_nothing_breaks(world: World) -> None:
    call = await world.dial(talk=tone(5))
    await world.until_talking()
    call.press("*2")
    await asyncio.sleep(2)
    assert world.lamp(Role.CUSTOMER) is Lamp.OFF
    assert world.lamp(Role.AGENT) is Lamp.RECORDING
    call.hang_up()
    await world.until_quiet()
    assert world.consent() == "refused"


@in_world(basis="legitimate_interests", prompt_s=2.0)
async def test_an_objection_counts_while_the_notice_is_still_spoken(world: World) -> None:
    call = await world.dial(talk=tone(5))
    await asyncio.sleep(0.5)
    call.press("*2")
    await world.until_talking()
    await asyncio.sleep(2)
    assert world.lamp(Role.CUSTOMER) is Lamp.OFF
    assert world.lamp(Role.AGENT) is Lamp.RECORDING
    call.hang_up()
    await world.until_quiet()
    assert world.consent() == "refused"
    assert world.talk(Role.CUSTOMER) == []


@in_world()
async def test_a_pause_and_its_end_move_every_lamp_at_one_instant(world: World) -> None:
    call = await world.dial(talk=tone(5))
    await world.until_asked()
    call.press("1")
    agent = await world.until_talking()
    agent.leg.play(tone(3))
    await asyncio.sleep(3)
    runner, seen = world.runner(), set()

    async def watch(seconds: float) -> None:
        until = world.loop.time() + seconds
        while world.loop.time() < until:
            lamps = runner.lamps()
            seen.add(frozenset(lamps.values()))
            await asyncio.sleep(0.003)

    agent.press("*3")
    await watch(3)
    assert set(runner.lamps().values()) == {Lamp.PAUSED}
    agent.press("*3")
    await watch(3)
    assert set(runner.lamps().values()) == {Lamp.RECORDING}
    assert seen == {frozenset({Lamp.PAUSED}), frozenset({Lamp.RECORDING})}
    assert call.keys_heard == []
    call.hang_up()
    await world.until_quiet()
    lamps = [event for event in world.events() if isinstance(event, LampsChanged)]
    paused = next(event for event in lamps if Lamp.PAUSED in {ruling.lamp for ruling in event.decision.rulings})
    resumed = next(
        event
        for event in lamps
        if event.offset_ms > paused.offset_ms and {ruling.lamp for ruling in event.decision.rulings} == {Lamp.RECORDING}
    )
    for role in (Role.CUSTOMER, Role.AGENT):
        frames = world.talk(role)
        assert all(
            frame.start_ms + frame.duration_ms <= paused.offset_ms or frame.start_ms >= resumed.offset_ms
            for frame in frames
        )
    # The customer talks all the while: not a millisecond more is kept, and at the opening at most the packet less that
    # came just before it, placed a few milliseconds ahead.
    frames = world.talk(Role.CUSTOMER)
    assert min(frame.start_ms for frame in frames if frame.start_ms >= resumed.offset_ms) - resumed.offset_ms <= 40
    assert any(frame.start_ms + frame.duration_ms == paused.offset_ms for frame in frames)


@in_world(project="start_paused = true")
async def test_a_yes_while_nothing_is_recorded_is_proven_once_somebody_resumes(world: World) -> None:
    call = await world.dial(talk=tone(5))
    await world.until_asked()
    call.press("1")
    agent = await world.until_talking()
    await asyncio.sleep(20)
    assert {world.lamp(Role.CUSTOMER), world.lamp(Role.AGENT)} == {Lamp.PAUSED}
    agent.press("*3")
    await asyncio.sleep(10)
    assert {world.lamp(Role.CUSTOMER), world.lamp(Role.AGENT)} == {Lamp.RECORDING}
    call.hang_up()
    await world.until_quiet()
    opened = next(event.offset_ms for event in world.events() if isinstance(event, RecordingResumed))
    proof = world.track(Role.CUSTOMER, Purpose.PROOF_OF_CONSENT)
    ours = [frame for frame in proof if frame.source == SOURCE_OURS]
    assert {frame.source for frame in proof} == {SOURCE_OURS, SOURCE_PARTY}
    assert proof[0].start_ms >= opened
    end_ms = max(frame.start_ms + frame.duration_ms for frame in proof)
    assert abs(end_ms - (ours[-1].start_ms + ours[-1].duration_ms + 3000)) <= 40


@in_world()
async def test_two_calls_at_once_do_not_mix(world: World) -> None:
    other = await world.add_phone("127.0.0.4", number="+4533334444")
    first = await world.dial(talk=tone(2))
    await asyncio.sleep(0.05)  # their agents answer in this order
    second = await world.dial_from(other, talk=tone(9))
    one, two = world.server.switchboard.calls
    await world.until_asked(one)
    await world.until_asked(two)
    first.press("1")
    second.press("2")
    await world.until_talking(2)
    await asyncio.sleep(3)
    heard = {ring.caller.user: call.ear for ring, call in zip(world.agent.rings, world.agent.calls, strict=True)}
    assert 1500 < max(heard["+4520123456"].samples) < 3000
    assert 8000 < max(heard["+4533334444"].samples) < 10_000
    first.hang_up()
    second.hang_up()
    await world.until_quiet()
    assert [world.consent(entry) for entry in world.listed()] == ["given", "refused"]
    await world.leave(other)
