"""The layers of the moment: what is going on right now, and what a duty or a ceiling asks of the recording."""

from collections.abc import Iterator

from tallylight.law.vocabulary import Action, Conference, Role, Subject
from tallylight.policy.decision import Verdict
from tallylight.policy.finding import Finding, Weight, by_house, by_rule
from tallylight.policy.situation import PartySituation, Segment
from tallylight.policy.view import View

_CONFERENCE = "setting: conference"


def moment_layers(party: PartySituation, view: View) -> Iterator[Finding]:
    """An unlawful aim, card data, a hold, a third party's joining, and the project's choices about them."""
    facts = view.circumstances
    if facts.unlawful_aim:
        for rule in view.law.prohibition[Subject.UNLAWFUL_AIM]:
            yield by_rule(Weight.TERMS, rule, Verdict.CLOSES, rule.explain)
    if facts.card_data_spoken or facts.segment is Segment.CARD_ENTRY:
        for rule in view.law.prohibition[Subject.CARD_DATA]:
            yield by_rule(Weight.HOLD, rule, Verdict.PAUSES, rule.explain, (Action.PAUSE_RECORDING,))
    if facts.segment is Segment.ON_HOLD and not view.records(party):
        text = "Nobody talks to the other on hold, so nothing there serves the purpose."
        cite = "house rule: nobody is recorded on hold"
        yield by_house(Weight.HOLD, "house.hold", cite, Verdict.PAUSES, text, (Action.PAUSE_RECORDING,))
    yield from _conference(party, view)


def _conference(party: PartySituation, view: View) -> Iterator[Finding]:
    if not any(other.role is Role.THIRD_PARTY for other in view.people):
        return
    choice = view.circumstances.conference
    if choice in (Conference.NONE, Conference.STOP_ON_THIRD_PARTY):
        text = "A third person is on the call, and this project then records nobody."
        yield by_house(Weight.MODE, "setting.conference", _CONFERENCE, Verdict.CLOSES, text)
    elif choice is Conference.AGENT_AND_CUSTOMER and party.role is Role.THIRD_PARTY:
        text = "The third person is not recorded: this project records agent and customer only."
        yield by_house(Weight.MODE, "setting.conference", _CONFERENCE, Verdict.CLOSES, text)


def owed_layers(party: PartySituation, view: View) -> Iterator[Finding]:
    """Duties to record or keep, and ceilings: they open nothing, and say what is owed."""
    for rule in view.law.duty:
        actions: tuple[str, ...] = (Action.RECORD_MANDATORY,) if rule.mandatory else ()
        if rule.retain_min is not None:
            actions += (f"{Action.RETAIN_MIN}:{rule.retain_min}",)
        yield by_rule(Weight.DUTY, rule, Verdict.ALLOWS, rule.explain, actions)
    for rule in view.law.retention:
        actions = (f"{Action.RETAIN_MAX}:{rule.retain_max}",)
        yield by_rule(Weight.RETENTION, rule, Verdict.ALLOWS, rule.explain, actions)


def must_record(view: View) -> bool:
    """A duty to record applies: where it cannot be met, the call ends or moves to another channel."""
    return any(rule.mandatory for rule in view.law.duty)
