"""Answers that are spoken, in whole calls: two clear yeses open the gate, and nothing else does."""

import asyncio
import audioop
import functools
from dataclasses import replace

from tallylight.conversation.events import ConsentGiven, ConsentRefused, ConsentUnanswered
from tallylight.law.vocabulary import Method, Purpose, Role
from tallylight.policy.decision import Lamp
from tallylight.speech.espeak import EspeakSynthesiser
from tallylight.speech.recognition import Answered, AnswerRecogniser, Heard, ScriptedRecogniser
from tallylight.speech.sphinx import SphinxRecogniser
from tallylight.telephony.rtp.prompt import Prompt
from tallylight.vault.frame import SOURCE_OURS
from tests.telephony.b2bua.world import World, in_world

YES = Heard(answer=Answered.YES, score=60)
NO = Heard(answer=Answered.NO, score=50)
UNCLEAR = Heard(answer=Answered.UNCLEAR, score=20)
ALOUD = "spoken_answers = true"
NOTHING = Heard(answer=Answered.NOTHING, score=0)


def listen_by(world: World, recogniser: AnswerRecogniser) -> None:
    """Have this one judge what callers say."""
    world.server._desk = replace(world.server.desk, recogniser=recogniser)


@functools.cache
def word() -> bytes:
    """The same sound each time it is said."""
    voice = EspeakSynthesiser()
    try:
        return voice.speak_now("yes please", language="en")
    finally:
        voice.close()


def left_no_sound(world: World) -> bool:
    """Nothing of the customer is kept: no track, and what they said stands in no file in any of its forms."""
    said = word()
    coded = audioop.lin2ulaw(said, 2)
    loud = coded[len(coded) // 2 :][:160]
    folder = world.server.store.directory
    kept = b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())
    assert len(kept) > 10_000
    assert loud not in kept
    assert said[len(said) // 2 :][:320] not in kept
    return [party.tracks for party in world.last.parties if party.role is Role.CUSTOMER] == [()]


async def answer(world: World, *heard: Heard) -> ScriptedRecogniser:
    """Call, say something after each question, and wait for the agent."""
    recogniser = ScriptedRecogniser(heard)
    listen_by(world, recogniser)
    call = await world.dial()
    said = Prompt(word())
    await world.until_asked()
    for count in range(len(heard)):
        await asyncio.sleep(0.7)
        call.leg.play(said)
        await world.until(lambda count=count: len(recogniser.lengths_ms) > count, 5)  # type: ignore[misc]
    await world.until_talking()
    await asyncio.sleep(6)
    call.hang_up()
    await world.until_quiet()
    assert max(recogniser.lengths_ms) <= 4100
    return recogniser


@in_world(project=ALOUD)
async def test_two_yeses_open_the_gate_and_the_proof(world: World) -> None:
    await answer(world, YES, YES)
    given = next(event for event in world.events() if isinstance(event, ConsentGiven))
    assert given.method is Method.SPOKEN
    first, second = given.evidence.split("; ")
    assert first.startswith("spoken yes at ")
    assert second.endswith(" ms, score 60")
    assert world.consent() == "given"
    frames = world.track(Role.CUSTOMER, Purpose.PROOF_OF_CONSENT)
    assert frames
    assert all(frame.start_ms >= given.offset_ms for frame in frames)
    # We ask them to say it once more, and what they then say is on the clip.
    ours = [frame for frame in frames if frame.source == SOURCE_OURS]
    assert ours
    assert frames[-1].start_ms + frames[-1].duration_ms >= ours[-1].start_ms + 2900


@in_world(project=ALOUD)
async def test_a_no_after_a_yes_refuses(world: World) -> None:
    await answer(world, YES, NO)
    refused = next(event for event in world.events() if isinstance(event, ConsentRefused))
    assert refused.method is Method.SPOKEN
    assert "spoken no at" in refused.evidence
    assert left_no_sound(world)
    assert world.talk(Role.CUSTOMER) == world.track(Role.CUSTOMER, Purpose.PROOF_OF_CONSENT) == []


@in_world(project=ALOUD)
async def test_what_is_unclear_is_asked_once_more_and_then_no_consent(world: World) -> None:
    await answer(world, UNCLEAR, NOTHING)
    left = next(event for event in world.events() if isinstance(event, ConsentUnanswered))
    assert left.method is Method.SPOKEN
    assert left.evidence.count("spoken unclear at") == 2
    assert world.consent() == "none"
    assert left_no_sound(world)
    assert world.talk(Role.CUSTOMER) == world.track(Role.CUSTOMER, Purpose.PROOF_OF_CONSENT) == []


@in_world(project=ALOUD)
async def test_one_yes_and_then_silence_is_no_consent(world: World) -> None:
    await answer(world, YES)
    assert world.consent() == "none"
    assert world.talk(Role.CUSTOMER) == []


@in_world(project=ALOUD)
async def test_keys_work_beside(world: World) -> None:
    listen_by(world, ScriptedRecogniser([]))
    call = await world.dial()
    await world.until_asked()
    call.press("1")
    await world.until_talking()
    assert world.lamp(Role.CUSTOMER) is Lamp.RECORDING
    call.hang_up()


@in_world(project=ALOUD)
async def test_where_the_language_cannot_be_recognised_keys_are_asked_for(world: World) -> None:
    recogniser = ScriptedRecogniser([YES, YES], languages=())
    listen_by(world, recogniser)
    call = await world.dial()
    await world.until_asked()
    call.leg.play(Prompt(word()))
    await world.until_talking()
    call.hang_up()
    await world.until_quiet()
    assert recogniser.lengths_ms == []
    assert world.consent() == "none"


@in_world(project=ALOUD)
async def test_the_real_engine_hears_a_real_call(world: World) -> None:
    """Whatever it makes of a synthetic voice: one word alone never opens the gate."""
    recogniser = SphinxRecogniser()
    try:
        listen_by(world, recogniser)
        call = await world.dial()
        await world.until_asked()
        await asyncio.sleep(0.7)
        call.leg.play(Prompt(word()))
        await world.until(lambda: recogniser.pid is not None, 5)
        await world.until_talking()
        call.hang_up()
        await world.until_quiet()
        assert world.consent() in ("none", "refused")
        assert left_no_sound(world)
    finally:
        recogniser.close()


@in_world(mode="agent_only_allow_customer", project=ALOUD)
async def test_in_the_talk_keys_alone_are_answers(world: World) -> None:
    """A yes may be meant for the agent, whom the caller hears as well."""
    recogniser = ScriptedRecogniser([YES, YES])
    listen_by(world, recogniser)
    call = await world.dial()
    agent = await world.until_talking()
    agent.press("*4")
    await world.until_asked()
    for _ in range(2):
        await asyncio.sleep(0.7)
        call.leg.play(Prompt(word()))
        await asyncio.sleep(2)
    assert recogniser.lengths_ms == []
    assert world.lamp(Role.CUSTOMER) is Lamp.OFF
    call.press("1")
    await asyncio.sleep(1)
    assert world.lamp(Role.CUSTOMER) is Lamp.RECORDING
    call.hang_up()
    await world.until_quiet()
    assert next(event for event in world.events() if isinstance(event, ConsentGiven)).method is Method.DIGIT
