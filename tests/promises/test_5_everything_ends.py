"""Promise 5. Every track has a deadline, an owner and a key of its own. Erasure destroys the key, removes every registered
copy, is confirmed copy by copy, and leaves a proof instead of the data.
"""

import asyncio
from pathlib import Path

import sqlalchemy as sa

from tallylight.clock import SystemClock
from tallylight.database.engine import read_only
from tallylight.law.vocabulary import Role
from tallylight.ledger.commitment import JsonValue
from tallylight.live.control import request
from tallylight.policy.decision import Lamp
from tallylight.vault.tables import key as keys
from tests.crash.evidence import House
from tests.crash.scene import lamp_of, party_of, serving, until
from tests.peers.ports import Ports
from tests.promises.watching import MAY_BE_KEPT, MUST_NOT_BE_KEPT, samples, say, talk_of

DAY_MS = 86_400_000
PROOF_IS_KEPT = 'proof_ground = "Art. 17(3)(e) GDPR: defence of legal claims"\nproof_months = 36'


class LaterClock(SystemClock):
    """The machine's clock, some days ahead."""

    def __init__(self, days: int) -> None:
        super().__init__()
        self._ahead_ms = days * DAY_MS

    def wall_ms(self) -> int:
        return super().wall_ms() + self._ahead_ms


def key_rows(house: House) -> list[tuple[str, str, bytes]]:
    """(track, epoch, wrapped key) of every data key."""
    with read_only(house.store.engine) as connection:
        rows = connection.execute(sa.select(keys.c.track, keys.c.epoch, keys.c.wrapped)).all()
    return [(row.track, row.epoch, bytes(row.wrapped)) for row in rows]


def test_every_track_has_a_deadline_an_owner_and_a_key_of_its_own(tmp_path: Path, ports: Ports, prompts: Path) -> None:
    async def story() -> None:
        async with serving(tmp_path / "data", ports, prompts) as running:
            callers = [running.caller(), running.caller()]
            for caller, key in zip(callers, "12", strict=True):
                _, call, agents = await running.connected(caller, key)
                await running.both_hear(call, agents, seconds=1.0)
                call.hang_up()
                await running.idle()
            async with running.inside() as house:
                tracks = list(house.tracks())
                assert len(tracks) == 4 + 2
                parties = {party.party for entry in house.conversations for party in entry.parties}
                assert {track.party for track in tracks} <= parties
                started_ms = min(entry.started_ms for entry in house.conversations)
                assert all(80 * DAY_MS < track.deadline_ms - started_ms < 1200 * DAY_MS for track in tracks)
                rows = key_rows(house)
                assert sorted(track for track, _, _ in rows) == sorted(track.track for track in tracks)
                assert len({wrapped for _, _, wrapped in rows}) == len({epoch for _, epoch, _ in rows}) == len(tracks)

    asyncio.run(story())


def test_what_is_due_is_erased_by_the_running_server_with_proof_and_the_rest_stays(
    tmp_path: Path, ports: Ports, prompts: Path
) -> None:
    data = tmp_path / "data"

    async def story() -> None:
        async with serving(data, ports, prompts, project=PROOF_IS_KEPT) as running:
            caller = running.caller()
            _, call, _ = await running.recording(caller, ms=800)
            call.hang_up()
            await running.idle()
            async with running.inside() as house:
                before = {track.track: track for track in house.tracks()}
                assert {track.state for track in before.values()} == {"sealed"}
        async with serving(data, ports, prompts, project=PROOF_IS_KEPT, clock=LaterClock(80)) as running:
            assert (await _sweep(running.data))["state"] == "nothing_due"
        async with serving(data, ports, prompts, project=PROOF_IS_KEPT, clock=LaterClock(100)) as running:
            await until(lambda: len(_objects(data)) == 1, "sweep of the started server")
            assert (await _sweep(running.data))["state"] in {"erased", "nothing_due"}
            async with running.inside() as house:
                after = {track.track: track for track in house.tracks()}
                kept = [track for track in after.values() if track.state == "sealed"]
                assert [track.is_talk for track in kept] == [False]
                assert {track.state for track in after.values()} == {"sealed", "erased"}
                assert {track for track, _, _ in key_rows(house)} == {kept[0].track}
                assert house.object_paths() == {kept[0].path}
                assert house.frames(kept[0])
                erased = [event for entry in house.conversations for event in house.events(entry.conversation)]
                assert sum(event.type == "TrackErased" for event in erased) == len(after) - 1
                assert house.verify_ledger() > 0

    asyncio.run(story())


def _objects(data: Path) -> list[Path]:
    return [path for path in (data / "objects").rglob("*") if path.is_file()]


async def _sweep(data: Path) -> dict[str, JsonValue]:
    """`tallylight retention sweep` beside a server."""
    answer = await asyncio.to_thread(request, data, "sweep")
    assert isinstance(answer, dict)
    return answer


def test_a_person_is_erased_in_the_middle_of_a_call_and_people_go_on_talking(
    tmp_path: Path, ports: Ports, prompts: Path
) -> None:
    async def story() -> None:
        async with serving(tmp_path / "data", ports, prompts) as running:
            one, other = running.caller(), running.caller()
            runner, call, agents = await running.recording(one)
            _, other_call, _ = await running.recording(other)
            await say(call, MAY_BE_KEPT)
            talk = {str(track) for track in runner.tracks.durable_ms()}
            answer = await asyncio.to_thread(request, running.data, "erase", person=one.number)
            assert isinstance(answer, dict)
            assert answer["state"] == "complete", answer
            assert lamp_of(runner, Role.CUSTOMER) is Lamp.OFF
            await say(call, MUST_NOT_BE_KEPT)
            await running.both_hear(call, agents)
            agent = party_of(runner, Role.AGENT)
            assert agent is not None
            stored_ms = runner.tracks.stored_ms(agent)
            await until(lambda: runner.tracks.stored_ms(agent) > stored_ms, "more of the agent")
            for each in (call, other_call):
                each.hang_up()
            await running.idle()
            async with running.inside() as house:
                assert house.of_caller(one.number) == []
                (entry,) = [entry for entry in house.conversations if entry.conversation == runner.conversation]
                (customer,) = [party for party in entry.parties if party.role is Role.CUSTOMER]
                customers = {str(track.track) for track in customer.tracks}
                assert customers & talk
                assert customers.isdisjoint(house.keyed())
                assert {track.state for track in house.tracks() if str(track.track) in customers} == {"erased"}
                kept = talk_of(entry, Role.AGENT)
                assert kept.state == "sealed"
                assert samples(house.frames(kept))
                (others,) = house.of_caller(other.number)
                assert talk_of(others, Role.CUSTOMER).state == "sealed"
                assert house.object_paths() == {track.path for track in house.tracks() if track.path is not None}
                assert house.verify_ledger() > 0

    asyncio.run(story())
