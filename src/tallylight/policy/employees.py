"""The layers of law about an employee's track: the employment as ground, and how the employer told them."""

from collections.abc import Iterator

from tallylight.law.rule import Rule
from tallylight.law.vocabulary import Action, EmployeeForm, LawfulBasis, Mode, Requirement
from tallylight.policy.answers import SILENCE_IS_NO, STANDING, WAITED_FOR
from tallylight.policy.decision import Verdict
from tallylight.policy.finding import Finding, Weight, by_house, by_rule
from tallylight.policy.profile import Profile
from tallylight.policy.situation import PartySituation
from tallylight.policy.view import NAMES, View, forms_given, meets

AGENT_BASIS_SETTING = "setting: agent_basis"
_FORMS = {
    EmployeeForm.TOLD: Action.NOTIFY_EMPLOYEE,
    EmployeeForm.ACKNOWLEDGED: Action.EMPLOYEE_WRITTEN_NOTICE_ACK,
    EmployeeForm.POSTED: Action.EMPLOYEE_POSTING,
    EmployeeForm.DAILY_ELECTRONIC: Action.NOTIFY_EMPLOYEE,
}


def employee_layers(party: PartySituation, view: View) -> Iterator[Finding]:
    """Agent or supervisor: their ground is the employment; the employer tells them beforehand."""
    name, own = NAMES[party.role], view.own_law[party.party]
    yield _basis(party, view)
    for rule in own.employee:
        missing = _missing(rule, party)
        verdict = Verdict.CLOSES if missing else Verdict.ALLOWS
        yield by_rule(Weight.EMPLOYEE, rule, verdict, rule.explain, missing)
    if not own.employee and not party.employee_notice:
        text = f"{name} has not been told by the employer, and the employment is a ground only for those who know."
        cite = f"{AGENT_BASIS_SETTING}; GDPR Art. 13"
        yield by_house(Weight.EMPLOYEE, "setting.agent_basis", cite, Verdict.CLOSES, text, (Action.NOTIFY_EMPLOYEE,))
    if view.circumstances.systematic:
        for rule in (rule for rule in view.law.ground if Requirement.NOT_EVERY_CALL in rule.requires):
            yield by_rule(Weight.GROUND, rule, Verdict.CLOSES, rule.explain, (Action.LIMIT_TO_SAMPLE,))
    if view.circumstances.agent_isolated_from_mix:
        yield _isolation(view)
    if view.profile is Profile.HOUSE and party.consent.state in WAITED_FOR:
        text = f"{name} {STANDING[party.consent.state]}"
        yield by_house(
            Weight.ANSWER, "house.silence_is_no", SILENCE_IS_NO, Verdict.CLOSES, text, (Action.OBTAIN_AGENT_CONSENT,)
        )


def _basis(party: PartySituation, view: View) -> Finding:
    name = NAMES[party.role]
    if party.basis is LawfulBasis.CONSENT:
        text = f"{name}'s consent is presumed not to be free: choose the employment as the ground (agent_basis)."
        cite = f"{AGENT_BASIS_SETTING}; GDPR recital 43"
        return by_house(Weight.GROUND, "setting.agent_basis", cite, Verdict.CLOSES, text)
    alone = view.settings.mode not in (Mode.BOTH, Mode.NONE) and bool(view.law.ground)
    actions = (Action.BASIS_FOR_REPEATED_PERSONAL_DATA,) if alone else ()
    text = f"{name} is recorded as part of the job."
    return by_house(Weight.GROUND, "setting.agent_basis", AGENT_BASIS_SETTING, Verdict.ALLOWS, text, actions)


def _missing(rule: Rule, party: PartySituation) -> tuple[Action, ...]:
    actions: list[Action] = []
    if not meets(rule, party):
        given = forms_given(party)
        actions += [_FORMS[each] for form in rule.forms for each in sorted(form - given, key=list(_FORMS).index)]
    if rule.works_council and not party.works_council:
        actions.append(Action.WORKS_COUNCIL_AGREEMENT)
    return tuple(dict.fromkeys(actions))


_ISOLATED = (
    Action.DELETE_CUSTOMER_TRACK_IMMEDIATELY,
    Action.PURGE_SNIPPETS_PROCEDURE,
    Action.BASIS_FOR_REPEATED_PERSONAL_DATA,
)


def _isolation(view: View) -> Finding:
    """The employee's voice kept out of a mix: the customer's is processed for that moment, and has to be balanced."""
    cite = "GDPR Art. 6(1)(f); Art. 5(1)(c)"
    if view.circumstances.balancing_test:
        text = "The employee's voice is separated from the mix and the customer's is deleted at once."
        return by_house(Weight.GROUND, "house.isolation", f"house rule: {cite}", Verdict.ALLOWS, text, _ISOLATED)
    text = "Separating the employee's voice processes the customer's, for which no balancing test is on file."
    actions = (Action.DOCUMENT_LIA, *_ISOLATED)
    return by_house(Weight.GROUND, "house.isolation", f"house rule: {cite}", Verdict.CLOSES, text, actions)
