"""What happens to the media of a call: hold, late offers, new offers, digits by INFO, and media that stops coming."""

import asyncio
from pathlib import Path

import pytest

from tallylight.demo.phone import PhoneCall
from tallylight.law.vocabulary import Role
from tallylight.policy.decision import Lamp
from tallylight.telephony.flow.verbs import Gather, Say
from tallylight.telephony.sip.codec import Request
from tests.telephony.b2bua.world import AGENT, CALLER, SERVER, World, in_world, tone
from tests.telephony.sip.making import request

SPELLINGS = {
    "sendonly": ("a=sendonly", CALLER),
    "inactive": ("a=inactive", CALLER),
    "0.0.0.0": ("a=sendrecv", "0.0.0.0"),
}


def session(port: int, *, host: str = CALLER, direction: str = "a=sendrecv", version: int = 1) -> bytes:
    return (
        f"v=0\r\no=- 7 {version} IN IP4 127.0.0.3\r\ns=-\r\nc=IN IP4 {host}\r\nt=0 0\r\n"
        f"m=audio {port} RTP/AVP 0 101\r\na=rtpmap:101 telephone-event/8000\r\n{direction}\r\n"
    ).encode()


async def talking(world: World) -> tuple[PhoneCall, PhoneCall]:
    """A caller who said yes, and the agent, both heard."""
    call = await world.dial(talk=tone(5))
    await world.until_asked()
    call.press("1")
    agent = await world.until_talking()
    agent.leg.play(tone(3))
    await asyncio.sleep(1.0)
    return call, agent


@pytest.mark.parametrize("spelling", SPELLINGS)
@pytest.mark.parametrize("who", ["caller", "agent"])
def test_a_hold_is_mirrored_and_pauses_every_lamp(
    spelling: str, who: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    @in_world(flow="no_media_s = 20.0")
    async def scene(world: World) -> None:
        call, agent = await talking(world)
        side, other = (call, agent) if who == "caller" else (agent, call)
        direction, host = SPELLINGS[spelling]
        answers: list[bytes] = []

        def offer(direction: str, host: str, version: int) -> None:
            body = session(side.leg.port, host=host, direction=direction, version=version)
            side.sip.reoffer(body, lambda answer: answers.append(answer if isinstance(answer, bytes) else b"refused"))

        offer(direction, host if who == "caller" or host == "0.0.0.0" else AGENT, 2)
        await asyncio.sleep(0.2)
        wanted = {"sendonly": b"a=recvonly", "inactive": b"a=inactive", "0.0.0.0": b"a=recvonly"}[spelling]
        assert wanted in answers[0]
        assert {world.lamp(Role.CUSTOMER), world.lamp(Role.AGENT)} == {Lamp.PAUSED}
        # Nobody sends anything for longer than a silent call lives.
        for phone in (side, other):
            phone.leg.outgoing.forbid()
        await asyncio.sleep(40)
        assert not call.is_over.is_set()
        offer("a=sendrecv", CALLER if who == "caller" else AGENT, 3)
        await asyncio.sleep(2)
        assert not call.is_over.is_set(), "the end of a hold is no silence"
        assert b"a=sendrecv" in answers[1]
        assert set(world.runner().lamps().values()) == {Lamp.RECORDING}
        await asyncio.sleep(25)
        assert call.is_over.is_set()
        await world.until_quiet()
        assert world.last.outcome == "no_media"
        assert world.opened_decisions(world.last)

    scene(tmp_path, caplog)


@in_world(flow="no_media_s = 20.0")
async def test_a_call_without_media_from_anybody_ends_and_one_side_alone_keeps_it_alive(world: World) -> None:
    call, agent = await talking(world)
    call.leg.outgoing.forbid()
    await asyncio.sleep(40)
    assert not call.is_over.is_set()
    agent.leg.outgoing.forbid()
    began = world.loop.time()
    await world.until(call.is_over.is_set)
    assert 20 <= world.loop.time() - began <= 22
    assert agent.is_over.is_set()
    await world.until_quiet()
    assert world.last.outcome == "no_media"


@in_world(flow="no_media_s = 5.0")
async def test_a_caller_who_sends_nothing_may_listen_and_wait_for_the_agent(world: World) -> None:
    world.agent.answer_s = 20
    call = await world.dial()
    call.leg.outgoing.forbid()
    await world.until_talking()
    await asyncio.sleep(4)
    assert not call.is_over.is_set()
    call.hang_up()


@in_world(flow="max_call_s = 60.0")
async def test_a_call_that_lasts_too_long_ends_and_holds_on_to_nothing_meanwhile(world: World) -> None:
    call, _ = await talking(world)
    timers = world.loop.timers
    await asyncio.sleep(40)
    assert world.loop.timers <= timers + 1
    assert world.inbound.timers <= 4
    await world.until(call.is_over.is_set, 20)
    await world.until_quiet()
    assert world.last.outcome == "too_long"
    assert 60_000 <= (world.last.ended_ms or 0) - world.last.started_ms <= 60_100


@in_world()
async def test_a_caller_who_holds_from_the_very_first_offer_holds_the_conversation(world: World) -> None:
    raw = world.raw("127.0.0.6")
    port = raw.open_port(40_000)
    raw.send(
        request(
            host="127.0.0.6",
            uri=f"sip:service@{SERVER}",
            body=session(40_000, host="127.0.0.6", direction="a=sendonly"),
        )
    )
    await asyncio.sleep(0.1)
    answer = raw.final("INVITE")
    assert b"a=recvonly" in answer.body
    raw.acknowledge(answer)
    await asyncio.sleep(0.5)
    assert world.runner().state.held_by == {world.party(Role.CUSTOMER, world.runner())}
    raw.bye(answer)
    port.close()


@in_world()
async def test_a_late_offer_is_answered_in_the_ack_and_then_told_and_asked(world: World) -> None:
    raw = world.raw("127.0.0.6")
    port = raw.open_port(40_000)
    raw.send(request(host="127.0.0.6", uri=f"sip:service@{SERVER}"))
    await asyncio.sleep(0.1)
    answer = raw.final("INVITE")
    assert b"m=audio" in answer.body
    raw.acknowledge(answer, session(40_000, host="127.0.0.6"))
    await asyncio.sleep(1.0)
    assert len(port.queue) >= 40, "nothing was spoken"
    raw.bye(answer)
    port.close()
    await world.until_quiet()
    assert world.last.outcome == "abandoned"


@pytest.mark.parametrize(
    "body", [b"", b"no session at all", session(0), session(40_000).replace(b"RTP/AVP", b"RTP/SAVP")]
)
def test_a_late_offer_without_a_usable_answer_ends_the_call(
    body: bytes, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    @in_world()
    async def scene(world: World) -> None:
        raw = world.raw("127.0.0.6")
        raw.send(request(host="127.0.0.6", uri=f"sip:service@{SERVER}"))
        await asyncio.sleep(0.1)
        answer = raw.final("INVITE")
        raw.acknowledge(answer, body)
        await asyncio.sleep(0.5)
        (bye,) = [message for message in raw.got if isinstance(message, Request) and message.method == "BYE"]
        raw.ok(bye)
        await world.until_quiet()
        assert world.last.outcome == "abandoned"

    scene(tmp_path, caplog)


@in_world()
async def test_an_answer_in_an_ack_that_nobody_waits_for_changes_nothing(world: World) -> None:
    raw = world.raw("127.0.0.6")
    port = raw.open_port(40_000)
    raw.send(request(host="127.0.0.6", uri=f"sip:service@{SERVER}", body=session(40_000, host="127.0.0.6")))
    await asyncio.sleep(0.1)
    answer = raw.final("INVITE")
    raw.acknowledge(answer, session(40_002, host="127.0.0.6"))
    await asyncio.sleep(0.5)
    assert port.queue
    raw.bye(answer)
    port.close()


@pytest.mark.parametrize("body", [b"v=0\r\nnonsense", session(40_000).replace(b"RTP/AVP 0", b"RTP/AVP 18")])
def test_a_new_offer_that_cannot_be_served_is_refused_and_the_call_goes_on(
    body: bytes, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    @in_world()
    async def scene(world: World) -> None:
        call, agent = await talking(world)
        answers: list[object] = []
        call.sip.reoffer(body, answers.append)
        await asyncio.sleep(0.5)
        assert getattr(answers[0], "status", 0) in (400, 488)
        heard = agent.ear.loud_ms
        await asyncio.sleep(1.0)
        assert agent.ear.loud_ms - heard >= 900
        call.hang_up()

    scene(tmp_path, caplog)


@in_world()
async def test_keys_by_info_answer_and_withdraw_and_the_rest_passes(world: World) -> None:
    call = await world.dial(talk=tone(5))
    await world.until_asked()
    call.send_info("application/dtmf-relay", b"Signal=1\r\nDuration=160\r\n")
    agent = await world.until_talking()
    assert world.lamp(Role.CUSTOMER) is Lamp.RECORDING
    for key in b"5*7":
        call.send_info("application/dtmf-relay", b"Signal=%c\r\nDuration=160\r\n" % key)
        await asyncio.sleep(0.4)
    assert agent.keys_heard == ["5", "*", "7"]
    call.send_info("application/dtmf", b"*")
    await asyncio.sleep(0.4)
    call.send_info("application/dtmf", b"2")
    await asyncio.sleep(0.4)
    assert world.lamp(Role.CUSTOMER) is Lamp.OFF
    assert agent.keys_heard == ["5", "*", "7"]
    call.hang_up()


@pytest.mark.parametrize("first", ["event", "info"])
def test_one_press_that_comes_both_ways_counts_once(
    first: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    @in_world()
    async def scene(world: World) -> None:
        call, agent = await talking(world)
        for key in "557":
            if first == "event":
                call.press(key)
                await asyncio.sleep(0.1)
                call.send_info("application/dtmf", key.encode())
            else:
                call.send_info("application/dtmf", key.encode())
                call.press(key)
            await asyncio.sleep(0.5)
        assert agent.keys_heard == ["5", "5", "7"]
        call.hang_up()

    scene(tmp_path, caplog)


@in_world()
async def test_keys_are_gathered_after_a_prompt_that_the_first_key_cuts_short(world: World) -> None:
    call, _ = await talking(world)
    verb = Gather(
        keys=3, timeout_s=2.0, prompt=Say(text="Please key in your number, and end with the hash key.", language="en")
    )
    began = world.loop.time()
    gathering = asyncio.ensure_future(world.inbound.gather(verb))
    await asyncio.sleep(0.1)
    call.press("4")
    await asyncio.sleep(0.15)
    assert not world.inbound.caller.speaking
    call.press("2#")
    assert await gathering == "42"
    began = world.loop.time()
    assert await world.inbound.gather(verb) == ""
    assert 2.4 <= world.loop.time() - began <= 2.6, "the time runs from the prompt's end"
    call.hang_up()
