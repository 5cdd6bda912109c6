"""What a conversation's events add up to."""

import dataclasses
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import assert_never

from tallylight.consent.answer import NO_ANSWER, Consent, ConsentState, attest
from tallylight.consent.errors import ConsentError
from tallylight.consent.standing_yes import as_consent
from tallylight.conversation.errors import ConversationError
from tallylight.conversation.events import (
    ConsentGiven,
    ConsentRefused,
    ConsentRequested,
    ConsentUnanswered,
    ConsentWithdrawn,
    ConversationEnded,
    ConversationHeld,
    ConversationStarted,
    ConversationUnheld,
    CustomerSwitched,
    Event,
    LampsChanged,
    MinorKnown,
    NoticeGiven,
    OpeningMissed,
    PartyJoined,
    PartyLeft,
    QuestionHeard,
    ReceiptClosed,
    ReceiptOpened,
    RecordingAccessed,
    RecordingFailed,
    RecordingPaused,
    RecordingResumed,
    TermMoved,
    TrackErased,
    TrackKept,
    TrackOpened,
    TrackSealed,
)
from tallylight.ids import ConversationId, DecisionId, PartyId
from tallylight.law.vocabulary import Channel, Direction, LawfulBasis, Method, Purpose, Role
from tallylight.policy.decision import Decision
from tallylight.policy.situation import Place

NO_MORE = frozenset({ConsentState.REFUSED, ConsentState.WITHDRAWN})
"""Standing answers that are a no: they outlive being asked anew, until that person says yes."""


@dataclass(frozen=True, kw_only=True)
class Question:
    """A question that was put and has not been answered."""

    purposes: frozenset[Purpose]
    notice: str
    text: str | None = None
    language: str | None = None
    heard: bool = False


@dataclass(frozen=True, kw_only=True)
class Receipt:
    """A voice receipt."""

    number: int
    order: str


@dataclass(frozen=True, kw_only=True)
class PartyState:
    """One party, whether still there or not."""

    party: PartyId
    role: Role
    places: tuple[Place, ...]
    basis: LawfulBasis
    employee_notice: bool
    notice_heard: bool = False
    told_of: frozenset[Purpose] | None = None
    """What their own voice is recorded for, by all they were told; None: nothing tells (yet)."""
    consent: Consent = NO_ANSWER
    """The answer given last."""
    given: Mapping[Purpose, Consent] = field(default_factory=dict)
    """The yes for each purpose since the last no; their own yes takes the place of everything staff attested. Never
    changed in place."""
    question: Question | None = None
    minor: bool = False
    """Somebody on the call said so; a project may know it of all its callers (`situation.is_minor`)."""
    present: bool = True


@dataclass(frozen=True, kw_only=True)
class ConversationState:
    """Everything the next command is judged by. Without a `conversation`, nothing has happened yet."""

    conversation: ConversationId | None = None
    settings: str = ""
    pack: str = ""
    channel: Channel = Channel.PHONE
    direction: Direction = Direction.INBOUND
    started_ms: int = 0
    parties: Mapping[PartyId, PartyState] = field(default_factory=dict)
    """In the order they joined. Never changed in place."""
    paused_by: PartyId | str | None = None
    resumed: bool = False
    """Somebody has switched the recording on: a start that was paused is over."""
    customer_on: bool = False
    """The agent has asked for the customer to be recorded."""
    receipt: Receipt | None = None
    """The voice receipt that is open."""
    receipts: tuple[Receipt, ...] = ()
    """Every voice receipt so far, the open one too."""
    held_by: frozenset[PartyId] = frozenset()
    latest_ms: int = 0
    """The latest media time any act carried: no decision looks back behind it."""
    decision_id: DecisionId | None = None
    decision: Decision | None = None
    """In force now; None before the first and after the end."""
    outcome: str | None = None
    """How it ended; None while it lasts."""

    @property
    def ended(self) -> bool:
        return self.outcome is not None


def apply(state: ConversationState, event: Event) -> ConversationState:
    """The state after one event. Raises ConversationError for what is no event or cannot have happened."""
    if not isinstance(event, Event):
        raise ConversationError(f"{type(event).__name__} is no event of a conversation: upgrade Tallylight to read it.")
    if (state.conversation is None) != isinstance(event, ConversationStarted):
        name = type(event).__name__
        told = f"{name} came before its start" if state.conversation is None else "it started twice"
        raise ConversationError(f"The events of a conversation are not complete or not in order: {told}.")
    after = _changed(state, event)
    return after if after.latest_ms >= event.offset_ms else dataclasses.replace(after, latest_ms=event.offset_ms)


def fold(events: Iterable[Event]) -> ConversationState:
    """The state after a whole history."""
    state = ConversationState()
    for event in events:
        state = apply(state, event)
    return state


def _changed(state: ConversationState, event: Event) -> ConversationState:
    match event:
        case ConversationStarted():
            return dataclasses.replace(
                state,
                conversation=event.conversation,
                settings=event.settings,
                pack=event.pack,
                channel=event.channel,
                direction=event.direction,
                started_ms=event.started_ms,
            )
        case PartyJoined():
            return _with(
                state,
                PartyState(
                    party=event.party,
                    role=event.role,
                    places=event.places,
                    basis=event.basis,
                    employee_notice=event.employee_notice,
                ),
            )
        case PartyLeft():
            left = _with(state, dataclasses.replace(_party(state, event.party), present=False, question=None))
            return dataclasses.replace(left, held_by=left.held_by - {event.party})
        case NoticeGiven():
            return _with(state, _told(_party(state, event.party), event))
        case ConsentRequested() | QuestionHeard():
            return _with(state, _asked(_party(state, event.party), event))
        case ConsentGiven() | ConsentRefused() | ConsentUnanswered() | ConsentWithdrawn():
            return _with(state, _answered(_party(state, event.party), event, state.started_ms + event.offset_ms))
        case MinorKnown():
            return _with(state, dataclasses.replace(_party(state, event.party), minor=True))
        case RecordingPaused():
            return dataclasses.replace(state, paused_by=event.by)
        case RecordingResumed():
            return dataclasses.replace(state, paused_by=None, resumed=True)
        case CustomerSwitched():
            return dataclasses.replace(state, customer_on=event.on)
        case ReceiptOpened():
            receipt = Receipt(number=event.number, order=event.order)
            return dataclasses.replace(state, receipt=receipt, receipts=(*state.receipts, receipt))
        case ReceiptClosed():
            return dataclasses.replace(state, receipt=None)
        case ConversationHeld():
            return dataclasses.replace(state, held_by=state.held_by | {event.by})
        case ConversationUnheld():
            return dataclasses.replace(state, held_by=state.held_by - {event.by})
        case LampsChanged():
            return dataclasses.replace(state, decision_id=event.decision_id, decision=event.decision)
        case ConversationEnded():
            gone = {
                key: dataclasses.replace(party, present=False, question=None) for key, party in state.parties.items()
            }
            return dataclasses.replace(state, parties=gone, outcome=event.outcome, decision_id=None, decision=None)
        case (
            TrackOpened()
            | TermMoved()
            | TrackKept()
            | OpeningMissed()
            | TrackSealed()
            | TrackErased()
            | RecordingFailed()
            | RecordingAccessed()
        ):
            # What happens to tracks decides nothing about who may be recorded.
            return state
        case _:
            assert_never(event)


def _told(party: PartyState, event: NoticeGiven) -> PartyState:
    told_of = party.told_of if event.purposes is None else event.purposes | (party.told_of or frozenset())
    return dataclasses.replace(party, notice_heard=True, told_of=told_of)


def _asked(party: PartyState, event: ConsentRequested | QuestionHeard) -> PartyState:
    if isinstance(event, QuestionHeard):
        if party.question is None:
            raise ConversationError(f"Party {party.party} heard a question nobody put: the events are not complete.")
        return dataclasses.replace(party, question=dataclasses.replace(party.question, heard=True))
    question = Question(purposes=event.purposes, notice=event.notice, text=event.text, language=event.language)
    if party.consent.state in NO_MORE or party.consent.state is ConsentState.GIVEN:
        return dataclasses.replace(party, question=question)
    asked = Consent(state=ConsentState.REQUESTED, purposes=event.purposes, notice=event.notice)
    return dataclasses.replace(party, question=question, consent=asked)


def _answered(
    party: PartyState, event: ConsentGiven | ConsentRefused | ConsentUnanswered | ConsentWithdrawn, at_ms: int
) -> PartyState:
    given = party.given
    match event:
        case ConsentGiven(method=Method.ATTESTED):
            try:
                consent = attested(party, event, at_ms)
            except ConsentError as error:
                raise ConversationError(f"Party {party.party}: {error.message}") from None
            given = {**given, **dict.fromkeys(event.purposes, consent)}
            # Whoever is being asked goes on to answer for themselves.
            return dataclasses.replace(party, consent=consent, given=given)
        case ConsentGiven():
            consent = _yes(party, event, at_ms)
            # What was agreed to before a no does not come back with a yes to something else.
            before = {} if party.consent.state in NO_MORE else _own(given)
            given = {**before, **dict.fromkeys(event.purposes, consent)}
        case ConsentRefused():
            consent = Consent(state=ConsentState.REFUSED, method=event.method, evidence=event.evidence, at_ms=at_ms)
        case ConsentUnanswered():
            consent = party.consent
            if consent.state is ConsentState.REQUESTED:
                consent = dataclasses.replace(consent, state=ConsentState.UNKNOWN, at_ms=at_ms)
        case ConsentWithdrawn():
            consent = dataclasses.replace(
                party.consent,
                state=ConsentState.WITHDRAWN,
                method=event.method,
                evidence=event.evidence,
                at_ms=at_ms,
            )
            given = {}
        case _:
            assert_never(event)
    return dataclasses.replace(party, consent=consent, given=given, question=None)


def _yes(party: PartyState, event: ConsentGiven, at_ms: int) -> Consent:
    if event.standing is not None:
        return as_consent(event.standing, event.purposes)
    return Consent(
        state=ConsentState.GIVEN,
        purposes=event.purposes,
        method=event.method,
        notice=event.notice,
        evidence=event.evidence,
        question_heard=party.question is not None and party.question.heard,
        at_ms=at_ms,
    )


def attested(party: PartyState, event: ConsentGiven, at_ms: int) -> Consent:
    """The consent that a member of staff says this person gave. Raises ConsentError after the person's no."""
    return attest(party.consent, purposes=event.purposes, notice=event.notice, evidence=event.evidence, at_ms=at_ms)


def _own(given: Mapping[Purpose, Consent]) -> dict[Purpose, Consent]:
    """Without what rests on somebody else's word."""
    return {purpose: consent for purpose, consent in given.items() if not consent.flagged}


def _party(state: ConversationState, party: PartyId) -> PartyState:
    found = state.parties.get(party)
    if found is None:
        raise ConversationError(f"Party {party} never joined: the events of the conversation are not complete.")
    return found


def _with(state: ConversationState, party: PartyState) -> ConversationState:
    return dataclasses.replace(state, parties={**state.parties, party.party: party})
