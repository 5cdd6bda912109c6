"""Where somebody may be, judged by their address alone. Unknown stays unknown, and unknown is strict."""

import phonenumbers
from phonenumbers import PhoneNumberType

from tallylight.law.area_codes import area_codes
from tallylight.policy.situation import Place, PlaceEvidence

UNKNOWN = (Place(code=None, evidence=PlaceEvidence.UNKNOWN),)

_EVIDENCE = {
    PhoneNumberType.FIXED_LINE: PlaceEvidence.FIXED_NUMBER,
    PhoneNumberType.MOBILE: PlaceEvidence.MOBILE_NUMBER,
    PhoneNumberType.FIXED_LINE_OR_MOBILE: PlaceEvidence.MOBILE_NUMBER,
}
_BY_AREA_CODE = frozenset({"US", "CA"})


def places_of(address: str) -> tuple[Place, ...]:
    """The places an E.164 number speaks for; anything else (a SIP address, a toll-free or VoIP number) is unknown.

    A number of the United States or Canada is given for the regions its area code serves. No number there tells fixed
    from mobile, and all can be moved: each is evidence of the country, and of its region as one candidate.
    """
    if not address.startswith("+"):
        return UNKNOWN
    try:
        number = phonenumbers.parse(address)
    except phonenumbers.NumberParseException:
        return UNKNOWN
    evidence = _EVIDENCE.get(phonenumbers.number_type(number))
    country = phonenumbers.region_code_for_number(number)
    if evidence is None or country is None or country == "001":
        return UNKNOWN
    codes: tuple[str, ...] = ()
    if country in _BY_AREA_CODE:
        codes = area_codes().regions.get(str(number.national_number)[:3], ())
    return tuple(Place(code=code, evidence=evidence) for code in codes or (country,))
