"""ISO 8601 as the house reads and writes it: durations (P5Y, P6M, P30D, P1Y6M, P1DT12H, PT36H) and instants."""

import datetime
import re
from collections.abc import Iterable

_FORM = re.compile(
    r"P(?=[\dT])(?:(\d{1,6})Y)?(?:(\d{1,6})M)?(?:(\d{1,6})W)?(?:(\d{1,6})D)?"
    r"(?:T(?=\d)(?:(\d{1,6})H)?(?:(\d{1,6})M)?(?:(\d{1,6})S)?)?"
)
_DAY_S = 86_400


def is_duration(text: str) -> bool:
    return _FORM.fullmatch(text) is not None


def calendar(text: str) -> tuple[int, int, int]:
    """What is added to an instant: months, a year being twelve; then days, a week being seven; then seconds.

    Raises ValueError where the text is no duration.
    """
    found = _FORM.fullmatch(text)
    if found is None:
        raise ValueError(f"{text!r} is no duration such as P6M.")
    years, months, weeks, days, hours, minutes, rest = (int(part or 0) for part in found.groups())
    return 12 * years + months, 7 * weeks + days, hours * 3600 + minutes * 60 + rest


def seconds(text: str) -> int:
    """How long, in seconds, for comparing: a year counts 365 days and a month the twelfth of it, rounded down to a day.

    Raises ValueError where the text is no duration.
    """
    months, days, rest = calendar(text)
    return (months * 365 // 12 + days) * _DAY_S + rest


def longest(durations: Iterable[str]) -> str | None:
    """The longest; of equals the first."""
    return max(durations, key=seconds, default=None)


def shortest(durations: Iterable[str]) -> str | None:
    return min(durations, key=seconds, default=None)


def iso_utc(at_ms: int) -> str:
    """An instant (ms UTC) with its ms, e.g. `2026-11-24T07:13:00.250Z`; RFC 3339 as well."""
    instant = datetime.datetime.fromtimestamp(at_ms / 1000, datetime.UTC)
    return instant.isoformat(timespec="milliseconds").replace("+00:00", "Z")
