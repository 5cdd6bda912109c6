"""The four steps of every recording, from its events alone (F098, F103 to F106, F109)."""

import dataclasses
import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import settings as profile
from hypothesis import strategies as st

from tallylight.catalogue.explanation import explain
from tallylight.catalogue.steps import PartySteps, Step, StepName, four_steps
from tallylight.consent.answer import SECOND_HAND
from tallylight.conversation.commands import OPERATOR, Command
from tallylight.conversation.events import (
    ConsentGiven,
    Event,
    LampsChanged,
    NoticeGiven,
    OpeningMissed,
    PartyJoined,
    QuestionHeard,
    TrackOpened,
)
from tallylight.database.engine import read_only
from tallylight.database.events import empty_payload, read_stream
from tallylight.ids import EpochId, PartyId, TrackId
from tallylight.law.vocabulary import LawfulBasis, Method, Mode, Purpose, Role
from tallylight.policy.decision import Lamp
from tallylight.policy.settings import Settings
from tallylight.policy.situation import Place
from tests.catalogue.house import SHIPPED, Call, House
from tests.conversation.making import Talk
from tests.policy.making import AGENT, AT_MS, CUSTOMER, SETTINGS, UNKNOWN, at

SECOND = PartyId("second")
LAW, CONSENT, ON_RECORDING, OPENLY = StepName


@dataclass
class Recording(Talk):
    """A conversation whose tracks open with their lamps, and the proof of a yes with them, as in the live runner."""

    tracks: set[tuple[PartyId, Purpose]] = field(default_factory=set)

    def _take(self, events: tuple[Event, ...]) -> None:
        super()._take(events)
        agreed = {
            event.party for event in events if isinstance(event, ConsentGiven) and event.method not in SECOND_HAND
        }
        for event in events:
            for ruling in event.decision.rulings if isinstance(event, LampsChanged) else ():
                if ruling.lamp is Lamp.RECORDING:
                    self._open(ruling.party, self.settings.purpose, event.offset_ms)
                    if ruling.party in agreed:
                        self._open(ruling.party, Purpose.PROOF_OF_CONSENT, event.offset_ms)

    def _open(self, party: PartyId, purpose: Purpose, offset_ms: int) -> None:
        if (party, purpose) not in self.tracks:
            self.tracks.add((party, purpose))
            opened = TrackOpened(
                track=TrackId(f"{party} {purpose}"),
                party=party,
                purpose=purpose,
                epoch=EpochId("epoch"),
                deadline_ms=AT_MS,
                floor_ms=None,
                receipt=None,
                offset_ms=offset_ms,
            )
            super()._take((opened,))


def steps_of(events: Iterable[Event], party: PartyId = CUSTOMER) -> PartySteps:
    (found,) = (each for each in four_steps(events) if each.party == party)
    return found


def held(events: Iterable[Event], party: PartyId = CUSTOMER) -> dict[StepName, bool]:
    return {step.name: step.held for step in steps_of(events, party).steps}


def step(steps: PartySteps, name: StepName) -> Step:
    (found,) = (each for each in steps.steps if each.name is name)
    return found


ALL = dict.fromkeys(StepName, True)


def all_but(*names: StepName) -> dict[StepName, bool]:
    return {name: name not in names for name in StepName}


def test_a_caller_who_agreed_and_the_agent() -> None:
    events = Recording().agreed().events
    assert held(events) == ALL
    assert held(events, AGENT) == ALL
    said = [step.sentence for step in steps_of(events).steps]
    assert said[0].startswith(
        "The law of every place was judged: the customer in DK (as declared); the employee in DK (as declared)."
        " It rests on EEA.consent (GDPR"
    )
    assert "DK.wiretap (Straffeloven § 263)" in said[0]
    assert said[1:] == [
        "The customer said yes at 4.0 s (digit: digit 1), after the question had been heard to its end.",
        "The customer had been told by 1.0 s and had heard the question by 3.0 s; the gate opened at 4.0 s; the answer is"
        " on the recording.",
        "Everybody there had been told (the customer by 1.0 s; the employee by the employer before joining at 5.0 s), and"
        " every lamp changed at 4.0 s.",
    ]
    assert step(steps_of(events, AGENT), CONSENT).sentence == (
        "The employee was not asked: the ground is contract (Art. 6(1)(b) GDPR)."
    )
    assert "no answer was asked for" in step(steps_of(events, AGENT), ON_RECORDING).sentence


def test_a_yes_in_advance_is_shown_and_is_not_on_the_recording() -> None:
    talk = Recording()
    for command in (talk.system(), talk.caller(), talk.in_advance(), talk.notice(), talk.agent()):
        talk.did(command)
    assert held(talk.events) == all_but(ON_RECORDING)
    assert held(talk.events, AGENT) == ALL
    steps = steps_of(talk.events)
    assert step(steps, CONSENT).sentence == (
        "The customer said yes in advance, written (standing yes 01a2, until 2027-07-18T14:13:20.000Z), to the text with"
        f" the SHA-256 {'c' * 64}."
    )
    assert [(each.kind, each.at_ms) for each in step(steps, CONSENT).events] == [("ConsentGiven", 1000)]
    assert step(steps, ON_RECORDING).sentence == (
        "The customer had been told by 2.0 s; the gate opened at 2.0 s; the yes was given in advance and is not on the"
        " recording."
    )


def test_every_step_names_the_events_that_show_it() -> None:
    steps = steps_of(Recording().agreed().events)
    shown = {step.name: [(each.kind, each.party, each.at_ms) for each in step.events] for step in steps.steps}
    assert shown == {
        LAW: [
            ("PartyJoined", CUSTOMER, 0),
            ("PartyJoined", AGENT, 5000),
            ("LampsChanged", None, 4000),
            ("LampsChanged", None, 5000),
        ],
        CONSENT: [("QuestionHeard", CUSTOMER, 3000), ("ConsentGiven", CUSTOMER, 4000)],
        ON_RECORDING: [
            ("NoticeGiven", CUSTOMER, 1000),
            ("QuestionHeard", CUSTOMER, 3000),
            ("TrackOpened", CUSTOMER, 4000),
            ("TrackOpened", CUSTOMER, 4000),
        ],
        OPENLY: [("NoticeGiven", CUSTOMER, 1000), ("PartyJoined", AGENT, 5000), ("LampsChanged", None, 4000)],
    }


def test_who_was_never_recorded_needs_no_steps() -> None:
    talk = Recording().asked()
    talk.did(talk.no())
    talk.did(talk.agent())
    assert steps_of(talk.events) == PartySteps(party=CUSTOMER, role=Role.CUSTOMER, recorded_from_ms=None)
    assert held(talk.events, AGENT) == ALL
    assert [each.role for each in four_steps(talk.events)] == [Role.CUSTOMER, Role.AGENT], "our own voice is nobody's"


def test_a_place_nobody_knows_is_judged_and_said_to_be_unknown() -> None:
    talk = Recording()
    for command in (talk.system(), talk.caller(places=(UNKNOWN,)), talk.notice(), talk.ask(), talk.heard()):
        talk.did(command)
    talk.did(talk.yes(method=Method.SPOKEN))
    assert held(talk.events) == ALL
    assert "the customer in a place nobody knows, judged strictly" in step(steps_of(talk.events), LAW).sentence


def test_a_yes_while_nothing_is_recorded_is_not_on_the_recording() -> None:
    talk = Recording(dataclasses.replace(SETTINGS, start_paused=True)).agreed()
    assert steps_of(talk.events).recorded_from_ms is None
    talk.did(talk.resume())
    assert held(talk.events) == all_but(ON_RECORDING)
    assert "the answer is not on the recording" in step(steps_of(talk.events), ON_RECORDING).sentence


def test_another_ground_than_consent_is_named() -> None:
    resting = dataclasses.replace(
        SETTINGS,
        purpose=Purpose.DOCUMENTATION,
        customer_basis=LawfulBasis.LEGITIMATE_INTERESTS,
        balancing_test="test",
        balancing_test_from_ms=AT_MS - 1,
        balancing_test_until_ms=AT_MS + 10_000_000,
        necessity="orders are placed by telephone alone",
    )
    talk = Recording(resting)
    for command in (talk.system(), talk.caller(), talk.notice()):
        talk.did(command)
    assert held(talk.events) == ALL
    assert step(steps_of(talk.events), CONSENT).sentence == (
        "The customer was not asked: the ground is legitimate interests (Art. 6(1)(f) GDPR)."
    )


def test_what_staff_attest_is_no_answer_and_the_ground_is_named_beside_it() -> None:
    texan = dataclasses.replace(
        SETTINGS, country="US-TX", customer_basis=LawfulBasis.LEGITIMATE_INTERESTS, attested_consent=True
    )
    talk = Recording(texan)
    for command in (talk.system(), talk.caller(places=at("US-TX")), talk.ask(), talk.heard(), talk.silence()):
        talk.did(command)
    talk.did(talk.attest())
    talk.did(talk.notice())
    assert held(talk.events) == ALL
    assert [step(steps_of(talk.events), name).sentence for name in (CONSENT, ON_RECORDING)] == [
        "Staff attest that the customer agreed (attested by operator: said aloud); the ground is legitimate interests"
        " (Art. 6(1)(f) GDPR).",
        "The customer had been told by 5.0 s and had heard the question by 2.0 s; the gate opened at 5.0 s; no answer of"
        " theirs came.",
    ]


def test_a_gate_that_opened_late_is_counted_from_then() -> None:
    events = Recording().agreed().events
    late = [OpeningMissed(party=CUSTOMER, from_ms=a, until_ms=b, offset_ms=b) for a, b in ((4000, 5000), (5000, 5400))]
    assert steps_of([*events, *late]).recorded_from_ms == 5400
    assert "the gate opened at 5.4 s" in step(steps_of([*events, *late]), ON_RECORDING).sentence


# -- histories that were altered -------------------------------------------------------------------------------------------

Alter = Callable[[Event], Event | None]


def without(kind: type[Event], **fields: object) -> Alter:
    def keep(event: Event) -> Event | None:
        hit = isinstance(event, kind) and all(getattr(event, name) == value for name, value in fields.items())
        return None if hit else event

    return keep


def untold_employee(event: Event) -> Event:
    if isinstance(event, PartyJoined) and event.party == AGENT:
        return dataclasses.replace(event, employee_notice=False)
    return event


def after_the_opening(kind: type[NoticeGiven | QuestionHeard | ConsentGiven]) -> Alter:
    return lambda event: dataclasses.replace(event, offset_ms=4001) if isinstance(event, kind) else event


def half_judged(event: Event) -> Event:
    if not isinstance(event, LampsChanged):
        return event
    left = tuple(ruling for ruling in event.decision.rulings if ruling.party != AGENT)
    return dataclasses.replace(event, decision=dataclasses.replace(event.decision, rulings=left))


@pytest.mark.parametrize(
    ("alter", "customer", "agent"),
    [
        (without(NoticeGiven), all_but(ON_RECORDING, OPENLY), all_but(OPENLY)),
        (after_the_opening(NoticeGiven), all_but(ON_RECORDING, OPENLY), ALL),
        (after_the_opening(QuestionHeard), all_but(ON_RECORDING), ALL),
        (after_the_opening(ConsentGiven), all_but(CONSENT), ALL),
        (without(QuestionHeard), all_but(CONSENT, ON_RECORDING), ALL),
        (without(ConsentGiven), all_but(CONSENT), ALL),
        (without(TrackOpened, purpose=Purpose.PROOF_OF_CONSENT), all_but(ON_RECORDING), ALL),
        (without(LampsChanged, offset_ms=4000), all_but(LAW, OPENLY), ALL),
        (untold_employee, all_but(OPENLY), all_but(ON_RECORDING, OPENLY)),
        (half_judged, all_but(LAW), all_but(LAW, OPENLY)),
    ],
)
def test_a_history_that_was_altered_no_longer_shows_the_step(
    alter: Alter, customer: dict[StepName, bool], agent: dict[StepName, bool]
) -> None:
    altered = [after for event in Recording().agreed().events if (after := alter(event)) is not None]
    assert held(altered) == customer
    assert held(altered, AGENT) == agent


# -- any history -----------------------------------------------------------------------------------------------------------

Move = Callable[[Recording], Command]
MOVES: dict[str, Move] = {
    "the caller is told": lambda talk: talk.notice(),
    "the caller is asked": lambda talk: talk.ask(),
    "the caller hears the question": lambda talk: talk.heard(),
    "yes": lambda talk: talk.yes(),
    "no": lambda talk: talk.no(),
    "silence": lambda talk: talk.silence(),
    "the caller withdraws": lambda talk: talk.withdraw(),
    "an agent who knows": lambda talk: talk.agent(),
    "an agent who does not": lambda talk: talk.agent(employee_notice=False),
    "the agent is asked": lambda talk: talk.ask(AGENT),
    "the agent hears the question": lambda talk: talk.heard(AGENT),
    "the agent agrees": lambda talk: talk.yes(AGENT),
    "the agent has signed": lambda talk: talk.yes(AGENT, method=Method.WRITTEN),
    "the agent leaves": lambda talk: talk.leave(AGENT),
    "staff attest": lambda talk: talk.attest(),
    "a second caller": lambda talk: talk.caller(SECOND),
    "the second is told": lambda talk: talk.notice(SECOND),
    "the second is asked": lambda talk: talk.ask(SECOND),
    "the second hears the question": lambda talk: talk.heard(SECOND),
    "the second agrees": lambda talk: talk.yes(SECOND),
    "pause": lambda talk: talk.pause(OPERATOR),
    "resume": lambda talk: talk.resume(OPERATOR),
    "the customer is switched on": lambda talk: talk.switch(),
    "the customer is switched off": lambda talk: talk.switch(on=False),
    "a receipt begins": lambda talk: talk.open_receipt(),
    "a receipt ends": lambda talk: talk.close_receipt(),
    "the caller is told of receipts": lambda talk: talk.notice(purpose=Purpose.VOICE_RECEIPT),
    "the caller is asked for receipts": lambda talk: talk.ask(purpose=Purpose.VOICE_RECEIPT),
    "hold": lambda talk: talk.hold(),
    "unhold": lambda talk: talk.unhold(),
}
USUAL = ("the caller is told", "the caller is asked", "the caller hears the question", "yes", "an agent who knows")
projects = st.builds(
    dataclasses.replace,
    st.just(SETTINGS),
    mode=st.sampled_from([Mode.BOTH, Mode.BOTH, *Mode]),
    start_paused=st.sampled_from([False, False, True]),
    purpose=st.sampled_from([Purpose.QUALITY_ASSURANCE, Purpose.DOCUMENTATION]),
    customer_basis=st.sampled_from([LawfulBasis.CONSENT, LawfulBasis.CONTRACT]),
    necessity=st.sampled_from([None, "orders are placed by telephone alone"]),
    attested_consent=st.booleans(),
)


beginnings = st.sampled_from([5, 5, 4, 3, 1, 0]).map(lambda so_far: USUAL[:so_far])
"""Most begin as a call usually does, or next to nothing would ever be recorded."""
scenes = st.tuples(
    projects,
    st.sampled_from([at("DK"), at("DK"), at("US-NY"), at("US-CA"), (UNKNOWN,)]),
    st.builds(
        lambda usual, others: (*usual, *others), beginnings, st.lists(st.sampled_from(sorted(MOVES)), max_size=12)
    ),
)
Scene = tuple[Settings, tuple[Place, ...], tuple[str, ...]]


def played(scene: Scene) -> list[Event]:
    settings, places, moves = scene
    talk = Recording(settings)
    talk.did(talk.system())
    talk.did(talk.caller(places=places))
    for move in moves:
        talk.tell(MOVES[move](talk))
    return talk.events


@profile(max_examples=400, deadline=None)
@given(scenes)
def test_whatever_happens_the_steps_come_before_the_recording(scene: Scene) -> None:
    events = played(scene)
    for person in four_steps(events):
        opened = [event for event in events if isinstance(event, TrackOpened) and event.party == person.party]
        assert person.recorded_from_ms == (opened[0].offset_ms if opened else None)
        assert len(person.steps) == (4 if opened else 0)
        if not opened:
            continue
        here = {event.party for event in events[: events.index(opened[0])] if isinstance(event, PartyJoined)}
        for step in person.steps:
            assert step.sentence.endswith(".")
            assert step.held or (step.name is ON_RECORDING and "answer is not on the recording" in step.sentence)
            # Whoever joins later is told later, and until then nobody is recorded.
            for shown in step.events if step.name is not LAW else ():
                assert shown.at_ms <= opened[0].offset_ms or shown.party not in {None, *here}


@profile(max_examples=200, deadline=None)
@given(scenes)
def test_whatever_happened_a_notice_that_is_taken_away_is_missed(scene: Scene) -> None:
    events = played(scene)
    for person in four_steps(events):
        for shown in {each for step in person.steps for each in step.events if each.kind == NoticeGiven.__name__}:
            without_it = [
                event for event in events if not (isinstance(event, NoticeGiven) and event.party == shown.party)
            ]
            assert not held(without_it, person.party)[OPENLY]
            if shown.party == person.party:
                assert not held(without_it, person.party)[ON_RECORDING]


# -- stored histories ------------------------------------------------------------------------------------------------------


def stored(house: House, call: Call, at_ms: int | None = None) -> dict[PartyId, PartySteps]:
    with read_only(house.engine) as connection:
        explanation = explain(connection, workspace=house.workspace, conversation=call.id, today=SHIPPED, at_ms=at_ms)
    return {each.party: each for each in explanation.steps}


def test_calls_that_were_stored_show_their_steps(house: House) -> None:
    for call in (
        Call(house).accepted().speak(1000).sealed(),
        Call(house).accepted().speak(1000).withdrawn().speak(1000).end(),
        Call(house).accepted(),
    ):
        told = stored(house, call)
        assert set(told) == {call.customer, call.agent}
        assert all(step.held for each in told.values() for step in each.steps)
        assert told[call.customer].recorded_from_ms == 7500
    refused = Call(house).refused().speak(1000).end()
    assert stored(house, refused)[refused.customer].steps == ()
    assert stored(house, refused)[refused.agent].steps


def test_an_instant_knows_nothing_of_gates_that_open_later(house: House) -> None:
    call = Call(house).accepted().end()
    assert set(stored(house, call, 7499)) == set()
    assert set(stored(house, call, 7500)) == {call.customer}


def test_an_answer_that_was_erased_cannot_be_shown_any_more(house: House) -> None:
    call = Call(house).accepted().end()
    with read_only(house.engine) as connection:
        (given,) = [event for event in read_stream(connection, call.id) if event.type == "ConsentGiven"]
    house.commit(lambda transaction: empty_payload(transaction.connection, given.leaf))
    told = stored(house, call)
    assert {step.name: step.held for step in told[call.customer].steps} == all_but(CONSENT)
    assert step(told[call.customer], CONSENT).sentence == (
        "How the customer answered was erased with the person: it cannot be shown any more."
    )
    assert all(step.held for step in told[call.agent].steps)


def test_the_json_is_in_seconds(house: House) -> None:
    call = Call(house).accepted().end()
    told = json.loads(json.dumps(stored(house, call)[call.customer].to_json()))
    assert (told["role"], told["recorded_from_s"]) == ("customer", 7.5)
    assert [step["step"] for step in told["steps"]] == ["law", "consent", "consent_on_recording", "never_covertly"]
    assert told["steps"][1]["events"][-1] == {"kind": "ConsentGiven", "party": call.customer, "at_s": 7.5}
