"""One agent that takes A-law alone, and callers with µ-law alone in packets of every length: both hear each other, and
everything is stored as it was sent (sipp).
"""

import logging
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests import needs
from tests.peers.evening import ONCE, Checks, Evening, examine
from tests.peers.house import served
from tests.peers.pcap import Press, stream
from tests.peers.ports import Ports
from tests.peers.sipp import Sipp
from tests.peers.sound import RATE, compare, loudness, speech
from tests.peers.wire import Wire, voice

FIGURES = logging.getLogger(__name__)
"""What was measured: shown by --log-cli-level INFO."""

pytestmark = [needs.sipp, needs.root]

FLOW = "prompt_seconds = 0.6\nrepeat_wait_s = 1\nproof_after_s = 0.5"
TALK_S = 8.0
QUIET_MS = (4000, 5500)
MU_LAW, A_LAW = 0, 8
USERS = {"+4520400010": 10, "+4520400020": 20, "+4520400040": 40, "+4520400060": 60}
QUIET = "+4520400013"
"""Sends comfort noise in a pause."""


def offer(ptime_ms: int, *, noise: bool) -> dict[str, str]:
    """µ-law in packets of this length."""
    lines = ["a=rtpmap:0 PCMU/8000", "a=rtpmap:101 telephone-event/8000", f"a=ptime:{ptime_ms}"]
    return {"formats": "0 13 101" if noise else "0 101", "offer": "\n".join(lines)}


@pytest.fixture(scope="module")
def evening(ports: Ports, prompts: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Evening]:
    """Five callers at once."""
    folder = tmp_path_factory.mktemp("codings")
    accept = [Press(at_ms=1800, key="1")]
    with ExitStack() as stack:
        wire = stack.enter_context(Wire(ports))
        agent = Sipp(
            folder / "agent", "agent", ports, 1, calls=5,
            keys={"formats": "8 101", "offer": "a=rtpmap:8 PCMA/8000\na=rtpmap:101 telephone-event/8000"},
            sounds={"agent": stream(speech(TALK_S, voice=1), payload_type=A_LAW, ssrc=0xA6E)},
        )  # fmt: skip
        stack.callback(agent.stop)
        house = stack.enter_context(
            served(folder, ports, prompts=prompts, agent=f"sip:agent@127.0.0.1:{agent.port}", flow=FLOW)
        )
        callers = []
        for n, (user, ptime_ms) in enumerate((*USERS.items(), (QUIET, 20))):
            quiet = QUIET_MS if user == QUIET else None
            caller = Sipp(
                folder / user, "caller", ports, 2 + n, target=house.address, stay_ms=int(TALK_S * 1000),
                keys={"user": user} | offer(ptime_ms, noise=user == QUIET),
                sounds={"call": stream(speech(TALK_S, voice=n), presses=accept, ptime_ms=ptime_ms, quiet=quiet)},
            )  # fmt: skip
            stack.callback(caller.stop)
            callers.append(caller)
        for caller in callers:
            caller.finish()
        agent.finish()
        house.until_idle()
        yield Evening(house=house, wire=wire, calls={call.caller: call for call in house.recordings()})


def check_each_length_of_packet_is_stored_where_it_belongs(evening: Evening, user: str) -> None:
    house, wire, call = evening.house, evening.wire, evening.calls[user]
    caller, agent = wire.caller(user), wire.agent(user)
    for leg, role in ((caller, "customer"), (agent, "agent")):
        sent = voice(wire.to_house(leg), caller.ok_ns)
        likeness = compare(sent, house.export(call.id, role), (2.3, TALK_S - 0.5))
        FIGURES.info(f"{user} {role}: {likeness}")
        assert likeness.correlation > 0.99, role
        assert abs(likeness.offset_ms) <= 40, role
    assert call.alarms == []


def check_each_side_hears_the_other_in_its_own_coding(evening: Evening, user: str) -> None:
    wire = evening.wire
    caller, agent = wire.caller(user), wire.agent(user)
    for speaks, hears, coding in ((caller, agent, A_LAW), (agent, caller, MU_LAW)):
        packets = wire.from_house(hears)
        assert {packet.payload_type for packet in packets} == {coding}
        said, heard = voice(wire.to_house(speaks), caller.ok_ns), voice(packets, caller.ok_ns)
        likeness = compare(said, heard, (3, TALK_S - 0.5))
        FIGURES.info(f"{user}: {likeness}")
        assert likeness.correlation > 0.99
        assert likeness.worst_ms < 100


def check_what_we_say_comes_in_the_length_that_was_asked_for(evening: Evening, user: str) -> None:
    leg = evening.wire.caller(user)
    prompt = [packet for packet in evening.wire.from_house(leg) if packet.at_ns < leg.ok_ns + 1_000_000_000]
    assert {len(packet.payload) * 1000 // RATE for packet in prompt} == {USERS[user]}


def check_a_pause_with_comfort_noise_is_a_pause_in_true_time(evening: Evening) -> None:
    """Nothing is stored in it, and what follows lies where it was said (the compared pieces above lie behind it too)."""
    house, wire, call = evening.house, evening.wire, evening.calls[QUIET]
    leg = wire.caller(QUIET)
    packets = wire.to_house(leg)
    noise = [packet for packet in packets if packet.payload_type == 13]
    assert len(noise) >= 14
    from_s, until_s = ((packet.at_ns - leg.ok_ns) / 1e9 for packet in (noise[0], noise[-1]))
    stored = house.export(call.id, "customer")
    assert loudness(stored[int((from_s + 0.06) * RATE) : int(until_s * RATE)]) == 0
    likeness = compare(voice(packets, leg.ok_ns), stored, (until_s + 0.2, TALK_S - 0.4))
    FIGURES.info(f"behind the pause: {likeness}")
    assert abs(likeness.offset_ms) <= 40


def check_all_are_listed_and_the_ledger_verifies(evening: Evening) -> None:
    assert set(evening.calls) == {*USERS, QUIET}
    evening.house.verify_ledger()


CHECKS: Checks = [
    (check_each_length_of_packet_is_stored_where_it_belongs, [(user,) for user in (*USERS, QUIET)]),
    (check_each_side_hears_the_other_in_its_own_coding, [(user,) for user in (*USERS, QUIET)]),
    (check_what_we_say_comes_in_the_length_that_was_asked_for, [(user,) for user in USERS]),
    (check_a_pause_with_comfort_noise_is_a_pause_in_true_time, ONCE),
    (check_all_are_listed_and_the_ledger_verifies, ONCE),
]


def test_codings_and_packet_lengths(evening: Evening, subtests: pytest.Subtests) -> None:
    examine(evening, CHECKS, subtests)
