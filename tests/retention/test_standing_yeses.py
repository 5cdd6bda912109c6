"""A standing yes goes with the person and by its own end, and no file holds whose it was."""

from collections.abc import Mapping, Sequence

import pytest
import sqlalchemy as sa

from tallylight.catalogue.tables import standing_yes as yeses
from tallylight.database.engine import read_only
from tallylight.database.events import read_stream
from tallylight.health.alarms import AlarmKind
from tallylight.retention.draft import Draft, StandingYesInScope, parse, serialise
from tallylight.retention.erasure import OutcomeState, Step
from tallylight.retention.sweep import Confirmation, SweepState
from tests.catalogue.house import MIFID, Call, House
from tests.retention.test_erasure import CANARY, assert_ledger_holds, erase, eraser, hits
from tests.retention.test_sweep import make_broom
from tests.rights.making import DAY_MS, give, objections, standing_yeses


def subject(house: House) -> bytes:
    with read_only(house.engine) as connection:
        return bytes(connection.execute(sa.select(yeses.c.subject)).scalars().first() or b"")  # any of one person's


@pytest.mark.parametrize("with_a_call", [True, False])
def test_an_erasure_ends_and_deletes_them_and_the_certificate_says_so(each_house: House, with_a_call: bool) -> None:
    of = standing_yeses(each_house)
    if with_a_call:
        Call(each_house, customer=CANARY).accepted().speak(1000).sealed()
    given = [give(each_house, CANARY, purpose) for purpose in ("training", "marketing")]
    theirs = subject(each_house)
    other = give(each_house, "+4531415927")
    sqlite = each_house.engine.dialect.name == "sqlite"
    if sqlite:
        assert hits(each_house, [theirs]), "it was there"
    outcome = erase(each_house, "31 41 59 26")
    assert (outcome.state, outcome.remains, outcome.found) == (OutcomeState.COMPLETE, (), True)
    assert (outcome.people, outcome.standing_yeses) == (int(with_a_call), 2)
    assert outcome.certificate is not None
    assert outcome.certificate["standing_yeses"] == [each.id for each in given]
    assert of.all() == (other,)
    if sqlite:
        assert hits(each_house, [theirs]) == []
    with read_only(each_house.engine) as connection:
        for each in given:
            events = read_stream(connection, each.id)
            assert [(event.type, event.payload) for event in events] == [
                ("StandingYesGiven", None),
                ("StandingYesEnded", {"why": "erasure"}),
            ]
    assert_ledger_holds(each_house)


def test_an_erasure_that_was_interrupted_ends_them_when_it_is_repeated(house: House) -> None:
    of = standing_yeses(house)
    given = give(house, CANARY)

    def stop(step: Step) -> None:
        if step is Step.GATES_SHUT:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        eraser(house, on_step=stop).erase_person(CANARY, country="DK", actor="operator")
    assert of.all() == (given,)
    outcome = erase(house)
    assert (outcome.state, outcome.standing_yeses) == (OutcomeState.COMPLETE, 1)
    assert of.all() == ()


def test_one_given_anew_in_the_meantime_is_found(house: House) -> None:
    of = standing_yeses(house)
    give(house, CANARY)

    steps: list[Step] = []

    def again(step: Step) -> None:
        steps.append(step)
        if step is Step.CONFIRMED and steps.count(step) == 1:
            give(house, CANARY, "training")

    outcome = eraser(house, on_step=again).erase_person(CANARY, country="DK", actor="operator")
    assert (outcome.state, outcome.standing_yeses) == (OutcomeState.COMPLETE, 2)
    assert of.all() == ()


def test_an_erasure_leaves_the_objection_and_ends_no_yes_twice(house: House) -> None:
    give(house, CANARY)
    objections(house).raise_objection(CANARY, evidence="letter", actor="operator")
    outcome = erase(house)
    assert (outcome.state, outcome.standing_yeses) == (OutcomeState.COMPLETE, 0)
    assert objections(house).find(CANARY) is not None


def test_what_a_law_has_kept_keeps_no_yes(house: House) -> None:
    of = standing_yeses(house)
    call = Call(house, customer=CANARY, settings=MIFID).accepted().speak(1000).sealed()
    give(house, CANARY)
    theirs = subject(house)
    outcome = erase(house)
    assert outcome.state is OutcomeState.COMPLETE
    assert outcome.certificate is not None
    kept = outcome.certificate["kept"]
    assert isinstance(kept, Sequence)
    assert {each["identity"] for each in kept if isinstance(each, Mapping)} == {"kept"}
    assert house.entry(call.id).people[0].address == CANARY
    assert of.all() == ()
    assert hits(house, [theirs]) == []


def test_the_sweep_deletes_what_has_run_out_and_nothing_else(each_house: House) -> None:
    broom, of = make_broom(each_house), standing_yeses(each_house)
    short = give(each_house, CANARY, days=2)
    long = give(each_house, CANARY, "training", days=3)
    each_house.clock.advance(2 * DAY_MS / 1000 - 1)
    assert broom.sweeper.sweep().state is SweepState.NOTHING_DUE
    assert of.all() == (short, long)
    each_house.clock.advance(1)
    report = broom.sweeper.sweep()
    assert (report.state, report.due, report.standing_yeses) == (SweepState.ERASED, 0, 1)
    assert of.all() == (long,)
    assert report.outcome is not None
    assert report.outcome.certificate is not None
    assert report.outcome.certificate["standing_yeses"] == [short.id]
    with read_only(each_house.engine) as connection:
        last = read_stream(connection, short.id)[-1]
    assert (last.type, last.payload) == ("StandingYesEnded", {"why": "expired"})
    assert broom.sweeper.sweep().state is SweepState.NOTHING_DUE


def test_unusually_many_at_once_wait_for_somebody_and_then_go_a_hundred_at_a_time(house: House) -> None:
    broom, of = make_broom(house), standing_yeses(house)
    for number in range(120):
        give(house, f"+4531417{number:03}", days=1)
    house.clock.advance(DAY_MS / 1000)
    report = broom.sweeper.sweep()
    assert (report.state, report.reason) == (
        SweepState.UNCONFIRMED,
        "120 of 120 standing yeses are due at once",
    )
    assert AlarmKind.SWEEP_UNCONFIRMED in broom.alarms.counts()
    assert len(of.all()) == 120
    assert broom.sweeper.sweep(Confirmation.CONFIRMED).state is SweepState.ERASED
    assert of.all() == ()


def test_a_draft_keeps_them_and_an_older_one_has_none() -> None:
    draft = Draft().with_standing_yes(StandingYesInScope(standing_yes="01a2"))
    assert parse(serialise(draft)) == draft
    assert parse(serialise(Draft()).replace('"standing_yeses":[],', "")) == Draft()
