"""Whether agents hear each other's recordings: F127."""

import dataclasses

import pytest

from tallylight.policy.listening import may_hear
from tests.policy.making import SETTINGS


@pytest.mark.parametrize(
    ("took_part", "hear_others", "allowed", "why"),
    [
        (True, True, True, "took part"),
        (True, False, True, "took part"),
        (False, True, True, "may hear each other's recordings"),
        (False, False, False, "their own recordings alone"),
    ],
)
def test_the_whole_table(took_part: bool, hear_others: bool, allowed: bool, why: str) -> None:
    settings = dataclasses.replace(SETTINGS, agents_hear_others=hear_others)
    hearing = may_hear(settings, took_part=took_part)
    assert hearing.allowed is allowed
    assert why in hearing.reason
