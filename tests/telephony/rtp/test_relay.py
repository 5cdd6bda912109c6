"""Two legs that hear each other: steps kept, laws translated, prompts mixed, holds respected."""

import audioop
from itertools import pairwise

import pytest

from tallylight.telephony.rtp.digits import parse as parse_events
from tallylight.telephony.rtp.digits import press
from tallylight.telephony.rtp.g711 import SILENCE, decode, encode, mix
from tallylight.telephony.rtp.leg import RtpLeg, UnderPrompt
from tallylight.telephony.rtp.negotiated import Codec, Direction, Negotiated
from tallylight.telephony.rtp.packet import RtpPacket
from tallylight.telephony.rtp.prompt import Prompt
from tallylight.telephony.rtp.tones import ToneReceiver, tone
from tests.telephony.rtp.phones import EVENT, House, Phone, Sink, sound

WRAP = 1 << 32
QUIET = SILENCE[Codec.PCMU] * 160


def _bridge(
    house: House, *, codec: Codec = Codec.PCMU, telephone_event: int | None = EVENT
) -> tuple[Phone, RtpLeg, Phone, RtpLeg]:
    """Two parties that hear each other, both already known by a packet."""
    caller, agent = house.phone(), house.phone()
    one, other = house.leg(caller), house.leg(agent, codec=codec, telephone_event=telephone_event)
    caller.send(one, sound(100))
    agent.send(other, sound(101), payload_type=codec)
    house.run(10)
    one.peer, other.peer = other, one
    agent.receive()
    caller.receive()
    return caller, one, agent, other


def _steps(packets: list[RtpPacket]) -> list[tuple[int, int]]:
    return [((b.sequence - a.sequence) & 0xFFFF, (b.timestamp - a.timestamp) % WRAP) for a, b in pairwise(packets)]


def _talk(house: House, phone: Phone, leg: RtpLeg, count: int, *, first: int = 0, payload_type: int = 0) -> None:
    for index in range(first, first + count):
        phone.send(leg, sound(index), payload_type=payload_type)
        house.run(20)


def test_voice_passes_unchanged_in_a_stream_of_our_own(house: House) -> None:
    caller, one, agent, other = _bridge(house)
    _talk(house, caller, one, 50)
    heard = agent.receive()
    assert [packet.payload for packet in heard] == [sound(index) for index in range(50)]
    assert _steps(heard) == [(1, 160)] * 49
    assert {packet.ssrc for packet in heard} == {other.outgoing.ssrc} != {caller.ssrc}
    assert [packet.marker for packet in heard] == [True] + [False] * 49
    assert set(agent.sources) == {other.address}


def test_both_ways_and_both_laws(house: House) -> None:
    caller, one, agent, other = _bridge(house, codec=Codec.PCMA)
    for index in range(20):
        caller.send(one, sound(index))
        agent.send(other, sound(index), payload_type=8)
        house.run(20)
    to_agent, to_caller = agent.receive(), caller.receive()
    assert {packet.payload_type for packet in to_agent} == {8}
    assert {packet.payload_type for packet in to_caller} == {0}
    for index, packet in enumerate(to_agent):
        assert packet.payload == encode(Codec.PCMA, decode(Codec.PCMU, sound(index)))
    for index, packet in enumerate(to_caller):
        assert packet.payload == encode(Codec.PCMU, decode(Codec.PCMA, sound(index)))


def test_the_listener_sees_loss_and_reordering_and_no_duplicates(house: House) -> None:
    caller, one, agent, _ = _bridge(house)
    packets = [caller.packet(sound(index)) for index in range(8)]
    for index in (0, 1, 1, 4, 3, 6, 7):
        caller.send_raw(one, packets[index])
        house.run(10)
    heard = agent.receive()
    first = heard[0]
    assert [
        ((packet.sequence - first.sequence) & 0xFFFF, (packet.timestamp - first.timestamp) % WRAP // 160)
        for packet in heard
    ] == [(0, 0), (1, 1), (4, 4), (3, 3), (6, 6), (7, 7)]


def test_another_source_and_a_jump_of_timestamps_do_not_show(house: House) -> None:
    caller, one, agent, _ = _bridge(house)
    _talk(house, caller, one, 5)
    caller.ssrc, caller.sequence, caller.timestamp = 4_711, 9, 99
    _talk(house, caller, one, 5)
    heard = agent.receive()
    assert len({packet.ssrc for packet in heard}) == 1
    assert _steps(heard) == [(1, 160)] * 9
    assert [packet.marker for packet in heard] == [True, False, False, False, False] * 2


def test_a_party_that_does_not_listen_is_sent_nothing(house: House) -> None:
    caller, one, agent, other = _bridge(house)
    for direction, remote in (
        (Direction.RECVONLY, agent.address),
        (Direction.INACTIVE, agent.address),
        (Direction.SENDRECV, ("0.0.0.0", agent.address[1])),
    ):
        other.configure(Negotiated(remote=remote, codec=Codec.PCMU, telephone_event=EVENT, direction=direction))
        agent.receive()
        other.play(Prompt(bytes(16 * 200)))
        other.send_digit("1")
        _talk(house, caller, one, 10)
        assert agent.receive() == []
    other.stop_playing()
    other.configure(Negotiated(remote=agent.address, codec=Codec.PCMU, telephone_event=EVENT))
    house.run(400)
    agent.receive()
    _talk(house, caller, one, 5)
    assert [packet.payload for packet in agent.receive()] == [sound(index) for index in range(5)]


def test_a_prompt_does_not_hold_up_the_bridge(house: House) -> None:
    """The peer's voice is mixed into the prompt, then goes on alone; the stream shows no seam."""
    caller, one, agent, other = _bridge(house)
    _talk(house, caller, one, 5)
    prompt = Prompt(tone("5", duration_ms=200))
    heard_prompt = Sink()
    done: list[int] = []
    other.play(prompt, on_done=lambda: done.append(other.media_ms), sent=heard_prompt)
    _talk(house, caller, one, 20, first=5)
    heard = agent.receive()
    assert [packet.payload for packet in heard[:5]] == [sound(index) for index in range(5)]
    pieces = [prompt.payload(Codec.PCMU)[at : at + 160] for at in range(0, 1_600, 160)]
    voices = [sound(index) for index in range(25)]
    mixed = 0
    for packet, piece in zip(heard[5:15], pieces, strict=True):
        assert packet.payload == piece or any(packet.payload == mix(Codec.PCMU, piece, voice) for voice in voices)
        mixed += packet.payload != piece
    assert mixed >= 8
    assert [packet.payload for packet in heard[15:]] == [sound(index) for index in range(25 - len(heard) + 15, 25)]
    assert len(heard) >= 24
    assert all(sequence == 1 and 160 <= samples <= 320 for sequence, samples in _steps(heard))
    assert heard_prompt.payloads == pieces, "what was mixed in is not our own voice"
    starts = heard_prompt.starts
    assert starts == [starts[0] + 20 * index for index in range(10)]
    assert done == [starts[0] + 200]


def test_a_burst_under_a_prompt_is_not_held_back_for_long(house: House) -> None:
    caller, one, agent, other = _bridge(house)
    prompt = Prompt(bytes(16 * 600))
    other.play(prompt)
    house.run(20)
    for index in range(20):
        caller.send(one, sound(index))
    house.run(900)
    mixed = [packet for packet in agent.receive() if packet.payload != QUIET]
    assert len(mixed) == 5


def test_a_refresh_and_a_digit_leave_no_seam_in_the_voice(house: House) -> None:
    caller, one, agent, other = _bridge(house)
    _talk(house, caller, one, 15)
    other.configure(Negotiated(remote=agent.address, codec=Codec.PCMU, telephone_event=EVENT))
    agent.send(other, sound(102))
    house.run(10)
    _talk(house, caller, one, 3, first=15)
    for payload in press("1", duration_ms=60, ptime_ms=20):
        caller.send(one, payload, payload_type=EVENT, step=0)
        house.run(20)
    caller.timestamp += 5 * 160
    _talk(house, caller, one, 3, first=18)
    heard = agent.receive()
    assert [packet.payload for packet in heard] == [sound(index) for index in range(21)]
    assert {sequence for sequence, _ in _steps(heard)} == {1}
    assert [samples for _, samples in _steps(heard)] == [160] * 14 + [240, 160, 160, 960, 160, 160]


def test_no_voice_is_put_between_the_packets_of_a_digit(house: House) -> None:
    caller, one, agent, other = _bridge(house)
    _talk(house, caller, one, 3)
    other.send_digit("3")
    _talk(house, caller, one, 20)
    kinds = [packet.payload_type for packet in agent.receive()]
    assert kinds[3:13] == [EVENT] * 10
    assert kinds.count(EVENT) == 10
    assert kinds[13:] == [0] * len(kinds[13:]) != []


def test_a_prompt_may_mute_the_peer(house: House) -> None:
    caller, one, agent, other = _bridge(house)
    prompt = Prompt(tone("5", duration_ms=200))
    other.play(prompt, under=UnderPrompt.MUTE)
    _talk(house, caller, one, 15)
    heard = agent.receive()
    assert b"".join(packet.payload for packet in heard[:10]) == prompt.payload(Codec.PCMU)
    assert heard[-1].payload == sound(14)


def test_a_silent_peer_is_filled_in(house: House) -> None:
    caller, one, agent, _ = _bridge(house)
    _talk(house, caller, one, 5)
    agent.receive()
    house.run(1_000)
    heard = agent.receive()
    assert {packet.payload for packet in heard} == {QUIET}
    assert 40 <= len(heard) <= 46
    _talk(house, caller, one, 5, first=5)
    again = agent.receive()
    assert [packet.payload for packet in again if packet.payload != QUIET] == [sound(index) for index in range(5, 10)]
    assert all(sequence == 1 for sequence, _ in _steps(heard + again))


def test_digits_are_relayed_when_the_flow_says_so_and_not_before(house: House) -> None:
    caller, one, agent, _ = _bridge(house)
    for payload in press("1", duration_ms=60, ptime_ms=20):
        caller.send(one, payload, payload_type=EVENT, step=0)
        house.run(20)
    assert [key for key, _, _ in house.digits] == ["1"]
    assert all(packet.payload_type == 0 for packet in agent.receive())
    one.relay_digit("1")
    house.run(300)
    events = [packet for packet in agent.receive() if packet.payload_type == EVENT]
    reports = [parse_events(packet.payload)[0] for packet in events]
    assert [report.event for report in reports] == [1] * 10
    assert [report.end for report in reports] == [False] * 7 + [True] * 3
    assert [packet.marker for packet in events] == [True] + [False] * 9
    assert len({packet.timestamp for packet in events}) == 1
    assert [step for step, _ in _steps(events)] == [1] * 9


def test_digits_wait_for_one_another_and_the_clock_goes_on(house: House) -> None:
    _, _, agent, other = _bridge(house)
    house.run(300)
    agent.receive()
    other.send_digit("1")
    other.send_digit("2")
    house.run(600)
    heard = agent.receive()
    assert all(sequence == 1 for sequence, _ in _steps(heard))
    events = [packet for packet in heard if packet.payload_type == EVENT]
    times = sorted({packet.timestamp for packet in events}, key=[packet.timestamp for packet in events].index)
    assert (times[1] - times[0]) % WRAP >= 160 * 8
    after = heard[heard.index(events[-1]) + 1]
    assert (after.timestamp - times[1]) % WRAP >= 160 * 8
    assert [parse_events(packet.payload)[0].event for packet in events] == [1] * 10 + [2] * 10


@pytest.mark.parametrize("codec", Codec)
def test_a_peer_without_events_gets_tones(house: House, codec: Codec) -> None:
    _, one, agent, _ = _bridge(house, codec=codec, telephone_event=None)
    one.relay_digit("#")
    house.run(400)
    receiver = ToneReceiver()
    heard = []
    for index, packet in enumerate(agent.receive()):
        assert packet.payload_type == codec
        heard += receiver.feed(20 * index, codec, packet.payload)
    assert [found.key for found in heard] == ["#"]


def test_the_relay_ends_with_either_leg(house: House) -> None:
    caller, one, agent, other = _bridge(house)
    _talk(house, caller, one, 3)
    agent.receive()
    other.close()
    _talk(house, caller, one, 3)
    assert agent.receive() == []
    assert one.stats.received == 7
    one.peer = None
    _talk(house, caller, one, 3)


def test_voice_relayed_is_heard_as_it_was_said(house: House) -> None:
    """Across laws the level stays: nothing is scaled on the way."""
    caller, one, agent, _ = _bridge(house, codec=Codec.PCMA)
    said = encode(Codec.PCMU, tone("5", duration_ms=20, level_dbm0=-10))
    caller.send(one, said)
    house.run(20)
    heard = decode(Codec.PCMA, agent.receive()[-1].payload)
    assert abs(audioop.rms(heard, 2) - audioop.rms(decode(Codec.PCMU, said), 2)) < 60
