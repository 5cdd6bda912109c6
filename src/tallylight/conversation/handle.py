"""What follows from a command: events, or a refusal that says why nothing happened. Pure.

A no counts at any moment and from anybody. A yes counts only as the answer to a question heard to its end, or in
advance with an end of its own, and after a no only as that person's own clear act. Whenever the decision differs from
the one in force, the lamps change with it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import assert_never

from tallylight.consent.answer import ConsentState
from tallylight.consent.errors import ConsentError
from tallylight.consent.standing_yes import evidence_of
from tallylight.conversation.commands import (
    ENGINE,
    OPERATOR,
    AttestConsent,
    CloseReceipt,
    Command,
    EndConversation,
    GiveConsent,
    GiveNotice,
    HearQuestion,
    HoldConversation,
    JoinParty,
    KnowMinor,
    LeaveParty,
    LeaveUnanswered,
    OpenReceipt,
    PauseRecording,
    RefuseConsent,
    RelyOnStandingYes,
    RequestConsent,
    ResumeRecording,
    SwitchCustomer,
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
    CustomerSwitched,
    Event,
    LampsChanged,
    MinorKnown,
    NoticeGiven,
    PartyJoined,
    PartyLeft,
    QuestionHeard,
    ReceiptClosed,
    ReceiptOpened,
    RecordingPaused,
    RecordingResumed,
)
from tallylight.conversation.situation import is_minor, paused_by, situation
from tallylight.conversation.state import NO_MORE, ConversationState, PartyState, apply, attested
from tallylight.ids import DecisionId, PartyId
from tallylight.law.pack import Pack
from tallylight.law.vocabulary import AFFIRMATIVE_METHODS, Method, Mode, ProjectKind, Role
from tallylight.policy.decide import decide
from tallylight.policy.decision import Decision, Lamp
from tallylight.policy.settings import Settings
from tallylight.policy.unchanged import still_holds
from tallylight.policy.view import EMPLOYED, OWN_GROUND


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
    return (*happened, *_lamps(state, after, context, command.offset_ms))


def _lamps(
    before: ConversationState, state: ConversationState, context: Context, offset_ms: int
) -> tuple[LampsChanged, ...]:
    """The decision now, if it differs from the one in force in anything but the instant."""
    now = situation(state, context.settings)
    if state.decision is not None and still_holds(earlier := situation(before, context.settings), now):
        return ()
    decision = decide(now, context.pack)
    # What is recorded for something else from now on is another recording, whoever burns.
    if state.decision is not None and decision.rulings == state.decision.rulings and earlier.purpose is now.purpose:
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
            return _pause(state, command, context.settings)
        case SwitchCustomer():
            return _switch_customer(state, command, context.settings)
        case OpenReceipt() | CloseReceipt():
            return _receipt(state, command, context.settings)
        case HoldConversation() | UnholdConversation():
            return _hold(state, command)
        case EndConversation():
            ended = ConversationEnded(outcome=command.outcome, talked_ms={}, offset_ms=command.offset_ms)
            return (*_closed_receipt(state, context.settings, by=ENGINE, offset_ms=command.offset_ms), ended)
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
                    purposes=command.purposes,
                    offset_ms=command.offset_ms,
                ),
            )
        case RequestConsent() if is_minor(party, context.settings):
            return Refusal(code="known_minor", message="That person is known to be a minor: they are not asked.")
        case RequestConsent() | HearQuestion() | LeaveUnanswered():
            return _question(party, command)
        case GiveConsent():
            return _yes(party, command)
        case RelyOnStandingYes():
            return _yes_in_advance(party, command, context.settings, state.started_ms + command.offset_ms)
        case AttestConsent():
            return _attested(state, party, command, context.settings)
        case KnowMinor():
            return _minor(state, party, command, context.settings)
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


def _works_for_house(state: ConversationState, by: PartyId | str) -> bool:
    """Whether this is an agent on the call, or the operator."""
    party = next((party for party in state.parties.values() if party.party == by and party.present), None)
    return by == OPERATOR or (party is not None and party.role is Role.AGENT)


def _pause(state: ConversationState, command: PauseRecording | ResumeRecording, settings: Settings) -> Happened:
    if not _works_for_house(state, command.by):
        return Refusal(code="not_allowed", message="Only an agent on the call or the operator pauses and resumes.")
    if isinstance(command, PauseRecording):
        if state.paused_by is not None:
            return Refusal(code="already_paused", message="The recording is paused already.")
        return (RecordingPaused(by=command.by, offset_ms=command.offset_ms),)
    if paused_by(state, settings) is None:
        return Refusal(code="not_paused", message="The recording is not paused.")
    return (RecordingResumed(by=command.by, offset_ms=command.offset_ms),)


def _switch_customer(state: ConversationState, command: SwitchCustomer, settings: Settings) -> Happened:
    if not _works_for_house(state, command.by):
        return Refusal(
            code="not_allowed", message="Only an agent on the call or the operator switches the customer on."
        )
    if not settings.mode.allows_switch:
        message = f"This project's mode, {settings.mode.value}, does not leave it to the agent who is recorded."
        return Refusal(code="forbidden_by_mode", message=message)
    if command.on is state.customer_on:
        word = "on" if command.on else "off"
        return Refusal(code=f"already_{word}", message=f"The customer is switched {word} already.")
    others = [party for party in state.parties.values() if party.present and party.role not in OWN_GROUND]
    if command.on and others and all(party.consent.state in NO_MORE for party in others):
        return Refusal(code="already_refused", message="That person said no: they are not asked again.")
    return (CustomerSwitched(by=command.by, on=command.on, offset_ms=command.offset_ms),)


def _receipt(state: ConversationState, command: OpenReceipt | CloseReceipt, settings: Settings) -> Happened:
    if not _works_for_house(state, command.by):
        return Refusal(code="not_allowed", message="Only an agent on the call or the operator records a voice receipt.")
    if isinstance(command, CloseReceipt):
        closed = _closed_receipt(state, settings, by=command.by, offset_ms=command.offset_ms)
        return closed or Refusal(code="no_receipt", message="No voice receipt is open.")
    if settings.kind is not ProjectKind.OUTBOUND or settings.mode is Mode.NONE:
        message = "Voice receipts are recorded in outbound projects that record somebody."
        return Refusal(code="forbidden_by_mode", message=message)
    if state.receipt is not None:
        return Refusal(code="receipt_open", message="A voice receipt is open already: close it first.")
    number = len(state.receipts) + 1
    return (ReceiptOpened(number=number, order=command.order, by=command.by, offset_ms=command.offset_ms),)


def _closed_receipt(
    state: ConversationState, settings: Settings, *, by: PartyId | str, offset_ms: int
) -> tuple[ReceiptClosed, ...]:
    """The open receipt's end; where an order has one receipt only, it takes the place of those before it."""
    open_one = state.receipt
    if open_one is None:
        return ()
    replaces = tuple(
        receipt.number
        for receipt in state.receipts
        if receipt.order == open_one.order and receipt is not open_one and not settings.several_receipts
    )
    return (ReceiptClosed(number=open_one.number, replaces=replaces, by=by, offset_ms=offset_ms),)


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
                party=command.party,
                purposes=command.purposes,
                notice=command.notice,
                text=command.text,
                language=command.language,
                offset_ms=command.offset_ms,
            ),
        )
    if party.question is None:
        return Refusal(code="not_asked", message="No question is waiting for that person's answer.")
    if isinstance(command, HearQuestion):
        heard = QuestionHeard(party=command.party, offset_ms=command.offset_ms)
        return () if party.question.heard else (heard,)
    return (
        ConsentUnanswered(
            party=command.party, method=command.method, evidence=command.evidence, offset_ms=command.offset_ms
        ),
    )


def _yes(party: PartyState, command: GiveConsent) -> Happened:
    standing = party.consent.state
    beforehand = party.role in EMPLOYED and command.method is Method.WRITTEN and standing not in NO_MORE
    if standing in NO_MORE and (party.question is None or command.method not in AFFIRMATIVE_METHODS):
        return Refusal(
            code="already_refused",
            message="That person said no. Only their own clear yes to a new question opens their gate.",
        )
    if command.method is Method.ATTESTED:
        return Refusal(
            code="not_allowed", message="What staff attest is no answer of that person's: attest it as staff."
        )
    if party.question is None and standing is ConsentState.GIVEN and not party.consent.flagged:
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


def _yes_in_advance(party: PartyState, command: RelyOnStandingYes, settings: Settings, at_ms: int) -> Happened:
    """It is what somebody joins with: whoever has answered or is being asked has a later word than that."""
    standing = command.standing
    if party.role in OWN_GROUND:
        return Refusal(code="not_free", message="A yes that an employer could have asked for is not free: Art. 7 GDPR.")
    if is_minor(party, settings):
        return Refusal(code="known_minor", message="That person is known to be a minor: no yes of theirs carries this.")
    if party.consent.state is not ConsentState.NONE:
        return Refusal(code="already_asked", message="That person has been asked or has answered on this conversation.")
    if standing.purpose != settings.purpose_name:
        return Refusal(code="other_purpose", message="That person has said yes to another purpose in advance.")
    if not standing.given_ms <= at_ms < standing.expires_ms:
        return Refusal(code="expired", message="What that person said in advance does not hold now: ask them.")
    return (
        ConsentGiven(
            party=command.party,
            purposes=frozenset({settings.purpose}),
            method=Method.WRITTEN,
            evidence=evidence_of(standing),
            notice=standing.notice,
            standing=standing,
            offset_ms=command.offset_ms,
        ),
    )


def _attested(state: ConversationState, party: PartyState, command: AttestConsent, settings: Settings) -> Happened:
    """Somebody else's word that a person agreed. A question that is being put to them goes on."""
    if not _works_for_house(state, command.by):
        return Refusal(code="not_allowed", message="Only an agent on the call or the operator attests a consent.")
    if not settings.attested_consent:
        message = (
            "Nobody may attest a consent in this project: set attested_consent = true in its table or in [recording]."
        )
        return Refusal(code="not_allowed", message=message)
    if party.role in OWN_GROUND:
        return Refusal(code="not_allowed", message="Staff attest what a customer or a third person said, nobody else.")
    if is_minor(party, settings):
        return Refusal(code="known_minor", message="That person is known to be a minor: staff cannot agree for them.")
    if party.consent.state is ConsentState.GIVEN:
        return Refusal(code="already_given", message="That person has said yes already, or staff have attested it.")
    if not command.evidence.strip():
        return Refusal(code="no_evidence", message="Say how you know that the person agreed.")
    who = OPERATOR if command.by == OPERATOR else Role.AGENT.value
    given = ConsentGiven(
        party=command.party,
        purposes=frozenset({settings.purpose_with(state.receipt)}),
        method=Method.ATTESTED,
        evidence=f"attested by {who}: {command.evidence.strip()}",
        notice="",
        offset_ms=command.offset_ms,
    )
    try:
        attested(party, given, state.started_ms + command.offset_ms)
    except ConsentError as error:
        return Refusal(code=error.code, message=error.message)
    return (given,)


def _minor(state: ConversationState, party: PartyState, command: KnowMinor, settings: Settings) -> Happened:
    """A child is on the line: a question that is being put to them ends without an answer."""
    if not _works_for_house(state, command.by):
        return Refusal(code="not_allowed", message="Only an agent on the call or the operator says that it is a minor.")
    if party.role in OWN_GROUND:
        return Refusal(code="not_allowed", message="Only a customer or a third person can be a minor.")
    if is_minor(party, settings):
        return Refusal(code="already_minor", message="That person is known to be a minor already.")
    known = MinorKnown(party=command.party, by=command.by, offset_ms=command.offset_ms)
    if party.question is None:
        return (known,)
    return (known, ConsentUnanswered(party=command.party, offset_ms=command.offset_ms))


def _no(party: PartyState, command: RefuseConsent | WithdrawConsent) -> Happened:
    """A no after a yes withdraws it, however it was put; a withdrawal before any yes is a no.

    A no to a question about something new leaves what was agreed to before as it is stored, and closes everything.
    """
    standing, question = party.consent.state, party.question
    is_new = question is not None and not question.purposes <= party.given.keys()
    withdraws = isinstance(command, WithdrawConsent) and bool(party.given)
    if standing in NO_MORE and question is None and not withdraws:
        return ()
    act = ConsentWithdrawn if withdraws or (standing is ConsentState.GIVEN and not is_new) else ConsentRefused
    return (act(party=command.party, method=command.method, evidence=command.evidence, offset_ms=command.offset_ms),)
