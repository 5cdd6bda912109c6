"""What an address says about a place, and how little."""

import datetime

import pytest

from tallylight.law.area_codes import area_codes
from tallylight.policy.applicable import candidate_codes
from tallylight.policy.places import UNKNOWN, places_of
from tallylight.policy.situation import Place, PlaceEvidence


@pytest.mark.parametrize(
    ("address", "code", "evidence"),
    [
        ("+4533131415", "DK", PlaceEvidence.MOBILE_NUMBER),
        ("+493012345678", "DE", PlaceEvidence.FIXED_NUMBER),
        ("+33612345678", "FR", PlaceEvidence.MOBILE_NUMBER),
        ("+12125550123", "US-NY", PlaceEvidence.MOBILE_NUMBER),
        ("+12035550123", "US-CT", PlaceEvidence.MOBILE_NUMBER),
        ("+14165550123", "CA-ON", PlaceEvidence.MOBILE_NUMBER),
        ("+17872345678", "PR", PlaceEvidence.MOBILE_NUMBER),
        ("+18762345678", "JM", PlaceEvidence.MOBILE_NUMBER),
    ],
)
def test_a_number_speaks_for_its_country_and_where_it_was_issued(
    address: str, code: str, evidence: PlaceEvidence
) -> None:
    assert places_of(address) == (Place(code=code, evidence=evidence),)


def test_an_area_code_of_several_regions_gives_a_candidate_for_each() -> None:
    assert [place.code for place in places_of("+18672345678")] == ["CA-NT", "CA-NU", "CA-YT"]


def test_every_north_american_number_keeps_its_country_as_a_candidate() -> None:
    """Moved and mobile numbers: the region is one candidate beside the country's unknown."""
    for code, regions in area_codes().regions.items():
        places = places_of(f"+1{code}2345678")
        if places != UNKNOWN:
            assert tuple(place.code for place in places) == regions
            assert {region.partition("-")[0] for region in regions} <= candidate_codes(places)


def test_the_table_is_dated_and_its_regions_are_of_one_country_each() -> None:
    table = area_codes()
    assert datetime.date.fromisoformat(table.as_of)
    assert len(table.regions) > 400
    assert {place for places in table.regions.values() for place in places} >= {"US-DC", "US-HI", "CA-QC", "CA-PE"}
    for code, places in table.regions.items():
        assert code.isdecimal()
        assert len(code) == 3
        assert len({place.partition("-")[0] for place in places}) == 1


@pytest.mark.parametrize(
    "address", ["sip:agent@127.0.0.1", "", "+", "+999", "+80012345678", "+18005550123", "anonymous"]
)
def test_everything_else_is_unknown(address: str) -> None:
    assert places_of(address) == UNKNOWN
