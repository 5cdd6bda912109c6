"""A case judged by the same `decide()` as every live call, in the profile `law`, and what it answers."""

from collections.abc import Iterable
from dataclasses import dataclass

from tallylight.law.iso8601 import seconds
from tallylight.law.pack import Pack
from tallylight.law.vocabulary import Action, Role
from tallylight.policy.cases import Case, Event
from tallylight.policy.decide import decide
from tallylight.policy.decision import Decision, Lamp, Reason
from tallylight.policy.features import Feature, FeatureRuling, rule_feature
from tallylight.policy.kept import Kept, kept
from tallylight.policy.profile import Profile
from tallylight.policy.view import view


@dataclass(frozen=True, kw_only=True)
class CaseAnswer:
    """What may be recorded and used, what is needed, how long it is kept, and why. Not legal advice."""

    id: str
    record_agent: bool
    record_customer: bool
    record_others: bool
    voiceprint_agent: bool
    emotion_agent: bool
    need: tuple[str, ...]
    """Every action that applies: what would open a closed gate, and what is owed although it is open."""
    kept: Kept
    because: tuple[Reason, ...]

    def as_json(self) -> dict[str, object]:
        """The line of `tallylight law check`."""
        return {
            "id": self.id,
            "record_agent": self.record_agent,
            "record_customer": self.record_customer,
            "record_others": self.record_others,
            "voiceprint_agent": self.voiceprint_agent,
            "emotion_agent": self.emotion_agent,
            "need": list(self.need),
            "retention": {"floor": self.kept.floor, "ceiling": self.kept.ceiling, "chosen": self.kept.chosen},
            "because": [
                {"rule": reason.rule, "cite": reason.cite, "verdict": str(reason.verdict), "text": reason.text}
                for reason in self.because
            ],
        }


def unread_answer(case: str | None, error: str) -> dict[str, object]:
    """The line of a case that could not be read: nothing may be recorded on it."""
    closed = ("record_agent", "record_customer", "record_others", "voiceprint_agent", "emotion_agent")
    return {
        "id": case,
        "error": error,
        **dict.fromkeys(closed, False),
        "need": [],
        "retention": {"floor": None, "ceiling": None, "chosen": None},
        "because": [],
    }


def answer(case: Case, pack: Pack) -> CaseAnswer:
    """Pure and total over readable cases."""
    seen = view(case.situation, pack, Profile.LAW)
    decision = decide(case.situation, pack, Profile.LAW)
    features = {feature: rule_feature(feature, seen, decision) for feature in case.features}
    term = kept(seen)
    customer = _recorded(case, decision, Role.CUSTOMER) and case.event is not Event.OVERLAP_FOUND
    others = _recorded(case, decision, Role.THIRD_PARTY)
    needed = [action for ruling in decision.rulings for action in ruling.actions]
    needed += [action for ruling in features.values() for action in ruling.actions]
    needed = [action for action in needed if not _run_out(case.age, action)]
    needed += _after(case, decision, term)
    reasons = [each.reasons for each in decision.rulings] + [each.reasons for each in features.values()]
    return CaseAnswer(
        id=case.id,
        record_agent=_recorded(case, decision, Role.AGENT),
        record_customer=customer,
        record_others=others,
        voiceprint_agent=_allowed(features, Feature.VOICEPRINT_AGENT),
        emotion_agent=_allowed(features, Feature.EMOTION_AGENT),
        need=tuple(dict.fromkeys(str(action) for action in needed)),
        kept=term,
        because=tuple(dict.fromkeys(reason for each in reasons for reason in each)),
    )


def _recorded(case: Case, decision: Decision, role: Role) -> bool:
    """Whether everybody in this role is recorded; nobody there is nobody recorded."""
    lamps = [decision.lamp(party.party) for party in case.situation.parties if party.role is role]
    return bool(lamps) and all(lamp is Lamp.RECORDING for lamp in lamps)


def _allowed(features: dict[Feature, FeatureRuling], feature: Feature) -> bool:
    return feature in features and features[feature].allowed


def _after(case: Case, decision: Decision, term: Kept) -> Iterable[str]:
    """What happens to a stored recording brings (Art. 17 GDPR; PCI DSS 3.3.1)."""
    if case.card_code_stored:
        yield Action.PURGE_CARD_DATA
    if case.event is Event.OVERLAP_FOUND:
        yield Action.PURGE_SNIPPETS_PROCEDURE
    if case.event is Event.STORED_REVIEW and (_holds_what_may_not_stay(decision) or _outlived(case.age, term.ceiling)):
        yield Action.DELETE_RECORDING
    if case.event in (Event.ERASURE_REQUEST, Event.RETENTION_EXPIRED):
        if term.floor is not None and (case.age is None or seconds(case.age) < seconds(term.floor)):
            yield f"{Action.RETAIN_MIN}:{term.floor}"
        elif case.event is Event.ERASURE_REQUEST or not _within(case.age, term.ceiling):
            yield Action.DELETE_RECORDING


def _holds_what_may_not_stay(decision: Decision) -> bool:
    """What the settings leave out was never recorded, so it is not there."""
    return any(
        ruling.lamp is not Lamp.RECORDING and not ruling.deciding.rule.startswith("setting.")
        for ruling in decision.rulings
    )


def _run_out(age: str | None, action: str) -> bool:
    """A floor that is over is owed no more."""
    name, _, floor = action.partition(":")
    return name == Action.RETAIN_MIN and age is not None and seconds(age) >= seconds(floor)


def _outlived(age: str | None, ceiling: str | None) -> bool:
    return age is not None and ceiling is not None and seconds(age) > seconds(ceiling)


def _within(age: str | None, ceiling: str | None) -> bool:
    return age is not None and ceiling is not None and seconds(age) <= seconds(ceiling)
