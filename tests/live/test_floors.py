"""What a law has kept: from the opening on, as people join, and past a withdrawal. An investment firm's calls."""

import dataclasses

import pytest

from tallylight.catalogue.history import read_history
from tallylight.catalogue.queries import TrackEntry, read_conversation
from tallylight.catalogue.versions import keep_settings
from tallylight.conversation.commands import (
    GiveConsent,
    HearQuestion,
    JoinParty,
    LeaveParty,
    RequestConsent,
    WithdrawConsent,
)
from tallylight.conversation.events import Event, TermMoved, TrackErased, TrackKept, TrackOpened
from tallylight.database.engine import read_only
from tallylight.ids import PartyId, new_id
from tallylight.law.vocabulary import LawfulBasis, Method, Purpose, Role, Sector
from tallylight.live.work import Work
from tallylight.policy.decision import Lamp
from tallylight.policy.retention import add_months
from tallylight.policy.settings import Settings
from tallylight.policy.situation import Place, PlaceEvidence
from tests.live.conftest import House, Talk


def run_by(house: House, **changes: object) -> Settings:
    """The trial's settings, as a regulated firm has them."""
    settings = dataclasses.replace(house.settings, **changes)  # type: ignore[arg-type]
    house.store.writer.submit(
        lambda transaction: keep_settings(transaction.connection, house.store.workspace, settings)
    ).result(20)
    house.settings = settings
    return settings


@pytest.fixture
def firm(house: House) -> Talk:
    run_by(house, purpose=Purpose.COMPLIANCE, sector=Sector.INVESTMENT_SERVICES)
    return Talk(house)


def customers(talk: Talk) -> dict[Purpose, TrackEntry]:
    with read_only(talk.house.store.engine) as connection:
        entry = read_conversation(
            connection,
            workspace=talk.house.store.workspace,
            keys=talk.house.store.keyring,
            conversation=talk.runner.conversation,
        )
    (customer,) = [party for party in entry.people if party.party == talk.customer]
    return {track.purpose: track for track in customer.tracks}


def history(talk: Talk) -> list[Event]:
    with read_only(talk.house.store.engine) as connection:
        return list(read_history(connection, talk.house.store.workspace, talk.runner.conversation).events)


def agreed(talk: Talk) -> None:
    talk.ask()
    talk.say_yes()
    talk.house.settle()
    talk.speak(talk.customer, 2000)
    talk.runner.tracks.end_proof(talk.customer, talk.runner.offset_ms())


def withdraw(talk: Talk) -> None:
    at = talk.runner.offset_ms()
    command = WithdrawConsent(party=talk.customer, method=Method.DIGIT, evidence="digits *2", offset_ms=at)
    assert talk.runner.command(command) is None
    talk.house.settle()


def join_from_london(talk: Talk) -> PartyId:
    """An agent whose regulator has every call of the firm kept, whatever it is for."""
    agent = PartyId(new_id(talk.house.clock.wall_ms()))
    joins = JoinParty(
        party=agent,
        role=Role.AGENT,
        places=(Place(code="GB", evidence=PlaceEvidence.SITE),),
        basis=LawfulBasis.CONTRACT,
        employee_notice=True,
        offset_ms=talk.runner.offset_ms(),
    )
    assert talk.runner.command(joins, address="sip:agent@127.0.0.1") is None
    talk.house.settle()
    return agent


def test_a_track_is_opened_with_the_floor_of_its_decision(firm: Talk) -> None:
    agreed(firm)
    opened = [event for event in history(firm) if isinstance(event, TrackOpened) and event.party == firm.customer]
    assert {event.purpose for event in opened} == {Purpose.COMPLIANCE, Purpose.PROOF_OF_CONSENT}
    for event in opened:
        started_ms = firm.runner.started_ms
        assert event.floor_ms is not None
        assert event.deadline_ms == event.floor_ms >= add_months(started_ms + event.offset_ms, 60)


def test_a_firm_of_no_sector_has_no_floor(talk: Talk) -> None:
    agreed(talk)
    assert {track.floor_ms for track in customers(talk).values()} == {None}


def test_a_withdrawal_shuts_what_a_law_has_kept_and_erases_none_of_it(firm: Talk) -> None:
    agreed(firm)
    withdraw(firm)
    assert firm.runner.lamps()[firm.customer] is Lamp.OFF
    firm.speak(firm.customer, 1000)
    firm.end()
    track = customers(firm)[Purpose.COMPLIANCE]
    assert (track.state, track.stored_ms) == ("sealed", 2000)
    told = [event for event in history(firm) if isinstance(event, TrackKept)]
    assert [(event.track, event.why, event.floor_ms) for event in told] == [(track.track, "withdrawn", track.floor_ms)]


def test_a_withdrawal_keeps_for_the_law_alone(house: House) -> None:
    """The firm chose seven years, the law asks for five."""
    run_by(house, purpose=Purpose.COMPLIANCE, sector=Sector.INVESTMENT_SERVICES, retention_months=84)
    talk = Talk(house)
    agreed(talk)
    before = customers(talk)[Purpose.COMPLIANCE]
    withdraw(talk)
    after = customers(talk)[Purpose.COMPLIANCE]
    assert before.deadline_ms == add_months(before.floor_ms or 0, 24)
    assert (after.deadline_ms, after.floor_ms) == (before.floor_ms, before.floor_ms)


def test_a_new_yes_after_a_withdrawal_is_another_track(firm: Talk) -> None:
    agreed(firm)
    withdraw(firm)
    at = firm.runner.offset_ms()
    for command in (
        RequestConsent(party=firm.customer, purposes=frozenset({Purpose.COMPLIANCE}), notice="1" * 64, offset_ms=at),
        HearQuestion(party=firm.customer, offset_ms=at),
        GiveConsent(party=firm.customer, method=Method.DIGIT, evidence="digit 1", offset_ms=at),
    ):
        assert firm.runner.command(command) is None
        firm.house.settle()
    firm.speak(firm.customer, 1000)
    firm.end()
    with read_only(firm.house.store.engine) as connection:
        entry = read_conversation(
            connection,
            workspace=firm.house.store.workspace,
            keys=firm.house.store.keyring,
            conversation=firm.runner.conversation,
        )
    talks = [track for party in entry.people for track in party.tracks if track.is_talk]
    assert [(track.state, track.stored_ms) for track in talks] == [("sealed", 2000), ("sealed", 1000)]


def test_who_joins_may_bring_a_law_that_keeps_what_goes_on(house: House) -> None:
    """Training calls are no orders in the EEA; in the United Kingdom the duty speaks of every call of the firm."""
    run_by(house, sector=Sector.INVESTMENT_SERVICES)
    talk = Talk(house)
    agreed(talk)
    before = customers(talk)
    assert {track.floor_ms for track in before.values()} == {None}
    join_from_london(talk)
    assert talk.runner.lamps()[talk.customer] is Lamp.RECORDING
    after = customers(talk)
    for purpose, track in after.items():
        opened_ms = add_months(before[purpose].deadline_ms, -house.settings.retention_months)
        assert track.track == before[purpose].track
        assert track.floor_ms == track.deadline_ms == add_months(opened_ms, 60)
    moved = {event.track for event in history(talk) if isinstance(event, TermMoved)}
    assert moved >= {track.track for track in after.values()}
    withdraw(talk)
    assert customers(talk)[house.settings.purpose].state == "open"


def test_a_floor_stays_when_whose_law_it_was_leaves(house: House) -> None:
    run_by(house, sector=Sector.INVESTMENT_SERVICES)
    talk = Talk(house)
    agreed(talk)
    agent = join_from_london(talk)
    kept = customers(talk)
    assert talk.runner.command(LeaveParty(party=agent, offset_ms=talk.runner.offset_ms())) is None
    house.settle()
    talk.speak(talk.customer, 500)
    talk.end()
    assert {purpose: track.floor_ms for purpose, track in customers(talk).items()} == {
        purpose: track.floor_ms for purpose, track in kept.items()
    }


def test_a_caller_who_leaves_before_the_question_is_settled_leaves_nothing_of_ours(firm: Talk) -> None:
    firm.runner.tracks.own_voice.accept(0, 1000, 0, b"\x20" * 8000)
    firm.house.clock.advance(3)
    firm.end("abandoned", abandoned=True)
    assert list(firm.house.store.objects.list()) == []
    assert [event.why for event in history(firm) if isinstance(event, TrackErased)] == ["abandoned"]


def test_an_erasure_shuts_the_gates_and_forgets_no_key_that_a_law_has_kept(firm: Talk) -> None:
    agreed(firm)
    firm.runner.forget([firm.customer], [])
    firm.house.settle()
    assert firm.runner.lamps()[firm.customer] is Lamp.OFF
    firm.speak(firm.customer, 1000)
    firm.end()
    track = customers(firm)[Purpose.COMPLIANCE]
    assert (track.state, track.stored_ms) == ("sealed", 2000)


def test_a_replaced_receipt_that_a_law_has_kept_is_shut_and_kept_once(firm: Talk) -> None:
    """As if the talk had been a receipt: none of a regulated firm's is erased by a later one."""
    agreed(firm)
    work = Work(number=99, conversation=firm.runner.conversation, actor="engine", events=[], identities={})
    (track,) = [each for each in firm.runner.tracks._of(firm.customer) if not each.is_proof]
    track.receipt = 1
    for _ in range(2):
        firm.runner.tracks.replace([1], work)
    assert work.erased == []
    assert [type(event) for event in work.events] == [TrackKept]
    assert track.recorder.gate.is_dark
