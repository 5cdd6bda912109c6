"""When a track, and who took part in a conversation, must be gone (Art. 5(1)(e) GDPR), and until when law has it kept.

What a project has chosen is moved between the bounds that law sets. A floor above a ceiling holds: who has a duty to
keep a recording keeps it (Art. 17(3)(b) GDPR).
"""

import calendar
import datetime
from collections.abc import Iterable
from dataclasses import dataclass

from tallylight.errors import TallylightError
from tallylight.law.iso8601 import calendar as calendar_of
from tallylight.law.iso8601 import longest, seconds, shortest
from tallylight.law.vocabulary import Action, Purpose
from tallylight.policy.decision import Decision
from tallylight.policy.settings import Settings

_DAY_MS = 86_400_000
_EPOCH = datetime.datetime(1970, 1, 1)


class PolicyError(TallylightError):
    """A setting asks for what cannot be done; the message names it."""

    code = "policy_invalid"


def add_months(at_ms: int, months: int) -> int:
    """The same time of day so many calendar months after `at_ms` (ms UTC); the last day of a month that is shorter."""
    start = _EPOCH + datetime.timedelta(milliseconds=at_ms)
    year, month = divmod(start.year * 12 + start.month - 1 + months, 12)
    if not datetime.MINYEAR <= year <= datetime.MAXYEAR:
        raise PolicyError(f"{months} months from {start:%Y-%m-%d} lead out of the calendar: choose fewer.")
    day = min(start.day, calendar.monthrange(year, month + 1)[1])
    return (start.replace(year=year, month=month + 1, day=day) - _EPOCH) // datetime.timedelta(milliseconds=1)


def add_duration(at_ms: int, duration: str) -> int:
    """The same time of day an ISO 8601 duration after `at_ms` (ms UTC): first its months, then its days and the rest."""
    months, days, rest = calendar_of(duration)
    return add_months(at_ms, months) + days * _DAY_MS + rest * 1000


@dataclass(frozen=True)
class Bounds:
    """What law says of how long a recording is kept: at least every floor, at most every ceiling. ISO 8601 durations."""

    floors: tuple[str, ...] = ()
    ceilings: tuple[str, ...] = ()

    @property
    def floor(self) -> str | None:
        return longest(self.floors)

    @property
    def ceiling(self) -> str | None:
        return shortest(self.ceilings)

    def chosen(self, term: str) -> str:
        """The project's own term, moved between the bounds."""
        within = min((term, *self.ceilings), key=seconds)
        return max((within, *self.floors), key=seconds)

    def __or__(self, other: "Bounds") -> "Bounds":
        """What holds where both do."""
        return Bounds(_each(self.floors, other.floors), _each(self.ceilings, other.ceilings))


NO_BOUNDS = Bounds()


def bounds_of(decision: Decision) -> Bounds:
    """What law says of how long to keep what is recorded under a decision, whoever of it a rule speaks of."""
    return Bounds(tuple(_owed(decision, Action.RETAIN_MIN)), tuple(_owed(decision, Action.RETAIN_MAX)))


def _owed(decision: Decision, wanted: Action) -> Iterable[str]:
    actions = (action.partition(":") for ruling in decision.rulings for action in ruling.actions)
    return dict.fromkeys(duration for action, _, duration in actions if action == wanted)


def _each(*several: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(duration for some in several for duration in some))


def floor_ms(from_ms: int, bounds: Bounds) -> int | None:
    """Until when law has a track kept that was recorded from `from_ms` on (ms UTC); None where it asks for nothing."""
    return max((add_duration(from_ms, floor) for floor in bounds.floors), default=None)


def deadline_ms(
    settings: Settings,
    purpose: Purpose,
    from_ms: int,
    bounds: Bounds = NO_BOUNDS,
    *,
    proves: Purpose | None = None,
) -> int:
    """When a track recorded for `purpose` from `from_ms` on must be gone (ms UTC): never before its floor.

    Proof of consent is kept as long as what it proves (`proves`; None: the project's own purpose). Only where a ground is
    named for that does it outlive it; the ceiling of what was recorded is none of that ground.
    """
    if purpose is not Purpose.PROOF_OF_CONSENT:
        return _moved(settings, purpose, from_ms, bounds)
    proved_ms = _moved(settings, proves or settings.purpose, from_ms, bounds)
    if settings.proof_ground is None:
        return proved_ms
    return max(proved_ms, add_months(from_ms, settings.proof_retention_months))


def _moved(settings: Settings, purpose: Purpose, from_ms: int, bounds: Bounds) -> int:
    ceilings = (add_duration(from_ms, ceiling) for ceiling in bounds.ceilings)
    until_ms = min((add_months(from_ms, settings.months_for(purpose)), *ceilings))
    return max(until_ms, floor_ms(from_ms, bounds) or until_ms)


def identities_deadline_ms(settings: Settings, from_ms: int) -> int:
    """When nobody may be able to tell any more who took part in a conversation (ms UTC).

    `from_ms` is its end, or while it runs its start: who was recorded is known as long as what they said, no longer. A
    track that is kept beyond this keeps them known as well (`catalogue.projections`).
    """
    return add_months(from_ms, settings.retention_months)
