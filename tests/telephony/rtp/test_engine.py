"""The tick, the ports, reports, and what goes wrong without stopping a call."""

import logging

import pytest

from tallylight.clock import VirtualClock
from tallylight.telephony.rtp import rtcp
from tallylight.telephony.rtp.engine import ROUNDS, MediaEngine
from tallylight.telephony.rtp.errors import PortsExhausted
from tallylight.telephony.rtp.leg import DigitSource
from tallylight.telephony.rtp.negotiated import Codec, Negotiated
from tallylight.telephony.rtp.network import MemoryNetwork
from tallylight.telephony.rtp.prompt import Prompt
from tests.telephony.rtp.phones import EVENT, House, Phone, Sink, opened, port_range, sound


def test_the_tick_keeps_to_its_grid_and_catches_up() -> None:
    clock = VirtualClock()
    engine = MediaEngine(clock=clock, network=MemoryNetwork())
    ticks: list[int] = []
    engine.tick = lambda: ticks.append(clock.monotonic_ns() // 1_000_000)  # type: ignore[method-assign]
    engine.open_leg()
    engine.start()
    clock.advance(0.0305)
    assert ticks == [10, 20, 30]
    engine.stop()
    clock.advance(1)
    assert ticks == [10, 20, 30]


def test_a_slow_tick_leaves_out_instants_and_does_not_drift() -> None:
    clock = VirtualClock()
    network = MemoryNetwork()
    engine = MediaEngine(clock=clock, network=network)
    seen: list[int] = []
    real = network.poll

    def slow(hurried: bool, /) -> list[tuple[int, int]]:
        if hurried:
            seen.append(clock.monotonic_ns() // 1_000_000)
            if len(seen) == 2:
                clock.advance(0.034)
        return real(hurried)

    network.poll = slow  # type: ignore[method-assign]
    engine.open_leg()
    engine.start()
    clock.advance(0.1)
    assert seen[:5] == [10, 20, 60, 70, 80]
    engine.stop()


def test_it_runs_on_a_real_loop() -> None:
    import asyncio

    from tallylight.clock import SystemClock

    async def talk() -> int:
        engine = MediaEngine(clock=SystemClock(), ports=port_range())
        engine.start()
        phone = Phone()
        leg = engine.open_leg()
        leg.configure(Negotiated(remote=phone.address, codec=Codec.PCMU))
        done = asyncio.Event()
        leg.play(Prompt(bytes(16 * 100)), on_done=done.set)
        await asyncio.wait_for(done.wait(), 10)
        engine.stop()
        heard = len(phone.receive())
        phone.close()
        return heard

    assert asyncio.run(talk()) >= 5


def test_ports_are_given_back_and_run_out(house: House) -> None:
    engine = MediaEngine(clock=house.clock, network=MemoryNetwork(), ports=(10_000, 10_007), advertise="203.0.113.5")
    legs = [engine.open_leg() for _ in range(4)]
    assert {leg.address[0] for leg in legs} == {"203.0.113.5"}
    assert sorted(leg.port for leg in legs) == [10_000, 10_002, 10_004, 10_006]
    with pytest.raises(PortsExhausted):
        engine.open_leg()
    legs[2].close()
    legs[2].close()
    assert (engine.legs, engine.free_pairs) == (3, 1)
    assert engine.open_leg().port == legs[2].port
    engine.stop()
    assert engine.legs == 0


def test_a_flood_on_one_port_starves_no_other(house: House) -> None:
    noisy, calm = house.phone(), house.phone()
    flooded, leg = house.leg(noisy), house.leg(calm)
    leg.sink = sink = Sink()
    noisy.send(flooded, sound(0))
    house.run(10)
    for index in range(100):
        noisy.send(flooded, sound(index))
    calm.send(leg, sound(7))
    house.engine.tick()
    assert sink.payloads == [sound(7)]
    assert flooded.stats.received == 1 + ROUNDS


def test_reports_go_out_every_five_seconds_or_so(house: House) -> None:
    voice, control = house.pair()
    leg = house.leg(voice)
    for index in range(3_000):
        if index % 10 != 9:
            voice.send(leg, sound(index))
        else:
            voice.packet(sound(index))
        house.run(20)
    compounds = control.reports()
    assert 7 <= len(compounds) <= 22
    names = set()
    for report, description in compounds:
        assert isinstance(report, rtcp.SenderReport)
        assert isinstance(description, rtcp.SourceDescription)
        names.add(description.cname)
        (block,) = report.blocks
        assert block.ssrc == voice.ssrc
        assert 20 <= block.fraction_lost <= 32
    assert len(names) == 1
    last = compounds[-1][0]
    assert isinstance(last, rtcp.SenderReport)
    assert last.packets == pytest.approx(3_000, abs=400)
    assert last.octets == 160 * last.packets
    assert last.blocks[0].lost == pytest.approx(300, abs=40)
    leg.close()
    ((*_, goodbye),) = control.reports()
    assert goodbye == rtcp.Goodbye(ssrcs=(leg.outgoing.ssrc,))


def test_the_other_sides_reports_are_read(house: House) -> None:
    voice, control = house.pair()
    leg = house.leg(voice)
    house.run(8_000)
    ours = control.reports()[-1][0]
    assert isinstance(ours, rtcp.SenderReport)
    block = rtcp.ReportBlock(
        ssrc=leg.outgoing.ssrc,
        fraction_lost=3,
        lost=12,
        highest=5,
        jitter=8,
        last_report=ours.ntp >> 16 & 0xFFFFFFFF,
        delay=0,
    )
    theirs = rtcp.serialise([rtcp.ReceiverReport(ssrc=voice.ssrc, blocks=(block,))])
    waited = house.clock.wall_ms() - ((ours.ntp >> 32) - 2_208_988_800) * 1000 - ((ours.ntp & 0xFFFFFFFF) * 1000 >> 32)
    control.socket.sendto(theirs, (leg.address[0], leg.port + 1))
    house.run(50)
    assert leg.stats.remote_lost == 12
    assert leg.stats.round_trip_ms == pytest.approx(waited + 10, abs=3)
    control.socket.sendto(b"\x80\xc8", (leg.address[0], leg.port + 1))
    voice.send_raw(leg, theirs)
    stranger = house.phone("127.0.0.2")
    stranger.socket.sendto(theirs, (leg.address[0], leg.port + 1))
    house.run(10)
    assert leg.stats.bad == 1
    assert leg.stats.strangers == 1


def test_our_reports_say_when_theirs_came(house: House) -> None:
    voice, control = house.pair()
    leg = house.leg(voice)
    theirs = rtcp.SenderReport(ssrc=voice.ssrc, ntp=0x0123_4567_89AB_CDEF, timestamp=0, packets=1, octets=160)
    control.socket.sendto(rtcp.serialise([theirs]), (leg.address[0], leg.port + 1))
    house.run(10)
    voice.send(leg, sound(1))
    while not (compounds := control.reports()):
        house.run(10)
    assert isinstance(compounds[0][0], rtcp.SenderReport)
    (block,) = compounds[0][0].blocks
    assert block.last_report == 0, "the report was another stream's: none had come yet"
    control.socket.sendto(rtcp.serialise([theirs]), (leg.address[0], leg.port + 1))
    house.run(10)
    waited = 0
    while not (compounds := control.reports()):
        house.run(10)
        waited += 10
    assert isinstance(compounds[0][0], rtcp.SenderReport)
    (block,) = compounds[0][0].blocks
    assert block.last_report == 0x4567_89AB
    assert block.delay == pytest.approx(waited * 65_536 // 1_000, abs=2_000)


def test_two_legs_have_names_of_their_own(house: House) -> None:
    names = []
    for _ in range(2):
        voice, control = house.pair()
        leg = house.leg(voice)
        house.run(8_000)
        description = control.reports()[0][1]
        assert isinstance(description, rtcp.SourceDescription)
        assert len(description.cname) == 16
        names.append(description.cname)
        leg.close()
    assert names[0] != names[1]


def test_a_party_whose_port_is_shut_ends_nothing(house: House) -> None:
    phone = house.phone()
    leg = house.leg(phone)
    phone.send(leg, sound(1))
    house.run(20)
    phone.close()
    house.run(500)
    stats = leg.stats
    assert stats.refused + stats.send_failures > 0
    assert stats.sent > 5


def test_a_listener_that_fails_is_logged_and_the_call_goes_on(caplog: pytest.LogCaptureFixture) -> None:
    with opened() as house:
        phone = house.phone()
        leg = house.leg(phone)

        def failing(key: str, start_ms: int, source: DigitSource) -> None:
            raise RuntimeError("a listener's mistake")

        leg.on_digit = failing
        with caplog.at_level(logging.ERROR):
            phone.send(leg, b"\x01\x00\x00\xa0", payload_type=EVENT)
            house.run(10)
        leg.sink = sink = Sink()
        phone.send(leg, sound(1))
        house.run(10)
        assert sink.payloads == [sound(1)]
        assert house.engine.faults == 1
        assert "the call goes on" in caplog.text
        house.engine.faults = 0


def test_a_leg_closed_by_its_own_digit_is_closed(house: House) -> None:
    phone = house.phone()
    leg = house.leg(phone)
    leg.on_digit = lambda key, start_ms, source: leg.close()
    phone.send(leg, b"\x01\x00\x00\xa0", payload_type=EVENT)
    phone.send(leg, sound(1))
    house.run(20)
    assert house.engine.legs == 0


def test_a_prompt_that_ends_the_program_ends_it(house: House) -> None:
    phone = house.phone()
    leg = house.leg(phone)
    leg.play(Prompt(bytes(16 * 20)), on_done=house.engine.stop)
    house.run(100)
    assert house.engine.legs == 0


def test_a_leg_on_every_address_locks_and_learns_anew(house: House) -> None:
    """0.0.0.0: the party may have been told any of the machine's addresses."""
    engine = MediaEngine(clock=house.clock, bind="0.0.0.0", advertise="127.0.0.1", ports=port_range())
    leg = engine.open_leg()
    leg.sink = sink = Sink()
    for index, host in enumerate(("127.0.0.1", "127.0.0.2", "127.0.0.1")):
        phone = house.phone(host)
        leg.configure(Negotiated(remote=phone.address, codec=Codec.PCMU))
        for _ in range(3):
            phone.socket.sendto(phone.packet(sound(index)), (host, leg.port))
            house.clock.advance(0.02)
            engine.tick()
        stranger = house.phone(host)
        stranger.socket.sendto(stranger.packet(sound(9)), (host, leg.port))
        engine.tick()
        assert len(phone.receive()) >= 2
    assert len(sink.heard) == 9
    engine.stop()


def test_the_same_program_in_a_simulation() -> None:
    """Two legs over a network in memory, in virtual time, with no socket of the machine."""
    clock, network = VirtualClock(), MemoryNetwork()
    engine = MediaEngine(clock=clock, network=network, random_bytes=lambda count: bytes(range(count)))
    party, other = network.bind(("127.0.0.1", 4_000)), network.bind(("127.0.0.1", 4_002))
    one, two = engine.open_leg(), engine.open_leg()
    one.configure(Negotiated(remote=("127.0.0.1", 4_000), codec=Codec.PCMU))
    two.configure(Negotiated(remote=("127.0.0.1", 4_002), codec=Codec.PCMA))
    one.peer, two.peer = two, one
    engine.start()
    phone = Phone()
    for index in range(100):
        party.sendto(phone.packet(sound(index)), one.address)
        clock.advance(0.02)
    phone.close()
    engine.stop()
    assert one.stats.received == 100
    assert len(other.queue) >= 100


def test_nothing_ticks_while_there_are_no_legs() -> None:
    clock = VirtualClock()
    engine = MediaEngine(clock=clock, network=MemoryNetwork())
    ticks: list[int] = []
    engine.tick = lambda: ticks.append(clock.monotonic_ns() // 1_000_000)  # type: ignore[method-assign]
    engine.start()
    clock.advance(1)
    assert ticks == []
    leg = engine.open_leg()
    clock.advance(0.03)
    assert ticks == [1_010, 1_020, 1_030]
    leg.close()
    clock.advance(1)
    assert ticks == [1_010, 1_020, 1_030, 1_040]
    engine.open_leg()
    clock.advance(0.02)
    assert ticks[4:] == [2_040, 2_050]
    engine.stop()
    clock.advance(1)
    assert len(ticks) == 6
