"""When a track, and who took part in a conversation, must be gone (Art. 5(1)(e) GDPR)."""

import calendar
import datetime

from tallylight.errors import TallylightError
from tallylight.law.vocabulary import Purpose
from tallylight.policy.settings import Settings

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


def deadline_ms(settings: Settings, purpose: Purpose, from_ms: int) -> int:
    """When a track recorded for `purpose` from `from_ms` on must be gone (ms UTC).

    Proof of consent outlives what it proves only where a ground is named for that.
    """
    return add_months(from_ms, settings.months_for(purpose))


def identities_deadline_ms(settings: Settings, from_ms: int) -> int:
    """When nobody may be able to tell any more who took part in a conversation (ms UTC).

    `from_ms` is its end, or while it runs its start: who was recorded is known as long as what they said, no longer.
    """
    return add_months(from_ms, settings.retention_months)
