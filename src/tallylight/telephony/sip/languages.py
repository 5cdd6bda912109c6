"""Which languages a caller's phone says its owner understands."""

import re
from collections.abc import Iterable

_RANGE = re.compile(r"\s*([A-Za-z]{1,8}(?:-[A-Za-z0-9]{1,8})*|\*)\s*(?:;\s*q\s*=\s*([01](?:\.\d{0,3})?)\s*)?")
MOST = 16
"""Ranges that are read: a header may hold thousands."""


def parse_languages(values: Iterable[str]) -> tuple[str, ...]:
    """The tags of Accept-Language headers, best first (RFC 3261 section 20.3, RFC 4647 section 2.1).

    What is malformed, unwanted (`q=0`) or no language (`*`) is left out.
    """
    ranges = ",".join(values).split(",", MOST)[:MOST]
    found: list[tuple[float, str]] = []
    for each in ranges:
        match = _RANGE.fullmatch(each)
        quality = float(match[2] or 1) if match is not None else 0.0
        if match is not None and match[1] != "*" and 0 < quality <= 1:
            found.append((-quality, match[1]))
    return tuple(dict.fromkeys(tag for _, tag in sorted(found, key=lambda each: each[0])))
