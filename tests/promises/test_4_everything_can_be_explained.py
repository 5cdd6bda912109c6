"""Promise 4. For any instant of any track: which decision was in force, by which rules, settings and consent; and made
again from the stored history it comes out the same.
"""

import asyncio
import itertools
import json
import random
import subprocess
import sys
from pathlib import Path

from tallylight.catalogue.versions import read_pack, read_settings
from tallylight.database.engine import read_only
from tallylight.law.vocabulary import Role
from tallylight.policy.decision import Lamp
from tests.crash.scene import lamp_of, serving, until
from tests.peers.ports import Ports
from tests.promises.watching import Witness

INSTANTS = 60
SETTLED_MS = 300
"""An act may take effect as far back as a key takes to be recognised: instants nearer to a change are left out."""


def test_explain_at_any_instant_tells_the_decision_that_was_in_force(
    tmp_path: Path, ports: Ports, prompts: Path
) -> None:
    async def story() -> None:
        async with serving(tmp_path / "data", ports, prompts) as running:
            caller = running.caller()
            call = await caller.dial(running.sip_port)
            runner = await running.conversation(caller)
            await caller.press_until_connected("1")
            agents = await until(lambda: running.agent.calls.get(caller.number), "agent")
            await until(
                lambda: set(runner.lamps().values()) == {Lamp.RECORDING} and len(runner.lamps()) == 3, "red lamps"
            )
            witness = Witness(runner)
            await call.for_seconds(0.7)
            for lamp in (Lamp.PAUSED, Lamp.RECORDING):
                agents.press("*3")
                await until(lambda lamp=lamp: lamp_of(runner, Role.CUSTOMER) is lamp, f"{lamp} lamp")  # type: ignore[misc]
                await call.for_seconds(0.7)
            call.hold()
            await until(lambda: runner.state.held_by, "hold")
            await call.for_seconds(0.7)
            call.unhold()
            await until(lambda: not runner.state.held_by, "end of the hold")
            await call.for_seconds(0.7)
            call.press("*2")
            await until(lambda: lamp_of(runner, Role.CUSTOMER) is Lamp.OFF, "dark lamp")
            await call.for_seconds(0.7)
            async with running.inside() as house:
                now = house.explained(runner.conversation, runner.offset_ms())
                assert {segment.decision for segment in now.segments} == {runner.state.decision_id}
            call.hang_up()
            await running.idle()
            chance = random.Random(4)
            moments = witness.moments
            async with running.inside() as house:
                asked = 0
                for before, after in itertools.pairwise(moments):
                    low, high = before.offset_ms, after.offset_ms - SETTLED_MS
                    for at_ms in [chance.uniform(low, high) for _ in range(INSTANTS // 10)] if high > low else ():
                        told = house.explained(runner.conversation, round(at_ms))
                        assert {segment.decision for segment in told.segments} == {before.decision}
                        assert {segment.party: segment.lamp for segment in told.segments} == before.lamps
                        asked += 1
                assert asked >= INSTANTS // 2
                whole = house.explained(runner.conversation)
                assert whole.replay.agrees
                assert whole.replay.checked >= 8
                assert whole.notices
                assert all(step.held for person in whole.steps for step in person.steps)
                assert len([person for person in whole.steps if person.recorded_from_ms is not None]) == 2
                for segment in whole.segments:
                    assert all(reason.rule and reason.cite and reason.text for reason in segment.reasons)
                with read_only(house.store.engine) as connection:
                    assert read_settings(connection, house.store.workspace, whole.settings).version == whole.settings
                    assert read_pack(connection, house.store.workspace, whole.pack).hash == whole.pack
                lit = [s for s in whole.segments if s.role is Role.CUSTOMER and s.lamp is Lamp.RECORDING]
                assert lit
                for segment in lit:
                    assert segment.consent.evidence is not None
                    assert segment.consent.evidence.startswith("digit 1 at ")
                    assert segment.consent.question_heard
                    assert segment.consent.notice in {notice.hash for notice in whole.notices}, "word for word"

    asyncio.run(story())


def test_the_command_explains_beside_the_running_server_as_it_does_afterwards(
    tmp_path: Path, ports: Ports, prompts: Path
) -> None:
    async def story() -> None:
        data = tmp_path / "data"
        async with serving(data, ports, prompts) as running:
            caller = running.caller()
            runner, call, _ = await running.recording(caller)
            at_s = runner.offset_ms() / 1000
            during = await asyncio.to_thread(_explain, data, runner.conversation, at_s)
            call.hang_up()
            await running.idle()
            after = await asyncio.to_thread(_explain, data, runner.conversation, at_s)
            assert [_shown(segment) for segment in during] == [_shown(segment) for segment in after]
            assert {str(segment["lamp"]) for segment in during} == {"recording"}

    asyncio.run(story())


def _explain(data: Path, conversation: str, at_s: float) -> list[dict[str, object]]:
    command = [sys.executable, "-m", "tallylight", "explain", conversation, "--at", str(at_s), "--data", str(data)]
    done = subprocess.run([*command, "--json"], capture_output=True, text=True, timeout=60, check=True)
    timeline: list[dict[str, object]] = json.loads(done.stdout)["timeline"]
    return timeline


def _shown(segment: dict[str, object]) -> tuple[object, ...]:
    return tuple(segment[name] for name in ("party", "role", "lamp", "decision", "deciding", "reasons", "passed_over"))
