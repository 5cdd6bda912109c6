"""One server, and strangers who talk SIP in unusual ways (sipp): hold, late offer, OPTIONS, keys by INFO and as tones."""

import logging
import re
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests import needs
from tests.peers.evening import ONCE, Checks, Evening, examine
from tests.peers.house import NOTHING_STORED, served
from tests.peers.pcap import Press, stream
from tests.peers.ports import Ports
from tests.peers.sipp import Sipp
from tests.peers.sound import compare, dual_tone, loudness, speech
from tests.peers.wire import Wire, keys, voice

FIGURES = logging.getLogger(__name__)
"""What was measured: shown by --log-cli-level INFO."""

pytestmark = [needs.sipp, needs.root]

FLOW = "prompt_seconds = 0.6\nrepeat_wait_s = 1\nproof_after_s = 0.5"
HOLDS, LATE, TONES, INFO, ASKS = (
    "+4520200001", "+4520200002", "+4520200003", "+4520200004", "+4520200005",
)  # fmt: skip
NO_EVENTS = {"formats": "0", "offer": "a=rtpmap:0 PCMU/8000\na=ptime:20"}


@pytest.fixture(scope="module")
def evening(ports: Ports, prompts: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Evening]:
    """Five strangers at once."""
    folder = tmp_path_factory.mktemp("signalling")
    accept = [Press(at_ms=1800, key="1")]
    in_band = speech(8, voice=3)
    in_band[: 8 * 3000] = 0
    for key, at_ms in (("1", 1800), ("4", 3500)):
        tone = dual_tone(key, 0.15)
        in_band[8 * at_ms : 8 * at_ms + len(tone)] = tone
    with ExitStack() as stack:
        wire = stack.enter_context(Wire(ports))
        agent = Sipp(
            folder / "agent", "agent", ports, 1, calls=4, sounds={"agent": stream(speech(14, voice=1), ssrc=0xA6E)}
        )
        stack.callback(agent.stop)
        house = stack.enter_context(
            served(folder, ports, prompts=prompts, agent=f"sip:agent@127.0.0.1:{agent.port}", flow=FLOW)
        )
        plan = [
            (HOLDS, "hold", 0, {"call": stream(speech(14, voice=0), presses=accept)}, {}),
            (LATE, "late", 6000, {"call": stream(speech(6, voice=2), presses=accept)}, {}),
            (TONES, "caller", 8000, {"call": stream(in_band)}, NO_EVENTS),
            (INFO, "info", 2000, {"call": stream(speech(9, voice=4))}, NO_EVENTS),
            (ASKS, "options", 0, {}, {}),
        ]
        peers = []
        for n, (user, scenario, stay_ms, sounds, words) in enumerate(plan):
            peer = Sipp(
                folder / user, scenario, ports, 2 + n, target=house.address, stay_ms=stay_ms,
                keys={"user": user} | words, sounds=sounds,
            )  # fmt: skip
            stack.callback(peer.stop)
            peers.append(peer)
        for peer in peers:
            peer.finish()
        agent.finish()
        house.until_idle()
        yield Evening(house=house, wire=wire, calls={call.caller: call for call in house.recordings()})


def check_hold_in_three_spellings_stops_the_storing_of_both(evening: Evening) -> None:
    """The scenario itself checks that each answer mirrors the direction; here: the lamps, the sound, and our silence."""
    house, wire, call = evening.house, evening.wire, evening.calls[HOLDS]
    caller, agent = wire.caller(HOLDS), wire.agent(HOLDS)
    offers = [
        offer
        for offer in wire.invites(HOLDS, to_house=True)
        if b"To: " in offer.payload and b";tag=" in _to(offer.payload)
    ]
    assert len(offers) == 6
    said = {role: voice(wire.to_house(leg), caller.ok_ns) for role, leg in (("customer", caller), ("agent", agent))}
    stored = {role: house.export(call.id, role) for role in said}
    lamps = house.lamps(call.id)
    for held, resumed in zip(offers[::2], offers[1::2], strict=True):
        from_s, until_s = ((offer.at_ns - caller.ok_ns) / 1e9 for offer in (held, resumed))
        for role, sound in stored.items():
            gap = sound[int((from_s + 0.06) * 8000) : int((until_s - 0.01) * 8000)]
            assert loudness(said[role][int(from_s * 8000) : int(until_s * 8000)]) > 100, "nobody spoke: proves nothing"
            assert not gap.any(), f"{role}: sound of the hold from {from_s} s is stored"
            middle = (from_s + until_s) / 2
            shown = [lamp for start, end, whose, lamp in lamps if whose == role and start <= middle < (end or 1e9)]
            assert shown == ["paused"], (role, lamps)
        sent = [
            packet for packet in wire.from_house(caller) if from_s + 0.1 < (packet.at_ns - caller.ok_ns) / 1e9 < until_s
        ]
        assert sent == [], "a party that holds us was sent sound"
    for role, sound in stored.items():
        likeness = compare(said[role], sound, (2.3, 3.9), (5.8, 6.9), (8.8, 9.9), (11.8, 12.9))
        FIGURES.info(f"around the holds, {role}: {likeness}")
        assert likeness.correlation > 0.99
        assert abs(likeness.offset_ms) <= 40


def check_a_late_offer_is_a_call_like_any_other(evening: Evening) -> None:
    call = evening.calls[LATE]
    assert (call.party("customer").consent, call.outcome) == ("given", "completed")
    leg = evening.wire.caller(LATE)
    sent = voice(evening.wire.to_house(leg), leg.ok_ns)
    likeness = compare(sent, evening.house.export(call.id, "customer"), (2.2, 5.5))
    FIGURES.info(f"late offer: {likeness}")
    assert likeness.correlation > 0.99
    assert abs(likeness.offset_ms) <= 40


def check_keys_as_tones_where_events_were_not_negotiated(evening: Evening) -> None:
    """They act, and pass in the sound: the agent is not sent them a second time."""
    assert evening.calls[TONES].party("customer").consent == "given"
    agent = evening.wire.agent(TONES)
    assert keys(evening.wire.from_house(agent)) == ""
    caller = evening.wire.caller(TONES)
    said, heard = (
        voice(evening.wire.to_house(caller), caller.ok_ns),
        voice(evening.wire.from_house(agent), caller.ok_ns),
    )
    likeness = compare(said, heard, (3.2, 7.5))
    assert likeness.correlation > 0.99


def check_keys_by_info(evening: Evening) -> None:
    """1 agrees; 7 reaches the agent as an event; the star and the 2 withdraw and do not pass."""
    house, call = evening.house, evening.calls[INFO]
    assert call.party("customer").consent == "withdrawn"
    assert (
        house.command(
            "recordings", "export", call.id, "--party", "customer", "--out", house.data.parent / "no.wav"
        ).returncode
        == NOTHING_STORED
    )
    assert keys(evening.wire.from_house(evening.wire.agent(INFO))) == "7"


def check_nothing_but_the_calls_is_listed(evening: Evening) -> None:
    assert set(evening.calls) == {HOLDS, LATE, TONES, INFO}
    evening.house.verify_ledger()


CHECKS: Checks = [
    (check_hold_in_three_spellings_stops_the_storing_of_both, ONCE),
    (check_a_late_offer_is_a_call_like_any_other, ONCE),
    (check_keys_as_tones_where_events_were_not_negotiated, ONCE),
    (check_keys_by_info, ONCE),
    (check_nothing_but_the_calls_is_listed, ONCE),
]


def test_unusual_ways_to_talk_sip(evening: Evening, subtests: pytest.Subtests) -> None:
    examine(evening, CHECKS, subtests)


def _to(message: bytes) -> bytes:
    found = re.search(rb"^To: ([^\r\n]*)", message, re.MULTILINE)
    assert found is not None
    return found[1]
