"""Calls over a network that loses, doubles and disorders: any seed, the same promises."""

from hypothesis import given, settings
from hypothesis import strategies as st

from tallylight.clock import VirtualClock
from tallylight.telephony.sip.network import Hop, Transport
from tallylight.telephony.sip.simulated import SimulatedInternet, Weather
from tests.telephony.sip.making import (
    ANSWER,
    OFFER,
    SECOND_OFFER,
    RawPeer,
    World,
    request,
    ring_and_answer,
    run,
)

ANNA, BOB, RAW = "192.0.2.1", "192.0.2.2", "192.0.2.9"

storms = st.builds(
    Weather,
    loss=st.sampled_from([0.0, 0.1, 0.3, 0.5]),
    duplication=st.sampled_from([0.0, 0.2, 0.5]),
    delay_min_s=st.just(0.001),
    delay_max_s=st.sampled_from([0.002, 0.2, 1.0]),
)
ACTS = st.sampled_from(
    ["wait", "long wait", "reoffer", "answer offer", "info", "bye", "cancel", "callee bye", "answer"]
)


@settings(max_examples=150)
@given(st.integers(0, 1 << 30), storms, st.lists(ACTS, max_size=8), st.sampled_from(["udp", "tcp"]), st.booleans())
def test_every_call_ends_once_on_both_sides_and_nothing_is_left(
    seed: int, weather: Weather, acts: list[str], transport: str, answers_at_once: bool
) -> None:
    world = World(seed=seed, weather=weather)
    anna = world.phone(ANNA)
    bob = world.phone(BOB, on_call=ring_and_answer if answers_at_once else lambda call: call.ring())
    call = anna.dial(f"sip:bob@{BOB};transport={transport}")
    for act in acts:
        incoming = bob.calls[0] if bob.calls else None
        match act:
            case "wait":
                world.pass_time(0.3)
            case "long wait":
                world.pass_time(5)
            case "reoffer" if call.answered and not call.over:
                call.reoffer(SECOND_OFFER)
            case "answer offer" if incoming is not None and incoming.answered and not incoming.over:
                incoming.reoffer(SECOND_OFFER)
            case "info" if call.answered and not call.over:
                call.info("application/dtmf", b"1")
            case "bye":
                call.bye()
            case "cancel" if not call.answered:
                call.cancel()
            case "callee bye" if incoming is not None:
                incoming.bye()
            case "answer" if incoming is not None and not incoming.answered and not incoming.over:
                incoming.answer(ANSWER)
    world.pass_time(70)
    for phone in (anna, bob):
        for each in phone.calls:
            each.bye()
    world.pass_time(200)
    assert len(bob.calls) <= 1
    assert call.over
    for phone in (anna, bob):
        ends = [name for name in phone.heard.names if name in ("failed", "cancelled", "ended")]
        assert len(ends) <= 1
        assert not ends or phone.heard.names[-1] == ends[0]
        assert phone.heard.names.count("answered") <= 1
        assert phone.agent.counters.observer_errors == 0
        assert phone.agent.counters.dropped["internal_error"] == 0
    assert len([name for name in anna.heard.names if name in ("failed", "ended")]) == 1
    assert world.quiet()


def test_a_call_survives_the_loss_of_every_third_datagram() -> None:
    answered = 0
    for seed in range(20):
        world = World(seed=seed, weather=Weather(loss=0.33, duplication=0.1, delay_max_s=0.1))
        anna, bob = world.phone(ANNA), world.phone(BOB)
        call = anna.dial(f"sip:bob@{BOB}")
        world.pass_time(31)
        answered += call.answered and "acknowledged" in bob.heard.names
        assert len(bob.calls) == 1
        call.bye()
        world.pass_time(100)
        assert world.quiet()
    assert answered >= 19


def test_the_same_seed_is_the_same_run() -> None:
    def once() -> list[tuple[int, bytes]]:
        world = World(seed=7, weather=Weather(loss=0.3, duplication=0.3, delay_max_s=0.4))
        anna = world.phone(ANNA)
        world.phone(BOB)
        call = anna.dial(f"sip:bob@{BOB}")
        world.pass_time(20)
        call.bye()
        world.pass_time(60)
        return [(sent.at_ms, sent.data) for sent in world.internet.sent]

    first = once()
    assert first == once()
    assert len(first) > 6


def test_a_stream_keeps_its_order_and_loses_nothing() -> None:
    clock = VirtualClock()
    internet = SimulatedInternet(
        clock, seed=3, weather=Weather(loss=0.9, duplication=0.9, delay_min_s=0, delay_max_s=1)
    )
    got: list[bytes] = []
    here, there = internet.node(ANNA), internet.node(BOB)
    run(here.start(lambda data, source: None))
    run(there.start(lambda data, source: got.append(data)))
    messages = [request("INFO", call_id=str(number), body=OFFER) for number in range(20)]
    for message in messages:
        here.send(message, Hop(transport=Transport.TCP, host=BOB, port=5060), lambda: None)
    clock.advance(60)
    assert got == messages


noise = st.one_of(
    st.binary(max_size=60),
    st.builds(
        request,
        st.sampled_from(["INVITE", "ACK", "BYE", "CANCEL", "OPTIONS", "INFO", "UPDATE", "X"]),
        branch=st.sampled_from(["z9hG4bK1", "z9hG4bK2", "old", ""]),
        cseq=st.integers(0, 4),
        call_id=st.sampled_from(["a", "b"]),
        to_tag=st.sampled_from(["", "TAG", "x"]),
        uri=st.sampled_from(["sip:bob@192.0.2.2", "sips:x@y", "tel:+45", "x"]),
        body=st.sampled_from([b"", OFFER, b"<x/>"]),
        content_type=st.sampled_from(["application/sdp", "text/xml", "multipart/mixed;boundary=x"]),
        extra=st.sampled_from(
            ["", "Require: x\r\n", "Contact: *\r\n", "Record-Route: <sip:[>\r\n", "Authorization: D\r\n"]
        ),
        via=st.sampled_from([None, "SIP/2.0/UDP x", "SIP/2.0/TCP [::1]:9;rport=5;received=x;branch=z9hG4bK1"]),
    ),
)


@settings(max_examples=150)
@given(st.lists(st.tuples(noise, st.sampled_from(list(Transport)), st.sampled_from([0.0, 0.1, 40.0])), max_size=12))
def test_no_order_of_messages_raises_or_leaves_anything_behind(steps: list[tuple[bytes, Transport, float]]) -> None:
    world = World()
    bob = world.phone(BOB)
    raw = RawPeer(world, world.internet.node(RAW))
    for data, transport, pause in steps:
        tags = [response.to_tag for response in raw.responses if response.to_tag]
        if tags:
            data = data.replace(b"TAG", tags[-1].encode())
        bob.agent.receive(data, Hop(transport=transport, host=RAW, port=5060))
        world.pass_time(pause)
    assert bob.agent.counters.dropped["internal_error"] == 0
    assert bob.agent.counters.observer_errors == 0
    world.pass_time(200)
    for call in bob.calls:
        call.bye()
    world.pass_time(200)
    assert world.quiet()
