"""Promise 2. A gate opens only after everybody who must be told has been told. Lamps change for everybody at once. The
announcement is a track of its own, first, at its true time.
"""

import asyncio
import time
from pathlib import Path

from tallylight.conversation.events import LampsChanged, NoticeGiven
from tallylight.law.vocabulary import Role
from tallylight.policy.decision import Lamp
from tests.crash.scene import Watch, as_it_comes, lamp_of, serving, until
from tests.peers.ports import Ports
from tests.promises.watching import Witness, talk_of

TRUE_TO_S = 0.15
PACKET_MS = 20
PROMPT_MS = 200
ROUNDED_MS = 2
"""Two instants, each rounded to a whole millisecond."""


class FirstSound:
    """When the first packet that is no silence reached a phone, by the wall clock: an `AudioSink`."""

    def __init__(self) -> None:
        self.at_ms: int | None = None

    def accept(self, start_ms: int, duration_ms: int, payload_type: int, payload: bytes) -> None:
        if self.at_ms is None and len(set(payload)) > 4:
            self.at_ms = time.time_ns() // 1_000_000


def test_nothing_of_anybody_is_stored_before_everybody_was_told(tmp_path: Path, ports: Ports, prompts: Path) -> None:
    async def story() -> None:
        async with serving(tmp_path / "data", ports, prompts) as running:
            caller = running.caller()
            _, call, _ = await running.recording(caller)
            call.hang_up()
            await running.idle()
            async with running.inside() as house:
                (entry,) = house.of_caller(caller.number)
                told = [event for event in house.events(entry.conversation) if event.type == NoticeGiven.__name__]
                assert told
                told_ms = told[0].occurred_ms - entry.started_ms
                starts = {
                    party.role: min(frame.start_ms for track in party.tracks for frame in house.frames(track))
                    for party in entry.parties
                }
                assert set(starts) == {Role.SYSTEM, Role.CUSTOMER, Role.AGENT}
                assert starts[Role.CUSTOMER] >= told_ms
                assert starts[Role.AGENT] >= told_ms
                assert starts[Role.SYSTEM] < min(starts[Role.CUSTOMER], starts[Role.AGENT])
                spoken_ms = sum(
                    max(0, min(frame.end_ms, told_ms) - frame.start_ms)
                    for frame in house.frames(talk_of(entry, Role.SYSTEM))
                )
                assert spoken_ms >= PROMPT_MS - ROUNDED_MS, (
                    "the announcement is not on the recording from its first word to its last"
                )

    asyncio.run(story())


def test_the_announcement_stands_at_its_true_time(tmp_path: Path, ports: Ports, prompts: Path) -> None:
    async def story() -> None:
        async with serving(tmp_path / "data", ports, prompts) as running:
            caller = running.caller()
            with Watch() as watch:
                call = await caller.dial(running.sip_port)
                first = call.leg.sink = FirstSound()
                async with as_it_comes(call):
                    heard_ms = await until(lambda: first.at_ms, "announcement")
                await caller.press_until_connected("2")
            call.hang_up()
            await running.idle()
            async with running.inside() as house:
                (entry,) = house.of_caller(caller.number)
                frames = house.frames(talk_of(entry, Role.SYSTEM))
                true_ms = entry.started_ms + frames[0].start_ms
                assert abs(heard_ms - true_ms) < 1000 * (TRUE_TO_S + watch.worst_s)

    asyncio.run(story())


def test_lamps_change_for_everybody_at_once(tmp_path: Path, ports: Ports, prompts: Path) -> None:
    async def story() -> None:
        async with serving(tmp_path / "data", ports, prompts) as running:
            caller = running.caller()
            runner, call, _ = await running.recording(caller, ms=1000)
            witness = Witness(runner)
            board = running.server.switchboard
            for act, lamp in ((board.pause, Lamp.PAUSED), (board.resume, Lamp.RECORDING), (board.pause, Lamp.PAUSED)):
                act(runner.conversation)
                await until(lambda lamp=lamp: set(runner.lamps().values()) == {lamp}, f"{lamp} lamps")  # type: ignore[misc]
                await call.for_seconds(0.5)
            call.hang_up()
            await running.idle()
            amber = [moment for moment in witness.moments if Lamp.PAUSED in moment.lamps.values()]
            assert amber
            assert all(set(moment.lamps.values()) <= {Lamp.PAUSED, Lamp.OFF} for moment in amber)
            async with running.inside() as house:
                (entry,) = house.of_caller(caller.number)
                decisions: dict[str, set[str]] = {}
                for segment in house.explained(entry.conversation).segments:
                    decisions.setdefault(segment.decision, set()).add(segment.party)
                everybody = {party.party for party in entry.parties}
                assert everybody in decisions.values()
                changed = [event for event in house.events(entry.conversation) if event.type == LampsChanged.__name__]
                assert len(changed) >= 4
                ends = [
                    max(frame.end_ms for frame in house.frames(talk_of(entry, role)))
                    for role in (Role.CUSTOMER, Role.AGENT)
                ]
                assert abs(ends[0] - ends[1]) <= 2 * PACKET_MS

    asyncio.run(story())


def test_a_caller_who_hears_nothing_of_the_question_is_not_recorded(
    tmp_path: Path, ports: Ports, prompts: Path
) -> None:
    async def story() -> None:
        async with serving(tmp_path / "data", ports, prompts, flow="prompt_seconds = 3") as running:
            caller = running.caller()
            call = await caller.dial(running.sip_port)
            runner = await running.conversation(caller)
            for _ in range(8):
                call.press("1")
                await call.for_seconds(0.25)
            assert lamp_of(runner, Role.CUSTOMER) is Lamp.OFF
            call.hang_up()
            await running.idle()
            async with running.inside() as house:
                (entry,) = house.of_caller(caller.number)
                (customer,) = [party for party in entry.parties if party.role is Role.CUSTOMER]
                assert (customer.consent, customer.tracks) == ("none", ())
                assert house.object_paths() == set()

    asyncio.run(story())
