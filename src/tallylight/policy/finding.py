"""What one layer finds about one party, before everything is weighed together."""

import dataclasses
import functools
from dataclasses import dataclass
from enum import IntEnum

from tallylight.law.pack import UNKNOWN_PLACE
from tallylight.law.rule import Rule
from tallylight.law.vocabulary import Action
from tallylight.policy.decision import Reason, Verdict

TRIAL = "TRIAL: "
"""How every sentence begins that rests on the built-in trial settings."""


class Weight(IntEnum):
    """Which finding decides when several say the same: the lowest."""

    TERMS = 0
    REFUSAL = 1
    MODE = 2
    ABSENT = 3
    TOLD = 4
    EMPLOYEE = 5
    ANSWER = 6
    GROUND = 7
    WIRETAP = 8
    PAUSE = 9
    START_PAUSED = 10
    HOLD = 11
    DUTY = 12
    RETENTION = 13


ALLOWING = (
    Weight.ANSWER,
    Weight.EMPLOYEE,
    Weight.GROUND,
    Weight.WIRETAP,
    Weight.TOLD,
    Weight.MODE,
    Weight.DUTY,
    Weight.RETENTION,
)
"""For an open gate the person's own answer comes first."""


@dataclass(frozen=True, slots=True, eq=False)
class Finding:
    """A reason, its weight, and what would change it. Made once and compared by identity: decisions are frequent."""

    weight: Weight
    reason: Reason
    actions: tuple[str, ...]
    rank: int
    """The lower decides, among findings with its verdict."""
    on_trial: Reason
    """The same reason, its sentence marked, for settings that are the built-in trial's."""


@functools.lru_cache(maxsize=4096)
def by_rule(weight: Weight, rule: Rule, verdict: Verdict, text: str, actions: tuple[str, ...] = ()) -> Finding:
    """A finding that rests on a rule of law; one that is in doubt asks for a lawyer."""
    if rule.doubtful and not rule.jurisdiction.endswith(UNKNOWN_PLACE) and not _goes_without_saying(weight, verdict):
        actions = (*actions, Action.LEGAL_REVIEW)
    reason = Reason(
        rule=rule.id,
        cite=rule.cite,
        verdict=verdict,
        text=text,
        confidence=rule.confidence,
        effective_from=rule.effective_from,
        checked_at=rule.checked_at,
    )
    return Finding(weight, reason, actions, _rank(weight, verdict), _marked(reason))


@functools.lru_cache(maxsize=4096)
def by_house(
    weight: Weight, name: str, cite: str, verdict: Verdict, text: str, actions: tuple[str, ...] = ()
) -> Finding:
    """A finding that rests on a setting (`setting: mode`) or a house rule (`house rule: ...`)."""
    reason = Reason(rule=name, cite=cite, verdict=verdict, text=text)
    return Finding(weight, reason, actions, _rank(weight, verdict), _marked(reason))


def _goes_without_saying(weight: Weight, verdict: Verdict) -> bool:
    """An employee who was told is told under any reading."""
    return weight is Weight.EMPLOYEE and verdict is Verdict.ALLOWS


def _rank(weight: Weight, verdict: Verdict) -> int:
    return ALLOWING.index(weight) if verdict is Verdict.ALLOWS else int(weight)


def _marked(reason: Reason) -> Reason:
    return dataclasses.replace(reason, text=f"{TRIAL}{reason.text}")
