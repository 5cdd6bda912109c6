"""What can be wrong with a notice, a purpose, a consent or the record of a lawful basis."""

from tallylight.errors import TallylightError


class NoticeError(TallylightError):
    """A notice cannot be worded; the message says what to change."""

    code = "notice_invalid"


class FlowError(TallylightError):
    """A call flow cannot be read; the message says what to change."""

    code = "flow_invalid"


class PurposeError(TallylightError):
    """A purpose is not one there is, or cannot be placed; the message names the nearest."""

    code = "purpose_invalid"


class BasisError(TallylightError):
    """A lawful basis is not documented as the law asks; the message names what is missing."""

    code = "basis_invalid"


class ConsentError(TallylightError):
    """A consent cannot stand as it is stated; the message says why."""

    code = "consent_invalid"
