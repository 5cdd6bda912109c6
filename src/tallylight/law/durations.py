"""ISO 8601 durations of the calendar: P5Y, P6M, P30D, P1Y6M."""

import re

_FORM = re.compile(r"P(?=\d)(?:(\d{1,6})Y)?(?:(\d{1,6})M)?(?:(\d{1,6})W)?(?:(\d{1,6})D)?")


def is_duration(text: str) -> bool:
    return _FORM.fullmatch(text) is not None


def days(text: str) -> int:
    """How long, in days, for comparing: a year counts 365 days and a month the twelfth of it, rounded down.

    Raises ValueError where the text is no duration.
    """
    found = _FORM.fullmatch(text)
    if found is None:
        raise ValueError(f"{text!r} is no duration such as P6M.")
    years, months, weeks, single = (int(part or 0) for part in found.groups())
    all_months = 12 * years + months
    return all_months * 365 // 12 + 7 * weeks + single


def longest(durations: list[str]) -> str | None:
    """The longest; of equals the first."""
    return max(durations, key=days, default=None)


def shortest(durations: list[str]) -> str | None:
    return min(durations, key=days, default=None)
