"""Where somebody may be, judged by their address alone. Unknown stays unknown, and unknown is strict."""

import phonenumbers
from phonenumbers import PhoneNumberType

from tallylight.policy.situation import Place, PlaceEvidence

UNKNOWN = (Place(code=None, evidence=PlaceEvidence.UNKNOWN),)

_EVIDENCE = {
    PhoneNumberType.FIXED_LINE: PlaceEvidence.FIXED_NUMBER,
    PhoneNumberType.MOBILE: PlaceEvidence.MOBILE_NUMBER,
    PhoneNumberType.FIXED_LINE_OR_MOBILE: PlaceEvidence.MOBILE_NUMBER,
}


def places_of(address: str) -> tuple[Place, ...]:
    """The places an E.164 number speaks for; anything else (a SIP address, a toll-free or VoIP number) is unknown.

    A North American number gives no region: area codes come with the full law, and until then the strictest one holds.
    """
    if not address.startswith("+"):
        return UNKNOWN
    try:
        number = phonenumbers.parse(address)
    except phonenumbers.NumberParseException:
        return UNKNOWN
    evidence = _EVIDENCE.get(phonenumbers.number_type(number))
    region = phonenumbers.region_code_for_number(number)
    if evidence is None or region is None or region == "001":
        return UNKNOWN
    return (Place(code=region, evidence=evidence),)
