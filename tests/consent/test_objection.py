"""A standing objection is a no that nobody but the person takes back."""

import pytest

from tallylight.consent.answer import ConsentState, attest
from tallylight.consent.errors import ConsentError
from tallylight.consent.objection import StandingObjection, as_refusal

OBJECTION = StandingObjection(id="01a2", raised_ms=1_790_000_000_000, evidence="letter of 2026-11-24")


def test_who_objected_joins_with_a_no() -> None:
    consent = as_refusal(OBJECTION)
    assert consent.state is ConsentState.REFUSED
    assert consent.evidence == "standing objection 01a2"
    assert consent.at_ms == OBJECTION.raised_ms
    with pytest.raises(ConsentError):
        attest(consent, purposes=frozenset(), notice="0" * 64, evidence="a colleague", at_ms=1_790_000_000_001)
