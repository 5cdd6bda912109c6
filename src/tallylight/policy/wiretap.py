"""The confidentiality of speech, by every candidate law: whose agreement or knowledge a recording needs at all."""

from collections.abc import Iterable, Iterator

from tallylight.consent.answer import ConsentState
from tallylight.law.pack import UNKNOWN_PLACE
from tallylight.law.rule import Rule
from tallylight.law.vocabulary import AFFIRMATIVE_METHODS, Action, Method, Reach, Role, Standard
from tallylight.policy.decision import Verdict
from tallylight.policy.finding import Finding, Weight, by_rule
from tallylight.policy.situation import PartySituation
from tallylight.policy.view import EMPLOYED, View, objects

_PASSIVE = frozenset({Method.CONTINUED_AFTER_NOTICE, Method.ANNOUNCEMENT_ON_RECORDING})


def ways(party: PartySituation) -> frozenset[Method]:
    """Every way of consent that this person's yes counts as: one on the recording is also one off it."""
    method = party.consent.method
    if method is None or (method in _PASSIVE and not party.notice_heard):
        return frozenset()
    counts = {method}
    if method is Method.ANNOUNCEMENT_ON_RECORDING:
        counts.add(Method.CONTINUED_AFTER_NOTICE)
    if method in AFFIRMATIVE_METHODS and party.consent_on_recording:
        if method is Method.SPOKEN:
            counts.add(Method.SPOKEN_ON_RECORDING)
        if party.notice_heard:
            counts.add(Method.ANNOUNCEMENT_ON_RECORDING)
    return frozenset(counts)


def accepted(party: PartySituation, rule: Rule, at_ms: int) -> bool:
    """A standing yes, not later than what rests on it (`at_ms`, ms UTC), by a way the rule accepts."""
    consent = party.consent
    if consent.state is not ConsentState.GIVEN or (consent.at_ms is not None and consent.at_ms > at_ms):
        return False
    counts = ways(party) & rule.methods
    if counts == {Method.TONE}:
        interval = party.tone_interval_s
        return interval is not None and rule.tone_interval_s is not None and interval <= rule.tone_interval_s
    return bool(counts)


def authorised(rule: Rule, party: PartySituation, view: View) -> bool:
    """A duty whose own statute authorises the recording, once the person was told, in the place of this rule."""
    told = party.notice_heard or (party.role in EMPLOYED and view.knows(party))
    return told and any(duty.authorises and duty.jurisdiction == rule.jurisdiction for duty in view.law.duty)


def satisfied(rule: Rule, party: PartySituation, view: View) -> bool:
    """Whether somebody on the other side of the recording has what the rule asks of them."""
    at_ms = view.situation.at_ms
    if rule.standard is Standard.INFORMED:
        return party.notice_heard and not objects(party)
    # Who does not know what to has agreed to nothing; where a tone is accepted, it is what tells them.
    told = party.notice_heard or party.consent.method is Method.TONE
    return (told and view.capable(party) and accepted(party, rule, at_ms)) or authorised(rule, party, view)


def wiretap_layer(party: PartySituation, view: View) -> Iterator[Finding]:
    """What every candidate law says about one person's track."""
    ours = view.records(party)
    for rule in view.law.wiretap:
        if rule.standard is Standard.ONE_PARTY:
            yield _one_party(party, view, rule)
            continue
        if rule.reach is Reach.SECRET_PART and not _one_knows(party, view):
            yield _finding(rule, (Action.NOTIFY_EMPLOYEE,), closes=True)
        if ours:
            yield from _our_side(party, view, rule)
        else:
            missing = [party] if not satisfied(rule, party, view) else _missing_others(rule, party, view)
            yield _finding(rule, _asking(rule, missing[0]) if missing else (), closes=bool(missing))


def _our_side(party: PartySituation, view: View, rule: Rule) -> Iterator[Finding]:
    own = rule.reach is Reach.OWN_WORD and party.role in EMPLOYED and rule in view.own_law[party.party].wiretap
    silent = own and not (accepted(party, rule, view.situation.at_ms) or authorised(rule, party, view))
    actions: tuple[Action, ...] = (Action.OBTAIN_AGENT_CONSENT,) if silent else ()
    missing = _missing_others(rule, party, view)
    if missing:
        actions += _asking(rule, missing[0])
    if own or missing or rule.reach is not Reach.OWN_WORD:
        yield _finding(rule, actions, closes=silent or bool(missing))


def _missing_others(rule: Rule, party: PartySituation, view: View) -> list[PartySituation]:
    """Those of the other side, besides this person, whose missing agreement closes this person's track too."""
    others = [other for other in view.people if not view.records(other) and other.party != party.party]
    # What is isolated from a mix was in it for a moment, and the others' words with it: where that is a crime, nobody is.
    mixed = view.records(party) and view.circumstances.agent_isolated_from_mix and not rule.civil_only
    if rule.reach is Reach.ANY_PART or mixed:
        return [other for other in others if not satisfied(rule, other, view)]
    if rule.reach is Reach.SECRET_PART:
        return [other for other in others if not (other.notice_heard or satisfied(rule, other, view))]
    return []


def _asking(rule: Rule, party: PartySituation) -> tuple[Action, ...]:
    """Everything that would satisfy the rule."""
    told: tuple[Action, ...] = ()
    if not party.notice_heard:
        told = (Action.ANNOUNCE_RECORDING,)
        if party.role is Role.THIRD_PARTY:
            told += (Action.ANNOUNCE_TO_JOINER,)
    if rule.standard is Standard.INFORMED:
        return told
    actions = [Action.OBTAIN_ALL_PARTY_CONSENT]
    if rule.methods <= AFFIRMATIVE_METHODS or rule.jurisdiction.endswith(UNKNOWN_PLACE):
        actions.append(Action.OBTAIN_OPT_IN_CONSENT)
    actions += told
    if Method.ANNOUNCEMENT_ON_RECORDING in rule.methods:
        actions.append(Action.ANNOUNCE_ON_RECORDING)
    if Method.SPOKEN_ON_RECORDING in rule.methods:
        actions.append(Action.CAPTURE_CONSENT_ON_RECORDING)
    if Method.TONE in rule.methods:
        actions.append(Action.SOUND_TONE)
    return tuple(actions)


def _finding(rule: Rule, actions: Iterable[Action], *, closes: bool) -> Finding:
    uncertain = (Action.TREAT_AS_ALL_PARTY,) if rule.jurisdiction.endswith(UNKNOWN_PLACE) else ()
    verdict = Verdict.CLOSES if closes else Verdict.ALLOWS
    return by_rule(Weight.WIRETAP, rule, verdict, rule.explain, (*actions, *uncertain))


def _one_knows(party: PartySituation, view: View) -> bool:
    """One party's knowledge is enough: that of everybody on the side that records, or the person's own yes."""
    return (
        view.circumstances.recorded_by_customer
        or (party.consent.state is ConsentState.GIVEN and not party.consent.flagged and view.capable(party))
        or all(view.knows(other) and not objects(other) for other in view.people if other.role in EMPLOYED)
    )


def _one_party(party: PartySituation, view: View, rule: Rule) -> Finding:
    if _one_knows(party, view):
        return by_rule(Weight.WIRETAP, rule, Verdict.ALLOWS, rule.explain)
    return by_rule(Weight.WIRETAP, rule, Verdict.CLOSES, rule.explain, (Action.NOTIFY_EMPLOYEE,))
