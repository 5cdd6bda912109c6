"""What is due goes by itself; what looks like a mistake waits for somebody."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import pytest
import sqlalchemy as sa
from prometheus_client.parser import text_string_to_metric_families

from tallylight.catalogue.copies import LiveLogCopies, ObjectCopies
from tallylight.catalogue.errors import NothingStoredError
from tallylight.catalogue.queries import find_parties
from tallylight.catalogue.tables import conversation as conversations
from tallylight.catalogue.tables import party as parties
from tallylight.catalogue.tables import track as tracks
from tallylight.clock import Timer, VirtualClock
from tallylight.conversation.commands import KnowMinor
from tallylight.database.engine import database_files, read_only
from tallylight.database.events import read_stream
from tallylight.health.alarms import AlarmKind, Alarms
from tallylight.health.metrics import Metrics
from tallylight.law.vocabulary import Purpose
from tallylight.policy.retention import deadline_ms, identities_deadline_ms
from tallylight.retention.certificate import verify_certificate
from tallylight.retention.erasure import Eraser, NothingLive, Step
from tallylight.retention.search import RawSearch
from tallylight.retention.sweep import Confirmation, Sweeper, SweepState
from tests.catalogue.house import CUSTOMER, NOBODY, SETTINGS, WITH_GROUND, Call, House
from tests.policy.test_retention import ms
from tests.retention.test_erasure import CANARY, SPELLINGS, assert_ledger_holds, erase, hits, paths_of, stored_bytes

DAY_S = 86_400.0


class JumpingClock:
    """A clock whose wall time somebody sets while its monotonic time goes on."""

    def __init__(self, inner: VirtualClock) -> None:
        self._inner = inner
        self.offset_ms = 0

    def wall_ms(self) -> int:
        return self._inner.wall_ms() + self.offset_ms

    def monotonic_ns(self) -> int:
        return self._inner.monotonic_ns()

    def call_later(self, seconds: float, callback: Callable[[], None]) -> Timer:
        return self._inner.call_later(seconds, callback)


@dataclass
class Broom:
    """A sweeper with what it tells others."""

    house: House
    sweeper: Sweeper
    alarms: Alarms
    metrics: Metrics
    clock: JumpingClock
    stop_after: Step | None = None

    def overdue_s(self) -> float:
        (family,) = [
            family
            for family in text_string_to_metric_families(self.metrics.exposition().decode())
            if family.name == "tallylight_oldest_overdue_track_seconds"
        ]
        return family.samples[0].value


@pytest.fixture
def broom(house: House) -> Broom:
    return make_broom(house)


@pytest.fixture
def each_broom(each_house: House) -> Broom:
    return make_broom(each_house)


def make_broom(house: House) -> Broom:
    clock = JumpingClock(house.clock)
    alarms, metrics = Alarms(house.clock), Metrics()
    stops: list[Broom] = []

    def on_step(step: Step) -> None:
        if stops and stops[0].stop_after is step:
            raise KeyboardInterrupt

    eraser = Eraser(
        workspace=house.workspace,
        engine=house.engine,
        writer=house.writer,
        keys=house.keys,
        clock=clock,
        holders=(LiveLogCopies(house.live_folder), ObjectCopies(house.objects)),
        live=NothingLive(),
        evidence=RawSearch(house.engine, logs=lambda: ()),
        signer=house.ledger_key,
        on_step=on_step,
    )
    sweeper = Sweeper(
        workspace=house.workspace,
        engine=house.engine,
        eraser=eraser,
        clock=clock,
        alarms=alarms,
        metrics=metrics,
    )
    made = Broom(house=house, sweeper=sweeper, alarms=alarms, metrics=metrics, clock=clock)
    stops.append(made)
    return made


def until(house: House, due_ms: int) -> None:
    seconds, rest_ms = divmod(due_ms - house.clock.wall_ms(), 1000)
    house.clock.advance(seconds)
    house.clock.advance(rest_ms / 1000)


def until_due(house: House, call: Call) -> None:
    """Until its last track is due, and with it who took part: it ends with its last word."""
    until(house, deadline_ms(call.settings, Purpose.QUALITY_ASSURANCE, call.started_ms + call.now_ms))


def until_proof_is_due(house: House, call: Call) -> None:
    until(house, deadline_ms(call.settings, Purpose.PROOF_OF_CONSENT, call.started_ms + call.now_ms))


def emptied_of(house: House, call: Call) -> set[str]:
    with read_only(house.engine) as connection:
        return {event.type for event in read_stream(connection, call.id) if event.payload is None}


def test_nothing_is_due_before_its_deadline(broom: Broom) -> None:
    call = Call(broom.house).accepted().speak(1000).sealed()
    until_due(broom.house, call)
    broom.clock.offset_ms = -60_000
    report = broom.sweeper.sweep()
    assert (report.state, report.due, report.stored) == (SweepState.NOTHING_DUE, 0, 4)
    assert broom.house.playback().play(call.id, "customer", actor="operator").stored_ms == 3000


def test_what_is_due_is_erased_like_a_person_is(each_broom: Broom) -> None:
    house = each_broom.house
    call = Call(house, customer=CANARY).accepted().speak(1000).sealed()
    needles, paths = stored_bytes(house, call), paths_of(house, call)
    sqlite = house.engine.dialect.name == "sqlite"
    if sqlite:
        assert len(set(hits(house, needles))) == len(needles) - len(SPELLINGS), "they were there"
    until_due(house, call)
    fresh = Call(house).accepted().speak(1000).sealed()
    report = each_broom.sweeper.sweep()
    assert (report.state, report.due, report.stored, report.done) == (SweepState.ERASED, 4, 8, True)
    assert report.conversations == 1
    customer, agent = house.entry(call.id).people
    assert [(each.stored_ms, each.address) for each in (customer, agent)] == [(0, None)] * 2
    assert customer.consent == "given", "what was answered is listed, who answered is not known"
    assert house.entry(call.id).deadline_ms is None
    assert emptied_of(house, call) == {"ConsentGiven"}
    if sqlite:
        assert hits(house, needles) == []
    assert not any(house.objects.exists(path) for path in paths)
    assert house.entry(fresh.id).people[0].address == CUSTOMER
    assert house.playback().play(fresh.id, "customer", actor="operator").stored_ms == 3000
    assert report.outcome is not None
    certificate = report.outcome.certificate
    assert certificate is not None
    assert (certificate["kind"], certificate["conversations"]) == ("retention", [call.id])
    identities = certificate["identities"]
    assert isinstance(identities, Sequence)
    assert {each["party"] for each in identities if isinstance(each, Mapping)} == {call.customer, call.agent}
    verify_certificate(certificate, house.ledger_key.public_key)
    with read_only(house.engine) as connection:
        events = read_stream(connection, call.id)
        (keys,) = [
            event
            for event in read_stream(connection, report.outcome.erasure)
            if event.type == "ErasureKeysDestroyed" and event.payload and event.payload["conversations"]
        ]
    erased = [event for event in events if event.type == "TrackErased"]
    assert {(event.payload or {}).get("why") for event in erased} == {"retention"}
    assert {event.actor for event in erased} == {"retention"}
    assert keys.payload is not None
    assert (keys.payload["conversations"], keys.payload["payloads"]) == ([call.id], 1)
    assert_ledger_holds(house)
    assert each_broom.sweeper.sweep().state is SweepState.NOTHING_DUE


def test_who_refused_is_forgotten_too(each_broom: Broom) -> None:
    """Nothing of theirs was ever stored but their address, and how they said no."""
    house = each_broom.house
    call = Call(house, customer=CANARY).refused().speak(1000).sealed()
    with read_only(house.engine) as connection:
        row = connection.execute(sa.select(parties).where(parties.c.party == call.customer)).one()
    needles = [bytes(row.blind), bytes(row.address_enc)]
    until_due(house, call)
    assert each_broom.sweeper.sweep().state is SweepState.ERASED
    with read_only(house.engine) as connection:
        row = connection.execute(sa.select(parties).where(parties.c.party == call.customer)).one()
        found = find_parties(connection, workspace=house.workspace, keys=house.keys, address=CANARY)
    assert (row.blind, row.address_enc, row.consent, found) == (None, None, "refused", ())
    assert emptied_of(house, call) == {"ConsentRefused"}
    if house.engine.dialect.name == "sqlite":
        assert hits(house, needles) == []
        assert b"digit 2 at" not in b"".join(
            path.read_bytes() for path in database_files(house.engine) if path.exists()
        )


def test_a_call_of_which_no_track_was_ever_stored_has_an_end_as_well(broom: Broom) -> None:
    house = broom.house
    call = Call(house, customer=CANARY, settings=NOBODY).speak(1000).connected()
    call.end()
    assert all(not party.tracks for party in house.entry(call.id).parties)
    until_due(house, call)
    broom.clock.offset_ms = -1
    assert broom.sweeper.sweep().state is SweepState.NOTHING_DUE
    assert house.entry(call.id).people[0].address == CANARY
    broom.clock.offset_ms = 0
    report = broom.sweeper.sweep()
    assert (report.state, report.due, report.stored, report.conversations) == (SweepState.ERASED, 0, 0, 1)
    assert [party.address for party in house.entry(call.id).people] == [None, None]
    assert broom.sweeper.sweep().state is SweepState.NOTHING_DUE


def test_what_a_caller_left_who_never_said_a_word_is_forgotten(broom: Broom) -> None:
    """Hidden, unanswered, gone: there is nobody to forget, and it is not looked at again."""
    house = broom.house
    call = Call(house, customer=None, agent=None, settings=NOBODY)
    call.end("abandoned")
    until_due(house, call)
    report = broom.sweeper.sweep()
    assert (report.state, report.conversations) == (SweepState.ERASED, 1)
    assert house.entry(call.id).deadline_ms is None
    assert broom.sweeper.sweep().state is SweepState.NOTHING_DUE


@pytest.mark.parametrize(
    ("started", "due"),
    [
        ("2099-11-30T12:00:00.250", "2100-02-28T12:00:00.250"),
        ("2103-11-30T23:59:59.999", "2104-02-29T23:59:59.999"),
        ("2099-05-31T00:00:00.000", "2099-08-31T00:00:00.000"),
        ("2099-08-31T00:00:00.000", "2099-11-30T00:00:00.000"),
        ("2099-12-15T08:00:00.000", "2100-03-15T08:00:00.000"),
    ],
)
def test_a_deadline_is_kept_to_the_millisecond_at_the_ends_of_months(house: House, started: str, due: str) -> None:
    until(house, ms(started))
    broom = make_broom(house)
    call = Call(house, customer=CANARY, settings=NOBODY)
    call.end()
    assert house.entry(call.id).deadline_ms == ms(due)
    until(house, ms(due) - 1)
    assert broom.sweeper.sweep().state is SweepState.NOTHING_DUE
    until(house, ms(due))
    assert broom.sweeper.sweep().state is SweepState.ERASED
    assert house.entry(call.id).people[0].address is None


def test_a_proof_on_a_ground_keeps_the_act_and_no_name(broom: Broom) -> None:
    house = broom.house
    call = Call(house, customer=CANARY, settings=WITH_GROUND).accepted().speak(1000).sealed()
    needles = stored_bytes(house, call)
    proof = call.track_of(call.customer, Purpose.PROOF_OF_CONSENT)
    (kept_key,) = [row.wrapped for row in call.key_rows()[proof.track]]
    until_due(house, call)
    report = broom.sweeper.sweep()
    assert (report.state, report.due, report.conversations) == (SweepState.ERASED, 3, 1)
    assert [party.address for party in house.entry(call.id).people] == [None, None]
    assert hits(house, needles) == [kept_key]
    assert emptied_of(house, call) == set()
    played = house.playback().play(call.id, "customer", actor="operator", purpose=Purpose.PROOF_OF_CONSENT)
    assert played.stored_ms == 2000
    assert report.outcome is not None
    assert report.outcome.certificate is not None
    kept = report.outcome.certificate["kept"]
    assert isinstance(kept, Sequence)
    assert [(each["track"], each["ground"]) for each in kept if isinstance(each, Mapping)] == [
        (proof.track, WITH_GROUND.proof_ground)
    ]
    until_proof_is_due(house, call)
    report = broom.sweeper.sweep()
    assert (report.state, report.due, report.conversations) == (SweepState.ERASED, 1, 0)
    assert hits(house, needles) == []
    assert emptied_of(house, call) == {"ConsentGiven"}


def test_a_proof_kept_past_an_erasure_goes_at_its_deadline_with_the_act(broom: Broom) -> None:
    house = broom.house
    call = Call(house, customer=CANARY, settings=WITH_GROUND).accepted().speak(1000).sealed()
    needles = stored_bytes(house, call)
    erase(house)
    assert len(hits(house, needles)) == 1, "the proof's own key"
    until_proof_is_due(house, call)
    report = broom.sweeper.sweep()
    assert (report.state, report.due, report.conversations) == (SweepState.ERASED, 3, 1)
    assert hits(house, needles) == []
    with pytest.raises(NothingStoredError):
        house.playback().play(call.id, "customer", actor="operator", purpose=Purpose.PROOF_OF_CONSENT)
    assert emptied_of(house, call) == {"ConsentGiven"}


def test_a_proof_whose_ground_has_run_out_is_not_kept_by_an_erasure(broom: Broom) -> None:
    house = broom.house
    call = Call(house, customer=CANARY, settings=WITH_GROUND).accepted().speak(1000).sealed()
    until_proof_is_due(house, call)
    outcome = erase(house)
    assert outcome.certificate is not None
    assert (outcome.tracks, outcome.certificate["kept"]) == (2, [])


def test_a_person_who_calls_again_is_found_by_the_later_call(broom: Broom) -> None:
    """The blind index is one for all calls of a number: forgetting the first leaves the second as it is."""
    house = broom.house
    first = Call(house, customer=CANARY).refused().sealed()
    house.clock.advance(DAY_S)
    second = Call(house, customer=CANARY).refused().sealed()
    until_due(house, first)
    assert broom.sweeper.sweep().state is SweepState.ERASED
    with read_only(house.engine) as connection:
        found = find_parties(connection, workspace=house.workspace, keys=house.keys, address=CANARY)
    assert found == ((second.id, second.customer),)
    until_due(house, second)
    assert broom.sweeper.sweep().state is SweepState.ERASED
    assert hits(house, [house.keys.blind("address", CANARY)]) == []


def test_a_call_that_nobody_ended_is_forgotten_by_its_start(broom: Broom) -> None:
    """Its process died and none was started since: by the book it still runs."""
    house = broom.house
    call = Call(house, customer=CANARY).asked()
    due_ms = identities_deadline_ms(SETTINGS, call.started_ms)
    assert house.entry(call.id).deadline_ms == due_ms
    until(house, due_ms)
    assert broom.sweeper.sweep().state is SweepState.ERASED
    assert house.entry(call.id).people[0].address is None


@pytest.mark.parametrize(
    "step", [Step.CLAIMED, Step.GATES_SHUT, Step.KEYS_DESTROYED, Step.COPIES_REMOVED, Step.SEARCHED]
)
def test_a_sweep_that_was_stopped_is_finished_by_the_next(broom: Broom, step: Step) -> None:
    house = broom.house
    call = Call(house).accepted().speak(1000).sealed()
    paths = paths_of(house, call)
    until_due(house, call)
    broom.stop_after = step
    with pytest.raises(KeyboardInterrupt):
        broom.sweeper.sweep()
    broom.stop_after = None
    report = broom.sweeper.sweep()
    assert (report.state, report.due) == (SweepState.ERASED, 0)
    assert report.outcome is not None
    assert report.outcome.tracks == 4
    assert not any(house.objects.exists(path) for path in paths)
    assert [party.address for party in house.entry(call.id).people] == [None, None]
    assert emptied_of(house, call) == {"ConsentGiven"}
    assert broom.sweeper.sweep().state is SweepState.NOTHING_DUE


def many_due(house: House, due: int, stored: int) -> None:
    """Copies of one stored track, `due` of them due: what a wrong clock or setting makes of an archive."""
    call = Call(house).accepted().sealed()
    model = call.track_of(call.agent).track
    with read_only(house.engine) as connection:
        row = dict(connection.execute(sa.select(tracks).where(tracks.c.track == model)).mappings().one())
        present = connection.execute(sa.select(sa.func.count()).select_from(tracks)).scalar_one()
    now_ms = house.clock.wall_ms()
    rows = [
        {
            **row,
            "track": f"{number:08x}-0000-7000-8000-000000000000",
            "path": None,
            "deadline_ms": now_ms if number < due else now_ms + 86_400_000,
        }
        for number in range(stored - present)
    ]
    house.commit(lambda transaction: transaction.connection.execute(sa.insert(tracks), rows).rowcount)


@pytest.mark.parametrize(
    ("due", "stored", "asked"),
    [(20, 40, False), (21, 420, False), (22, 420, True), (21, 40, True)],
)
def test_unusually_much_needs_somebody(broom: Broom, due: int, stored: int, asked: bool) -> None:
    many_due(broom.house, due, stored)
    report = broom.sweeper.sweep()
    assert (report.due, report.stored) == (due, stored)
    assert report.state is (SweepState.UNCONFIRMED if asked else SweepState.ERASED)
    if not asked:
        return
    assert report.reason == f"{due} of {stored} tracks are due at once"
    assert broom.alarms.counts() == {AlarmKind.SWEEP_UNCONFIRMED: 1}
    confirmed = broom.sweeper.sweep(Confirmation.CONFIRMED, actor="operator")
    assert confirmed.state is SweepState.ERASED
    assert confirmed.outcome is not None
    assert confirmed.outcome.tracks == due


@pytest.mark.parametrize(
    ("due", "known", "asked"), [(20, 40, False), (21, 420, False), (22, 420, True), (21, 40, True)]
)
def test_unusually_many_people_to_forget_need_somebody(broom: Broom, due: int, known: int, asked: bool) -> None:
    house = broom.house
    call = Call(house, settings=NOBODY)
    with read_only(house.engine) as connection:
        row = dict(connection.execute(sa.select(conversations)).mappings().one())
    now_ms = house.clock.wall_ms()
    rows = [
        {
            **row,
            "conversation": f"{number:08x}-0000-7000-8000-000000000000",
            "deadline_ms": now_ms if number < due else now_ms + 86_400_000,
        }
        for number in range(known - 1)
    ]
    house.commit(lambda transaction: transaction.connection.execute(sa.insert(conversations), rows).rowcount)
    report = broom.sweeper.sweep()
    assert (report.due, report.conversations) == (0, due)
    assert report.state is (SweepState.UNCONFIRMED if asked else SweepState.ERASED)
    assert report.reason == (f"{due} of {known} conversations are due at once" if asked else "")
    assert house.entry(call.id).people[0].address == CUSTOMER
    if asked:
        assert broom.sweeper.sweep(Confirmation.CONFIRMED, actor="operator").conversations == due
        assert broom.sweeper.sweep().state is SweepState.NOTHING_DUE


@pytest.mark.parametrize("jump_ms", [10 * 365 * 86_400_000, -86_400_000])
def test_a_jump_of_the_clock_needs_somebody(broom: Broom, jump_ms: int) -> None:
    house = broom.house
    call = Call(house).accepted().speak(1000).sealed()
    until_due(house, call)
    house.clock.advance(2 * DAY_S)
    broom.clock.offset_ms = jump_ms
    report = broom.sweeper.sweep()
    assert report.state is SweepState.UNCONFIRMED
    assert report.reason == f"the clock jumped by {jump_ms // 1000} s"
    assert house.playback().play(call.id, "customer", actor="operator").stored_ms == 3000
    assert broom.sweeper.sweep(Confirmation.CONFIRMED).state is SweepState.ERASED
    assert broom.sweeper.sweep().state is SweepState.NOTHING_DUE


@pytest.mark.parametrize("jump_ms", [10 * 365 * 86_400_000])
def test_a_jump_of_the_clock_forgets_nobody(broom: Broom, jump_ms: int) -> None:
    call = Call(broom.house, settings=NOBODY)
    call.end()
    broom.clock.offset_ms = jump_ms
    assert broom.sweeper.sweep().state is SweepState.UNCONFIRMED
    assert broom.house.entry(call.id).people[0].address == CUSTOMER


def test_a_small_correction_of_the_clock_does_not_matter(broom: Broom) -> None:
    call = Call(broom.house).accepted().sealed()
    until_due(broom.house, call)
    broom.clock.offset_ms = 3_600_000
    assert broom.sweeper.sweep().state is SweepState.ERASED


def test_what_stays_overdue_is_measured_and_raises_an_alarm(broom: Broom) -> None:
    many_due(broom.house, 30, 40)
    assert broom.sweeper.sweep().state is SweepState.UNCONFIRMED
    assert broom.overdue_s() == 0
    broom.house.clock.advance(2 * DAY_S)
    broom.sweeper.sweep()
    assert broom.overdue_s() == 2 * DAY_S
    assert broom.alarms.counts()[AlarmKind.RETENTION_OVERDUE] == 1
    broom.sweeper.sweep(Confirmation.CONFIRMED)
    assert broom.overdue_s() == 0


def test_that_somebody_was_a_child_is_forgotten_too(each_broom: Broom) -> None:
    """A caller without a number who never answered: all that is known of them is that."""
    house = each_broom.house
    call = Call(house, customer=None).speak(1000).connected()
    call.do(KnowMinor(by=call.agent, party=call.customer, offset_ms=call.now_ms))
    call.speak(1000).sealed()
    assert house.entry(call.id).people[0].minor
    until_due(house, call)
    assert each_broom.sweeper.sweep().state is SweepState.ERASED
    assert emptied_of(house, call) == {"MinorKnown"}
    assert not house.entry(call.id).people[0].flagged
