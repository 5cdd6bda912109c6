"""What an address says about a place, and how little."""

import pytest

from tallylight.policy.places import UNKNOWN, places_of
from tallylight.policy.situation import Place, PlaceEvidence


@pytest.mark.parametrize(
    ("address", "code", "evidence"),
    [
        ("+4533131415", "DK", PlaceEvidence.MOBILE_NUMBER),
        ("+493012345678", "DE", PlaceEvidence.FIXED_NUMBER),
        ("+33612345678", "FR", PlaceEvidence.MOBILE_NUMBER),
        ("+12125550123", "US", PlaceEvidence.MOBILE_NUMBER),
        ("+14165550123", "CA", PlaceEvidence.MOBILE_NUMBER),
    ],
)
def test_a_number_speaks_for_its_country_and_no_region(address: str, code: str, evidence: PlaceEvidence) -> None:
    assert places_of(address) == (Place(code=code, evidence=evidence),)


@pytest.mark.parametrize(
    "address", ["sip:agent@127.0.0.1", "", "+", "+999", "+80012345678", "+18005550123", "anonymous"]
)
def test_everything_else_is_unknown(address: str) -> None:
    assert places_of(address) == UNKNOWN
