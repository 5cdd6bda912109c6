"""Many peers at once on one server, and what can be asked about it afterwards.

Such an evening takes as long as its longest call, so that it is one test whatever is asked about it: each question is a
subtest, and xdist cannot spread one evening over its workers, which would repeat it on each.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import pytest

from tests.peers.house import Conversation, House
from tests.peers.wire import Wire


@dataclass(frozen=True, kw_only=True)
class Evening:
    """What happened."""

    house: House
    """Still running."""
    wire: Wire
    calls: dict[str, Conversation]
    """By the customer's address."""
    logged: set[str] = field(default_factory=set)
    """Every track of which a record was seen in the live log."""


Checks = Sequence[tuple[Callable[..., None], Sequence[tuple[object, ...]]]]
"""Questions, each with the cases it is asked for: what follows the evening among its arguments."""

ONCE: Sequence[tuple[object, ...]] = [()]


def examine(evening: object, checks: Checks, subtests: pytest.Subtests) -> None:
    """Ask every question; one that fails hides no other."""
    for check, cases in checks:
        for case in cases:
            name = check.__name__.removeprefix("check_").replace("_", " ")
            with subtests.test(f"{name} {' '.join(map(str, case))}".strip()):
                check(evening, *case)
