"""The agent's leg: ringing, every way of not answering, and either side's end."""

import asyncio
from pathlib import Path

import pytest

from tallylight.demo.phone import CallFailed, PhoneCall, PhoneRing
from tallylight.law.vocabulary import Role
from tallylight.telephony.sip.board import Credentials
from tallylight.telephony.sip.uri import SipUri
from tests.telephony.b2bua.world import AGENT, CALLER, World, in_world, tone

FOREIGN = "127.0.0.7"


async def no_agent(world: World) -> PhoneCall:
    """A call that comes to its apology: from the ringing to the BYE."""
    call = await world.dial(talk=tone(5))
    await world.until_asked()
    call.press("2")
    await world.until(call.is_over.is_set, 90)
    await world.until_quiet()
    assert world.agent.calls == []
    return call


@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        (486, "agent_busy"),
        (600, "agent_busy"),
        (603, "agent_declined"),
        (403, "agent_declined"),
        (480, "agent_no_answer"),
        (404, "agent_unreachable"),
        (503, "agent_unreachable"),
    ],
)
def test_an_agent_who_refuses(status: int, outcome: str, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    @in_world()
    async def scene(world: World) -> None:
        world.agent.refuse = status
        call = await no_agent(world)
        assert world.last.outcome == outcome
        # The apology is the last that was said, and it was said to its end.
        assert world.talk(Role.SYSTEM)[-1].duration_ms == 400
        assert call.ear.last_loud_ms is not None

    scene(tmp_path, caplog)


@in_world()
async def test_an_agent_who_does_not_answer_in_30_s_is_cancelled(world: World) -> None:
    world.agent.answer_s = None
    call = await no_agent(world)
    assert world.last.outcome == "agent_no_answer"
    (cancel,) = {sent.data.split(b"\r\n")[0] for sent in world.internet.sent if sent.data.startswith(b"CANCEL ")}
    assert cancel.startswith(f"CANCEL sip:agent@{AGENT}".encode())
    invited = world.sent_ms(b"INVITE", AGENT)
    assert 30_000 <= world.sent_ms(b"CANCEL", AGENT) - invited <= 30_020
    assert world.agent.rings[0].over
    assert call.ear.loud_ms > 5000, "the ringing was not heard"


@in_world()
async def test_an_agent_who_is_not_there_at_all(world: World) -> None:
    world.internet.nodes.pop((AGENT, 5060))
    await no_agent(world)
    assert world.last.outcome in {"agent_no_answer", "agent_unreachable"}


@in_world()
async def test_an_answer_that_crosses_our_cancel_ends_in_order_whoever_was_first(world: World) -> None:
    for late_ms in range(-6, 10, 3):
        world.agent.answer_s = 30.0 + late_ms / 1000
        taken = len(world.agent.calls)
        call = await world.dial(talk=tone(5))
        await world.until_asked()
        call.press("2")
        await asyncio.sleep(34)
        if not call.is_over.is_set():
            call.hang_up()
        await world.until(lambda: not world.server.switchboard.calls)
        await asyncio.sleep(0.5)
        assert all(agent.is_over.is_set() for agent in world.agent.calls[taken:])
    assert {entry.outcome for entry in world.listed()} == {"completed", "agent_no_answer"}


@in_world()
async def test_the_agents_bye_ends_the_callers_side(world: World) -> None:
    call = await world.dial(talk=tone(5))
    await world.until_asked()
    call.press("1")
    agent = await world.until_talking()
    agent.hang_up()
    await asyncio.sleep(0.1)
    assert call.is_over.is_set()
    await world.until_quiet()
    assert world.last.outcome == "completed"


@in_world(prompt_s=2.0)
async def test_an_agent_who_answers_while_we_still_speak_is_connected_at_once(world: World) -> None:
    world.agent.answer_s = 0.2
    world.agent.talk = tone(3)
    call = await world.dial(talk=tone(9))
    await world.until_asked()
    call.press("1")
    agent = await world.until_talking()
    await asyncio.sleep(0.5)
    assert world.inbound.caller.speaking
    assert agent.ear.loud_ms >= 400
    before = len(call.ear.samples)
    await asyncio.sleep(3)
    assert not world.inbound.caller.speaking
    assert abs(call.ear.samples[-400]) == pytest.approx(3000, rel=0.1)
    assert len(call.ear.samples) - before == pytest.approx(24_000, rel=0.05)
    call.hang_up()


@in_world()
async def test_the_caller_hears_ringing_while_the_agent_rings_and_none_once_it_answers(world: World) -> None:
    world.agent.answer_s = 8
    call = await world.dial(talk=tone(5))
    await world.until_asked()
    call.press("2")
    await asyncio.sleep(2)
    heard = call.ear.loud_ms
    await asyncio.sleep(5)
    assert 800 <= call.ear.loud_ms - heard <= 1300
    await world.until_talking()
    heard = call.ear.loud_ms
    await asyncio.sleep(6)
    assert call.ear.loud_ms - heard <= 40
    call.hang_up()


@in_world()
async def test_an_agent_whose_answer_makes_no_sense_is_unreachable(world: World) -> None:
    world.agent.answer_sdp = b"v=0\r\nthis is no session\r\n"
    await no_agent_with_answer(world)
    assert world.last.outcome == "agent_unreachable"


@in_world()
async def test_an_agent_without_a_stream_in_common_is_unreachable(world: World) -> None:
    world.agent.answer_sdp = (
        b"v=0\r\no=- 1 1 IN IP4 127.0.0.2\r\ns=-\r\nc=IN IP4 127.0.0.2\r\nt=0 0\r\nm=audio 0 RTP/AVP 0\r\n"
    )
    await no_agent_with_answer(world)
    assert world.last.outcome == "agent_unreachable"


async def no_agent_with_answer(world: World) -> None:
    call = await world.dial(talk=tone(5))
    await world.until_asked()
    call.press("2")
    await world.until(call.is_over.is_set, 90)
    await world.until_quiet()


@in_world()
async def test_the_agent_sees_the_callers_number_at_our_host_and_one_hop_less(world: World) -> None:
    call = await world.dial(talk=tone(5))
    await world.until_asked()
    call.press("2")
    await world.until_talking()
    (invite,) = {sent.data for sent in world.internet.sent if sent.data.startswith(b"INVITE sip:agent@")}
    assert b"\r\nFrom: <sip:+4520123456@127.0.0.1:5060>;" in invite
    assert b"\r\nMax-Forwards: 69\r\n" in invite
    assert CALLER.encode() not in invite
    call.hang_up()


@in_world()
async def test_an_anonymous_caller_stays_anonymous(world: World) -> None:
    call = await world.dial("anonymous", talk=tone(5), host="anonymous.invalid")
    await world.until_asked()
    call.press("2")
    await world.until_talking()
    assert world.agent.rings[0].caller.user == "anonymous"
    call.hang_up()
    await world.until_quiet()
    (address,) = [party.address for party in world.last.parties if party.role is Role.CUSTOMER]
    assert address == "sip:anonymous@anonymous.invalid"


@in_world(ports=(10_000, 10_003))
async def test_without_a_port_for_the_agent_the_caller_hears_an_apology(world: World) -> None:
    other = await world.add_phone("127.0.0.4", number="+4533334444")
    blocking = await world.dial(talk=tone(5))
    await world.until_asked()
    blocking_call = world.inbound
    call = await world.dial_from(other, talk=tone(5))
    (second,) = (other_call for other_call in world.server.switchboard.calls if other_call is not blocking_call)
    await world.until_asked(second)
    call.press("2")
    await world.until(call.is_over.is_set, 20)
    third = await world.add_phone("127.0.0.5", number="+4544445555")
    again = await world.dial_from(other)
    with pytest.raises(CallFailed) as refused:
        await world.dial_from(third)
    assert refused.value.status == 503
    again.hang_up()
    blocking.hang_up()
    await world.until_quiet()
    outcomes = [entry.outcome for entry in world.listed()]
    assert outcomes == ["abandoned", "agent_unreachable", "abandoned"]
    await world.leave(other)
    await world.leave(third)


@in_world(project='numbers = ["+4570101010"]')
async def test_a_number_nobody_has_is_not_found(world: World) -> None:
    with pytest.raises(CallFailed) as refused:
        await world.dial()
    assert refused.value.status == 404
    assert world.listed() == []


@in_world(prompt_s=None, sip='credentials = { anna = "secret" }')
async def test_only_proven_credentials_reach_another_target(world: World) -> None:
    rung: list[str] = []

    def refuse(ring: PhoneRing) -> None:
        rung.append("bob")
        ring.refuse(486)

    foreign = await world.add_phone(FOREIGN, number="bob", on_ring=refuse)
    # Let in by its address, and never challenged: an inbound call like any other.
    near = await world.add_phone("127.0.0.8", routed=True)
    listed = near.call(SipUri(user="bob", host=FOREIGN, port=5060))
    await listed.until_answered()
    await world.until_asked()
    listed.press("2")
    await world.until_talking()
    assert rung == []
    listed.hang_up()
    stranger = await world.add_phone("198.51.100.9", number="anna", routed=True)
    unproven = stranger.call(SipUri(user="bob", host=FOREIGN, port=5060))
    with pytest.raises(CallFailed) as refused:
        await unproven.until_answered()
    assert refused.value.status == 401
    proven = stranger.call(
        SipUri(user="bob", host=FOREIGN, port=5060),
        credentials=Credentials(username="anna", password="secret"),
    )
    await proven.until_answered()
    await world.until_asked()
    proven.press("2")
    await world.until(proven.is_over.is_set, 20)
    assert rung == ["bob"]
    await world.until_quiet()
    assert [entry.outcome for entry in world.listed()] == ["completed", "agent_busy"]
    for phone in (near, stranger, foreign):
        await world.leave(phone)


@in_world(prompt_s=1.0)
async def test_a_caller_who_hangs_up_at_any_moment_leaves_nothing_open(world: World) -> None:
    world.agent.answer_s = 1.0
    for at_ms in range(0, 6000, 430):
        call = await world.dial(talk=tone(5))
        runner = world.runner()
        pressed = False
        while runner.offset_ms() < at_ms:
            await asyncio.sleep(0.02)
            if runner.offset_ms() > 2300 and not pressed:
                pressed = True
                call.press("1")
        call.hang_up()
        await world.until(lambda: not world.server.switchboard.calls)
        entry = world.last
        given = world.consent(entry) == "given"
        assert entry.outcome == ("completed" if any(p.role is Role.AGENT for p in entry.parties) else "abandoned")
        if not given:
            assert world.talk(Role.CUSTOMER, entry) == []
            assert world.talk(Role.SYSTEM, entry) == []
        assert world.opened_decisions(entry)
    assert {entry.outcome for entry in world.listed()} == {"completed", "abandoned"}
