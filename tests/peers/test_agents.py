"""Agents of every temper (sipp, which acts by the caller's name): who rings, who answers, who does not."""

import logging
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import pytest

from tests import needs
from tests.peers.evening import ONCE, Checks, Evening, examine
from tests.peers.house import served
from tests.peers.pcap import Press, stream
from tests.peers.ports import Ports
from tests.peers.sipp import Sipp
from tests.peers.sound import RATE, Samples, loudness, speech
from tests.peers.wire import Datagram, Wire, voice

FIGURES = logging.getLogger(__name__)
"""What was measured: shown by --log-cli-level INFO."""

pytestmark = [needs.sipp, needs.root]

RING_S = 3
FLOW = f"prompt_seconds = 0.6\nrepeat_wait_s = 1\nproof_after_s = 0.5\nagent_ring_s = {RING_S}"
PRESSED_S = 1.5
LEAVES = "nobody-waits"
"""Hangs up while the agent, whose phone acts by the beginning of this name, still rings."""
NO_AGENT = {"busy": "agent_busy", "decline": "agent_declined", "nobody": "agent_no_answer"}


@pytest.fixture(scope="module")
def evening(ports: Ports, prompts: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Evening]:
    """Six callers at once; four of them are hung up on by the house."""
    folder = tmp_path_factory.mktemp("agents")
    with ExitStack() as stack:
        wire = stack.enter_context(Wire(ports))
        agent = Sipp(
            folder / "agent", "agent", ports, 1, calls=6, sounds={"agent": stream(speech(6, voice=1), ssrc=0xA6E)}
        )
        stack.callback(agent.stop)
        house = stack.enter_context(
            served(folder, ports, prompts=prompts, agent=f"sip:agent@127.0.0.1:{agent.port}", flow=FLOW)
        )
        callers = []
        for n, user in enumerate((*NO_AGENT, "slow", "brief", LEAVES)):
            caller = Sipp(
                folder / user, "caller" if user in ("slow", LEAVES) else "stays", ports, 2 + n, target=house.address,
                stay_ms=2800 if user == LEAVES else 6000, keys={"user": user},
                sounds={"call": stream(speech(7, voice=n), presses=[Press(at_ms=int(PRESSED_S * 1000), key="2")])},
            )  # fmt: skip
            stack.callback(caller.stop)
            callers.append(caller)
        for caller in callers:
            caller.finish()
        agent.finish()
        house.until_idle()
        calls = {call.caller.partition(":")[2].partition("@")[0]: call for call in house.recordings()}
        yield Evening(house=house, wire=wire, calls=calls)


def check_no_agent_is_an_apology_and_a_recorded_outcome(evening: Evening, user: str, outcome: str) -> None:
    call = evening.calls[user]
    assert call.outcome == outcome
    assert [party.role for party in call.parties] == ["customer"], "an agent who never answered took part"
    leg = evening.wire.caller(user)
    heard = voice(evening.wire.from_house(leg), leg.ok_ns)
    (bye,) = [message for message in evening.wire.messages(rb"^BYE ") if leg.call_id.encode() in message.payload]
    end_s = (bye.at_ns - leg.ok_ns) / 1e9
    assert loudness(heard[int((end_s - 0.6) * RATE) : int(end_s * RATE)]) > 100, "no apology before the BYE"
    expected_s = PRESSED_S + 0.6 + (RING_S if user == "nobody" else 0)
    FIGURES.info(f"{user}: hung up {end_s:.2f} s after our 200 OK, about {expected_s:.1f} expected")
    assert expected_s - 0.3 < end_s < expected_s + 1.5


def check_an_agent_who_never_answers_is_cancelled_in_time(evening: Evening) -> None:
    (invite,) = evening.wire.invites("nobody", to_house=False)
    cancel = _cancel(evening, "nobody")
    waited_s = (cancel.at_ns - invite.at_ns) / 1e9
    FIGURES.info(f"cancelled after {waited_s:.2f} s")
    assert RING_S - 0.1 < waited_s < RING_S + 0.5


def check_a_caller_who_leaves_stops_the_ringing(evening: Evening) -> None:
    """BYE of the caller, CANCEL to the agent: at once, and nobody is told of an agent who took part."""
    leg = evening.wire.caller(LEAVES)
    (bye,) = [message for message in evening.wire.messages(rb"^BYE ") if leg.call_id.encode() in message.payload]
    waited_s = (_cancel(evening, LEAVES).at_ns - bye.at_ns) / 1e9
    assert 0 <= waited_s < 0.3
    call = evening.calls[LEAVES]
    assert (call.outcome, [party.role for party in call.parties]) == ("abandoned", ["customer"])


def check_an_agent_who_hangs_up_ends_the_call(evening: Evening) -> None:
    caller, agent = evening.wire.caller("brief"), evening.wire.agent("brief")
    byes = {
        leg: next(
            message.at_ns for message in evening.wire.messages(rb"^BYE ") if leg.call_id.encode() in message.payload
        )
        for leg in (caller, agent)
    }
    assert 0 <= (byes[caller] - byes[agent]) / 1e9 < 0.3
    assert evening.calls["brief"].outcome == "completed"
    assert evening.calls["brief"].party("agent").stored_s > 1


def check_the_caller_hears_ringing_until_the_agent_answers(evening: Evening) -> None:
    """What is said to the caller comes first; then, for as long as the agent rings, 425 Hz; then the agent."""
    call = evening.calls["slow"]
    assert call.outcome == "completed"
    leg, agent = evening.wire.caller("slow"), evening.wire.agent("slow")
    heard = voice(evening.wire.from_house(leg), leg.ok_ns)
    answered_s = (agent.ok_ns - leg.ok_ns) / 1e9
    spoken_s = PRESSED_S + 0.6 + 0.15
    ringing = [_at_425(heard[int(at * RATE) : int((at + 0.2) * RATE)]) for at in (spoken_s, spoken_s + 0.2)]
    FIGURES.info(f"agent answered at {answered_s:.2f} s; share of 425 Hz while it rang {ringing}")
    assert answered_s > spoken_s + 0.4
    assert min(ringing) > 0.9
    assert _at_425(heard[int((answered_s + 0.3) * RATE) : int((answered_s + 1.3) * RATE)]) < 0.2


CHECKS: Checks = [
    (check_no_agent_is_an_apology_and_a_recorded_outcome, list(NO_AGENT.items())),
    (check_an_agent_who_never_answers_is_cancelled_in_time, ONCE),
    (check_a_caller_who_leaves_stops_the_ringing, ONCE),
    (check_an_agent_who_hangs_up_ends_the_call, ONCE),
    (check_the_caller_hears_ringing_until_the_agent_answers, ONCE),
]


def test_agents_of_every_temper(evening: Evening, subtests: pytest.Subtests) -> None:
    examine(evening, CHECKS, subtests)


def _cancel(evening: Evening, user: str) -> Datagram:
    """The CANCEL of the call on which the agent was rung in this caller's name."""
    (invite,) = evening.wire.invites(user, to_house=False)
    call_id = next(line for line in invite.payload.split(b"\r\n") if line.startswith(b"Call-ID:"))
    (cancel,) = [message for message in evening.wire.messages(rb"^CANCEL ") if call_id in message.payload]
    return cancel


def _at_425(samples: Samples) -> float:
    """The share of the power that lies at 425 Hz (ETSI TR 101 041), within 25 Hz."""
    power = np.abs(np.fft.rfft(samples * np.hanning(len(samples)))) ** 2
    hertz = np.fft.rfftfreq(len(samples), 1 / RATE)
    return float(power[np.abs(hertz - 425) <= 25].sum() / max(1.0, power.sum()))
