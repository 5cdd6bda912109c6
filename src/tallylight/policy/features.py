"""What may be computed from an employee's voice: a voiceprint, and what a machine takes for an emotion."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from tallylight.law.pack import UNKNOWN_PLACE
from tallylight.law.rule import Rule
from tallylight.law.vocabulary import Action, Release, Requirement, Subject
from tallylight.policy.decision import Decision, Lamp, Reason, Verdict
from tallylight.policy.finding import Finding, Weight, by_rule
from tallylight.policy.situation import PartySituation
from tallylight.policy.view import EMPLOYED, View


class Feature(StrEnum):
    VOICEPRINT_AGENT = "voiceprint_agent"
    EMOTION_AGENT = "emotion_agent"


@dataclass(frozen=True, kw_only=True)
class FeatureRuling:
    """Whether one feature may be used, why, and what would change that."""

    feature: Feature
    allowed: bool
    reasons: tuple[Reason, ...]
    actions: tuple[str, ...]


def rule_feature(feature: Feature, seen: View, decision: Decision) -> FeatureRuling:
    """One feature for every employee on the call: none of what is not recorded, and the strictest law of each place."""
    agents = [party for party in seen.people if party.role in EMPLOYED]
    judge = _voiceprint if feature is Feature.VOICEPRINT_AGENT else _emotion
    found = [finding for party in agents for finding in judge(party, seen)]
    recorded = bool(agents) and all(decision.lamp(party.party) is Lamp.RECORDING for party in agents)
    closing = [finding for finding in found if finding.reason.verdict is Verdict.CLOSES]
    return FeatureRuling(
        feature=feature,
        allowed=recorded and not closing,
        reasons=tuple(dict.fromkeys(finding.reason for finding in (closing or found))),
        actions=tuple(dict.fromkeys(action for finding in (*closing, *found) for action in finding.actions)),
    )


def _voiceprint(party: PartySituation, seen: View) -> Iterator[Finding]:
    for rule in seen.own_law[party.party].biometric:
        missing = _missing(rule, party, seen)
        owed: tuple[str, ...] = (Action.DPIA,) if Requirement.IMPACT_ASSESSMENT in rule.requires else ()
        if rule.retain_max is not None:
            owed += (f"{Action.VOICEPRINT_RETAIN_MAX}:{rule.retain_max}",)
        if rule.jurisdiction == UNKNOWN_PLACE:
            owed += (Action.LEGAL_REVIEW,)
        verdict = Verdict.CLOSES if missing else Verdict.ALLOWS
        yield by_rule(Weight.GROUND, rule, verdict, rule.explain, (*missing, *owed))


def _missing(rule: Rule, party: PartySituation, seen: View) -> tuple[str, ...]:
    facts = seen.circumstances
    actions: list[str] = []
    if party.release not in rule.releases:
        if Release.INFORMED_CONSENT not in rule.releases:
            actions.append(Action.BIOMETRIC_WRITTEN_RELEASE)
        elif Requirement.ALTERNATIVE in rule.requires:
            actions.append(Action.BIOMETRIC_EXPLICIT_CONSENT)
        else:
            # Any informed yes of the employee will do.
            actions += (
                Action.OBTAIN_AGENT_CONSENT,
                Action.BIOMETRIC_EXPLICIT_CONSENT,
                Action.BIOMETRIC_WRITTEN_RELEASE,
            )
    if Requirement.PUBLIC_POLICY in rule.requires and not facts.biometric_policy_public:
        actions.append(Action.BIOMETRIC_RETENTION_POLICY)
    if Requirement.ALTERNATIVE in rule.requires and not facts.per_leg:
        # Without another way the employee's consent is not free.
        actions.append(Action.BIOMETRIC_EXPLICIT_CONSENT)
    return tuple(dict.fromkeys(actions))


def _emotion(party: PartySituation, seen: View) -> Iterator[Finding]:
    own = seen.own_law[party.party].prohibition[Subject.EMOTION_INFERENCE]
    everywhere = seen.law.prohibition[Subject.EMOTION_INFERENCE] if seen.circumstances.targets_eu else ()
    for rule in dict.fromkeys((*own, *everywhere)):
        yield by_rule(Weight.GROUND, rule, Verdict.CLOSES, rule.explain, (Action.DISABLE_EMOTION_INFERENCE,))
