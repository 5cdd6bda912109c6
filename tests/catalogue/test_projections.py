"""Events and rows are written together, and never without each other."""

import hashlib

import pytest
import sqlalchemy as sa

from tallylight.catalogue.addresses import comparable
from tallylight.catalogue.errors import ConversationUnknownError, FenceLostError, TrackGoneError
from tallylight.catalogue.projections import Chronicle
from tallylight.catalogue.queries import find_parties
from tallylight.catalogue.tables import party as parties
from tallylight.catalogue.tables import reasoning as reasonings
from tallylight.catalogue.tables import settings_version
from tallylight.catalogue.tables import track as tracks
from tallylight.conversation.events import ConversationEnded, OpeningMissed, RecordingFailed
from tallylight.database.engine import read_only
from tallylight.database.events import read_stream
from tallylight.database.writer import Transaction
from tallylight.ids import ConversationId, new_id
from tallylight.law.vocabulary import Purpose
from tallylight.policy.retention import identities_deadline_ms
from tests.catalogue.house import AGENT, CUSTOMER, SETTINGS, WITH_GROUND, Call, House


def test_a_call_is_projected_as_it_happened(each_house: House) -> None:
    call = Call(each_house).accepted().speak(5000)
    running = each_house.entry(call.id)
    assert (running.state, running.ended_ms, running.trial, running.direction) == ("live", None, True, "inbound")
    customer, agent = running.people
    assert (customer.address, customer.consent, customer.lamp) == (CUSTOMER, "given", "recording")
    assert (agent.address, agent.consent, agent.lamp) == (AGENT, "none", "recording")
    assert {track.purpose for track in customer.tracks} == {Purpose.QUALITY_ASSURANCE, Purpose.PROOF_OF_CONSENT}

    call.sealed()
    ended = each_house.entry(call.id)
    assert (ended.state, ended.outcome, ended.ended_ms) == ("ended", "completed", call.started_ms + call.now_ms)
    customer, agent = ended.people
    assert customer.stored_ms == 7000, "two seconds while the agent was called, five of talk; the proof is not counted"
    assert agent.stored_ms == 5000
    assert (customer.talked_ms, agent.talked_ms) == (1500, 2500)
    assert all(track.state == "sealed" and track.path for party in ended.parties for track in party.tracks)


def test_a_refusal_stores_nothing_of_the_customer(each_house: House) -> None:
    call = Call(each_house).refused().speak(3000).sealed()
    customer, agent = each_house.entry(call.id).people
    assert (customer.consent, customer.stored_ms, customer.tracks) == ("refused", 0, ())
    assert customer.reason
    assert agent.stored_ms == 3000


def test_a_withdrawal_leaves_the_proof_alone(each_house: House) -> None:
    call = Call(each_house).accepted().speak(3000).withdrawn().speak(2000).sealed()
    customer, agent = each_house.entry(call.id).people
    assert (customer.consent, customer.stored_ms) == ("withdrawn", 0)
    assert {track.purpose: track.state for track in customer.tracks} == {
        Purpose.QUALITY_ASSURANCE: "erased",
        Purpose.PROOF_OF_CONSENT: "sealed",
    }
    assert agent.stored_ms == 5000


def test_an_unanswered_question_lists_as_none(each_house: House) -> None:
    call = Call(each_house).asked()
    assert each_house.entry(call.id).people[0].consent == "none"


def test_the_ground_to_keep_the_proof_stands_with_its_track(each_house: House) -> None:
    kept = Call(each_house, settings=WITH_GROUND).accepted()
    plain = Call(each_house).accepted()
    for call, ground in ((kept, WITH_GROUND.proof_ground), (plain, None)):
        for track in each_house.entry(call.id).people[0].tracks:
            assert track.proof_ground == (ground if track.purpose is Purpose.PROOF_OF_CONSENT else None)


def test_who_took_part_has_a_deadline_from_the_start_and_then_from_the_end(each_house: House) -> None:
    call = Call(each_house).accepted()
    running = each_house.entry(call.id)
    talk_ms = max(track.deadline_ms for party in running.parties for track in party.tracks)
    assert running.deadline_ms == talk_ms > identities_deadline_ms(SETTINGS, call.started_ms)
    call.speak(5000).end()
    assert each_house.entry(call.id).deadline_ms == identities_deadline_ms(SETTINGS, call.started_ms + call.now_ms)


def test_a_call_whose_settings_are_lost_keeps_the_deadline_of_its_start(house: House) -> None:
    call = Call(house).accepted().speak(5000)
    before = house.entry(call.id).deadline_ms
    house.commit(lambda transaction: transaction.connection.execute(sa.delete(settings_version)).rowcount)
    after_a_crash = Chronicle(workspace=house.workspace, keys=house.keys, node="node-2")
    ended = ConversationEnded(outcome="interrupted", talked_ms={}, offset_ms=call.now_ms)

    def unit(transaction: Transaction) -> None:
        after_a_crash.take_over(transaction, call.id)
        after_a_crash.record(transaction, call.id, [ended], actor="engine")

    house.commit(unit)
    entry = house.entry(call.id)
    assert (entry.state, entry.deadline_ms) == ("interrupted", before)


def test_the_words_of_a_decision_are_kept_once(each_house: House) -> None:
    def kept() -> dict[str, str]:
        with read_only(each_house.engine) as connection:
            return {row.hash: row.content for row in connection.execute(sa.select(reasonings))}

    Call(each_house).accepted().sealed()
    first = kept()
    assert first
    for content_hash, content in first.items():
        assert hashlib.sha256(content.encode()).hexdigest() == content_hash
        assert CUSTOMER[1:] not in content
    Call(each_house).accepted().sealed()
    assert kept() == first
    Call(each_house).refused().sealed()
    assert kept().items() > first.items()


def test_a_call_takes_few_bytes(house: House) -> None:
    """The whole payloads of a call of two people, agreed, talked, ended and sealed: they are counted, not timed."""
    call = Call(house).accepted().speak(5000).sealed()
    with read_only(house.engine) as connection:
        sizes = [(event.type, len(event.payload_text or "")) for event in read_stream(connection, call.id)]
    decisions = [size for kind, size in sizes if kind == "LampsChanged"]
    assert max(decisions) < 900
    assert sum(size for _, size in sizes) < 8_000


def test_addresses_are_nowhere_in_the_events_and_encrypted_in_the_rows(each_house: House) -> None:
    call = Call(each_house).accepted().sealed()
    with read_only(each_house.engine) as connection:
        payloads = "".join(event.payload_text or "" for event in read_stream(connection, call.id))
        rows = connection.execute(sa.select(parties).where(parties.c.conversation == call.id)).all()
    for needle in ("20123456", "agent@"):
        assert needle not in payloads
        assert all(needle.encode() not in bytes(row.address_enc or b"") for row in rows)
    assert {bytes(row.blind) for row in rows if row.blind is not None} == {
        each_house.keys.blind("address", comparable(address)) for address in (CUSTOMER, AGENT)
    }


def test_a_hidden_caller_is_listed_and_not_found(each_house: House) -> None:
    hidden = "sip:anonymous@anonymous.invalid"
    call = Call(each_house, customer=hidden).asked()
    assert each_house.entry(call.id).people[0].address == hidden
    with read_only(each_house.engine) as connection:
        assert find_parties(connection, workspace=each_house.workspace, keys=each_house.keys, address=hidden) == ()


def test_times_are_the_start_plus_media_time(each_house: House) -> None:
    call = Call(each_house).accepted().end()
    with read_only(each_house.engine) as connection:
        events = read_stream(connection, call.id)
    assert all(
        event.payload is not None and event.occurred_ms == call.started_ms + int(str(event.payload["offset_ms"]))
        for event in events
    )


def test_a_unit_that_fails_leaves_neither_events_nor_rows(each_house: House) -> None:
    call = Call(each_house).accepted()
    with read_only(each_house.engine) as connection:
        before = len(read_stream(connection, call.id))
    failed = RecordingFailed(party=None, track=None, why="test", missing_ms=0, offset_ms=call.now_ms)

    def unit(transaction: object) -> None:
        each_house.chronicle.record(transaction, call.id, [failed], actor="engine")  # type: ignore[arg-type]
        raise ArithmeticError

    with pytest.raises(ArithmeticError):
        each_house.commit(unit)
    with read_only(each_house.engine) as connection:
        assert len(read_stream(connection, call.id)) == before
    assert each_house.entry(call.id).alarms == ()


def test_failures_are_listed_as_alarms(each_house: House) -> None:
    call = Call(each_house).accepted()
    track = call.track_of(call.agent).track
    call.write(
        [
            OpeningMissed(party=call.agent, from_ms=100, until_ms=1200, offset_ms=1200),
            RecordingFailed(party=call.agent, track=track, why="stored less", missing_ms=40, offset_ms=1300),
            RecordingFailed(party=None, track=None, why="database", missing_ms=0, offset_ms=1400),
        ]
    )
    alarms = each_house.entry(call.id).alarms
    assert [(alarm.kind, alarm.missing_ms, alarm.track) for alarm in alarms] == [
        ("opening_missed", 1100, None),
        ("track_short", 40, track),
        ("recording_failed", 0, None),
    ]


def test_only_the_owner_writes_to_a_running_call(each_house: House) -> None:
    call = Call(each_house).asked()
    other = Chronicle(workspace=each_house.workspace, keys=each_house.keys, node="node-2")
    failed = RecordingFailed(party=None, track=None, why="test", missing_ms=0, offset_ms=0)
    with pytest.raises(FenceLostError, match="node-1"):
        each_house.commit(lambda transaction: other.record(transaction, call.id, [failed], actor="engine"))
    each_house.commit(lambda transaction: other.take_over(transaction, call.id))
    each_house.commit(lambda transaction: other.record(transaction, call.id, [failed], actor="engine"))
    with pytest.raises(FenceLostError, match="node-2"):
        call.write([failed])


def test_nobody_owns_an_ended_call(each_house: House) -> None:
    call = Call(each_house).asked().end()
    other = Chronicle(workspace=each_house.workspace, keys=each_house.keys, node="node-2")
    failed = RecordingFailed(party=None, track=None, why="test", missing_ms=0, offset_ms=0)
    assert each_house.commit(lambda transaction: other.record(transaction, call.id, [failed], actor="engine"))


def test_an_unknown_conversation_says_where_ids_are(each_house: House) -> None:
    nowhere = ConversationId(new_id(1))
    failed = RecordingFailed(party=None, track=None, why="test", missing_ms=0, offset_ms=0)
    with pytest.raises(ConversationUnknownError, match="recordings list"):
        each_house.commit(
            lambda transaction: each_house.chronicle.record(transaction, nowhere, [failed], actor="engine")
        )


def test_a_track_that_is_being_erased_cannot_be_sealed(each_house: House) -> None:
    call = Call(each_house).accepted().speak(1000).end()
    track = call.track_of(call.customer)
    each_house.commit(
        lambda transaction: (
            transaction.connection.execute(
                sa.update(tracks).where(tracks.c.track == track.track).values(state="erasing")
            ).rowcount
        )
    )
    with pytest.raises(TrackGoneError):
        call.seal(track)
    assert len(call.key_rows()[track.track]) == 1, "neither the new key nor the deletion of the old was committed"
