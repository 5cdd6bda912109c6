"""Starts that find something in their way: what a dead process left, a key that is lost, somebody who was there first."""

import asyncio
import contextlib
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path

from tallylight.database.engine import FILE_NAME
from tallylight.live.control import request
from tallylight.vault.wrapping import MASTER_FILE
from tests.crash.evidence import look_inside
from tests.crash.people import Caller, babble, phones, until_cut
from tests.crash.scene import POLL_S
from tests.crash.serving import Serving, furnish, launch, serve, spoken_once
from tests.peers.ports import LOOPBACK, Ports

NOBODY = f"sip:agent@{LOOPBACK}:9"
HALF_A_SECOND_MS = 500
LONG = "a-folder-with-a-rather-long-name"


@contextlib.asynccontextmanager
async def served(data: Path, ports: Ports, prompts: Path, agent: str = NOBODY) -> AsyncIterator[Serving]:
    """A server process; killed at the end where it still runs."""
    with spoken_once(data, prompts):
        server = await serve(data, sip_port=ports.sip(0), agent=agent)
    try:
        yield server
    finally:
        if server.process.returncode is None:
            await server.kill()


async def refused(data: Path, ports: Ports) -> str:
    """A start that must fail: what it said. It may have printed nothing else."""
    errors = data.parent / f"{data.name}.stderr"
    errors.unlink(missing_ok=True)
    process, errors = await launch(data, sip_port=ports.sip(2), agent=NOBODY)
    assert process.stdout is not None
    printed = await process.stdout.read()
    assert (await process.wait(), printed) == (1, b"")
    said = errors.read_text()
    assert "Traceback" not in said
    return said


def test_a_stale_lock_and_a_stale_socket_hold_nobody_up(tmp_path: Path, ports: Ports, prompts: Path) -> None:
    data = tmp_path / "data"
    furnish(data, ports)

    async def story() -> None:
        async with served(data, ports, prompts) as server:
            await server.kill()
        assert (data / "lock").exists()
        assert (data / "control.sock").is_socket()
        async with served(data, ports, prompts) as server:
            assert await asyncio.to_thread(request, data, "status") == []
            assert (await server.terminate(10))[0] == 0

    asyncio.run(story())


def test_a_second_server_on_a_folder_is_refused_and_the_first_goes_on(
    tmp_path: Path, ports: Ports, prompts: Path
) -> None:
    data = tmp_path / "data"
    furnish(data, ports)

    async def story() -> None:
        async with served(data, ports, prompts) as server:
            said = await refused(data, ports)
            assert "already runs on" in said
            assert await asyncio.to_thread(request, data, "status") == []
            assert (await server.terminate(10))[0] == 0

    asyncio.run(story())


def test_a_folder_deeper_than_a_socket_s_path_may_be_obeys_its_commands(
    tmp_path: Path, ports: Ports, prompts: Path
) -> None:
    data = tmp_path.joinpath(*[LONG] * 6) / "data"
    assert len(str(data / "control.sock")) > 200
    furnish(data, ports)

    async def story() -> None:
        async with served(data, ports, prompts) as server:
            assert await asyncio.to_thread(request, data, "status") == []
            assert (await server.terminate(10))[0] == 0

    asyncio.run(story())


def test_a_lost_master_key_stops_the_start_and_nothing_is_made_in_its_place(
    tmp_path: Path, ports: Ports, prompts: Path
) -> None:
    data = tmp_path / "data"
    furnish(data, ports)
    master = data / "keys" / MASTER_FILE

    async def story() -> None:
        async with served(data, ports, prompts) as server:
            assert (await server.terminate(10))[0] == 0
        kept = master.read_bytes()
        master.unlink()
        assert "put it back from its backup" in await refused(data, ports)
        assert not master.exists()
        master.write_bytes(kept)
        master.chmod(0o444)
        assert "chmod 0400" in await refused(data, ports)
        master.chmod(0o400)
        async with served(data, ports, prompts) as server:
            assert (await server.terminate(10))[0] == 0

    asyncio.run(story())


def test_another_folder_s_master_key_stops_the_start(tmp_path: Path, ports: Ports, prompts: Path) -> None:
    data, other = tmp_path / "data", tmp_path / "other"

    async def story() -> None:
        for folder in (data, other):
            furnish(folder, ports)
            async with served(folder, ports, prompts) as server:
                assert (await server.terminate(10))[0] == 0
        master = data / "keys" / MASTER_FILE
        master.unlink()
        master.write_bytes((other / "keys" / MASTER_FILE).read_bytes())
        master.chmod(0o400)
        assert "put back the master key" in await refused(data, ports)

    asyncio.run(story())


def test_a_database_that_is_none_stops_the_start(tmp_path: Path, ports: Ports) -> None:
    data = tmp_path / "data"
    furnish(data, ports)
    (data / FILE_NAME).write_bytes(b"no database at all" * 1000)
    assert "database" in asyncio.run(refused(data, ports))


class TestStop:
    def test_sigterm_seals_running_calls_and_exits_in_time(self, tmp_path: Path, ports: Ports, prompts: Path) -> None:
        data = tmp_path / "data"
        furnish(data, ports)

        async def story() -> None:
            async with phones(ports, 3) as (agent, others):
                async with served(data, ports, prompts, agent.uri) as server:
                    callers = [Caller(phone, agent, f"+452010020{n}", talk=babble(n)) for n, phone in enumerate(others)]
                    acts = (Caller.agrees, Caller.agrees, Caller.refuses)
                    await asyncio.gather(
                        *(act(caller, ports.sip(0)) for act, caller in zip(acts, callers, strict=True))
                    )
                    await until_stored(data, 2)
                    status, took_s = await server.terminate(10)
                    assert status == 0
                    assert took_s < 10
                for caller in callers:
                    assert caller.call is not None
                    await asyncio.wait_for(caller.call.until_over(), 5)
            house = look_inside(data)
            try:
                assert [entry.outcome for entry in house.conversations] == ["shutdown"] * 3
                tracks = list(house.tracks())
                assert {track.state for track in tracks} == {"sealed"}
                assert all(track.stored_ms == track.expected_ms for track in tracks)
                assert {party.stored_ms > 0 for entry in house.conversations for party in entry.people} == {True, False}
                assert list((data / "live").glob("*.live")) == []
                assert house.verify_ledger() > 0
            finally:
                house.store.close()

        asyncio.run(story())

    def test_sigterm_while_the_database_hangs_exits_in_time_and_the_next_start_seals(
        self, tmp_path: Path, ports: Ports, prompts: Path
    ) -> None:
        data = tmp_path / "data"
        furnish(data, ports)

        async def story() -> None:
            async with phones(ports, 1) as (agent, others):
                async with served(data, ports, prompts, agent.uri) as server:
                    caller = Caller(others[0], agent, "+4520100300", talk=babble(1))
                    await until_cut(caller.agrees(ports.sip(0)))
                    durable_ms = await until_stored(data, 1)
                    with contextlib.closing(sqlite3.connect(data / FILE_NAME, isolation_level=None)) as intruder:
                        intruder.execute("BEGIN IMMEDIATE")
                        await server.terminate(10)
                        intruder.execute("ROLLBACK")
                async with served(data, ports, prompts, agent.uri) as server:
                    assert (await server.terminate(10))[0] == 0
            house = look_inside(data)
            try:
                (entry,) = house.conversations
                assert entry.state in {"ended", "interrupted"}
                assert {track.state for track in house.tracks()} == {"sealed"}
                (customer,) = [party for party in entry.people if party.role.value == "customer"]
                assert customer.stored_ms >= durable_ms
                assert house.verify_ledger() > 0
            finally:
                house.store.close()

        asyncio.run(story())


async def until_stored(data: Path, count: int) -> float:
    """Wait until so many customers of running calls have half a second stored; the least of them, in ms."""
    while True:
        answer = await asyncio.to_thread(request, data, "status")
        assert isinstance(answer, list)
        stored = [
            float(str(party["stored_ms"]))
            for call in answer
            for party in _parties(call)
            if party["role"] == "customer" and float(str(party["stored_ms"])) > HALF_A_SECOND_MS
        ]
        if len(stored) >= count:
            return min(stored)
        await asyncio.sleep(POLL_S)


def _parties(call: object) -> list[dict[str, object]]:
    assert isinstance(call, dict)
    found = call["parties"]
    assert isinstance(found, list)
    return found
