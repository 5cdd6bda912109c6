"""Our own voice: paced, whole, in time; ringing tone and silence."""

from itertools import pairwise

import pytest

from tallylight.telephony.rtp.g711 import SILENCE, decode, encode
from tallylight.telephony.rtp.negotiated import Codec, Direction, Negotiated
from tallylight.telephony.rtp.prompt import EUROPEAN_RINGBACK, RINGBACK, Prompt
from tallylight.telephony.rtp.tones import tone
from tests.telephony.rtp.phones import EVENT, House, Sink

SPOKEN = tone("6", duration_ms=500)


def test_a_prompt_is_whole_packets_in_either_law() -> None:
    prompt = Prompt(SPOKEN + bytes(2))
    assert prompt.duration_ms == 520
    for codec in Codec:
        assert prompt.payload(codec)[:4_000] == encode(codec, SPOKEN)
        assert len(prompt.payload(codec)) == 520 * 8
        assert prompt.payload(codec) is prompt.payload(codec)
    with pytest.raises(ValueError, match="whole 16-bit samples"):
        Prompt(b"abc")


@pytest.mark.parametrize("ptime_ms", [10, 20, 30, 60])
@pytest.mark.parametrize("codec", Codec)
def test_a_prompt_is_sent_in_time_and_whole(house: House, codec: Codec, ptime_ms: int) -> None:
    phone = house.phone()
    leg = house.leg(phone, codec=codec, ptime_ms=ptime_ms)
    sent = Sink()
    done: list[int] = []
    prompt = Prompt(SPOKEN)
    leg.play(prompt, on_done=lambda: done.append(leg.media_ms), sent=sent)
    house.run(400)
    assert done == []
    assert abs(len(phone.receive()) * ptime_ms - 400) <= ptime_ms
    house.run(300)
    assert b"".join(sent.payloads) == prompt.payload(codec)
    assert sent.starts == [ptime_ms * index for index in range(len(sent.starts))]
    assert {payload_type for _, _, payload_type, _ in sent.heard} == {codec}
    rounded = -(-500 // ptime_ms) * ptime_ms
    assert done == [rounded]


def test_the_stream_goes_on_from_silence_to_prompt_to_silence(house: House) -> None:
    phone = house.phone()
    leg = house.leg(phone)
    house.run(105)
    leg.play(Prompt(SPOKEN))
    house.run(900)
    heard = phone.receive()
    for before, after in pairwise(heard):
        assert (after.sequence - before.sequence) & 0xFFFF == 1
        assert (after.timestamp - before.timestamp) & 0xFFFFFFFF == 160
    assert [packet.marker for packet in heard] == [True] + [False] * (len(heard) - 1)
    assert heard[0].payload == heard[-1].payload == SILENCE[Codec.PCMU] * 160
    assert len(heard) == 51


def test_one_prompt_follows_another_without_a_gap(house: House) -> None:
    phone = house.phone()
    leg = house.leg(phone)
    sent = Sink()
    leg.play(Prompt(SPOKEN), on_done=lambda: leg.play(Prompt(SPOKEN), sent=sent), sent=sent)
    house.run(1_200)
    assert sent.starts == [20 * index for index in range(50)]


def test_a_stopped_or_replaced_prompt_is_never_done(house: House) -> None:
    phone = house.phone()
    leg = house.leg(phone)
    done: list[str] = []
    leg.play(Prompt(SPOKEN), on_done=lambda: done.append("first"))
    house.run(100)
    leg.play(Prompt(SPOKEN), on_done=lambda: done.append("second"))
    house.run(100)
    leg.stop_playing()
    house.run(1_000)
    assert done == []


def test_a_prompt_waits_while_the_party_holds_us(house: House) -> None:
    phone = house.phone()
    leg = house.leg(phone)
    sent = Sink()
    done: list[int] = []
    leg.play(Prompt(SPOKEN), on_done=lambda: done.append(leg.media_ms), sent=sent)
    house.run(200)
    leg.configure(
        Negotiated(remote=phone.address, codec=Codec.PCMU, telephone_event=EVENT, direction=Direction.INACTIVE)
    )
    phone.receive()
    house.run(2_000)
    assert phone.receive() == []
    assert done == []
    leg.configure(Negotiated(remote=phone.address, codec=Codec.PCMU, telephone_event=EVENT))
    house.run(600)
    assert b"".join(sent.payloads) == Prompt(SPOKEN).payload(Codec.PCMU)
    assert len(done) == 1
    assert done[0] >= 2_450


def test_after_a_stall_nothing_is_sent_in_a_burst_and_nothing_is_left_out(house: House) -> None:
    phone = house.phone()
    leg = house.leg(phone)
    sent = Sink()
    leg.play(Prompt(SPOKEN), sent=sent)
    house.run(90)
    phone.receive()
    house.clock.advance(0.5)
    house.engine.tick()
    assert len(phone.receive()) == 1
    house.run(500)
    assert b"".join(sent.payloads) == Prompt(SPOKEN).payload(Codec.PCMU)
    assert sent.starts == [20 * index if index < 5 else 490 + 20 * index for index in range(25)]


def test_a_little_behind_is_caught_up_two_at_a_time(house: House) -> None:
    phone = house.phone()
    leg = house.leg(phone)
    leg.play(Prompt(SPOKEN))
    house.run(90)
    phone.receive()
    house.clock.advance(0.05)
    house.engine.tick()
    assert len(phone.receive()) == 2
    house.run(100)
    assert len(phone.receive()) == 6


def test_ringing_sounds_a_second_and_rests_four(house: House) -> None:
    phone = house.phone()
    leg = house.leg(phone)
    leg.ringback()
    heard = []
    for _ in range(11):
        house.run(1_000)
        heard += phone.receive()
    quiet = [packet.payload == SILENCE[Codec.PCMU] * 160 for packet in heard]
    assert quiet[:550] == ([False] * 50 + [True] * 200) * 2 + [False] * 50
    leg.stop_playing()
    house.run(100)
    assert all(packet.payload == SILENCE[Codec.PCMU] * 160 for packet in phone.receive())


def test_each_country_rings_its_own_way() -> None:
    assert RINGBACK["DK"] is EUROPEAN_RINGBACK
    for country, length in (("DK", 5_000), ("GB", 3_000), ("US", 6_000)):
        assert RINGBACK[country].prompt().duration_ms == length
    loudest = max(decode(Codec.PCMU, RINGBACK["US"].prompt().payload(Codec.PCMU)[:800]))
    assert loudest > 0


def test_a_prompt_before_the_answer_is_played_after_it(house: House) -> None:
    phone = house.phone()
    leg = house.engine.open_leg()
    sent = Sink()
    leg.play(Prompt(SPOKEN), sent=sent)
    house.run(200)
    assert sent.heard == []
    leg.configure(Negotiated(remote=phone.address, codec=Codec.PCMA))
    house.run(600)
    assert b"".join(sent.payloads) == Prompt(SPOKEN).payload(Codec.PCMA)
