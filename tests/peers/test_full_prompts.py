"""The trial profile as it comes, every prompt in full: how long a caller listens, and how long until the agent rings."""

import logging
import re
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests import needs
from tests.peers.house import NOTHING_STORED, served
from tests.peers.pcap import Press, stream
from tests.peers.ports import LOOPBACK, Ports
from tests.peers.sipp import Sipp
from tests.peers.sound import RATE, Samples, loudness, speech
from tests.peers.wire import Wire, voice

FIGURES = logging.getLogger(__name__)
"""What was measured: shown by --log-cli-level INFO."""

pytestmark = [needs.sipp, needs.root]

QUESTION_S, RING_S = 20.0, 45.0
"""At most, since our 200 OK: the question is heard to its end; a silent caller rings the agent."""
SILENT, AGREES, LISTENS = "+4520700001", "+4520700002", "+4520700003"


@pytest.mark.timeout(150)
def test_the_question_and_the_agent_come_in_time(ports: Ports, prompts: Path, tmp_path: Path) -> None:
    with ExitStack() as stack:
        wire = stack.enter_context(Wire(ports))
        agent = Sipp(
            tmp_path / "agent", "agent", ports, 1, calls=3, limit_s=100,
            sounds={"agent": stream(speech(5, voice=1), ssrc=0xA6E)},
        )  # fmt: skip
        stack.callback(agent.stop)
        house = stack.enter_context(
            served(tmp_path, ports, prompts=prompts, agent=f"sip:agent@{LOOPBACK}:{agent.port}", trial=True)
        )
        assert house.ready.endswith("(TRIAL profile)")
        quiet = speech(50, voice=0)
        plan = [
            (SILENT, 48_000, []),
            (AGREES, 32_000, [Press(at_ms=20_500, key="1")]),
            (LISTENS, 30_000, [Press(at_ms=5_000, key="9"), Press(at_ms=22_000, key="2")]),
        ]
        callers = []
        for n, (user, stay_ms, presses) in enumerate(plan):
            caller = Sipp(
                tmp_path / user, "caller", ports, 2 + n, target=house.address, stay_ms=stay_ms, keys={"user": user},
                limit_s=90, sounds={"call": stream(quiet, presses=presses, ptime_ms=40)},
            )  # fmt: skip
            stack.callback(caller.stop)
            callers.append(caller)
        for caller in callers:
            caller.finish()
        agent.finish()
        house.until_idle()
        calls = {call.caller: call for call in house.recordings()}

        silent = wire.caller(SILENT)
        heard = voice(wire.from_house(silent), silent.ok_ns)
        asked_s = _first_silence(heard, 3.0)
        (rung,) = wire.invites(SILENT, to_house=False)
        rung_s = (rung.at_ns - silent.ok_ns) / 1e9
        FIGURES.info(
            f"since our 200 OK: question heard after {asked_s:.2f} s, a silent caller rang the agent after {rung_s:.2f} s"
        )
        assert 5 < asked_s <= QUESTION_S
        assert asked_s < rung_s <= RING_S
        assert (calls[SILENT].party("customer").consent, calls[SILENT].party("customer").stored_s) == ("none", 0)

        # What was said to the silent caller is stored as it was heard, from the first word on.
        told = house.export(calls[SILENT].id, "system")
        assert abs(len(told) / RATE - len(heard) / RATE) < 60
        assert loudness(told[: int(asked_s * RATE)]) == pytest.approx(loudness(heard[: int(asked_s * RATE)]), rel=0.1)

        agreed = calls[AGREES].party("customer")
        assert agreed.consent == "given"
        assert agreed.stored_s > 10
        words = house.cli("explain", calls[AGREES].id)
        assert "TRIAL" in words
        assert re.search(r"digit 1 at 2\d{4} ms", words)

        listened = calls[LISTENS].party("customer")
        assert listened.consent == "refused"
        assert (
            house.command(
                "recordings", "export", calls[LISTENS].id, "--party", "customer", "--out", tmp_path / "no.wav"
            ).returncode
            == NOTHING_STORED
        )
        house.verify_ledger()


def _first_silence(heard: Samples, seconds: float) -> float:
    """When sound ends that is followed by so much silence, in steps of 20 ms."""
    step = RATE // 50
    loud = [loudness(heard[at : at + step]) > 30 for at in range(0, len(heard) - step, step)]
    run = 0
    for n, is_loud in enumerate(loud):
        run = 0 if is_loud else run + 1
        if run * 0.02 >= seconds:
            return (n + 1 - run) * 0.02
    raise AssertionError("the house never fell silent")
