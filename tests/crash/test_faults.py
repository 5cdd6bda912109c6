"""Disk, commits and keys that fail in the middle of real calls: people go on talking, the recording says what it lacks."""

import asyncio
import contextlib
import errno
import sqlite3
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tallylight.catalogue.queries import ConversationEntry
from tallylight.conversation.events import RecordingPaused, RecordingResumed
from tallylight.database.engine import FILE_NAME
from tallylight.demo.phone import PhoneCall
from tallylight.health.alarms import AlarmKind
from tallylight.law.vocabulary import Role
from tallylight.policy.decision import Lamp
from tallylight.vault.disk import Call
from tests.crash.evidence import House
from tests.crash.people import Caller
from tests.crash.scene import Arrivals, Scene, Watch, as_it_comes, lamp_of, party_of, serving, until
from tests.peers.ports import Ports

LONGEST_GAP_S = 0.2
STALL_S = 5.0


@contextlib.asynccontextmanager
async def scene(folder: Path, ports: Ports, prompts: Path) -> AsyncIterator[Scene]:
    async with serving(folder / "data", ports, prompts) as running:
        yield running


def only(house: House, caller: Caller) -> ConversationEntry:
    """The caller's one conversation."""
    (found,) = house.of_caller(caller.number)
    return found


def talk_of(house: House, caller: Caller, role: Role) -> tuple[str, int, int]:
    """State, expected and stored ms of the only talk track of a party."""
    (party,) = [party for party in only(house, caller).parties if party.role is role]
    (track,) = [track for track in party.tracks if track.is_talk]
    return track.state, track.expected_ms, track.stored_ms


async def hang_up(running: Scene, call: PhoneCall) -> None:
    call.hang_up()
    await running.idle()


class TestDisk:
    def test_a_full_disk_that_empties_again_costs_nothing(self, tmp_path: Path, ports: Ports, prompts: Path) -> None:
        async def story() -> None:
            async with scene(tmp_path, ports, prompts) as running:
                caller = running.caller()
                runner, call, agents = await running.recording(caller)
                running.disk.limit(0)
                await running.alarm(AlarmKind.DISK_FULL)
                assert "disk" in await running.get("/readyz")
                await running.both_hear(call, agents)
                customer = party_of(runner, Role.CUSTOMER)
                assert customer is not None
                before_ms = runner.tracks.stored_ms(customer)
                running.disk.heal()
                await until(
                    lambda: runner.tracks.stored_ms(customer) > before_ms + 500, "records after the disk's return"
                )
                assert await running.get("/readyz") == '{"status":"ready"}'
                await hang_up(running, call)
                async with running.inside() as house:
                    for role in (Role.CUSTOMER, Role.AGENT):
                        state, expected_ms, stored_ms = talk_of(house, caller, role)
                        assert (state, stored_ms) == ("sealed", expected_ms)
                    assert only(house, caller).alarms == ()

        asyncio.run(story())

    def test_a_disk_that_stays_full_keeps_what_was_durable_for_the_next_start(
        self, tmp_path: Path, ports: Ports, prompts: Path
    ) -> None:
        async def story() -> None:
            async with scene(tmp_path, ports, prompts) as running:
                caller = running.caller()
                runner, call, agents = await running.recording(caller)
                running.disk.limit(0)
                await running.alarm(AlarmKind.DISK_FULL)
                await running.both_hear(call, agents)
                durable = dict(runner.tracks.durable_ms())
                await hang_up(running, call)
                await running.alarm(AlarmKind.SEALING_FAILED)
                assert durable
            async with scene(tmp_path, ports, prompts) as running, running.inside() as house:
                stored = {track.track: (track.state, track.stored_ms) for track in house.tracks()}
                for track, durable_ms in durable.items():
                    state, stored_ms = stored[track]
                    assert state == "sealed"
                    assert stored_ms >= durable_ms

        asyncio.run(story())

    @pytest.mark.parametrize("fault", [Call.FSYNC, Call.WRITE])
    def test_an_input_output_error_costs_a_file_and_no_sound(
        self, tmp_path: Path, ports: Ports, prompts: Path, fault: Call
    ) -> None:
        async def story() -> None:
            async with scene(tmp_path, ports, prompts) as running:
                caller = running.caller()
                _, call, agents = await running.recording(caller)
                running.disk.fail(fault, errno.EIO, times=2)
                await running.alarm(AlarmKind.LOG_FAILED)
                await running.both_hear(call, agents)
                await until(lambda: running.server.failing() == [], "recovered log")
                await hang_up(running, call)
                async with running.inside() as house:
                    for role in (Role.CUSTOMER, Role.AGENT):
                        state, expected_ms, stored_ms = talk_of(house, caller, role)
                        assert (state, stored_ms) == ("sealed", expected_ms)

        asyncio.run(story())

    def test_a_disk_that_stalls_for_five_seconds_delays_neither_the_relay_nor_a_closing(
        self, tmp_path: Path, ports: Ports, prompts: Path
    ) -> None:
        async def story() -> None:
            async with scene(tmp_path, ports, prompts) as running:
                caller = running.caller()
                runner, call, agents = await running.recording(caller)
                arrivals = [Arrivals(each.ear) for each in (call, agents)]
                call.leg.sink, agents.leg.sink = arrivals
                stalls = [running.disk.stall(kind) for kind in (Call.FSYNC, Call.WRITE)]
                await until(lambda: any(stall.entered.is_set() for stall in stalls), "stalled disk")
                with Watch() as watch:
                    async with as_it_comes(call, agents):
                        from_s = time.monotonic()
                        await call.for_seconds(STALL_S / 2)
                        halfway_s = time.monotonic()
                        call.press("*2")
                        pressed_ms = runner.offset_ms()
                        await until(
                            lambda: lamp_of(runner, Role.CUSTOMER) is Lamp.OFF, "dark lamp", seconds=STALL_S / 2
                        )
                        assert runner.offset_ms() - pressed_ms < 1000 * (1 + watch.worst_s)
                        await call.for_seconds(max(0.0, STALL_S - (time.monotonic() - from_s)))
                        until_s = time.monotonic()
                for stall in stalls:
                    stall.release()
                # The caller's own keys are events in the place of sound: for the other direction the whole stall counts.
                assert arrivals[0].longest_gap_s(from_s, until_s) < LONGEST_GAP_S + watch.worst_s
                assert arrivals[1].longest_gap_s(from_s, halfway_s) < LONGEST_GAP_S + watch.worst_s
                await hang_up(running, call)
                async with running.inside() as house:
                    assert talk_of(house, caller, Role.CUSTOMER)[0] == "erased"
                    state, expected_ms, stored_ms = talk_of(house, caller, Role.AGENT)
                    assert (state, stored_ms) == ("sealed", expected_ms)

        asyncio.run(story())


class TestDatabase:
    def test_a_commit_that_stalls_for_five_seconds_delays_neither_the_relay_nor_a_closing(
        self, tmp_path: Path, ports: Ports, prompts: Path
    ) -> None:
        async def story() -> None:
            async with scene(tmp_path, ports, prompts) as running:
                caller = running.caller()
                runner, call, agents = await running.recording(caller)
                heard = Arrivals(call.ear)
                call.leg.sink = heard
                stall = running.commits.stall(running.commits.next)
                agents.press("*3")
                await until(lambda: lamp_of(runner, Role.CUSTOMER) is Lamp.PAUSED, "amber lamp", seconds=3)
                await until(stall.reached.is_set, "stalled commit")
                with Watch() as watch:
                    async with as_it_comes(call):
                        from_s = time.monotonic()
                        await call.for_seconds(STALL_S)
                        until_s = time.monotonic()
                assert lamp_of(runner, Role.CUSTOMER) is Lamp.PAUSED
                stall.release()
                assert heard.longest_gap_s(from_s, until_s) < LONGEST_GAP_S + watch.worst_s
                await hang_up(running, call)
                async with running.inside() as house:
                    for role in (Role.CUSTOMER, Role.AGENT):
                        state, expected_ms, stored_ms = talk_of(house, caller, role)
                        assert (state, stored_ms) == ("sealed", expected_ms)

        asyncio.run(story())

    def test_a_database_that_fails_in_mid_call_stops_the_recording_and_not_the_call(
        self, tmp_path: Path, ports: Ports, prompts: Path
    ) -> None:
        async def story() -> None:
            async with scene(tmp_path, ports, prompts) as running:
                caller = running.caller()
                runner, call, agents = await running.recording(caller)
                running.commits.fail_all()
                agents.press("*3")
                await running.alarm(AlarmKind.DATABASE_FAILED)
                await running.alarm(AlarmKind.RECORDING_FAILED)
                assert "database" in await running.get("/readyz")
                failed_ms = runner.offset_ms()
                await running.both_hear(call, agents)
                assert Lamp.RECORDING not in runner.lamps().values()
                call.hang_up()
                await call.until_over()
                running.commits.recover()
                await running.idle()
                async with running.inside() as house:
                    entry = only(house, caller)
                    assert "recording_failed" in {alarm.kind for alarm in entry.alarms}
                    assert (entry.state, entry.outcome) == ("ended", "completed")
                    for role in (Role.CUSTOMER, Role.AGENT):
                        state, expected_ms, stored_ms = talk_of(house, caller, role)
                        assert (state, stored_ms) == ("sealed", expected_ms)
                    for track in house.tracks():
                        assert max(frame.end_ms for frame in house.frames(track)) <= failed_ms
                    assert house.verify_ledger() > 0

        asyncio.run(story())

    def test_a_database_that_is_gone_from_the_start_lets_people_talk_unrecorded(
        self, tmp_path: Path, ports: Ports, prompts: Path
    ) -> None:
        async def story() -> None:
            async with scene(tmp_path, ports, prompts) as running:
                running.commits.fail_all()
                caller = running.caller()
                runner, call, agents = await running.connected(caller)
                await running.alarm(AlarmKind.RECORDING_FAILED)
                await running.both_hear(call, agents)
                assert set(runner.lamps().values()) == {Lamp.OFF}
                assert set(runner.tracks.expected_ms().values()) <= {0}
                running.commits.recover()
                await hang_up(running, call)
                async with running.inside() as house:
                    entry = only(house, caller)
                    assert "recording_failed" in {alarm.kind for alarm in entry.alarms}
                    assert {track.state for track in house.tracks()} <= {"erased"}
                    assert house.object_paths() == set()
                    (customer,) = [party for party in entry.parties if party.role is Role.CUSTOMER]
                    assert customer.consent == "given"

        asyncio.run(story())

    def test_a_database_that_somebody_locks_is_waited_for_by_nobody_on_the_phone(
        self, tmp_path: Path, ports: Ports, prompts: Path
    ) -> None:
        async def story() -> None:
            async with scene(tmp_path, ports, prompts) as running:
                with contextlib.closing(sqlite3.connect(running.data / FILE_NAME, isolation_level=None)) as intruder:
                    intruder.execute("BEGIN IMMEDIATE")
                    caller = running.caller()
                    runner, call, agents = await running.connected(caller)
                    await running.both_hear(call, agents)
                    assert Lamp.RECORDING not in runner.lamps().values()
                    await running.alarm(AlarmKind.DATABASE_FAILED)
                    await running.both_hear(call, agents)
                    intruder.execute("ROLLBACK")
                await hang_up(running, call)
                async with running.inside() as house:
                    assert only(house, caller).state == "ended"
                    assert house.verify_ledger() > 0

        asyncio.run(story())

    def test_events_keep_their_order_when_the_first_of_them_is_refused(
        self, tmp_path: Path, ports: Ports, prompts: Path
    ) -> None:
        async def story() -> None:
            async with scene(tmp_path, ports, prompts) as running:
                caller = running.caller()
                runner, call, agents = await running.recording(caller)
                number = running.commits.next
                stall = running.commits.stall(number)
                running.commits.fail(number)
                running.server.switchboard.pause(runner.conversation)
                await until(stall.reached.is_set, "commit that will fail")
                for _ in range(2):
                    running.server.switchboard.resume(runner.conversation)
                    running.server.switchboard.pause(runner.conversation)
                stall.release()
                await running.alarm(AlarmKind.RECORDING_FAILED)
                await running.both_hear(call, agents)
                await hang_up(running, call)
                async with running.inside() as house:
                    paused, resumed = RecordingPaused.__name__, RecordingResumed.__name__
                    acts = [event.type for event in house.events(runner.conversation)]
                    switched = [act for act in acts if act in {paused, resumed}]
                    assert switched == [paused, resumed, paused, resumed, paused]
                    explained = house.explained(runner.conversation)
                    assert explained.replay.agrees, explained.replay

        asyncio.run(story())


class TestKeys:
    def test_a_project_key_that_is_gone_stops_the_recording_and_not_the_call(
        self, tmp_path: Path, ports: Ports, prompts: Path
    ) -> None:
        async def story() -> None:
            async with scene(tmp_path, ports, prompts) as running:
                running.server.store.keyring.unload_project("main")
                caller = running.caller()
                runner, call, agents = await running.connected(caller)
                await running.alarm(AlarmKind.RECORDING_FAILED)
                await running.both_hear(call, agents)
                assert set(runner.lamps().values()) == {Lamp.OFF}
                await hang_up(running, call)
                async with running.inside() as house:
                    entry = next(entry for entry in house.conversations if entry.conversation == runner.conversation)
                    assert "recording_failed" in {alarm.kind for alarm in entry.alarms}
                    assert list(house.tracks()) == []
                    assert house.object_paths() == set()

        asyncio.run(story())


class TestCallers:
    def test_a_caller_who_hangs_up_in_the_prompt_leaves_events_only(
        self, tmp_path: Path, ports: Ports, prompts: Path
    ) -> None:
        async def story() -> None:
            async with serving(tmp_path / "data", ports, prompts, flow="prompt_seconds = 5") as running:
                caller = running.caller()
                call = await caller.dial(running.sip_port)
                runner = await running.conversation(caller)
                assert party_of(runner, Role.SYSTEM) is not None
                await until(lambda: any(runner.tracks.durable_ms().values()), "durable announcement")
                call.hang_up()
                await running.idle()
                async with running.inside() as house:
                    entry = only(house, caller)
                    assert entry.outcome == "abandoned"
                    assert {(track.state, track.stored_ms) for track in house.tracks()} == {("erased", 0)}
                    assert house.keyed() == set()
                    assert house.object_paths() == set()
                    assert house.verify_ledger() > 0
                await until(lambda: not list((running.data / "live").glob("*.live")), "empty live log")

        asyncio.run(story())
