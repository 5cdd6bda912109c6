"""A conversation for tests: commands go in, events are folded, the clock is media time."""

import dataclasses
import itertools
from dataclasses import dataclass, field
from typing import cast

from tallylight.consent.standing_yes import StandingYes
from tallylight.conversation.commands import (
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
from tallylight.conversation.events import ConversationStarted, Event, LampsChanged
from tallylight.conversation.handle import Context, Refusal, handle
from tallylight.conversation.situation import situation
from tallylight.conversation.state import ConversationState, apply
from tallylight.ids import ConversationId, DecisionId, PartyId
from tallylight.law.vocabulary import Channel, Direction, LawfulBasis, Method, Purpose, Role
from tallylight.policy.decide import decide
from tallylight.policy.decision import Lamp
from tallylight.policy.settings import Settings
from tallylight.policy.situation import Place
from tests.policy.making import AGENT, AT_MS, CUSTOMER, PACK, SETTINGS, SYSTEM, at

NOTICE, QUESTION = "a" * 64, "b" * 64
DAY_MS = 86_400_000
STANDING = StandingYes(
    id="01a2",
    purpose="quality_assurance",
    given_ms=AT_MS - DAY_MS,
    expires_ms=AT_MS + 300 * DAY_MS,
    evidence="form signed 2026-09-20",
    notice="c" * 64,
    text="You record and store my calls.",
    language="en",
)


def started(settings: Settings = SETTINGS) -> ConversationStarted:
    return ConversationStarted(
        conversation=ConversationId("conversation"),
        project=settings.project,
        channel=Channel.PHONE,
        direction=Direction.INBOUND,
        settings=settings.version,
        pack=PACK.hash,
        started_ms=AT_MS,
        trial=settings.trial,
    )


@dataclass
class Talk:
    """One conversation under way."""

    settings: Settings = SETTINGS
    events: list[Event] = field(default_factory=list)
    state: ConversationState = field(default_factory=ConversationState)
    now_ms: int = 0

    def __post_init__(self) -> None:
        numbers = itertools.count(1)
        self.context = Context(
            pack=PACK, settings=self.settings, new_decision_id=lambda: DecisionId(f"decision {next(numbers)}")
        )
        self._take((started(self.settings),))

    def _take(self, events: tuple[Event, ...]) -> None:
        for event in events:
            self.state = apply(self.state, event)
            self.events.append(event)

    def tell(self, command: Command) -> tuple[Event, ...] | Refusal:
        outcome = handle(self.state, command, self.context)
        if not isinstance(outcome, Refusal):
            self._take(outcome)
        return outcome

    def _later(self, by_ms: int = 1000) -> int:
        self.now_ms += by_ms
        return self.now_ms

    def did(self, command: Command) -> tuple[Event, ...]:
        outcome = self.tell(command)
        assert not isinstance(outcome, Refusal), outcome
        return outcome

    def refused(self, command: Command) -> str:
        before = self.state
        outcome = self.tell(command)
        assert isinstance(outcome, Refusal), outcome
        assert self.state is before
        assert outcome.message.endswith(".")
        return outcome.code

    def lamp(self, party: PartyId = CUSTOMER) -> Lamp:
        assert self.state.decision is not None
        return self.state.decision.lamp(party)

    # -- the commands, at the next second ------------------------------------------------------------------------------

    def system(self) -> Command:
        return JoinParty(party=SYSTEM, role=Role.SYSTEM, places=(), basis=LawfulBasis.CONTRACT, offset_ms=self.now_ms)

    def caller(self, party: PartyId = CUSTOMER, places: tuple[Place, ...] = at("DK")) -> Command:
        return JoinParty(
            party=party,
            role=Role.CUSTOMER,
            places=places,
            basis=self.settings.customer_basis,
            offset_ms=self.now_ms,
        )

    def agent(self, *, employee_notice: bool = True, party: PartyId = AGENT) -> Command:
        return JoinParty(
            party=party,
            role=Role.AGENT,
            places=at("DK"),
            basis=self.settings.agent_basis,
            employee_notice=employee_notice,
            offset_ms=self._later(),
        )

    def leave(self, party: PartyId = CUSTOMER) -> Command:
        return LeaveParty(party=party, offset_ms=self._later())

    def notice(self, party: PartyId = CUSTOMER, purpose: Purpose | None = None) -> Command:
        """`purpose`: what the notice says the party's own voice is recorded for; None: the project's."""
        return GiveNotice(
            party=party,
            notice=NOTICE,
            text="We record.",
            language="en",
            purposes=frozenset({purpose or self.settings.purpose}),
            offset_ms=self._later(),
        )

    def notice_of_the_agent_alone(self, party: PartyId = CUSTOMER) -> Command:
        return dataclasses.replace(cast("GiveNotice", self.notice(party)), purposes=frozenset())

    def ask(self, party: PartyId = CUSTOMER, purpose: Purpose | None = None) -> Command:
        purposes = frozenset({purpose or self.settings.purpose})
        return RequestConsent(party=party, purposes=purposes, notice=QUESTION, offset_ms=self._later())

    def switch(self, by: str = AGENT, *, on: bool = True) -> Command:
        return SwitchCustomer(by=by, on=on, offset_ms=self._later())

    def open_receipt(self, order: str = "", by: str = AGENT) -> Command:
        return OpenReceipt(by=by, order=order, offset_ms=self._later())

    def close_receipt(self, by: str = AGENT) -> Command:
        return CloseReceipt(by=by, offset_ms=self._later())

    def heard(self, party: PartyId = CUSTOMER) -> Command:
        return HearQuestion(party=party, offset_ms=self._later())

    def yes(self, party: PartyId = CUSTOMER, method: Method = Method.DIGIT) -> Command:
        return GiveConsent(party=party, method=method, evidence="digit 1", offset_ms=self._later())

    def in_advance(self, party: PartyId = CUSTOMER, **changes: object) -> Command:
        standing = dataclasses.replace(STANDING, purpose=self.settings.purpose_name, **changes)  # type: ignore[arg-type]
        return RelyOnStandingYes(party=party, standing=standing, offset_ms=self._later())

    def no(self, party: PartyId = CUSTOMER) -> Command:
        return RefuseConsent(party=party, method=Method.DIGIT, evidence="digit 2", offset_ms=self._later())

    def silence(self, party: PartyId = CUSTOMER) -> Command:
        return LeaveUnanswered(party=party, offset_ms=self._later())

    def withdraw(self, party: PartyId = CUSTOMER) -> Command:
        return WithdrawConsent(party=party, method=Method.DIGIT, evidence="digits *2", offset_ms=self._later())

    def attest(self, by: str = OPERATOR, party: PartyId = CUSTOMER, evidence: str = "said aloud") -> Command:
        return AttestConsent(by=by, party=party, evidence=evidence, offset_ms=self._later())

    def minor(self, by: str = AGENT, party: PartyId = CUSTOMER) -> Command:
        return KnowMinor(by=by, party=party, offset_ms=self._later())

    def pause(self, by: str = AGENT) -> Command:
        return PauseRecording(by=by, offset_ms=self._later())

    def resume(self, by: str = AGENT) -> Command:
        return ResumeRecording(by=by, offset_ms=self._later())

    def hold(self, by: PartyId = AGENT) -> Command:
        return HoldConversation(by=by, offset_ms=self._later())

    def unhold(self, by: PartyId = AGENT) -> Command:
        return UnholdConversation(by=by, offset_ms=self._later())

    def end(self) -> Command:
        return EndConversation(outcome="completed", offset_ms=self._later())

    # -- longer stretches ----------------------------------------------------------------------------------------------

    def asked(self) -> "Talk":
        for command in (self.system(), self.caller(), self.notice(), self.ask(), self.heard()):
            self.did(command)
        return self

    def agreed_to(self, purpose: Purpose) -> None:
        """The customer is told and asked about this, and says yes."""
        for command in (self.notice(purpose=purpose), self.ask(purpose=purpose), self.heard(), self.yes()):
            self.did(command)

    def agreed(self) -> "Talk":
        self.asked()
        self.did(self.yes())
        self.did(self.agent())
        return self

    def replayed_as_stored(self) -> bool:
        """Whether folding the history leads to every stored decision, instants and all."""
        state = ConversationState()
        for event in self.events:
            if isinstance(event, LampsChanged) and event.decision != decide(situation(state, self.settings), PACK):
                return False
            state = apply(state, event)
        return state == self.state
