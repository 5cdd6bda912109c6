"""The layers of law about the track of a customer or a third person: their answer and the lawful ground."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from tallylight.consent.answer import ConsentState
from tallylight.consent.validity import WORDS, Condition, failing_conditions
from tallylight.law.rule import Rule
from tallylight.law.vocabulary import Action, LawfulBasis, Method, Purpose, Requirement, Subject
from tallylight.policy.decision import Verdict
from tallylight.policy.finding import Finding, Weight, by_house, by_rule
from tallylight.policy.profile import Profile
from tallylight.policy.situation import PartySituation
from tallylight.policy.view import NAMES, View
from tallylight.policy.wiretap import satisfied, ways

BASIS_SETTING = "setting: customer_basis"
SILENCE_IS_NO = "house rule: an answer that was asked for is waited for, and silence is no (GDPR recital 32)"

WAITED_FOR = (ConsentState.REQUESTED, ConsentState.UNKNOWN)
STANDING = {
    ConsentState.NONE: "has not been asked yet.",
    ConsentState.REQUESTED: "is being asked.",
    ConsentState.UNKNOWN: "was asked and did not answer; silence is not a yes.",
    ConsentState.REFUSED: "said no.",
    ConsentState.WITHDRAWN: "took back their yes.",
}
_AGREED = {
    Method.DIGIT: "agreed by pressing a key.",
    Method.SPOKEN: "agreed aloud.",
    Method.WEB_FORM: "agreed in a form.",
    Method.WRITTEN: "agreed in writing.",
    Method.CONTINUED_AFTER_NOTICE: "was told and stayed on the line.",
    Method.ANNOUNCEMENT_ON_RECORDING: "was told on the recording and stayed on the line.",
    Method.ATTESTED: "agreed, as staff attest.",
}


@dataclass(frozen=True, slots=True)
class _Answer:
    """One person's standing answer, held against everything that asks for a yes."""

    party: PartySituation
    as_ground: bool
    """A valid consent is the ground: the project chose it, or the law of a place accepts no other for the purpose."""
    failing: tuple[Condition, ...]
    judge: Rule | None
    """The rule under which the consent fails, or else is valid."""
    all_party: tuple[Rule, ...]
    missing: tuple[Rule, ...]
    """All-party rules without a yes they accept."""
    waiting: bool

    @property
    def closes(self) -> bool:
        return bool(self.failing or self.missing or self.waiting)

    def sentence(self) -> str:
        name, consent = NAMES[self.party.role], self.party.consent
        if consent.state is not ConsentState.GIVEN:
            said = STANDING[consent.state] if self.closes else "has not objected."
            return f"{name} {said}"
        if not self.closes:
            return f"{name} {_AGREED.get(consent.method, 'agreed.') if consent.method else 'agreed.'}"
        why = [WORDS[condition] for condition in self.failing] or [
            "the law of a place asks for another way of saying it"
        ]
        return f"{name}'s yes does not count: {', '.join(why)}."

    def finding(self, view: View) -> Finding:
        verdict, text = Verdict.CLOSES if self.closes else Verdict.ALLOWS, self.sentence()
        actions: tuple[Action, ...] = (Action.OBTAIN_OPT_IN_CONSENT,) if self.failing or self.waiting else ()
        if self.failing:
            if Condition.FREELY_GIVEN in self.failing or view.circumstances.public_body:
                actions += (Action.OFFER_UNRECORDED_SERVICE,)
            if view.circumstances.reuse:
                actions += (Action.NEW_LEGAL_BASIS_FOR_PURPOSE,)
        if self.missing:
            actions += (Action.OBTAIN_ALL_PARTY_CONSENT,)
        if self.failing or (self.as_ground and not self.closes):
            if self.judge is not None:
                return by_rule(Weight.ANSWER, self.judge, verdict, text, actions)
            return by_house(Weight.ANSWER, "setting.customer_basis", BASIS_SETTING, verdict, text, actions)
        if self.missing or (self.all_party and not self.closes):
            rule = self.missing[0] if self.missing else self.all_party[0]
            return by_rule(Weight.ANSWER, rule, verdict, text, actions)
        return by_house(Weight.ANSWER, "house.silence_is_no", SILENCE_IS_NO, verdict, text, actions)


def customer_layers(party: PartySituation, view: View) -> Iterator[Finding]:
    """Customer or third person: what needs their yes, and whether it is there."""
    consent = party.consent
    grounds = view.law.ground
    as_ground = (party.basis is LawfulBasis.CONSENT and (bool(grounds) or view.profile is Profile.HOUSE)) or any(
        not _accepts(rule, party, view) for rule in grounds
    )
    all_party = view.law.all_party
    # Where the project asks for consent and the law of a place does not say how it is given, the house asks for a clear yes.
    clearly = view.profile is Profile.HOUSE and party.basis is LawfulBasis.CONSENT and not view.law.consent_settled
    failing, judge = _validity(party, view, _on_consent(party, view), clearly=clearly) if as_ground else ((), None)
    answer = _Answer(
        party=party,
        as_ground=as_ground,
        failing=failing,
        judge=judge,
        all_party=all_party,
        missing=tuple([rule for rule in all_party if not satisfied(rule, party, view)]),
        waiting=view.profile is Profile.HOUSE and consent.state in WAITED_FOR,
    )
    # In law alone, where nothing asks for a yes, there is nothing to say about it.
    if view.profile is Profile.HOUSE or answer.closes or as_ground or all_party:
        yield answer.finding(view)
    for rule in grounds:
        yield _ground(rule, party, view, failing)
    if view.circumstances.special_category:
        yield from _special_category(party, view)
    if party.minor:
        yield from _minor(party, view)


def _on_consent(party: PartySituation, view: View) -> list[Rule]:
    """The rules under which consent is the ground."""
    return [rule for rule in view.law.ground if party.basis is LawfulBasis.CONSENT or not _accepts(rule, party, view)]


def _accepts(rule: Rule, party: PartySituation, view: View) -> bool:
    """Whether a rule accepts the person's basis; a public body cannot rest on its own interests (Art. 6(1) GDPR)."""
    if party.basis is LawfulBasis.LEGITIMATE_INTERESTS and view.circumstances.public_body:
        return False
    return party.basis in rule.bases


def _validity(
    party: PartySituation, view: View, grounds: Iterable[Rule], *, clearly: bool = False
) -> tuple[tuple[Condition, ...], Rule | None]:
    """The conditions of a consent that fail under the strictest of the laws on these grounds, and the rule that says so.

    `clearly`: none of them may make do with less than a clear yes.
    """
    failing = failing_conditions(
        party.consent,
        purpose=view.purpose,
        at_ms=view.situation.at_ms,
        told=party.notice_heard,
        employed=False,
        capable=view.capable(party),
    )
    rules: dict[Rule, None] = {}
    for rule in grounds:
        rules |= dict.fromkeys(view.law.consent_for[rule])
    if not rules or not failing:
        return failing, next(iter(rules), None)
    # Where a law takes staying on for consent, the act need not be affirmative.
    lenient = tuple([each for each in failing if each is not Condition.AFFIRMATIVE])
    counts = ways(party)
    judged: list[tuple[tuple[Condition, ...], Rule | None]]
    judged = [(lenient if counts & judge.methods else failing, judge) for judge in rules]
    if clearly:
        judged.append((failing, None))
    return max(judged, key=lambda each: len(each[0]))


def _ground(rule: Rule, party: PartySituation, view: View, failing: tuple[Condition, ...]) -> Finding:
    facts = view.circumstances
    actions: list[Action] = []
    stands = _accepts(rule, party, view)
    if not stands or rule.bases == {LawfulBasis.CONSENT}:
        closes = bool(failing)
    else:
        unmet = _unmet(rule, party, view)
        # A valid consent is a ground by itself, whatever another one lacks.
        closes = bool(unmet) and bool(_validity(party, view, (rule,))[0])
        actions += unmet if closes else ()
    if closes and facts.reuse:
        actions.append(Action.NEW_LEGAL_BASIS_FOR_PURPOSE)
    every_call = Requirement.NOT_EVERY_CALL in rule.requires and facts.systematic
    if every_call or (Requirement.SAMPLE in rule.requires and not facts.sampled):
        actions.append(Action.LIMIT_TO_SAMPLE)
    verdict = Verdict.CLOSES if closes or every_call else Verdict.ALLOWS
    return by_rule(Weight.GROUND, rule, verdict, rule.explain, tuple(actions))


def _unmet(rule: Rule, party: PartySituation, view: View) -> list[Action]:
    """What is missing besides the basis itself, where it is another than consent."""
    facts = view.circumstances
    if party.basis is LawfulBasis.CONSENT:
        return []
    actions: list[Action] = []
    balanced = facts.balancing_test or party.basis is not LawfulBasis.LEGITIMATE_INTERESTS
    if Requirement.BALANCING_TEST in rule.requires and not balanced:
        actions.append(Action.DOCUMENT_LIA)
    if Requirement.AGREEMENT in rule.requires and party.basis is LawfulBasis.LEGITIMATE_INTERESTS:
        actions += [Action.WORKS_COUNCIL_AGREEMENT] * any(not other.works_council for other in view.people)
    if Requirement.NECESSITY in rule.requires and (not facts.necessity_documented or facts.other_proof_exists):
        actions.append(Action.DOCUMENT_NECESSITY)
    if Requirement.NO_OTHER_PROOF in rule.requires and facts.other_proof_exists:
        actions.append(Action.DOCUMENT_NECESSITY)
    return actions


_EXPLICIT = (Action.ART9_CONDITION, Action.OBTAIN_OPT_IN_CONSENT)


def _special_category(party: PartySituation, view: View) -> Iterator[Finding]:
    """Art. 9 GDPR: explicit consent is the condition that a recording can have by itself."""
    rules = view.law.prohibition[Subject.SPECIAL_CATEGORY]
    if not rules:
        return
    explicit = not failing_conditions(
        party.consent,
        purpose=view.purpose,
        at_ms=view.situation.at_ms,
        told=party.notice_heard,
        employed=False,
        capable=view.capable(party),
    )
    for rule in rules:
        verdict = Verdict.ALLOWS if explicit else Verdict.CLOSES
        yield by_rule(Weight.GROUND, rule, verdict, rule.explain, () if explicit else _EXPLICIT)


def _minor(party: PartySituation, view: View) -> Iterator[Finding]:
    """A known minor: never for training or marketing, and a person looks at everything else."""
    closes = view.purpose in (Purpose.TRAINING, Purpose.MARKETING)
    for rule in view.law.minor:
        verdict = Verdict.CLOSES if closes else Verdict.ALLOWS
        yield by_rule(Weight.GROUND, rule, verdict, rule.explain, (Action.MINOR_REVIEW,))
