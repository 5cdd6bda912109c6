"""What a start tells of calls whose process died: how much was talked, as far as that was kept."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tallylight.app.store import Store, open_store
from tallylight.catalogue.queries import ConversationEntry, list_conversations, to_json
from tallylight.clock import VirtualClock
from tallylight.database.engine import read_only
from tallylight.health.alarms import AlarmKind
from tallylight.ids import PartyId, new_id
from tallylight.law.vocabulary import Role
from tallylight.live.recovery import MOST_ORPHANS, Recovered, finish_interrupted
from tallylight.live.sealing import Sealer
from tests.capture.test_vad import PCMA, PCMU, coded, samples, voice
from tests.live.conftest import PACKET_MS, House, Talk, open_house

PACKET_BYTES = PACKET_MS * 8


def say(talk: Talk, party: PartyId, seconds: float, payload_type: int = PCMU) -> None:
    """Somebody really speaks: a second of voice, a second of nothing, and so on."""
    second = coded(payload_type, samples(voice(1))) + coded(payload_type, bytes(16_000))
    sound = (second * int(seconds))[: int(seconds * 8000)]
    for start in range(0, len(sound), PACKET_BYTES):
        at = talk.runner.offset_ms()
        talk.house.clock.advance(PACKET_MS / 1000)
        packet = sound[start : start + PACKET_BYTES]
        talk.runner.tracks.capture(party).accept(at, PACKET_MS, payload_type, packet)


@contextmanager
def restarted(directory: Path, clock: VirtualClock) -> Iterator[tuple[Store, Recovered]]:
    """The folder after the next start has recovered it."""
    store = open_store(directory, owner=True, clock=clock)
    sealer = Sealer(
        workspace=store.workspace,
        clock=clock,
        engine=store.engine,
        writer=store.writer,
        keyring=store.keyring,
        objects=store.objects,
        chronicle=store.chronicle,
        alarms=store.alarms,
        metrics=store.metrics,
        read=lambda epoch: (),
        release=lambda track: None,
    )
    yield store, finish_interrupted(store.live_folder, sealer)
    store.close()


def listed(store: Store) -> ConversationEntry:
    with read_only(store.engine) as connection:
        page = list_conversations(connection, workspace=store.workspace, keys=store.keyring)
    (entry,) = page.conversations
    return entry


@pytest.mark.parametrize("payload_type", [PCMU, PCMA])
def test_what_was_stored_of_a_person_is_listened_to_again(tmp_path: Path, payload_type: int) -> None:
    clock = VirtualClock()
    with open_house(tmp_path, clock) as house:
        talk = Talk(house)
        say(talk, talk.customer, 4, payload_type)  # before the yes: counted, and kept nowhere
        talk.ask()
        talk.say_yes()
        house.settle()
        agent = talk.join(Role.AGENT, "sip:agent@127.0.0.1")
        say(talk, talk.customer, 8, payload_type)
        say(talk, agent, 4, payload_type)
        counted = talk.runner.tracks.talked_ms()
    with restarted(tmp_path, clock) as (store, found):
        assert found.interrupted == 1
        entry = listed(store)
    customer, people_agent = entry.people
    assert (entry.state, entry.outcome) == ("interrupted", "interrupted")
    assert 3000 <= customer.talked_ms <= counted[talk.customer] - 1500, "half of eight seconds, not of the four before"
    assert 1000 <= people_agent.talked_ms <= counted[agent]
    told = to_json(entry)
    assert [party["talked_s"] for party in told["parties"]] == [  # type: ignore[index,union-attr,call-overload]
        customer.talked_ms / 1000,
        people_agent.talked_ms / 1000,
    ]


def test_who_was_not_recorded_is_not_known_to_have_talked(tmp_path: Path) -> None:
    clock = VirtualClock()
    with open_house(tmp_path, clock) as house:
        talk = Talk(house)
        talk.ask()
        say(talk, talk.customer, 4)
    with restarted(tmp_path, clock) as (store, _):
        (customer,) = listed(store).people
    assert (customer.talked_ms, customer.stored_ms) == (0, 0)


def sealed_call(house: House) -> None:
    talk = Talk(house)
    talk.ask()
    talk.say_yes()
    house.settle()
    talk.speak(talk.customer, 2000)
    talk.end()


@pytest.mark.parametrize(("left", "kept"), [(1, 0), (MOST_ORPHANS, 0), (MOST_ORPHANS + 1, MOST_ORPHANS + 1)])
def test_objects_without_a_key_are_removed_unless_they_are_too_many(tmp_path: Path, left: int, kept: int) -> None:
    clock = VirtualClock()
    with open_house(tmp_path, clock) as house:
        sealed_call(house)
        sealed = set(house.store.objects.list())
        assert sealed
        for _ in range(left):
            epoch = new_id(clock.wall_ms())
            house.store.objects.put(f"{house.store.workspace}/{epoch[-2:]}/{epoch}", [b"nobody can read this"])
    with restarted(tmp_path, clock) as (store, _):
        there = set(store.objects.list())
        assert sealed <= there
        assert len(there - sealed) == kept
        assert (AlarmKind.OBJECTS_UNKNOWN in store.alarms.counts()) == (kept > 0)
