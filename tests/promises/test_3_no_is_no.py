"""Promise 3. No is no, and costs nothing: same agent, same wait, same call; nobody but the person opens the gate again."""

import asyncio
import contextlib
import statistics
import time
from pathlib import Path

import pytest

from tallylight.law.vocabulary import Role
from tallylight.live.control import CommandRefused, request
from tallylight.policy.decision import Lamp
from tests.crash.scene import Scene, Watch, lamp_of, party_of, serving, until
from tests.peers.ports import Ports
from tests.promises.watching import MUST_NOT_BE_KEPT, say, talk_of

ROUNDS = 3
NO_LONGER_S = 0.2


def test_a_refuser_reaches_the_same_agent_after_the_same_wait(tmp_path: Path, ports: Ports, prompts: Path) -> None:
    async def story() -> None:
        async with serving(tmp_path / "data", ports, prompts) as running:
            waits: dict[str, list[float]] = {"1": [], "2": []}
            with Watch() as watch:
                for _ in range(ROUNDS):
                    for key, found in waits.items():
                        found.append(await _wait_after(running, key))
            longer_s = statistics.median(waits["2"]) - statistics.median(waits["1"])
            assert abs(longer_s) < NO_LONGER_S + watch.worst_s, waits
            async with running.inside() as house:
                agents = {
                    party.address
                    for entry in house.conversations
                    for party in entry.parties
                    if party.role is Role.AGENT
                }
                assert len(agents) == 1
                assert {entry.outcome for entry in house.conversations} == {"completed"}

    asyncio.run(story())


async def _wait_after(running: Scene, key: str) -> float:
    """From the answer to the agent's ringing."""
    caller = running.caller()
    call = await caller.dial(running.sip_port)
    runner = await running.conversation(caller)
    customer = party_of(runner, Role.CUSTOMER)
    assert customer is not None

    def question_heard() -> bool:
        question = runner.state.parties[customer].question
        return question is not None and question.heard

    await until(question_heard, "question")
    began = time.monotonic()
    call.press(key)
    await running.agent.rung_for(caller.number).wait()
    took_s = time.monotonic() - began
    agents = await until(lambda: running.agent.calls.get(caller.number), "agent")
    await running.both_hear(call, agents, seconds=0.2)
    call.hang_up()
    await running.idle()
    return took_s


def test_staff_cannot_open_what_a_caller_refused(tmp_path: Path, ports: Ports, prompts: Path) -> None:
    async def story() -> None:
        async with serving(tmp_path / "data", ports, prompts) as running:
            caller = running.caller()
            runner, call, agents = await running.connected(caller, "2")
            await say(call, MUST_NOT_BE_KEPT)
            lamps: set[Lamp] = set()

            def note() -> None:
                lamps.add(lamp_of(runner, Role.CUSTOMER))

            runner.on_change = note
            for command in ("pause", "resume", "resume", "pause", "resume"):
                await _order(running, command, runner.conversation)
                note()
            for _ in range(2):
                before = runner.state.paused_by
                agents.press("*3")
                await until(lambda before=before: runner.state.paused_by != before, "agent's code")  # type: ignore[misc]
            agents.hold()
            await until(lambda: runner.state.held_by, "hold")
            agents.unhold()
            await until(lambda: not runner.state.held_by, "end of the hold")
            for key in "1*31":
                call.press(key)
            await until(lambda: _stored_of_agent(running, caller.number) > 1000, "records of the agent")
            note()
            assert Lamp.RECORDING not in lamps
            logged = running.logged_tracks()
            call.hang_up()
            await running.idle()
            async with running.inside() as house:
                (entry,) = house.of_caller(caller.number)
                (customer,) = [party for party in entry.parties if party.role is Role.CUSTOMER]
                assert (customer.consent, customer.tracks, customer.stored_ms) == ("refused", (), 0)
                assert talk_of(entry, Role.AGENT).stored_ms > 1000
                assert talk_of(entry, Role.SYSTEM).stored_ms > 0
                others = {track.track for role in (Role.AGENT, Role.SYSTEM) for track in house.tracks(role)}
                assert logged <= others
                assert house.keyed() == others

    asyncio.run(story())


async def _order(running: Scene, command: str, conversation: str) -> None:
    """As `tallylight call pause|resume` does; the second of two equal orders may be refused."""
    with contextlib.suppress(CommandRefused):
        await asyncio.to_thread(request, running.data, command, conversation=conversation)


def _stored_of_agent(running: Scene, number: str) -> int:
    for call in running.server.switchboard.calls:
        if call.address == number and call.runner is not None:
            agent = party_of(call.runner, Role.AGENT)
            return 0 if agent is None else call.runner.tracks.stored_ms(agent)
    return 0


def test_a_refusal_counts_from_the_first_word_on(tmp_path: Path, ports: Ports, prompts: Path) -> None:
    async def story() -> None:
        async with serving(
            tmp_path / "data", ports, prompts, flow="prompt_seconds = 3\nproof_after_s = 0.5"
        ) as running:
            caller = running.caller()
            with Watch() as watch:
                began = time.monotonic()
                runner, call, agents = await running.connected(caller, "2")
                assert time.monotonic() - began < 3 + watch.worst_s
            assert lamp_of(runner, Role.CUSTOMER) is Lamp.OFF
            await running.both_hear(call, agents)
            call.press("1")
            await running.both_hear(call, agents)
            assert lamp_of(runner, Role.CUSTOMER) is Lamp.OFF
            call.hang_up()
            await running.idle()
            async with running.inside() as house:
                assert list(house.tracks(Role.CUSTOMER)) == []

    asyncio.run(story())


pytestmark = pytest.mark.timeout(120)
