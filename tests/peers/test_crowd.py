"""200 calls, 20 a second (sipp): all are answered, asked, connected, recorded, sealed and listed, and nothing stays open."""

import logging
import time
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests import needs
from tests.peers.house import served
from tests.peers.pcap import Press, stream
from tests.peers.ports import Ports
from tests.peers.sipp import Sipp
from tests.peers.sound import speech

FIGURES = logging.getLogger(__name__)
"""What was measured: shown by --log-cli-level INFO."""

pytestmark = [needs.sipp, needs.root]

CALLS, RATE = 200, 20
TALK_MS = 4000


@pytest.mark.timeout(180)
def test_two_hundred_calls_at_twenty_a_second(ports: Ports, prompts: Path, tmp_path: Path) -> None:
    flow = "prompt_seconds = 0.2\nrepeat_wait_s = 2\nproof_after_s = 1"
    with ExitStack() as stack:
        agent = Sipp(
            tmp_path / "agent", "agent", ports, 1, calls=CALLS, limit_s=90,
            sounds={"agent": stream(speech(TALK_MS / 1000, voice=1), ptime_ms=60, ssrc=0xA6E)},
        )  # fmt: skip
        stack.callback(agent.stop)
        house = stack.enter_context(
            served(tmp_path, ports, prompts=prompts, agent=f"sip:agent@127.0.0.1:{agent.port}", flow=flow)
        )
        began = time.monotonic()
        # Twice: where the machine is so busy that the question ends late, the first one comes too early.
        presses = [Press(at_ms=1200, key="1"), Press(at_ms=2000, key="1")]
        crowd = Sipp(
            tmp_path / "crowd", "crowd", ports, 2, target=house.address, calls=CALLS, rate=RATE, stay_ms=TALK_MS,
            limit_s=90,
            sounds={
                "call": stream(
                    speech(TALK_MS / 1000, voice=0), presses=presses, ptime_ms=60, ssrc=0xC40
                )
            },
        )  # fmt: skip
        stack.callback(crowd.stop)
        crowd.finish()
        house.until_idle(seconds=60)
        FIGURES.info(f"{CALLS} calls in {time.monotonic() - began:.1f} s")
        calls = house.recordings()
        assert len(calls) == CALLS
        assert len({call.caller for call in calls}) == CALLS
        assert {call.outcome for call in calls} == {"completed"}
        agent.finish()
        assert {call.party("customer").consent for call in calls} == {"given"}
        assert [call.alarms for call in calls if call.alarms] == []
        shortest = min(party.stored_s for call in calls for party in call.parties)
        FIGURES.info(f"least stored of anybody: {shortest} s")
        assert shortest > 1
        house.verify_ledger()
        # Nothing is left open: no track unsealed, no log record, no live key, no object without a track, no port held.
        assert set(house.rows("SELECT state FROM track")) == {("sealed",)}
        assert house.rows("SELECT count(*) FROM track") == house.rows("SELECT count(*) FROM key") == [(4 * CALLS,)]
        assert house.logged_tracks() == set()
        assert house.objects() == {str(path) for (path,) in house.rows("SELECT path FROM track")}
        assert house.open_ports() == {house.sip_port}
