"""Listing by key, finding by blind index, and the shape that `recordings list` prints."""

import json
import re
import uuid
from datetime import datetime

import pytest

from tallylight.catalogue.addresses import canonical_address
from tallylight.catalogue.errors import CatalogueError, ConversationUnknownError
from tallylight.catalogue.queries import (
    ConversationEntry,
    Cursor,
    Order,
    TrackEntry,
    find_parties,
    list_conversations,
    oldest_deadline,
    read_conversation,
    to_json,
)
from tallylight.catalogue.running import LogFigures
from tallylight.catalogue.versions import keep_pack, keep_settings, read_pack, read_settings
from tallylight.database.engine import read_only
from tallylight.ids import ConversationId, PartyId, TrackId, new_id
from tallylight.law.iso8601 import iso_utc
from tallylight.law.pack import default_files, default_pack
from tallylight.law.vocabulary import Purpose
from tallylight.policy.retention import add_months
from tests.catalogue.house import AGENT, CUSTOMER, MIFID, SETTINGS, Call, House


def pages(house: House, order: Order, limit: int) -> list[ConversationEntry]:
    found: list[ConversationEntry] = []
    after: Cursor | None = None
    while True:
        with read_only(house.engine) as connection:
            page = list_conversations(
                connection, workspace=house.workspace, keys=house.keys, after=after, limit=limit, order=order
            )
        assert len(page.conversations) <= limit
        found += page.conversations
        after = page.following
        if after is None:
            return found


@pytest.mark.parametrize("order", list(Order))
@pytest.mark.parametrize("limit", [2, 5])
def test_pages_hold_every_conversation_once(each_house: House, order: Order, limit: int) -> None:
    calls = []
    for number in range(5):
        calls.append(Call(each_house).id)
        if number != 2:  # two start in one millisecond
            each_house.clock.advance(0.01)
    starts = [(entry.started_ms, entry.conversation) for entry in pages(each_house, order, limit)]
    assert {conversation for _, conversation in starts} == set(calls)
    assert len(starts) == 5
    assert starts == sorted(starts, reverse=order is Order.NEWEST)


def test_an_empty_house_lists_nothing(each_house: House) -> None:
    assert pages(each_house, Order.OLDEST, 10) == []
    with read_only(each_house.engine) as connection:
        assert oldest_deadline(connection, workspace=each_house.workspace) is None


def as_listed(track: TrackEntry) -> dict[str, object]:
    return {
        "track": track.track,
        "purpose": track.purpose.value,
        "receipt": None,
        "state": "sealed",
        "stored_s": track.stored_ms / 1000,
        "until": iso_utc(track.deadline_ms),
        "kept_by_law_until": None,
    }


def test_what_law_has_kept_is_listed_with_its_end(each_house: House) -> None:
    """Art. 16(7) of Directive 2014/65/EU: five years, whatever the project chose."""
    call = Call(each_house, settings=MIFID).accepted().speak(1000).sealed()
    entry = each_house.entry(call.id)
    for party in entry.people:
        for track in party.tracks:
            assert track.floor_ms is not None
            assert track.deadline_ms == track.floor_ms
            assert add_months(call.started_ms, 60) <= track.floor_ms <= add_months(call.started_ms + call.now_ms, 60)
    assert entry.deadline_ms == max(track.deadline_ms for party in entry.parties for track in party.tracks)
    listed = json.loads(json.dumps(to_json(entry)))
    assert all(track["kept_by_law_until"] == track["until"] for party in listed["parties"] for track in party["tracks"])


def test_the_list_has_the_agreed_shape(house: House) -> None:
    call = Call(house).accepted().speak(5000).sealed()
    listed = json.loads(json.dumps(to_json(house.entry(call.id))))
    customer, agent = house.entry(call.id).people
    assert listed == {
        "conversation": call.id,
        "started": iso_utc(call.started_ms),
        "ended": iso_utc(call.started_ms + call.now_ms),
        "direction": "inbound",
        "project": "support",
        "outcome": "completed",
        "parties": [
            {
                "party": call.customer,
                "role": "customer",
                "address": CUSTOMER,
                "consent": "given",
                "talked_s": 1.5,
                "stored_s": 7.0,
                "reason": customer.reason,
                "flagged": [],
                "tracks": [as_listed(track) for track in customer.tracks],
            },
            {
                "party": call.agent,
                "role": "agent",
                "address": AGENT,
                "consent": "none",
                "talked_s": 2.5,
                "stored_s": 5.0,
                "reason": agent.reason,
                "flagged": [],
                "tracks": [as_listed(track) for track in agent.tracks],
            },
        ],
        "alarms": [],
    }


NUMBER = (int, float)


def assert_shape(listed: dict[str, object]) -> None:
    """What a program may count on, field by field; more may stand beside it."""
    assert isinstance(listed["conversation"], str)
    assert uuid.UUID(listed["conversation"]).version == 7
    times = [listed["started"], *([] if listed["ended"] is None else [listed["ended"]])]
    assert all(isinstance(time, str) and datetime.fromisoformat(time).tzinfo is not None for time in times)
    assert listed["direction"] == "inbound"
    assert listed["project"] == "support"
    assert isinstance(listed["parties"], list)
    for party in listed["parties"]:
        assert uuid.UUID(party["party"]).version == 7
        assert party["role"] in {"customer", "agent"}
        assert party["address"] is None or re.fullmatch(r"\+[1-9][0-9]{6,14}|sip:[^:;?]+@[^:;?]+", party["address"])
        assert party["consent"] in {"given", "refused", "withdrawn", "none"}
        for seconds in (party["talked_s"], party["stored_s"]):
            assert isinstance(seconds, NUMBER)
            assert not isinstance(seconds, bool)
            assert seconds >= 0
        assert isinstance(party["reason"], str)
        assert party["reason"]


def test_every_state_of_a_call_has_the_shape(house: House) -> None:
    def listed(call: Call) -> dict[str, object]:
        told: dict[str, object] = json.loads(json.dumps(to_json(house.entry(call.id))))
        assert_shape(told)
        return told

    def customer(call: Call) -> dict[str, object]:
        parties = listed(call)["parties"]
        assert isinstance(parties, list)
        found: dict[str, object] = parties[0]
        return found

    running = Call(house).accepted().speak(2000)
    assert listed(running)["ended"] is None
    assert (customer(running)["consent"], customer(Call(house).asked())["consent"]) == ("given", "none")
    assert customer(Call(house).refused().speak(1000).sealed())["consent"] == "refused"
    withdrawn = customer(Call(house).accepted().speak(1000).withdrawn().speak(1000).sealed())
    assert (withdrawn["consent"], withdrawn["stored_s"]) == ("withdrawn", 0)
    hidden = customer(Call(house, customer=None).refused().sealed())
    assert hidden["address"] is None
    assert listed(running.sealed())["ended"] is not None


def test_times_are_utc_with_milliseconds() -> None:
    assert iso_utc(0) == "1970-01-01T00:00:00.000Z"
    assert iso_utc(1_790_000_000_007) == "2026-09-21T14:13:20.007Z"


def test_a_running_call_shows_what_its_owner_knows(house: House) -> None:
    call = Call(house).accepted().speak(3000)

    class Owner:
        def stored_ms(self, track: TrackId) -> int:
            return house.log.acknowledged(track)

        def talked_ms(self, party: PartyId) -> int:
            return 1234

    figures = LogFigures(house.live_folder)
    system = call.track_of(call.system)
    assert figures.stored_ms(system.track) == house.log.acknowledged(system.track, system.source) == 12_000
    assert figures.stored_ms(call.track_of(call.customer, Purpose.PROOF_OF_CONSENT).track) == 2000
    assert figures.stored_ms(TrackId(new_id(1))) == 0
    for running, talked_ms in ((Owner(), 1234), (figures, 0)):
        with read_only(house.engine) as connection:
            entry = read_conversation(
                connection, workspace=house.workspace, keys=house.keys, conversation=call.id, running=running
            )
        customer, agent = entry.people
        assert (customer.stored_ms, agent.stored_ms) == (5000, 3000)
        assert customer.talked_ms == talked_ms


@pytest.mark.parametrize("spelling", ["20 12 34 56", "0045 20123456", "sip:+4520123456@elsewhere;user=phone"])
def test_a_person_is_found_by_any_spelling(each_house: House, spelling: str) -> None:
    calls = [Call(each_house), Call(each_house, customer="+4520123457"), Call(each_house)]
    address = canonical_address(spelling, country="DK")
    with read_only(each_house.engine) as connection:
        found = find_parties(connection, workspace=each_house.workspace, keys=each_house.keys, address=address)
    assert set(found) == {(call.id, call.customer) for call in (calls[0], calls[2])}


def test_the_oldest_deadline_is_that_of_a_stored_track(each_house: House) -> None:
    call = Call(each_house).accepted()
    with read_only(each_house.engine) as connection:
        found = oldest_deadline(connection, workspace=each_house.workspace)
    assert found is not None
    assert 0 <= found - add_months(call.started_ms, SETTINGS.retention_months) <= call.now_ms


def test_an_unknown_conversation_says_where_ids_are(house: House) -> None:
    with pytest.raises(ConversationUnknownError, match="recordings list"):
        house.entry(ConversationId(new_id(1)))


def test_settings_and_packs_come_back_by_their_hash(each_house: House) -> None:
    other_pack = {"one.toml": default_pack_text()}

    def keep_twice(transaction: object) -> None:
        connection = transaction.connection  # type: ignore[attr-defined]
        for _ in range(2):
            keep_settings(connection, each_house.workspace, SETTINGS)
            keep_pack(connection, each_house.workspace, other_pack)

    each_house.commit(keep_twice)
    with read_only(each_house.engine) as connection:
        assert read_settings(connection, each_house.workspace, SETTINGS.version) == SETTINGS
        assert read_pack(connection, each_house.workspace, default_pack().hash) is default_pack()
        with pytest.raises(CatalogueError, match="backup"):
            read_settings(connection, each_house.workspace, "ab" * 32)
        with pytest.raises(CatalogueError, match="backup"):
            read_pack(connection, each_house.workspace, "ab" * 32)


def default_pack_text() -> bytes:
    """The rules of all the files of the pack in one: the same law under another hash."""
    return b"\n".join(content.partition(b"\n[jurisdiction]\n")[0] for content in sorted(default_files().values()))


def test_a_key_that_is_lost_hides_an_address_and_no_call(house: House) -> None:
    call = Call(house).accepted().speak(2000).sealed()
    house.keys.unload_project("support")
    entry = house.entry(call.id)
    assert [party.address for party in entry.people] == [None, None]
    assert entry.people[0].stored_ms > 0
