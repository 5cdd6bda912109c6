"""What a law has kept outlives every request, with who it is of, and not one day longer than that law asks for."""

import dataclasses
from collections.abc import Mapping, Sequence

import pytest

from tallylight.catalogue.errors import NothingStoredError
from tallylight.catalogue.queries import TrackEntry, find_parties
from tallylight.catalogue.versions import keep_settings
from tallylight.database.engine import read_only
from tallylight.database.events import JsonValue, read_stream
from tallylight.law.vocabulary import Purpose
from tallylight.policy.retention import add_months
from tallylight.policy.settings import Settings
from tallylight.retention.erasure import Outcome, OutcomeState, Step
from tallylight.retention.sweep import SweepState
from tests.catalogue.house import AGENT, MIFID, SETTINGS, Call, House
from tests.retention.test_erasure import CANARY, SPELLINGS, Obedient, assert_ledger_holds, erase, hits, stored_bytes
from tests.retention.test_sweep import DAY_S, emptied_of, make_broom, until

DUTY = "Art. 17(3)(b) GDPR: Directive 2014/65/EU art. 16(7); Delegated Reg. (EU) 2017/565 art. 76"


def with_settings(house: House, **changes: object) -> Settings:
    settings = dataclasses.replace(MIFID, **changes)  # type: ignore[arg-type]
    house.commit(lambda transaction: keep_settings(transaction.connection, house.workspace, settings))
    return settings


def tracks_of(house: House, call: Call) -> dict[Purpose, TrackEntry]:
    return {track.purpose: track for track in house.entry(call.id).people[0].tracks}


def floor_of(house: House, call: Call) -> int:
    floors = [track.floor_ms for track in tracks_of(house, call).values()]
    assert None not in floors
    return max(floor for floor in floors if floor is not None)


def kept(outcome: Outcome) -> list[Mapping[str, JsonValue]]:
    assert outcome.certificate is not None
    listed = outcome.certificate["kept"]
    assert isinstance(listed, Sequence)
    return [each for each in listed if isinstance(each, Mapping)]


def test_a_request_leaves_what_a_law_has_kept_and_takes_everything_else(each_house: House) -> None:
    house = each_house
    lawful = Call(house, customer=CANARY, settings=MIFID).accepted().speak(3000).sealed()
    other = Call(house, customer=CANARY).accepted().speak(3000).sealed()
    floor, theirs = floor_of(house, lawful), stored_bytes(house, other)

    outcome = erase(house)

    assert (outcome.state, outcome.people, outcome.tracks) == (OutcomeState.COMPLETE, 2, 2)
    assert {(each["purpose"], each["ground"], each["identity"]) for each in kept(outcome)} == {
        ("compliance", DUTY, "kept"),
        ("proof_of_consent", DUTY, "kept"),
    }
    assert outcome.certificate is not None
    assert outcome.certificate["identities"] == [{"conversation": other.id, "party": other.customer}]
    assert [party.address for party in house.entry(lawful.id).people] == [CANARY, AGENT]
    assert [party.address for party in house.entry(other.id).people] == [None, AGENT]
    assert house.playback().play(lawful.id, "customer", actor="operator").stored_ms == 5000
    assert (emptied_of(house, lawful), emptied_of(house, other)) == (set(), {"ConsentGiven"})
    with read_only(house.engine) as connection:
        found = find_parties(connection, workspace=house.workspace, keys=house.keys, address=CANARY)
        told = [event for event in read_stream(connection, lawful.id) if event.type == "TrackKept"]
    assert found == ((lawful.id, lawful.customer),)
    assert {(event.payload or {})["why"] for event in told} == {"erasure"}
    blind = house.keys.blind("address", CANARY)
    if house.engine.dialect.name == "sqlite":
        assert set(hits(house, theirs)) == {blind}, "the index that still finds the lawful one, and nothing else"

    again = erase(house)
    assert (again.state, again.people, again.tracks, len(kept(again))) == (OutcomeState.COMPLETE, 1, 0, 2)

    until(house, floor)
    needles = stored_bytes(house, lawful)
    late = erase(house)
    assert (late.state, late.tracks, kept(late)) == (OutcomeState.COMPLETE, 2, [])
    assert house.entry(lawful.id).people[0].address is None
    with pytest.raises(NothingStoredError):
        house.playback().play(lawful.id, "customer", actor="operator")
    if house.engine.dialect.name == "sqlite":
        assert hits(house, [*theirs, *needles, blind]) == []
    assert_ledger_holds(house)


def test_the_sweep_takes_it_at_its_floor_and_who_took_part_with_it(each_house: House) -> None:
    house = each_house
    call = Call(house, customer=CANARY, settings=MIFID).accepted().speak(3000).sealed()
    broom = make_broom(house)
    until(house, add_months(call.started_ms + call.now_ms, MIFID.retention_months))
    assert broom.sweeper.sweep().due == 1, "our own announcement, from before anybody was there"
    entry = house.entry(call.id)
    assert {track.state for party in entry.people for track in party.tracks} == {"sealed"}
    last_ms = max(track.floor_ms or 0 for party in entry.parties for track in party.tracks)
    assert entry.deadline_ms == last_ms
    until(house, last_ms - 1)
    broom.sweeper.sweep()
    assert CANARY in [party.address for party in house.entry(call.id).people]
    until(house, last_ms)
    assert broom.sweeper.sweep().state is SweepState.ERASED
    entry = house.entry(call.id)
    assert {track.state for party in entry.parties for track in party.tracks} == {"erased"}
    assert [party.address for party in entry.people] == [None, None]
    assert emptied_of(house, call) == {"ConsentGiven"}


def test_after_a_request_it_is_kept_for_the_law_alone(house: House) -> None:
    """The project chose seven years; the law asks for five, and so the person's request waits for five."""
    settings = with_settings(house, retention_months=84)
    call = Call(house, customer=CANARY, settings=settings).accepted().speak(1000).sealed()
    assert all(track.deadline_ms == add_months(track.floor_ms or 0, 24) for track in tracks_of(house, call).values())
    erase(house)
    assert all(track.deadline_ms == track.floor_ms for track in tracks_of(house, call).values())
    broom = make_broom(house)
    until(house, floor_of(house, call))
    assert broom.sweeper.sweep().state is SweepState.ERASED
    assert {track.state for track in tracks_of(house, call).values()} == {"erased"}


def test_a_proof_with_a_ground_and_a_floor_has_the_longer_of_both(house: House) -> None:
    settings = with_settings(house, proof_ground="Art. 17(3)(e) GDPR", proof_retention_months=120)
    call = Call(house, customer=CANARY, settings=settings).accepted().speak(1000).sealed()
    by_purpose = {each["purpose"]: each for each in kept(erase(house))}
    assert by_purpose["compliance"]["ground"] == DUTY
    assert by_purpose["proof_of_consent"]["ground"] == "Art. 17(3)(e) GDPR"
    assert by_purpose["compliance"]["until"] != by_purpose["proof_of_consent"]["until"]
    until(house, floor_of(house, call))
    after = erase(house)
    assert [(each["purpose"], each["identity"]) for each in kept(after)] == [("proof_of_consent", "erased")]
    assert house.entry(call.id).people[0].address is None


@pytest.mark.parametrize("step", [Step.CLAIMED, Step.KEYS_DESTROYED, Step.SEARCHED])
def test_a_request_that_was_stopped_keeps_the_same_when_repeated(house: House, step: Step) -> None:
    lawful = Call(house, customer=CANARY, settings=MIFID).accepted().speak(1000).sealed()
    Call(house, customer=CANARY).accepted().speak(1000).sealed()

    def stop(done: Step) -> None:
        if done is step:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        erase(house, on_step=stop)
    outcome = erase(house)
    assert (outcome.state, outcome.people, outcome.tracks) == (OutcomeState.COMPLETE, 2, 2)
    assert {each["conversation"] for each in kept(outcome)} == {lawful.id}
    assert house.entry(lawful.id).people[0].address == CANARY


def test_more_that_a_law_has_kept_than_fits_one_unit_hides_nobody(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tallylight.retention.scope.AT_ONCE", 2)
    for _ in range(3):
        Call(house, customer=CANARY, settings=MIFID).accepted().sealed()
    plain = [Call(house, customer=CANARY).accepted().sealed() for _ in range(3)]
    outcome = erase(house)
    assert (outcome.state, outcome.people, outcome.tracks, len(kept(outcome))) == (OutcomeState.COMPLETE, 6, 6, 6)
    assert [house.entry(call.id).people[0].address for call in plain] == [None] * 3


def test_a_call_that_comes_in_after_the_last_look_is_not_excused_by_the_one_that_is_kept(house: House) -> None:
    """The index may stand in the row that a law has kept, and in no other."""
    Call(house, customer=CANARY, settings=MIFID).accepted().sealed()
    claims: list[Step] = []
    later: list[Call] = []

    def call_again(step: Step) -> None:
        claims.append(step)
        if claims.count(Step.CLAIMED) == 2 and not later:
            later.append(Call(house, customer=CANARY).accepted().sealed())

    pending = erase(house, on_step=call_again)
    assert (pending.state, pending.remains) == (OutcomeState.PENDING, ("blind index in tallylight.db",))
    done = erase(house)
    assert (done.state, done.people, done.tracks) == (OutcomeState.COMPLETE, 2, 2)
    assert house.entry(later[0].id).people[0].address is None


def test_gates_shut_although_the_law_keeps_what_went_before(house: House) -> None:
    call = Call(house, customer=CANARY, settings=MIFID).accepted().speak(1000)
    live = Obedient(house)
    erase(house, live=live)
    assert live.parties == [(call.id, call.customer)]
    assert live.tracks == [], "no key of theirs is forgotten"
    assert all(call.key_rows().values())
    house.clock.advance(DAY_S / 24)
    call.speak(1000).sealed()
    assert house.playback().play(call.id, "customer", actor="operator").stored_ms > 0


def test_no_plain_identifier_is_excused(house: House) -> None:
    Call(house, customer=CANARY, settings=MIFID).accepted().sealed()
    assert not set(hits(house, list(SPELLINGS)))
    with house.engine.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE careless (content TEXT)")
        connection.exec_driver_sql("INSERT INTO careless VALUES ('call 31415926 back')")
    pending = erase(house)
    assert (pending.state, pending.remains) == (OutcomeState.PENDING, ("plain identifier in tallylight.db",))


def test_without_a_duty_nothing_is_kept(house: House) -> None:
    """The same firm's training calls are no orders: the duty speaks of compliance alone."""
    settings = with_settings(house, purpose=SETTINGS.purpose)
    call = Call(house, customer=CANARY, settings=settings).accepted().speak(1000).sealed()
    assert {track.floor_ms for track in tracks_of(house, call).values()} == {None}
    outcome = erase(house)
    assert (outcome.tracks, kept(outcome)) == (2, [])
