"""What follows from a command: events, or a refusal that says why nothing happened. Pure.

A no counts at any moment and from anybody. A yes counts only as the answer to a question heard to its end, and after a
no only as that person's own clear act. Whenever the decision differs from the one in force, the lamps change with it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import assert_never

from tallylight.consent.answer import ConsentState
from tallylight.conversation.commands import (
    Command,
    EndConversation,
    GiveConsent,
    GiveNotice,
    HearQuestion,
    HoldConversation,
    JoinParty,
    LeaveParty,
    LeaveUnanswered,
    PauseRecording,
    RefuseConsent,
    RequestConsent,
    ResumeRecording,
    UnholdConversation,
    WithdrawConsent,
)
from tallylight.conversation.errors import ConversationError
from tallylight.conversation.events import (
    ConsentGiven,
    ConsentRefused,
    ConsentRequested,
    ConsentUnanswered,
    ConsentWithdrawn,
    ConversationEnded,
    ConversationHeld,
    ConversationUnheld,
    Event,
    LampsChanged,
    NoticeGiven,
    PartyJoined,
    PartyLeft,
    QuestionHeard,
    RecordingPaused,
    RecordingResumed,
)
from tallylight.conversation.situation import paused_by, situation
from tallylight.conversation.state import NO_MORE, ConversationState, PartyState, apply
from tallylight.ids import DecisionId
from tallylight.law.pack import Pack
from tallylight.law.vocabulary import AFFIRMATIVE_METHODS, Method, Role
from tallylight.policy.decide import decide
from tallylight.policy.decision import Decision, Lamp
from tallylight.policy.settings import Settings
from tallylight.policy.view import EMPLOYED

OPERATOR = "operator"
"""Who acts at the machine itself."""


@dataclass(frozen=True, kw_only=True)
class Context:
    """What a conversation keeps from its start to its end."""

    pack: Pack
    settings: Settings
    new_decision_id: Callable[[], DecisionId]


@dataclass(frozen=True, kw_only=True)
class Refusal:
    """Nothing happened: `code` for programs, `message` for people."""

    code: str
    message: str


def handle(state: ConversationState, command: Command, context: Context) -> tuple[Event, ...] | Refusal:
    """The events a command leads to (none where everything stays as it is), or why it is refused."""
    if (state.settings, state.pack) != (context.settings.version, context.pack.hash):
        raise ConversationError("A conversation keeps the settings and the law it started with: pass those.")
    if state.ended:
        return Refusal(code="ended", message="The conversation has ended.")
    happened = _happened(state, command, context)
    if isinstance(happened, Refusal) or not happened:
        return happened
    after = state
    for event in happened:
        after = apply(after, event)
    if after.ended:
        return happened
    return (*happened, *_lamps(after, context, command.offset_ms))


def _lamps(state: ConversationState, context: Context, offset_ms: int) -> tuple[LampsChanged, ...]:
    """The decision now, if it differs from the one in force in anything but the instant."""
    decision = decide(situation(state, context.settings), context.pack)
    if state.decision is not None and decision.rulings == state.decision.rulings:
        return ()
    # A gate shuts at the media time of the act; none opens behind an act that was later.
    from_ms = max(offset_ms, state.latest_ms) if _opens(state.decision, decision) else offset_ms
    return (LampsChanged(decision_id=context.new_decision_id(), decision=decision, offset_ms=from_ms),)


def _opens(before: Decision | None, after: Decision) -> bool:
    return any(
        ruling.lamp is Lamp.RECORDING and (before is None or before.lamp(ruling.party) is not Lamp.RECORDING)
        for ruling in after.rulings
    )


Happened = tuple[Event, ...] | Refusal


def _happened(state: ConversationState, command: Command, context: Context) -> Happened:
    match command:
        case JoinParty():
            return _join(state, command)
        case PauseRecording() | ResumeRecording():
            return _switch(state, command, context.settings)
        case HoldConversation() | UnholdConversation():
            return _hold(state, command)
        case EndConversation():
            return (ConversationEnded(outcome=command.outcome, talked_ms={}, offset_ms=command.offset_ms),)
    party = state.parties.get(command.party)
    if party is None:
        return Refusal(code="unknown_party", message="Nobody of that name is on the conversation.")
    if isinstance(command, RefuseConsent | WithdrawConsent):
        return _no(party, command)
    if not party.present:
        return Refusal(code="not_present", message="That person has left the conversation.")
    match command:
        case LeaveParty():
            return (PartyLeft(party=command.party, offset_ms=command.offset_ms),)
        case GiveNotice():
            return (
                NoticeGiven(
                    party=command.party,
                    notice=command.notice,
                    text=command.text,
                    language=command.language,
                    offset_ms=command.offset_ms,
                ),
            )
        case RequestConsent() | HearQuestion() | LeaveUnanswered():
            return _question(party, command)
        case GiveConsent():
            return _yes(party, command)
        case _:
            assert_never(command)


def _join(state: ConversationState, command: JoinParty) -> Happened:
    if command.party in state.parties:
        return Refusal(code="already_joined", message="That party is or was on the conversation: join under a new id.")
    return (
        PartyJoined(
            party=command.party,
            role=command.role,
            places=command.places,
            basis=command.basis,
            employee_notice=command.employee_notice,
            offset_ms=command.offset_ms,
        ),
    )


def _switch(state: ConversationState, command: PauseRecording | ResumeRecording, settings: Settings) -> Happened:
    party = next((party for party in state.parties.values() if party.party == command.by and party.present), None)
    if command.by != OPERATOR and (party is None or party.role is not Role.AGENT):
        return Refusal(code="not_allowed", message="Only an agent on the call or the operator pauses and resumes.")
    if isinstance(command, PauseRecording):
        if state.paused_by is not None:
            return Refusal(code="already_paused", message="The recording is paused already.")
        return (RecordingPaused(by=command.by, offset_ms=command.offset_ms),)
    if paused_by(state, settings) is None:
        return Refusal(code="not_paused", message="The recording is not paused.")
    return (RecordingResumed(by=command.by, offset_ms=command.offset_ms),)


def _hold(state: ConversationState, command: HoldConversation | UnholdConversation) -> Happened:
    party = state.parties.get(command.by)
    if party is None or not party.present:
        return Refusal(code="not_present", message="Only somebody on the conversation can hold it.")
    if isinstance(command, HoldConversation):
        held = ConversationHeld(by=command.by, offset_ms=command.offset_ms)
        return () if command.by in state.held_by else (held,)
    unheld = ConversationUnheld(by=command.by, offset_ms=command.offset_ms)
    return (unheld,) if command.by in state.held_by else ()


def _question(party: PartyState, command: RequestConsent | HearQuestion | LeaveUnanswered) -> Happened:
    if isinstance(command, RequestConsent):
        return (
            ConsentRequested(
                party=command.party, purposes=command.purposes, notice=command.notice, offset_ms=command.offset_ms
            ),
        )
    if party.question is None:
        return Refusal(code="not_asked", message="No question is waiting for that person's answer.")
    if isinstance(command, HearQuestion):
        heard = QuestionHeard(party=command.party, offset_ms=command.offset_ms)
        return () if party.question.heard else (heard,)
    return (ConsentUnanswered(party=command.party, offset_ms=command.offset_ms),)


def _yes(party: PartyState, command: GiveConsent) -> Happened:
    standing = party.consent.state
    beforehand = party.role in EMPLOYED and command.method is Method.WRITTEN and standing not in NO_MORE
    if standing in NO_MORE and (party.question is None or command.method not in AFFIRMATIVE_METHODS):
        return Refusal(
            code="already_refused",
            message="That person said no. Only their own clear yes to a new question opens their gate.",
        )
    if party.question is None and standing is ConsentState.GIVEN:
        return Refusal(code="already_given", message="That person has said yes already.")
    if party.question is None and standing is ConsentState.UNKNOWN:
        return Refusal(code="too_late", message="The question is over and was not answered: ask it again.")
    if not beforehand and (party.question is None or not party.question.heard):
        return Refusal(code="too_early", message="A yes counts once the question has been heard to its end.")
    question = party.question
    return (
        ConsentGiven(
            party=command.party,
            purposes=question.purposes if question is not None else frozenset(),
            method=command.method,
            evidence=command.evidence,
            notice=question.notice if question is not None else "",
            offset_ms=command.offset_ms,
        ),
    )


def _no(party: PartyState, command: RefuseConsent | WithdrawConsent) -> Happened:
    """A no after a yes withdraws it, however it was put; a withdrawal before any yes is a no."""
    act = ConsentWithdrawn if party.consent.state is ConsentState.GIVEN else ConsentRefused
    if party.consent.state in NO_MORE and party.question is None:
        return ()
    return (act(party=command.party, method=command.method, evidence=command.evidence, offset_ms=command.offset_ms),)
