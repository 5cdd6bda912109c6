"""May I record this call? The answer for a person or a company: how far one has to go before the law lets both be recorded.

Four steps are tried in the `law` profile, each adding to the one before; the first that opens both tracks is the answer.
Tallylight itself never stops at the first: it records only after everybody was told. Pure. Not legal advice.
"""

import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from tallylight.consent.answer import NO_ANSWER, Consent, ConsentState
from tallylight.ids import PartyId
from tallylight.law.pack import Pack
from tallylight.law.vocabulary import Action, Channel, Direction, LawfulBasis, Method, Mode, Purpose, Role
from tallylight.policy.decide import decide
from tallylight.policy.decision import Decision, Lamp, Reason, Verdict
from tallylight.policy.profile import Profile
from tallylight.policy.settings import Settings
from tallylight.policy.situation import Circumstances, PartySituation, Place, Situation

ME, THEM = PartyId("me"), PartyId("them")


class Asker(StrEnum):
    """Who asks: the one who makes the recording."""

    CUSTOMER = "customer"
    """Somebody who calls a company, and records for themselves."""
    COMPANY = "company"
    """A company that records its customers."""


class Step(StrEnum):
    """How far one has gone before recording, least first."""

    NOTHING = "nothing"
    """Nobody was told."""
    TOLD = "told"
    """They were told first, and did not object."""
    STAYED = "stayed"
    """They were told in words that stand on the recording, and stayed on the line."""
    AGREED = "agreed"
    """They were told, and their yes stands at the start of the recording."""


class Answer(StrEnum):
    YES = "yes"
    ONLY_IF = "only_if"
    NO = "no"


@dataclass(frozen=True, kw_only=True)
class Question:
    """Who wants to record whom, from where to where."""

    asker: Asker
    my_places: tuple[Place, ...]
    their_places: tuple[Place, ...]
    """Candidates, as in a situation; empty is unknown and strict."""
    purpose: Purpose
    they_announced: bool = False
    """The company's own message said that the call may be recorded. Only a customer can be told that."""
    at_ms: int
    """The day of the call, ms UTC."""


@dataclass(frozen=True, kw_only=True)
class StepRuling:
    """What the law says once one has gone so far."""

    step: Step
    basis: LawfulBasis
    """The ground a company would rest on (Art. 6(1) GDPR), where one is needed."""
    my_voice: bool
    their_voice: bool
    closing: tuple[Reason, ...]
    """What still closes a track, the deciding reason first."""
    allowing: tuple[Reason, ...]
    actions: tuple[str, ...]
    """What would open it, and what is owed although it is open."""

    @property
    def both(self) -> bool:
        return self.my_voice and self.their_voice


@dataclass(frozen=True, kw_only=True)
class Opinion:
    """The answer, and all that led to it."""

    answer: Answer
    step: Step | None
    """The least that the law asks; None: no step is enough."""
    ruling: StepRuling
    """At that step, or at the last one."""
    deciding: Reason | None
    """What asks for this step rather than the one before, or else what allows it."""
    announcement: "Announcement | None"
    """What the company's own message changes; None where there was none."""
    legal_review: bool
    """A rule among the reasons is contested or not verified."""
    dates: tuple[str, ...]
    """On which days the rules among the reasons were last checked, oldest first."""


@dataclass(frozen=True, kw_only=True)
class Announcement:
    """The company's own message. It announces *their* recording. That it stands for consent to mine can be argued and
    is settled nowhere, so it changes what can be said for a recording, never what is advised.
    """

    would_suffice: bool
    """Whether, if the argument held, the law would let both be recorded."""
    needed: bool
    """Whether the law asks for anything at all that the message could stand for."""


def may_i_record(question: Question, pack: Pack) -> Opinion:
    """Ask the law of every place that either side may be in. Total: an unknown place is strict, never permissive."""
    rulings = [_at(step, basis, question, pack) for step, basis in _ladder(question.asker)]
    enough = next((ruling for ruling in rulings if ruling.both), None)
    ruling = enough or rulings[-1]
    steps = list(Step)
    before = next((each for each in rulings if each.step is steps[steps.index(ruling.step) - 1]), ruling)
    asking = before.closing if enough is not None and enough.step is not Step.NOTHING else ()
    reasons = (*asking, *ruling.closing, *ruling.allowing)
    answer = Answer.NO
    if enough is not None:
        answer = Answer.YES if enough.step is Step.NOTHING else Answer.ONLY_IF
    announcement = None
    if question.they_announced and question.asker is Asker.CUSTOMER:
        stayed = next(each for each in rulings if each.step is Step.STAYED)
        announcement = Announcement(would_suffice=stayed.both, needed=not rulings[0].both)
    return Opinion(
        answer=answer,
        step=None if enough is None else enough.step,
        ruling=ruling,
        deciding=next(iter(reasons), None),
        announcement=announcement,
        legal_review=Action.LEGAL_REVIEW in {*ruling.actions, *before.actions},
        dates=tuple(sorted({reason.checked_at for reason in reasons if reason.checked_at is not None})),
    )


def _ladder(asker: Asker) -> Iterator[tuple[Step, LawfulBasis]]:
    """The steps in order. A company that is not told yes rests on its documented interests, if on anything."""
    grounds = (
        (LawfulBasis.LEGITIMATE_INTERESTS, LawfulBasis.CONTRACT, LawfulBasis.LEGAL_OBLIGATION)
        if asker is Asker.COMPANY
        else (LawfulBasis.CONSENT,)
    )
    for step in (Step.NOTHING, Step.TOLD, Step.STAYED):
        for basis in grounds:
            yield step, basis
    yield Step.AGREED, LawfulBasis.CONSENT


def _at(step: Step, basis: LawfulBasis, question: Question, pack: Pack) -> StepRuling:
    situation = _situation(step, basis, question)
    decision = decide(situation, pack, Profile.LAW)
    owed = decide(_unprepared(situation), pack, Profile.LAW)
    return StepRuling(
        step=step,
        basis=basis,
        my_voice=decision.lamp(ME) is Lamp.RECORDING,
        their_voice=decision.lamp(THEM) is Lamp.RECORDING,
        closing=_reasons(decision, Verdict.CLOSES, pack),
        allowing=_reasons(decision, Verdict.ALLOWS, pack),
        actions=tuple(
            dict.fromkeys(action for made in (decision, owed) for ruling in made.rulings for action in ruling.actions)
        ),
    )


def _unprepared(situation: Situation) -> Situation:
    """The same call where nothing is on file and no employee was asked: what is owed then must be seen to beforehand."""
    nothing_on_file = Circumstances(recorded_by_customer=situation.circumstances.recorded_by_customer)
    me, them = situation.parties
    return dataclasses.replace(
        situation, circumstances=nothing_on_file, parties=(dataclasses.replace(me, consent=NO_ANSWER), them)
    )


def _reasons(decision: Decision, verdict: Verdict, pack: Pack) -> tuple[Reason, ...]:
    """Rules of law alone, each in its own words: what the settings say here was put there by the question."""
    words = {rule.id: rule.explain for rule in pack.rules}
    theirs_first = sorted(decision.rulings, key=lambda ruling: ruling.party != THEM)
    return tuple(
        dict.fromkeys(
            dataclasses.replace(reason, text=words[reason.rule])
            for ruling in theirs_first
            for reason in ruling.reasons
            if reason.verdict is verdict and reason.rule in words
        )
    )


def _situation(step: Step, basis: LawfulBasis, question: Question) -> Situation:
    company = question.asker is Asker.COMPANY
    told = step is not Step.NOTHING
    consent = NO_ANSWER
    if step in (Step.STAYED, Step.AGREED):
        consent = Consent(
            state=ConsentState.GIVEN,
            purposes=frozenset({question.purpose}),
            method=Method.ANNOUNCEMENT_ON_RECORDING if step is Step.STAYED else Method.SPOKEN,
            notice="announcement",
            evidence="on the recording",
            question_heard=True,
            at_ms=question.at_ms,
        )
    me = PartySituation(
        party=ME,
        role=Role.AGENT if company else Role.CUSTOMER,
        places=question.my_places,
        basis=LawfulBasis.CONTRACT,
        notice_heard=True,
        employee_notice=True,
        consent=consent if company and step is Step.AGREED else NO_ANSWER,
    )
    them = PartySituation(
        party=THEM,
        role=Role.CUSTOMER if company else Role.AGENT,
        places=question.their_places,
        basis=basis if company else LawfulBasis.CONTRACT,
        notice_heard=told,
        employee_notice=told,
        consent=consent,
    )
    return Situation(
        at_ms=question.at_ms,
        channel=Channel.PHONE,
        direction=Direction.INBOUND if company else Direction.OUTBOUND,
        settings=_settings(question.purpose, basis),
        parties=(me, them),
        circumstances=Circumstances(
            recorded_by_customer=not company, balancing_test=True, necessity_documented=True, sampled=True
        ),
    )


def _settings(purpose: Purpose, basis: LawfulBasis) -> Settings:
    return Settings(
        project="question",
        controller="",
        country="",
        policy_address="",
        language="en",
        mode=Mode.BOTH,
        purpose=purpose,
        customer_basis=basis,
        terms_acknowledged_by="question",
    )
