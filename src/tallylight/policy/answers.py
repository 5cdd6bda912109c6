"""The layers of law about one person's track: their answer, the ground, the confidentiality of speech."""

from collections.abc import Iterator
from dataclasses import dataclass

from tallylight.consent.answer import Consent, ConsentState
from tallylight.consent.validity import WORDS, Condition, failing_conditions
from tallylight.law.pack import UNKNOWN_PLACE
from tallylight.law.rule import Rule
from tallylight.law.vocabulary import Action, LawfulBasis, Method, Reach, Standard
from tallylight.policy.decision import Verdict
from tallylight.policy.finding import Finding, Weight, by_house, by_rule
from tallylight.policy.profile import Profile
from tallylight.policy.situation import PartySituation
from tallylight.policy.view import EMPLOYED, NAMES, View, is_told

BASIS_SETTING = "setting: customer_basis"
AGENT_BASIS_SETTING = "setting: agent_basis"
SILENCE_IS_NO = "house rule: an answer that was asked for is waited for, and silence is no (GDPR recital 32)"

_WAITED_FOR = (ConsentState.REQUESTED, ConsentState.UNKNOWN)
_STANDING = {
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
}


def accepted(consent: Consent, rule: Rule) -> bool:
    """A standing yes, by a way the rule accepts."""
    return consent.state is ConsentState.GIVEN and consent.method in rule.methods


@dataclass(frozen=True, slots=True)
class _Answer:
    """One person's standing answer, held against everything that asks for a yes."""

    party: PartySituation
    as_ground: bool
    """A valid consent is the ground: the project chose it, or the law of a place accepts no other for the purpose."""
    failing: tuple[Condition, ...]
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
            said = _STANDING[consent.state] if self.closes else "has not objected."
            return f"{name} {said}"
        if not self.closes:
            return f"{name} {_AGREED.get(consent.method, 'agreed.') if consent.method else 'agreed.'}"
        why = [WORDS[condition] for condition in self.failing] or [
            "the law of a place asks for another way of saying it"
        ]
        return f"{name}'s yes does not count: {', '.join(why)}."

    def finding(self, view: View) -> Finding:
        verdict, text = Verdict.CLOSES if self.closes else Verdict.ALLOWS, self.sentence()
        actions = ((Action.OBTAIN_OPT_IN_CONSENT,) if self.failing else ()) + (
            (Action.OBTAIN_ALL_PARTY_CONSENT,) if self.missing else ()
        )
        if self.failing or (self.as_ground and not self.closes):
            if view.law.consent:
                return by_rule(Weight.ANSWER, view.law.consent[0], verdict, text, actions)
            return by_house(Weight.ANSWER, "setting.customer_basis", BASIS_SETTING, verdict, text, actions)
        if self.missing or (self.all_party and not self.closes):
            rule = self.missing[0] if self.missing else self.all_party[0]
            return by_rule(Weight.ANSWER, rule, verdict, text, actions)
        return by_house(Weight.ANSWER, "house.silence_is_no", SILENCE_IS_NO, verdict, text, actions)


def customer_layers(party: PartySituation, view: View) -> Iterator[Finding]:
    """Customer or third person: what needs their yes, and whether it is there."""
    purpose, consent = view.settings.purpose, party.consent
    grounds = [rule for rule in view.law.ground if rule.covers(purpose)]
    as_ground = party.basis is LawfulBasis.CONSENT or any(party.basis not in rule.bases for rule in grounds)
    all_party = tuple(rule for rule in view.law.wiretap if rule.standard is Standard.ALL_PARTY and rule.covers(purpose))
    failing: tuple[Condition, ...] = ()
    if as_ground:
        failing = failing_conditions(
            consent, purpose=purpose, at_ms=view.situation.at_ms, told=party.notice_heard, employed=False
        )
    answer = _Answer(
        party=party,
        as_ground=as_ground,
        failing=failing,
        all_party=all_party,
        missing=tuple(rule for rule in all_party if not accepted(consent, rule)),
        waiting=view.profile is Profile.HOUSE and consent.state in _WAITED_FOR,
    )
    yield answer.finding(view)
    for rule in grounds:
        closes = bool(failing) and (party.basis not in rule.bases or rule.bases == {LawfulBasis.CONSENT})
        yield by_rule(Weight.GROUND, rule, Verdict.CLOSES if closes else Verdict.ALLOWS, rule.explain)
    yield from _wiretap(party, view)


def employee_layers(party: PartySituation, view: View) -> Iterator[Finding]:
    """Agent or supervisor: their ground is the employment; the employer tells them beforehand."""
    name, own = NAMES[party.role], view.own_law[party.party]
    if party.basis is LawfulBasis.CONSENT:
        text = f"{name}'s consent is presumed not to be free: choose the employment as the ground (agent_basis)."
        cite = f"{AGENT_BASIS_SETTING}; GDPR recital 43"
        yield by_house(Weight.GROUND, "setting.agent_basis", cite, Verdict.CLOSES, text)
    else:
        text = f"{name} is recorded as part of the job."
        yield by_house(Weight.GROUND, "setting.agent_basis", AGENT_BASIS_SETTING, Verdict.ALLOWS, text)
    for rule in own.employee:
        if party.employee_notice:
            yield by_rule(Weight.EMPLOYEE, rule, Verdict.ALLOWS, rule.explain)
        else:
            yield by_rule(Weight.EMPLOYEE, rule, Verdict.CLOSES, rule.explain, (Action.NOTIFY_EMPLOYEE,))
    if view.profile is Profile.HOUSE and party.consent.state in _WAITED_FOR:
        text = f"{name} {_STANDING[party.consent.state]}"
        yield by_house(
            Weight.ANSWER, "house.silence_is_no", SILENCE_IS_NO, Verdict.CLOSES, text, (Action.OBTAIN_AGENT_CONSENT,)
        )
    yield from _wiretap(party, view)


def _wiretap(party: PartySituation, view: View) -> Iterator[Finding]:
    """The confidentiality of speech, by every candidate law."""
    employed = party.role in EMPLOYED
    for rule in view.law.wiretap:
        if not rule.covers(view.settings.purpose):
            continue
        if rule.standard is Standard.ONE_PARTY:
            yield _one_party(party, view, rule)
            continue
        actions: tuple[Action, ...] = (Action.TREAT_AS_ALL_PARTY,) if rule.jurisdiction == UNKNOWN_PLACE else ()
        if not employed:
            closes = not accepted(party.consent, rule)
            actions = (Action.OBTAIN_ALL_PARTY_CONSENT, *actions)
        elif rule.reach is Reach.OWN_WORD:
            if rule not in view.own_law[party.party].wiretap:
                continue
            closes = not accepted(party.consent, rule)
            actions = (Action.OBTAIN_AGENT_CONSENT, *actions)
        else:
            closes = False
        if rule.reach is Reach.ANY_PART and not closes:
            others = (other for other in view.people if other.role not in EMPLOYED and other.party != party.party)
            closes = not all(accepted(other.consent, rule) for other in others)
            actions = (Action.OBTAIN_ALL_PARTY_CONSENT, *actions)
        if closes:
            yield by_rule(Weight.WIRETAP, rule, Verdict.CLOSES, rule.explain, actions)
        else:
            yield by_rule(Weight.WIRETAP, rule, Verdict.ALLOWS, rule.explain)


def _one_party(party: PartySituation, view: View, rule: Rule) -> Finding:
    """One party's knowledge is enough: every employee's on our side, or the person's own yes."""
    informed = party.consent.state is ConsentState.GIVEN or all(
        is_told(other) for other in view.people if other.role in EMPLOYED
    )
    if informed:
        return by_rule(Weight.WIRETAP, rule, Verdict.ALLOWS, rule.explain)
    return by_rule(Weight.WIRETAP, rule, Verdict.CLOSES, rule.explain, (Action.NOTIFY_EMPLOYEE,))
