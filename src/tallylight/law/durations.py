"""ISO 8601 durations of the calendar: P5Y, P6M, P30D, P1Y6M."""

import re
from collections.abc import Iterable

_FORM = re.compile(r"P(?=\d)(?:(\d{1,6})Y)?(?:(\d{1,6})M)?(?:(\d{1,6})W)?(?:(\d{1,6})D)?")


def is_duration(text: str) -> bool:
    return _FORM.fullmatch(text) is not None


def months_and_days(text: str) -> tuple[int, int]:
    """What the calendar adds: months, a year being twelve, and then days, a week being seven.

    Raises ValueError where the text is no duration.
    """
    found = _FORM.fullmatch(text)
    if found is None:
        raise ValueError(f"{text!r} is no duration such as P6M.")
    years, months, weeks, single = (int(part or 0) for part in found.groups())
    return 12 * years + months, 7 * weeks + single


def days(text: str) -> int:
    """How long, in days, for comparing: a year counts 365 days and a month the twelfth of it, rounded down.

    Raises ValueError where the text is no duration.
    """
    months, single = months_and_days(text)
    return months * 365 // 12 + single


def longest(durations: Iterable[str]) -> str | None:
    """The longest; of equals the first."""
    return max(durations, key=days, default=None)


def shortest(durations: Iterable[str]) -> str | None:
    return min(durations, key=days, default=None)
