"""Promise 1. A sample reaches storage only through its party's gate, for media time in which the decision in force says
*record*; the stored chunk names that decision. What is refused is never written.
"""

import asyncio
from pathlib import Path

from tallylight.ids import PartyId
from tallylight.law.vocabulary import Role
from tallylight.live.runner import ConversationRunner
from tallylight.policy.decision import Lamp
from tests.crash.people import Caller
from tests.crash.scene import lamp_of, party_of, serving, until
from tests.peers.ports import Ports
from tests.promises.watching import (
    LEVEL,
    MAY_BE_KEPT,
    MUST_NOT_BE_KEPT,
    check_every_frame,
    samples,
    say,
    talk_of,
    tracks_of,
)


def test_what_is_stored_was_spoken_while_the_lamp_was_lit(tmp_path: Path, ports: Ports, prompts: Path) -> None:
    async def story() -> None:
        async with serving(tmp_path / "data", ports, prompts) as running:
            caller = running.caller()
            call = await caller.dial(running.sip_port)
            runner = await running.conversation(caller)
            running.agent.talk = MAY_BE_KEPT
            await say(call, MUST_NOT_BE_KEPT)
            await until(lambda: runner.state.parties[_customer(runner)].question is not None, "question")
            await say(call, MAY_BE_KEPT)
            await caller.press_until_connected("1")
            agents = await until(lambda: running.agent.calls.get(caller.number), "agent")
            await until(lambda: runner.tracks.stored_ms(_customer(runner)) > 500, "records")

            agents.press("*3")
            await until(lambda: lamp_of(runner, Role.AGENT) is Lamp.PAUSED, "amber lamps")
            agents.leg.play(MUST_NOT_BE_KEPT)
            await say(call, MUST_NOT_BE_KEPT)
            agents.leg.play(MAY_BE_KEPT)
            await say(call, MAY_BE_KEPT)
            agents.press("*3")
            await until(lambda: lamp_of(runner, Role.AGENT) is Lamp.RECORDING, "red lamps")
            resumed_ms = runner.offset_ms()
            await until(lambda: runner.offset_ms() - resumed_ms > 700, "speech")

            call.hold()
            await until(lambda: lamp_of(runner, Role.CUSTOMER) is not Lamp.RECORDING, "dark lamp on hold")
            call.unhold()
            await until(lambda: lamp_of(runner, Role.CUSTOMER) is Lamp.RECORDING, "red lamp")
            call.hang_up()
            await running.idle()
            async with running.inside() as house:
                (entry,) = house.of_caller(caller.number)
                for role in (Role.CUSTOMER, Role.AGENT):
                    kept = samples(house.frames(talk_of(entry, role)))
                    assert max(kept) > LEVEL / 2
                    assert min(kept) > -LEVEL / 2, f"something the {role} said in the dark is stored"
                assert check_every_frame(house, entry) >= 5

    asyncio.run(story())


def test_after_a_withdrawal_nothing_more_is_kept_and_the_talk_is_gone(
    tmp_path: Path, ports: Ports, prompts: Path
) -> None:
    async def story() -> None:
        async with serving(tmp_path / "data", ports, prompts) as running:
            caller = running.caller()
            runner, call, agents = await running.recording(caller)
            await say(call, MAY_BE_KEPT)
            call.press("*2")
            await until(lambda: lamp_of(runner, Role.CUSTOMER) is Lamp.OFF, "dark lamp")
            await say(call, MUST_NOT_BE_KEPT)
            await running.both_hear(call, agents)
            call.hang_up()
            await running.idle()
            async with running.inside() as house:
                (entry,) = house.of_caller(caller.number)
                talk = talk_of(entry, Role.CUSTOMER)
                assert (talk.state, talk.stored_ms, talk.path) == ("erased", 0, None)
                (proof,) = [track for track in tracks_of(entry, Role.CUSTOMER) if not track.is_talk]
                spoken = samples([frame for frame in house.frames(proof) if frame.source == 0])
                assert not len(spoken) or min(spoken) > -2 * LEVEL
                assert talk.track not in house.keyed()
                assert check_every_frame(house, entry) >= 3

    asyncio.run(story())


def test_of_callers_who_say_no_or_nothing_no_record_is_ever_written(
    tmp_path: Path, ports: Ports, prompts: Path
) -> None:
    async def story() -> None:
        async with serving(tmp_path / "data", ports, prompts) as running:
            no, silent = running.caller(), running.caller()
            await asyncio.gather(running.connected(no, "2"), _silent(running.sip_port, silent))
            runners = [await running.conversation(caller) for caller in (no, silent)]
            await until(lambda: all(party_of(runner, Role.AGENT) for runner in runners), "agents")
            for caller in (no, silent):
                assert caller.call is not None
                await say(caller.call, MUST_NOT_BE_KEPT)
            await until(
                lambda: all(sum(r.tracks.durable_ms().values()) > 1000 for r in runners), "records of the others"
            )
            logged = running.logged_tracks()
            for caller in (no, silent):
                caller.leave()
            await running.idle()
            async with running.inside() as house:
                allowed = {track.track for role in (Role.AGENT, Role.SYSTEM) for track in house.tracks(role)}
                assert logged
                assert logged <= allowed
                assert list(house.tracks(Role.CUSTOMER)) == []
                assert house.keyed() <= allowed
                assert house.object_paths() == {track.path for track in house.tracks()}
                for caller in (no, silent):
                    (entry,) = house.of_caller(caller.number)
                    assert check_every_frame(house, entry) >= 2

    asyncio.run(story())


async def _silent(sip_port: int, caller: Caller) -> None:
    await caller.stays_silent(sip_port)
    await caller.agent.rung_for(caller.number).wait()


def _customer(runner: ConversationRunner) -> PartyId:
    party = party_of(runner, Role.CUSTOMER)
    assert party is not None
    return party
