"""What the running server does by the hour and on order: it erases what is due, and whoever asks for it."""

import asyncio
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import cast

import pytest

from tallylight.app.objecting import objections_of
from tallylight.app.orders import Orders
from tallylight.app.standing import standing_yeses_of
from tallylight.app.store import Store, open_store
from tallylight.catalogue.queries import ConversationEntry, list_conversations, oldest_deadline
from tallylight.clock import VirtualClock
from tallylight.database.engine import read_only
from tallylight.health.alarms import AlarmKind
from tallylight.law.vocabulary import Role
from tallylight.live.control import request
from tallylight.telephony.b2bua.switchboard import Switchboard
from tallylight.telephony.sip.uri import SipUri
from tallylight.vault.live_log import LiveLog
from tests.live.conftest import Talk, open_house
from tests.telephony.b2bua.virtual import WALL_MS, LoopClock, VirtualLoop, run
from tests.telephony.b2bua.world import NUMBER, World, in_world, tone

DAY_S = 86_400
SWEEP_MINUTES = 720

CONFIGURATION = f"""\
[controller]
name = "Example Ltd"
country = "DK"
policy_address = "example.com/privacy"
terms_acknowledged_by = "tests"

[agents]
country = "DK"
employee_notice = true

[project.trial]
language = "en"
mode = "both"
necessity = "tests"
purpose = "quality_assurance"
basis = "consent"
retention_months = 1

[retention]
sweep_minutes = {SWEEP_MINUTES}
"""


def record(directory: Path) -> None:
    """Two calls, an agreement and silence, in a folder that sweeps twice a day."""
    directory.mkdir(mode=0o700)
    configuration = directory / "tallylight.toml"
    configuration.write_text(CONFIGURATION)
    configuration.chmod(0o600)
    with open_house(directory, VirtualClock(WALL_MS)) as house:
        for agreed in (True, False):
            talk = Talk(house)
            talk.ask()
            if agreed:
                talk.say_yes()
                house.settle()
            agent = talk.join(Role.AGENT, "sip:agent@127.0.0.1")
            talk.speak(talk.customer, 1000)
            talk.speak(agent, 1000)
            talk.end()
            house.drain()


def entries(store: Store) -> list[ConversationEntry]:
    with read_only(store.engine) as connection:
        return list(list_conversations(connection, workspace=store.workspace, keys=store.keyring).conversations)


@contextmanager
def reopened(directory: Path, loop: VirtualLoop) -> Iterator[tuple[Store, Orders]]:
    """The folder as a server without calls has it, on the loop's time."""
    store = open_store(directory, owner=True, clock=LoopClock(loop))
    log = LiveLog(store.live_folder, on_alarm=lambda _alarm: None)
    switchboard = Switchboard(
        desk=lambda: pytest.fail("nobody calls"), target=SipUri(user="agent", host="127.0.0.1"), is_ours=lambda _: False
    )
    yield store, Orders(store, switchboard, log, loop, objections_of(store), standing_yeses_of(store))
    log.close(2.0)
    store.close()


def test_what_is_due_goes_by_itself_within_one_turn_of_the_timer(tmp_path: Path) -> None:
    directory = tmp_path / "data"
    record(directory)

    async def main(loop: VirtualLoop) -> None:
        with reopened(directory, loop) as (store, orders):
            minutes = store.configuration.retention.sweep_minutes
            assert minutes == SWEEP_MINUTES
            with read_only(store.engine) as connection:
                due_ms = oldest_deadline(connection, workspace=store.workspace)
            assert due_ms is not None
            last_ms = max(entry.deadline_ms or 0 for entry in entries(store))
            sweeping = loop.create_task(orders.sweep_regularly(minutes * 60))
            await asyncio.sleep((due_ms - store.clock.wall_ms()) / 1000 - 1)
            assert all(party.address is not None for entry in entries(store) for party in entry.people)
            assert len(list(store.objects.list())) == 4
            await asyncio.sleep((last_ms - due_ms) / 1000 + 1 + minutes * 60)
            sweeping.cancel()
            for entry in entries(store):
                assert [(party.address, party.stored_ms) for party in entry.people] == [(None, 0)] * 2
                assert {track.state for party in entry.parties for track in party.tracks} <= {"erased"}
                assert entry.deadline_ms is None
            assert list(store.objects.list()) == []
            assert store.alarms.counts() == {}

    run(main)


def test_one_sweep_that_fails_is_not_the_last(tmp_path: Path) -> None:
    directory = tmp_path / "data"
    record(directory)

    async def main(loop: VirtualLoop) -> None:
        with reopened(directory, loop) as (store, orders):
            sweeping = loop.create_task(orders.sweep_regularly(DAY_S))
            await asyncio.sleep(1)
            objects = store.directory / "objects"
            objects.rename(store.directory / "elsewhere")
            objects.write_text("in the way")
            await asyncio.sleep(40 * DAY_S)
            assert AlarmKind.ERASURE_PENDING in store.alarms.counts()
            assert all(party.address is None for entry in entries(store) for party in entry.people), "keys go first"
            objects.unlink()
            (store.directory / "elsewhere").rename(objects)
            await asyncio.sleep(DAY_S)
            sweeping.cancel()
            assert list(store.objects.list()) == []

    run(main)


def test_a_sweep_on_order_answers_what_it_did(tmp_path: Path) -> None:
    directory = tmp_path / "data"
    record(directory)

    async def main(loop: VirtualLoop) -> None:
        with reopened(directory, loop) as (store, orders):
            assert entries(store)
            sweep = orders.handlers()["sweep"]
            nothing = cast("dict[str, object]", await sweep({}))
            assert (nothing["state"], nothing["due"], nothing["conversations"]) == ("nothing_due", 0, 0)
            await asyncio.sleep(40 * DAY_S)
            done = cast("dict[str, object]", await sweep({"confirmed": False}))
            assert (done["state"], done["conversations"]) == ("erased", 2)
            certificate = cast("dict[str, object]", done["outcome"])
            assert certificate["kind"] == "retention"
            assert len(cast("list[object]", certificate["identities"])) == 4

    run(main)


@in_world()
async def test_a_call_that_has_ended_and_is_not_sealed_yet_is_erased(world: World) -> None:
    """Its runner is still there, its gates are shut, its sound lies in the log: the erasure is complete all the same."""
    call = await world.dial(talk=tone(5))
    await world.until_asked()
    call.press("1")
    agent = await world.until_talking()
    agent.leg.play(tone(3))
    await asyncio.sleep(3)
    runner, store = world.runner(), world.server.store
    ended, may_seal = asyncio.Event(), threading.Event()
    runner.on_change = lambda: ended.set() if runner.ended else None
    busy = [world.server.sealing.submit(may_seal.wait, 60) for _ in range(4)]
    try:
        call.hang_up()
        await ended.wait()
        assert world.last.people[0].address == NUMBER
        assert world.server.switchboard.running
        answer = cast(
            "dict[str, object]", await asyncio.to_thread(request, store.directory, "erase", person="20 12 34 56")
        )
        assert list(store.objects.list()) == [], "nothing is sealed yet"
    finally:
        may_seal.set()
    assert answer["state"] == "complete"
    certificate = cast("dict[str, list[dict[str, object]]]", answer["outcome"])
    assert {track["purpose"] for track in certificate["tracks"]} == {"quality_assurance", "proof_of_consent"}
    assert {track["role"] for track in certificate["stays"]} == {"system", "agent"}
    await world.until_quiet()
    assert all(each.done() for each in busy)
    customer, agent_entry = world.last.people
    assert (customer.address, customer.stored_ms) == (None, 0)
    assert {track.state for track in customer.tracks} == {"erased"}
    assert agent_entry.stored_ms > 2000
    assert len(list(store.objects.list())) == 2, "the agent's and our own"
    assert store.alarms.counts() == {}


@in_world()
async def test_a_running_call_obeys_an_erasure_and_goes_on(world: World) -> None:
    call = await world.dial(talk=tone(5))
    await world.until_asked()
    call.press("1")
    agent = await world.until_talking()
    agent.leg.play(tone(3))
    await asyncio.sleep(3)
    store = world.server.store
    started = time.monotonic()
    answer = cast(
        "dict[str, object]",
        await asyncio.to_thread(request, store.directory, "erase", person=f"sip:{NUMBER}@somewhere.example:5070"),
    )
    assert time.monotonic() - started < 30
    assert answer["state"] == "complete"
    await asyncio.sleep(3)
    assert not agent.is_over.is_set()
    call.hang_up()
    await world.until_quiet()
    customer, agent_entry = world.last.people
    assert (customer.address, customer.stored_ms, customer.consent) == (None, 0, "withdrawn")
    assert agent_entry.stored_ms > 5000
    assert store.alarms.counts() == {}
