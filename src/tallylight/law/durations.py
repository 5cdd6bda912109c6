"""ISO 8601 durations: P5Y, P6M, P30D, P1Y6M, P1DT12H, PT36H."""

import re

_FORM = re.compile(
    r"P(?=[\dT])(?:(\d{1,6})Y)?(?:(\d{1,6})M)?(?:(\d{1,6})W)?(?:(\d{1,6})D)?"
    r"(?:T(?=\d)(?:(\d{1,6})H)?(?:(\d{1,6})M)?(?:(\d{1,6})S)?)?"
)
_DAY_S = 86_400


def is_duration(text: str) -> bool:
    return _FORM.fullmatch(text) is not None


def seconds(text: str) -> int:
    """How long, in seconds, for comparing: a year counts 365 days and a month the twelfth of it, rounded down to a day.

    Raises ValueError where the text is no duration.
    """
    found = _FORM.fullmatch(text)
    if found is None:
        raise ValueError(f"{text!r} is no duration such as P6M.")
    years, months, weeks, days, hours, minutes, rest = (int(part or 0) for part in found.groups())
    of_calendar = (12 * years + months) * 365 // 12 + 7 * weeks + days
    return of_calendar * _DAY_S + hours * 3600 + minutes * 60 + rest


def longest(durations: list[str]) -> str | None:
    """The longest; of equals the first."""
    return max(durations, key=seconds, default=None)


def shortest(durations: list[str]) -> str | None:
    return min(durations, key=seconds, default=None)
