"""The one decision: who may be recorded now, and why. Pure and total."""

from collections.abc import Iterable, Iterator, Mapping
from operator import attrgetter

from tallylight.law.pack import Pack
from tallylight.law.vocabulary import Action, Role
from tallylight.policy.answers import customer_layers
from tallylight.policy.canonical import situation_hash
from tallylight.policy.decision import ASKING, Decision, Lamp, PartyRuling, Reason, Verdict
from tallylight.policy.employees import employee_layers
from tallylight.policy.finding import Finding, Weight
from tallylight.policy.house import (
    own_voice_layer,
    pause_layers,
    presence_layer,
    refusal_layer,
    settings_layers,
    told_layer,
)
from tallylight.policy.moments import moment_layers, must_record, owed_layers
from tallylight.policy.profile import Profile
from tallylight.policy.situation import ORDINARY, PartySituation, Situation
from tallylight.policy.view import EMPLOYED, View, view
from tallylight.policy.wiretap import wiretap_layer

STRICTEST_FIRST = (Verdict.CLOSES, Verdict.PAUSES, Verdict.ALLOWS)
_LAMPS = {Verdict.CLOSES: Lamp.OFF, Verdict.PAUSES: Lamp.PAUSED, Verdict.ALLOWS: Lamp.RECORDING}
_SETTLED = frozenset({Weight.TERMS, Weight.MODE, Weight.REFUSAL, Weight.ABSENT})
"""Where one of these closes a gate, asking would change nothing."""


def decide(situation: Situation, pack: Pack, profile: Profile = Profile.HOUSE) -> Decision:
    """Every party's lamp at the situation's instant. What closes beats what pauses, and that beats what allows."""
    seen = view(situation, pack, profile)
    return Decision(
        rulings=tuple(_rule(party, seen) for party in situation.parties),
        pack=pack.hash,
        settings=situation.settings.version,
        situation=situation_hash(situation),
        profile=profile,
    )


def findings(party: PartySituation, seen: View) -> Iterator[Finding]:
    """Everything that has something to say about one party's track."""
    yield from settings_layers(party, seen)
    yield from presence_layer(party)
    if party.role is Role.SYSTEM:
        yield own_voice_layer()
    else:
        yield from refusal_layer(party)
        yield from told_layer(party, seen)
        # Somebody who records for themselves answers to the confidentiality of speech alone.
        if not seen.circumstances.recorded_by_customer:
            yield from employee_layers(party, seen) if party.role in EMPLOYED else customer_layers(party, seen)
            if seen.law.duty or seen.law.retention:
                yield from owed_layers(party, seen)
        yield from wiretap_layer(party, seen)
        if seen.circumstances is not ORDINARY:
            yield from moment_layers(party, seen)
    yield from pause_layers(party, seen)


_BY_RANK = attrgetter("rank")


def in_order(found: list[Finding], verdict: Verdict) -> list[Finding]:
    """The findings with one verdict, the deciding one first."""
    return sorted([finding for finding in found if finding.reason.verdict is verdict], key=_BY_RANK)


def reasons(found: Iterable[Finding], seen: View) -> tuple[Reason, ...]:
    """The reasons of findings, each once, marked where the settings are the trial's."""
    each = dict.fromkeys(found)
    return tuple([finding.on_trial if seen.settings.trial else finding.reason for finding in each])


def _rule(party: PartySituation, seen: View) -> PartyRuling:
    said: dict[Verdict, list[Finding]] = {verdict: [] for verdict in STRICTEST_FIRST}
    for finding in sorted(findings(party, seen), key=_BY_RANK):
        said[finding.reason.verdict].append(finding)
    verdict = next(verdict for verdict in STRICTEST_FIRST if said[verdict])
    deciding: Iterable[Finding] = said[verdict]
    if verdict is Verdict.ALLOWS:
        first: dict[int, Finding] = {}
        for finding in deciding:
            first.setdefault(finding.rank, finding)
        deciding = first.values()
    return PartyRuling(
        party=party.party, lamp=_LAMPS[verdict], reasons=reasons(deciding, seen), actions=_actions(party, seen, said)
    )


def _actions(party: PartySituation, seen: View, said: Mapping[Verdict, list[Finding]]) -> tuple[str, ...]:
    """What would open a closed gate first, then what is owed all the same."""
    each: dict[str, None] = {}
    for verdict in STRICTEST_FIRST:
        for finding in said[verdict]:
            for action in finding.actions:
                each[action] = None
    actions = tuple(each)
    closing = said[Verdict.CLOSES]
    if not closing:
        return actions
    if any(finding.weight in _SETTLED for finding in closing):
        actions = tuple(action for action in actions if action not in ASKING)
    elif not seen.capable(party):
        # Whom nobody asks, a person looks at.
        actions = tuple(dict.fromkeys([Action.MINOR_REVIEW if action in ASKING else action for action in actions]))
    if party.role not in EMPLOYED and must_record(seen):
        actions = (*actions, Action.END_CALL_OR_MOVE_CHANNEL)
    return actions
