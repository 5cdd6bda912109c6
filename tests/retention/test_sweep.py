"""What is due goes by itself; what looks like a mistake waits for somebody."""

from collections.abc import Callable
from dataclasses import dataclass

import pytest
import sqlalchemy as sa
from prometheus_client.parser import text_string_to_metric_families

from tallylight.catalogue.copies import LiveLogCopies, ObjectCopies
from tallylight.catalogue.errors import NothingStoredError
from tallylight.catalogue.tables import track as tracks
from tallylight.clock import Timer, VirtualClock
from tallylight.database.engine import read_only
from tallylight.database.events import read_stream
from tallylight.health.alarms import AlarmKind, Alarms
from tallylight.health.metrics import Metrics
from tallylight.law.vocabulary import Purpose
from tallylight.policy.retention import deadline_ms
from tallylight.retention.certificate import verify_certificate
from tallylight.retention.erasure import Eraser, NothingLive, Step
from tallylight.retention.search import RawSearch
from tallylight.retention.sweep import Confirmation, Sweeper, SweepState
from tests.catalogue.house import SETTINGS, WITH_GROUND, Call, House
from tests.retention.test_erasure import CANARY, assert_ledger_holds, erase, hits, paths_of, stored_bytes

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


def until_talk_is_due(house: House, call: Call) -> None:
    due_ms = deadline_ms(SETTINGS, Purpose.QUALITY_ASSURANCE, call.started_ms + call.now_ms)
    house.clock.advance((due_ms - house.clock.wall_ms()) / 1000)


def until_proof_is_due(house: House, call: Call) -> None:
    due_ms = deadline_ms(SETTINGS, Purpose.PROOF_OF_CONSENT, call.started_ms + call.now_ms)
    house.clock.advance((due_ms - house.clock.wall_ms()) / 1000)


def test_nothing_is_due_before_its_deadline(broom: Broom) -> None:
    call = Call(broom.house).accepted().speak(1000).sealed()
    until_talk_is_due(broom.house, call)
    broom.clock.offset_ms = -60_000
    report = broom.sweeper.sweep()
    assert (report.state, report.due, report.stored) == (SweepState.NOTHING_DUE, 0, 4)
    assert broom.house.playback().play(call.id, "customer", actor="operator").stored_ms == 3000


def test_what_is_due_is_erased_like_a_person_is(each_broom: Broom) -> None:
    house = each_broom.house
    call = Call(house, customer=CANARY).accepted().speak(1000).sealed()
    wrapped = [row.wrapped for rows in call.key_rows().values() for row in rows]
    proof = call.track_of(call.customer, Purpose.PROOF_OF_CONSENT)
    kept = [row.wrapped for row in call.key_rows()[proof.track]]
    until_talk_is_due(house, call)
    fresh = Call(house).accepted().speak(1000).sealed()
    report = each_broom.sweeper.sweep()
    assert (report.state, report.due, report.stored, report.done) == (SweepState.ERASED, 3, 8, True)
    customer, agent = house.entry(call.id).people
    assert (customer.stored_ms, agent.stored_ms, customer.address) == (0, 0, CANARY)
    if house.engine.dialect.name == "sqlite":
        assert set(hits(house, wrapped)) == set(kept)
    assert house.playback().play(fresh.id, "customer", actor="operator").stored_ms == 3000
    assert (
        house.playback().play(call.id, "customer", actor="operator", purpose=Purpose.PROOF_OF_CONSENT).stored_ms == 2000
    )
    assert report.outcome is not None
    assert report.outcome.certificate is not None
    assert report.outcome.certificate["kind"] == "retention"
    verify_certificate(report.outcome.certificate, house.ledger_key.public_key)
    with read_only(house.engine) as connection:
        erased = [event for event in read_stream(connection, call.id) if event.type == "TrackErased"]
    assert {(event.payload or {}).get("why") for event in erased} == {"retention"}
    assert {event.actor for event in erased} == {"retention"}
    assert_ledger_holds(house)
    assert each_broom.sweeper.sweep().state is SweepState.NOTHING_DUE


def test_a_proof_kept_past_an_erasure_goes_at_its_deadline_with_the_act(broom: Broom) -> None:
    house = broom.house
    call = Call(house, customer=CANARY, settings=WITH_GROUND).accepted().speak(1000).sealed()
    needles = stored_bytes(house, call)
    erase(house)
    assert len(hits(house, needles)) == 1, "the proof's own key"
    until_proof_is_due(house, call)
    report = broom.sweeper.sweep()
    assert (report.state, report.due) == (SweepState.ERASED, 3)
    assert hits(house, needles) == []
    with pytest.raises(NothingStoredError):
        house.playback().play(call.id, "customer", actor="operator", purpose=Purpose.PROOF_OF_CONSENT)
    with read_only(house.engine) as connection:
        emptied = {event.type for event in read_stream(connection, call.id) if event.payload is None}
    assert emptied == {"ConsentGiven"}


@pytest.mark.parametrize(
    "step", [Step.CLAIMED, Step.GATES_SHUT, Step.KEYS_DESTROYED, Step.COPIES_REMOVED, Step.SEARCHED]
)
def test_a_sweep_that_was_stopped_is_finished_by_the_next(broom: Broom, step: Step) -> None:
    house = broom.house
    call = Call(house).accepted().speak(1000).sealed()
    paths = paths_of(house, call)
    until_talk_is_due(house, call)
    broom.stop_after = step
    with pytest.raises(KeyboardInterrupt):
        broom.sweeper.sweep()
    broom.stop_after = None
    report = broom.sweeper.sweep()
    assert (report.state, report.due) == (SweepState.ERASED, 0)
    assert report.outcome is not None
    assert report.outcome.tracks == 3
    assert [house.objects.exists(path) for path in paths].count(True) == 1, "only the proof"
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


@pytest.mark.parametrize("jump_ms", [10 * 365 * 86_400_000, -86_400_000])
def test_a_jump_of_the_clock_needs_somebody(broom: Broom, jump_ms: int) -> None:
    house = broom.house
    call = Call(house).accepted().speak(1000).sealed()
    until_talk_is_due(house, call)
    house.clock.advance(2 * DAY_S)
    broom.clock.offset_ms = jump_ms
    report = broom.sweeper.sweep()
    assert report.state is SweepState.UNCONFIRMED
    assert report.reason == f"the clock jumped by {jump_ms // 1000} s"
    assert house.playback().play(call.id, "customer", actor="operator").stored_ms == 3000
    assert broom.sweeper.sweep(Confirmation.CONFIRMED).state is SweepState.ERASED
    assert broom.sweeper.sweep().state is SweepState.NOTHING_DUE


def test_a_small_correction_of_the_clock_does_not_matter(broom: Broom) -> None:
    call = Call(broom.house).accepted().sealed()
    until_talk_is_due(broom.house, call)
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
