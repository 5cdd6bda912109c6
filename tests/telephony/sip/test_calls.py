"""Whole calls between two user agents in virtual time."""

import asyncio
from collections.abc import Callable

import pytest

from tallylight.telephony.sip.board import SipOptions
from tallylight.telephony.sip.call import Call, Direction, WrongState
from tallylight.telephony.sip.codec import Request, parse
from tallylight.telephony.sip.errors import SipError
from tallylight.telephony.sip.network import Transport
from tallylight.telephony.sip.observer import EndCause
from tests.telephony.sip.making import (
    ANSWER,
    OFFER,
    SECOND_ANSWER,
    SECOND_OFFER,
    Phone,
    World,
    refuse_session,
    request,
    ring_and_answer,
)

ANNA, BOB = "192.0.2.1", "192.0.2.2"


def leave_alone(call: Call) -> None:
    """Neither ring nor answer."""


def two(on_call: Callable[[Call], None] = ring_and_answer) -> tuple[World, Phone, Phone]:
    world = World()
    return world, world.phone(ANNA), world.phone(BOB, on_call=on_call)


def talking(transport: str = "udp") -> tuple[World, Phone, Phone, Call, Call]:
    world, anna, bob = two()
    call = anna.dial(f"sip:bob@{BOB};transport={transport}")
    world.pass_time()
    return world, anna, bob, call, bob.calls[0]


def methods(world: World) -> list[str]:
    """Every request that was sent, in order."""
    messages = (parse(sent.data) for sent in world.internet.sent)
    return [message.method for message in messages if isinstance(message, Request)]


@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_a_call_from_invite_to_bye(transport: str) -> None:
    world, anna, bob, call, incoming = talking(transport)
    assert anna.heard.events == [("ringing", 180, None), ("answered", ANSWER)]
    assert bob.heard.events == [("acknowledged", None)]
    assert (incoming.direction, call.direction) == (Direction.INBOUND, Direction.OUTBOUND)
    assert (incoming.remote_sdp, call.remote_sdp) == (OFFER, ANSWER)
    assert (incoming.remote.user, incoming.remote.host, incoming.target.user) == ("anna", ANNA, "bob")
    assert incoming.call_id == call.call_id
    assert (incoming.trusted, incoming.identity, incoming.max_forwards) == (True, None, 70)
    call.bye()
    assert anna.heard.events[-1] == ("ended", EndCause.LOCAL)
    world.pass_time()
    assert bob.heard.events[-1] == ("ended", EndCause.REMOTE)
    assert methods(world) == ["INVITE", "ACK", "BYE"]
    call.bye()
    world.pass_time(60)
    assert world.quiet()
    assert methods(world) == ["INVITE", "ACK", "BYE"]


def test_the_callee_may_end_the_call() -> None:
    world, anna, bob, _, incoming = talking()
    incoming.bye()
    world.pass_time()
    assert bob.heard.events[-1] == ("ended", EndCause.LOCAL)
    assert anna.heard.events[-1] == ("ended", EndCause.REMOTE)
    world.pass_time(60)
    assert world.quiet()


def test_both_hang_up_at_once() -> None:
    world, anna, bob, call, incoming = talking()
    call.bye()
    incoming.bye()
    world.pass_time(60)
    assert [phone.heard.events[-1] for phone in (anna, bob)] == [("ended", EndCause.LOCAL)] * 2
    assert [phone.heard.names.count("ended") for phone in (anna, bob)] == [1, 1]
    assert world.quiet()


def test_early_media_is_a_183_with_its_session() -> None:
    world, anna, bob = two(lambda call: call.ring(ANSWER))
    anna.dial(f"sip:bob@{BOB}")
    world.pass_time()
    assert anna.heard.events == [("ringing", 183, ANSWER)]
    assert bob.calls[0].over is False


def test_a_call_nobody_takes_up_is_told_to_wait_and_not_repeated() -> None:
    world, anna, _ = two(leave_alone)
    anna.dial(f"sip:bob@{BOB}")
    world.pass_time(40)
    assert anna.heard.events == []
    assert methods(world) == ["INVITE"]


def test_a_rejected_call_fails_with_the_code_and_phrase_and_is_silent_on_its_own_side() -> None:
    world, anna, bob = two(lambda call: call.reject(486, "Busy\r\nVia: x"))
    anna.dial(f"sip:bob@{BOB}")
    world.pass_time(60)
    assert anna.heard.events == [("failed", 486, "Busy Via: x")]
    assert bob.heard.events == []
    assert world.quiet()


def test_nobody_there() -> None:
    world = World()
    anna = world.phone(ANNA)
    anna.dial("sip:x@192.0.2.99")
    world.pass_time(33)
    assert anna.heard.events == [("failed", 408, "Request Timeout")]
    anna.dial("sip:x@192.0.2.99;transport=tcp")
    world.pass_time(1)
    assert anna.heard.events[1:] == [("failed", 503, "Service Unavailable")]
    assert world.quiet()


def test_a_cancelled_call() -> None:
    world, anna, bob = two(lambda call: call.ring())
    call = anna.dial(f"sip:bob@{BOB}")
    world.pass_time()
    call.cancel()
    call.cancel()
    world.pass_time(60)
    assert anna.heard.events == [("ringing", 180, None), ("failed", 487, "Request Terminated")]
    assert bob.heard.events == [("cancelled",)]
    assert methods(world) == ["INVITE", "CANCEL", "ACK"]
    assert world.quiet()
    with pytest.raises(WrongState, match="cannot be answered now"):
        bob.calls[0].answer(ANSWER)


def test_a_cancel_waits_for_the_first_provisional_response() -> None:
    world, anna, bob = two(lambda call: call.ring())
    call = anna.dial(f"sip:bob@{BOB}")
    call.cancel()
    assert methods(world) == ["INVITE"]
    world.pass_time(60)
    assert methods(world) == ["INVITE", "CANCEL", "ACK"]
    assert anna.heard.events == [("failed", 487, "Request Terminated")]
    assert bob.heard.events == [("cancelled",)]
    assert world.quiet()


def test_a_cancel_that_crosses_the_answer_ends_in_ack_and_bye() -> None:
    world, anna, bob = two(lambda call: call.ring())
    call = anna.dial(f"sip:bob@{BOB}")
    world.pass_time()
    bob.calls[0].answer(ANSWER)
    call.cancel()
    world.pass_time(60)
    assert anna.heard.events[-1] == ("failed", 487, "Request Terminated")
    assert "answered" not in anna.heard.names
    assert bob.heard.events == [("acknowledged", None), ("ended", EndCause.REMOTE)]
    assert methods(world)[-2:] == ["ACK", "BYE"]
    assert world.quiet()


def test_bye_ends_a_call_in_whichever_way_its_state_asks_for() -> None:
    world, anna, bob = two(lambda call: call.ring())
    anna.dial(f"sip:bob@{BOB}")
    world.pass_time()
    bob.calls[0].bye()
    world.pass_time()
    assert anna.heard.events[-1] == ("failed", 480, "Temporarily Unavailable")
    call = anna.dial(f"sip:bob@{BOB}")
    world.pass_time()
    call.bye()
    world.pass_time(60)
    assert anna.heard.events[-1] == ("failed", 487, "Request Terminated")
    assert world.quiet()


def test_a_callee_that_hangs_up_before_the_ack_says_bye_after_it() -> None:
    def answer_and_hang_up(call: Call) -> None:
        call.answer(ANSWER)
        call.bye()

    world, anna, bob = two(answer_and_hang_up)
    anna.dial(f"sip:bob@{BOB}")
    world.pass_time(60)
    assert methods(world) == ["INVITE", "ACK", "BYE"]
    assert anna.heard.events == [("answered", ANSWER), ("ended", EndCause.REMOTE)]
    assert bob.heard.events == [("ended", EndCause.LOCAL)]
    assert world.quiet()


def test_a_re_invite_both_ways() -> None:
    world, anna, bob, call, incoming = talking()
    answers: list[bytes | SipError] = []
    call.reoffer(SECOND_OFFER, answers.append)
    world.pass_time()
    incoming.reoffer(SECOND_OFFER, answers.append)
    world.pass_time()
    assert answers == [SECOND_ANSWER, SECOND_ANSWER]
    assert bob.heard.events[1:] == [("reoffered", SECOND_OFFER), ("acknowledged", None)]
    assert anna.heard.events[2:] == [("reoffered", SECOND_OFFER), ("acknowledged", None)]
    assert (call.remote_sdp, incoming.remote_sdp) == (SECOND_OFFER, SECOND_ANSWER)
    assert methods(world)[2:] == ["INVITE", "ACK"] * 2
    world.pass_time(60)
    assert not call.over


def test_a_refused_re_invite_leaves_the_call() -> None:
    world, _, bob, call, incoming = talking()
    bob.heard.on_reoffer = refuse_session
    answers: list[bytes | SipError] = []
    call.reoffer(SECOND_OFFER, answers.append)
    world.pass_time()
    (answer,) = answers
    assert isinstance(answer, SipError)
    assert answer.status == 488
    assert not call.over
    assert not incoming.over
    assert call.remote_sdp == ANSWER


def test_offers_wait_for_each_other_and_the_last_one_counts() -> None:
    world, _, bob, call, _ = talking()
    answers: list[tuple[str, object]] = []

    def note(name: str) -> Callable[[bytes | SipError], None]:
        return lambda answer: answers.append((name, answer.status if isinstance(answer, SipError) else answer))

    call.reoffer(b"first", note("first"))
    call.reoffer(b"second", note("second"))
    call.reoffer(b"third", note("third"))
    world.pass_time()
    assert answers == [("second", 491), ("first", SECOND_ANSWER), ("third", SECOND_ANSWER)]
    assert [event[1] for event in bob.heard.events if event[0] == "reoffered"] == [b"first", b"third"]


def test_glare_is_refused_on_both_sides_and_tried_again_at_different_times() -> None:
    world, anna, bob, call, incoming = talking()
    answers: list[bytes | SipError] = []
    call.reoffer(b"from anna", answers.append)
    incoming.reoffer(b"from bob", answers.append)
    world.pass_time(0.5)
    assert answers == []
    world.pass_time(10)
    assert answers == [SECOND_ANSWER, SECOND_ANSWER]
    assert ("reoffered", b"from anna") in bob.heard.events
    assert ("reoffered", b"from bob") in anna.heard.events
    # Section 14.1: the maker of the Call-ID waits 2.1 to 4 s, the other side at most 2 s.
    tries: dict[bytes, list[int]] = {}
    for sent in world.internet.sent:
        tries.setdefault(parse(sent.data).body, []).append(sent.at_ms)
    (first, second), (third, fourth) = tries[b"from anna"], tries[b"from bob"]
    assert 2100 <= second - first <= 4050
    assert fourth - third <= 2050


def test_a_re_invite_nobody_answers_ends_the_call() -> None:
    world, anna, bob, call, _ = talking()
    world.internet.nodes.pop((BOB, 5060))
    answers: list[bytes | SipError] = []
    call.reoffer(SECOND_OFFER, answers.append)
    world.pass_time(33)
    assert [getattr(answer, "status", None) for answer in answers] == [408]
    assert anna.heard.events[-1] == ("ended", EndCause.LOST)
    world.pass_time(40)
    assert not anna.agent.transactions_alive
    assert bob.heard.names == ["acknowledged"]


def test_an_offer_that_waits_is_told_when_the_call_ends() -> None:
    world, _, _, call, _ = talking()
    answers: list[bytes | SipError] = []
    call.reoffer(b"first", answers.append)
    call.reoffer(b"second", answers.append)
    call.bye()
    assert [getattr(answer, "status", None) for answer in answers] == [481, 481]
    world.pass_time(60)
    assert world.quiet()


def test_info_both_ways() -> None:
    world, anna, bob, call, incoming = talking()
    call.info("application/dtmf-relay", b"Signal=1\r\n")
    world.pass_time()
    incoming.info("application/dtmf", b"2")
    world.pass_time()
    assert bob.heard.events[-1] == ("info", "application/dtmf-relay", b"Signal=1\r\n")
    assert anna.heard.events[-1] == ("info", "application/dtmf", b"2")
    assert not call.over


def test_a_large_offer_goes_by_tcp_and_so_does_the_rest_of_the_call() -> None:
    world, anna, bob = two()
    call = anna.dial(f"sip:bob@{BOB}", sdp=OFFER + b"a=x:" + b"y" * 1300 + b"\r\n")
    world.pass_time()
    call.bye()
    world.pass_time(60)
    by = [
        (sent.transport, message.method)
        for sent in world.internet.sent
        if isinstance(message := parse(sent.data), Request)
    ]
    assert by == [(Transport.TCP, "INVITE"), (Transport.TCP, "ACK"), (Transport.TCP, "BYE")]
    assert bob.heard.events[-1] == ("ended", EndCause.REMOTE)
    assert world.quiet()


def test_a_large_offer_to_a_peer_without_tcp_goes_by_udp() -> None:
    world = World()
    anna = world.phone(ANNA)
    bob = world.phone(BOB, transports=frozenset([Transport.UDP]))
    anna.dial(f"sip:bob@{BOB}", sdp=OFFER + b"a=x:" + b"y" * 1300 + b"\r\n")
    world.pass_time()
    assert anna.heard.names == ["ringing", "answered"]
    assert bob.heard.names == ["acknowledged"]


def test_a_process_may_call_itself() -> None:
    world = World()
    anna = world.phone(ANNA)
    call = anna.dial(f"sip:bob@{ANNA}")
    world.pass_time()
    assert sorted(map(str, anna.heard.names)) == ["acknowledged", "answered", "ringing"]
    call.bye()
    world.pass_time(60)
    assert [event[1] for event in anna.heard.events if event[0] == "ended"] == [EndCause.LOCAL, EndCause.REMOTE]
    assert world.quiet()


def test_a_2xx_whose_ack_never_comes_is_repeated_and_ended_after_32_s() -> None:
    world, _, bob = two(leave_alone)
    raw = world.raw("192.0.2.9")
    raw.send(request(body=OFFER), BOB)
    world.pass_time(0.1)
    bob.calls[0].answer(ANSWER)
    world.pass_time(31)
    copies = [message for message in raw.responses if message.status == 200]
    assert len(copies) == 10
    world.pass_time(2)
    assert bob.heard.events == [("ended", EndCause.LOST)]
    assert [message.method for message in raw.requests[:1]] == ["BYE"]


def fault(call: Call) -> None:
    raise RuntimeError("+4512345678 must not be logged")


def test_a_fault_of_the_upper_layer_at_a_new_call_is_a_500(caplog: pytest.LogCaptureFixture) -> None:
    world, anna, bob = two(fault)
    anna.dial(f"sip:+4512345678@{BOB}")
    world.pass_time(60)
    assert anna.heard.events == [("failed", 500, "Server Internal Error")]
    assert bob.agent.counters.observer_errors == 1
    assert "RuntimeError in fault" in caplog.text
    assert "4512345678" not in caplog.text
    assert anna.calls[0].call_id not in caplog.text
    assert world.quiet()


@pytest.mark.parametrize("where", ["acknowledged", "answered", "ringing"])
def test_a_fault_of_the_upper_layer_later_ends_the_call(where: str) -> None:
    world, anna, bob = two()

    def raise_there(call: Call, name: str) -> None:
        if name == where:
            raise ValueError(name)

    anna.heard.on_event = bob.heard.on_event = raise_there
    anna.dial(f"sip:bob@{BOB}")
    world.pass_time(60)
    assert sum(phone.agent.counters.observer_errors for phone in (anna, bob)) == 1
    assert anna.heard.names[-1] in ("ended", "failed")
    assert bob.heard.names[-1] in ("ended", "cancelled")
    assert world.quiet()


@pytest.mark.parametrize(("where", "status"), [("reoffered", 500), ("info", 500)])
def test_a_fault_within_a_request_is_a_500_and_the_call_goes_on(where: str, status: int) -> None:
    world, _, bob, call, incoming = talking()

    def raise_there(call: Call, name: str) -> None:
        if name == where:
            raise ValueError(name)

    bob.heard.on_event = raise_there
    answers: list[bytes | SipError] = []
    call.reoffer(SECOND_OFFER, answers.append)
    call.info("application/dtmf", b"1")
    world.pass_time()
    statuses = [getattr(parse(sent.data), "status", 0) for sent in world.internet.sent]
    assert statuses.count(status) == 1
    assert not call.over
    assert not incoming.over


def test_stop_ends_every_call_and_answers_new_ones_503() -> None:
    world, anna, bob, _, _ = talking()
    carol = world.phone("192.0.2.3", on_call=lambda call: call.ring())
    ringing = bob.dial("sip:carol@192.0.2.3")
    bob_rings = anna.dial(f"sip:bob@{BOB}")
    world.pass_time()

    async def stop() -> None:
        stopping = asyncio.create_task(bob.agent.stop())
        await asyncio.sleep(0)
        anna.dial(f"sip:bob@{BOB}")
        world.pass_time(0.5)
        await stopping

    asyncio.run(stop())
    assert bob.heard.events.count(("ended", EndCause.STOPPED)) == 2
    assert ringing.over
    assert bob_rings.over
    assert carol.heard.events == [("cancelled",)]
    assert ("failed", 503, "Service Unavailable") in anna.heard.events
    assert not bob.agent.transactions_alive
    with pytest.raises(SipError, match="stopping"):
        bob.dial(f"sip:anna@{ANNA}")


def test_stop_does_not_wait_for_peers_that_are_gone() -> None:
    world = World()
    anna = world.phone(ANNA, options=SipOptions(stop_s=2.0))
    world.phone(BOB)
    anna.dial(f"sip:bob@{BOB}")
    world.pass_time()
    world.internet.nodes.pop((BOB, 5060))

    async def stop() -> None:
        stopping = asyncio.create_task(anna.agent.stop())
        await asyncio.sleep(0)
        world.pass_time(1.9)
        await asyncio.sleep(0)
        assert not stopping.done()
        world.pass_time(0.2)
        await stopping

    asyncio.run(stop())
    assert anna.heard.events[-1] == ("ended", EndCause.STOPPED)


def test_what_a_call_cannot_do_is_said() -> None:
    world, anna, bob = two(lambda call: call.ring())
    call = anna.dial(f"sip:bob@{BOB}")
    with pytest.raises(WrongState, match="cannot carry an INFO"):
        call.info("a/b", b"")
    world.pass_time()
    incoming = bob.calls[0]
    attempts: list[Callable[[], None]] = [
        call.ring,
        incoming.cancel,
        lambda: call.answer(ANSWER),
        lambda: call.reject(486),
        lambda: incoming.reject(200),
        lambda: call.reoffer(OFFER),
    ]
    for attempt in attempts:
        with pytest.raises(WrongState):
            attempt()
    for target in ("sips:a@b", "tel:+45", "sip:a@b;transport=tls"):
        with pytest.raises(SipError) as caught:
            anna.dial(target)
        assert caught.value.status == 416
    with pytest.raises(SipError) as caught:
        anna.dial(f"sip:bob@{BOB}", max_forwards=0)
    assert caught.value.status == 483


def test_hops_count_down_through_a_chain_of_calls() -> None:
    world, anna, bob = two()
    anna.dial(f"sip:bob@{BOB}", max_forwards=1)
    world.pass_time()
    assert bob.calls[0].max_forwards == 1
    assert bob.calls[0].peer_host == ANNA
