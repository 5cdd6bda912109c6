"""What can go wrong when something is to end."""

from tallylight.errors import TallylightError


class RetentionError(TallylightError):
    """Any failure of the retention room."""

    code = "retention"


class NobodyError(RetentionError):
    """The address is no person's: a hidden caller's recordings are erased by their deadline."""

    code = "erasure_nobody"


class CertificateError(RetentionError):
    """The certificate was changed, or was not signed by this key."""

    code = "certificate_invalid"
