"""Any sequence of commands: no is no, nobody is in the dark, and the history explains itself (promises 2, 3 and 4)."""

import dataclasses
from collections.abc import Callable

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from tallylight.conversation.codec import decode, encode
from tallylight.conversation.commands import OPERATOR
from tallylight.conversation.handle import Refusal
from tallylight.conversation.state import fold
from tallylight.ids import PartyId
from tallylight.law.vocabulary import AFFIRMATIVE_METHODS, LawfulBasis, Method, Mode, ProjectKind, Purpose, Role
from tallylight.policy.decision import Lamp
from tallylight.policy.settings import Settings
from tallylight.policy.situation import ConsentState
from tests.conversation.making import Talk
from tests.policy.making import AGENT, CUSTOMER, SETTINGS, SYSTEM, at

SECOND = PartyId("second")
CALLERS = (CUSTOMER, SECOND)
PEOPLE = (*CALLERS, AGENT)
BY_STAFF = sorted(set(Method) - AFFIRMATIVE_METHODS)

callers = st.sampled_from(CALLERS)
people = st.sampled_from(PEOPLE)
purposes = st.sampled_from([None, None, Purpose.VOICE_RECEIPT])
"""None: the project's own."""
projects = st.builds(
    dataclasses.replace,
    st.just(SETTINGS),
    mode=st.sampled_from([Mode.BOTH, Mode.BOTH, Mode.BOTH, *Mode]),
    kind=st.sampled_from(ProjectKind),
    several_receipts=st.booleans(),
    receipt_basis=st.sampled_from([LawfulBasis.CONSENT, LawfulBasis.CONTRACT]),
    balancing_test_from_ms=st.just(0),
    balancing_test_until_ms=st.just(1 << 60),
    necessity=st.just("Orders are made aloud."),
    start_paused=st.booleans(),
    attested_consent=st.sampled_from([True, True, False]),
    minors=st.sampled_from([False, False, False, True]),
    purpose=st.sampled_from([Purpose.QUALITY_ASSURANCE, Purpose.DOCUMENTATION]),
    customer_basis=st.sampled_from([LawfulBasis.CONSENT, LawfulBasis.LEGITIMATE_INTERESTS]),
)


class AnyConversation(RuleBasedStateMachine):
    """A conversation, and beside it what the people in it have really said and heard."""

    def __init__(self) -> None:
        super().__init__()
        self.talk = Talk()
        self.refusing: set[PartyId] = set()
        """Whoever's last word was no."""
        self.heard: set[PartyId] = set()
        """Whoever has heard the question that is open to them to its end."""
        self.told: set[PartyId] = set()
        self.told_of: set[tuple[PartyId, Purpose]] = set()
        self.agreed: set[tuple[PartyId, Purpose]] = set()
        """What each has said yes to since their last no."""
        self.asked_of: dict[PartyId, Purpose] = {}
        self.paused = False
        self.on = False
        self.receipt = False
        self.minors: set[PartyId] = set()
        """Of whom an agent or the operator has said so."""

    @initialize(
        settings=projects,
        place=st.sampled_from(["DK", "DK", "US-CA", "FR"]),
        so_far=st.sampled_from([5, 5, 5, 4, 3, 2, 0]),
        of_all=st.sampled_from([True, True, False]),
    )
    def begins(self, settings: Settings, place: str, so_far: int, of_all: bool) -> None:
        """Most histories start well into a call, or next to nothing would ever be recorded."""
        self.talk = Talk(settings)
        self.talk.did(self.talk.system())
        self.talk.did(self.talk.caller(places=at(place)))
        usual: tuple[Callable[[], None], ...] = (
            lambda: self.agent_joins(employee_notice=True),
            lambda: self.is_told(CUSTOMER) if of_all else self.is_told_of_the_agent_alone(CUSTOMER),
            lambda: self.is_asked(CUSTOMER),
            lambda: self.hears_the_question(CUSTOMER),
            lambda: self.says_yes(CUSTOMER, Method.DIGIT),
        )
        for step in usual[:so_far]:
            step()

    # -- what happens around the people --------------------------------------------------------------------------------

    @rule(employee_notice=st.sampled_from([True, True, False]))
    def agent_joins(self, employee_notice: bool) -> None:
        if (
            not isinstance(self.talk.tell(self.talk.agent(employee_notice=employee_notice)), Refusal)
            and employee_notice
        ):
            self.told.add(AGENT)

    @precondition(lambda self: len(self.talk.events) > 15)
    @rule()
    def second_caller_joins(self) -> None:
        self.talk.tell(self.talk.caller(SECOND))

    @precondition(lambda self: len(self.talk.events) > 20)
    @rule(party=people)
    def leaves(self, party: PartyId) -> None:
        self.talk.tell(self.talk.leave(party))
        self.heard.discard(party)

    @rule(party=callers, purpose=purposes)
    def is_told(self, party: PartyId, purpose: Purpose | None = None) -> None:
        if not isinstance(self.talk.tell(self.talk.notice(party, purpose)), Refusal):
            self.told.add(party)
            self.told_of.add((party, purpose or self.talk.settings.purpose))

    @rule(party=callers)
    def is_told_of_the_agent_alone(self, party: PartyId) -> None:
        if not isinstance(self.talk.tell(self.talk.notice_of_the_agent_alone(party)), Refusal):
            self.told.add(party)

    @rule(party=callers, purpose=purposes)
    def is_asked_and_agrees(self, party: PartyId, purpose: Purpose | None) -> None:
        self.is_told(party, purpose)
        self.is_asked(party, purpose)
        self.hears_the_question(party)
        self.says_yes(party, Method.DIGIT)

    @rule(party=people, purpose=purposes)
    def is_asked(self, party: PartyId, purpose: Purpose | None = None) -> None:
        if not isinstance(self.talk.tell(self.talk.ask(party, purpose)), Refusal):
            assert not self.is_minor(party)
            self.asked_of[party] = purpose or self.talk.settings.purpose
        self.heard.discard(party)

    @rule(party=people)
    def hears_the_question(self, party: PartyId) -> None:
        if not isinstance(self.talk.tell(self.talk.heard(party)), Refusal):
            self.heard.add(party)

    @rule(party=people)
    def says_nothing(self, party: PartyId) -> None:
        self.talk.tell(self.talk.silence(party))
        self.heard.discard(party)

    @rule(by=st.sampled_from([AGENT, CUSTOMER, OPERATOR]))
    def pauses(self, by: str) -> None:
        if not isinstance(self.talk.tell(self.talk.pause(by)), Refusal):
            assert by != CUSTOMER
            self.paused = True

    @rule(by=st.sampled_from([AGENT, CUSTOMER, OPERATOR]))
    def resumes(self, by: str) -> None:
        if not isinstance(self.talk.tell(self.talk.resume(by)), Refusal):
            assert by != CUSTOMER
            self.paused = False

    @rule(by=st.sampled_from([AGENT, CUSTOMER, OPERATOR]), on=st.booleans())
    def switches_the_customer(self, by: str, on: bool) -> None:
        if not isinstance(self.talk.tell(self.talk.switch(by, on=on)), Refusal):
            assert by != CUSTOMER
            assert self.talk.settings.mode.allows_switch
            self.on = on

    @rule(by=st.sampled_from([AGENT, CUSTOMER, OPERATOR]), order=st.sampled_from(["", "A1"]))
    def opens_a_receipt(self, by: str, order: str) -> None:
        if not isinstance(self.talk.tell(self.talk.open_receipt(order, by)), Refusal):
            assert by != CUSTOMER
            assert self.talk.settings.kind is ProjectKind.OUTBOUND
            assert not self.receipt
            self.receipt = True

    @rule(by=st.sampled_from([AGENT, CUSTOMER, OPERATOR]))
    def closes_the_receipt(self, by: str) -> None:
        if not isinstance(self.talk.tell(self.talk.close_receipt(by)), Refusal):
            assert self.receipt
            self.receipt = False

    @rule(agrees=st.booleans())
    def a_whole_receipt(self, agrees: bool) -> None:
        self.opens_a_receipt(AGENT, "")
        if agrees:
            self.is_asked_and_agrees(CUSTOMER, Purpose.VOICE_RECEIPT)
        self.closes_the_receipt(AGENT)

    @rule(by=people)
    def holds(self, by: PartyId) -> None:
        self.talk.tell(self.talk.hold(by))

    @rule(by=people)
    def unholds(self, by: PartyId) -> None:
        self.talk.tell(self.talk.unhold(by))

    @rule(party=people, method=st.sampled_from(BY_STAFF))
    def staff_say_yes_for(self, party: PartyId, method: Method) -> None:
        outcome = self.talk.tell(self.talk.yes(party, method=method))
        if party in self.refusing:
            assert isinstance(outcome, Refusal)
        elif not isinstance(outcome, Refusal):
            self.heard.discard(party)

    @rule(by=st.sampled_from([AGENT, CUSTOMER, OPERATOR]), party=people)
    def staff_attest_a_yes(self, by: str, party: PartyId) -> None:
        lamps, known = self.recording(), self.talk.state.parties.get(party)
        if isinstance(self.talk.tell(self.talk.attest(by, party)), Refusal):
            return
        assert by != CUSTOMER
        assert self.talk.settings.attested_consent
        assert party not in self.refusing | {AGENT}
        assert not self.is_minor(party)
        after = self.talk.state.parties[party]
        assert known is not None
        assert after.question == known.question
        assert after.consent.flagged
        assert self.recording() <= lamps or known.consent.state is ConsentState.UNKNOWN

    @rule(by=st.sampled_from([AGENT, CUSTOMER, OPERATOR]), party=people)
    def is_found_to_be_a_minor(self, by: str, party: PartyId) -> None:
        lamps = self.recording()
        if isinstance(self.talk.tell(self.talk.minor(by, party)), Refusal):
            return
        assert by != CUSTOMER
        assert party != AGENT
        assert not self.is_minor(party)
        self.minors.add(party)
        self.heard.discard(party)
        assert self.recording() <= lamps

    def is_minor(self, party: PartyId) -> bool:
        return party in self.minors or (self.talk.settings.minors and party in CALLERS)

    # -- what the people themselves do -----------------------------------------------------------------------------------

    @rule(party=people, method=st.sampled_from(sorted(AFFIRMATIVE_METHODS)))
    def says_yes(self, party: PartyId, method: Method) -> None:
        outcome = self.talk.tell(self.talk.yes(party, method=method))
        if isinstance(outcome, Refusal):
            return
        if party not in self.heard:
            self.asked_of.pop(party, None)
        if party in self.asked_of:
            self.agreed.add((party, self.asked_of.pop(party)))
        on_paper = party == AGENT and method is Method.WRITTEN and party not in self.refusing
        assert party in self.heard or on_paper
        self.refusing.discard(party)
        self.heard.discard(party)

    @rule(party=people)
    def has_agreed_in_advance(self, party: PartyId) -> None:
        before = self.talk.state.parties.get(party)
        if not isinstance(self.talk.tell(self.talk.in_advance(party)), Refusal):
            assert party in CALLERS
            assert before is not None
            assert before.consent.state is ConsentState.NONE
            self.agreed.add((party, self.talk.settings.purpose))

    @rule(party=people)
    def says_no(self, party: PartyId) -> None:
        if not isinstance(self.talk.tell(self.talk.no(party)), Refusal):
            self.says_no_to_everything(party)

    @rule(party=people)
    def withdraws(self, party: PartyId) -> None:
        if not isinstance(self.talk.tell(self.talk.withdraw(party)), Refusal):
            self.says_no_to_everything(party)

    def says_no_to_everything(self, party: PartyId) -> None:
        self.refusing.add(party)
        self.heard.discard(party)
        self.agreed = {each for each in self.agreed if each[0] != party}

    @precondition(lambda self: len(self.talk.events) > 25)
    @rule()
    def ends(self) -> None:
        self.talk.tell(self.talk.end())

    # -- what holds after each of them -----------------------------------------------------------------------------------

    def recording(self) -> set[PartyId]:
        decision = self.talk.state.decision
        return (
            {each.party for each in decision.rulings if each.lamp is Lamp.RECORDING} if decision is not None else set()
        )

    @invariant()
    def no_is_no(self) -> None:
        assert not self.refusing & self.recording()
        for party in self.refusing & self.talk.state.parties.keys():
            assert self.talk.state.parties[party].consent.state in (ConsentState.REFUSED, ConsentState.WITHDRAWN)

    @invariant()
    def nobody_is_in_the_dark(self) -> None:
        present = {
            key for key, party in self.talk.state.parties.items() if party.present and party.role is not Role.SYSTEM
        }
        if present - self.told:
            assert not self.recording() - {SYSTEM}
        assert self.recording() <= present | {SYSTEM}

    @invariant()
    def everybody_is_recorded_for_what_they_know_and_agreed_to(self) -> None:
        settings = self.talk.settings
        purpose = Purpose.VOICE_RECEIPT if self.receipt else settings.purpose
        basis = settings.receipt_basis if self.receipt else settings.customer_basis
        for party in self.recording() & set(CALLERS):
            assert (party, purpose) in self.told_of
            assert basis is not LawfulBasis.CONSENT or (party, purpose) in self.agreed

    @invariant()
    def a_child_is_asked_nothing_and_agrees_to_nothing(self) -> None:
        settings = self.talk.settings
        basis = settings.receipt_basis if self.receipt else settings.customer_basis
        for party in filter(self.is_minor, self.talk.state.parties):
            assert self.talk.state.parties[party].question is None
            assert party not in self.recording() or basis is not LawfulBasis.CONSENT

    @invariant()
    def the_mode_is_heeded(self) -> None:
        mode, others = self.talk.settings.mode, self.recording() & set(CALLERS)
        if mode in (Mode.AGENT_ONLY, Mode.NONE):
            assert not others
        elif mode is not Mode.BOTH and others:
            assert (mode.allows_switch and self.on) or (mode is not Mode.AGENT_ONLY_ALLOW_CUSTOMER and self.receipt)
        if mode is Mode.NONE:
            assert not self.recording()

    @invariant()
    def a_pause_stops_everything(self) -> None:
        if self.paused:
            assert not self.recording()

    def teardown(self) -> None:
        assert self.talk.replayed_as_stored()
        stored = [encode(event) for event in self.talk.events]
        kept = {reasoning: content for row in stored for reasoning, content in row.reasonings.items()}
        read = [decode(row.type, row.version, row.payload, reasonings=kept.__getitem__) for row in stored]
        assert fold(read) == self.talk.state


TestAnyConversation = AnyConversation.TestCase
TestAnyConversation.settings = settings(max_examples=250, stateful_step_count=40)
