"""What can go wrong in SIP: one family, each with the status code a peer would be told (RFC 3261 section 21)."""

from tallylight.errors import TallylightError

PHRASES = {
    100: "Trying",
    180: "Ringing",
    183: "Session Progress",
    200: "OK",
    400: "Bad Request",
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not Found",
    405: "Method Not Allowed",
    406: "Not Acceptable",
    407: "Proxy Authentication Required",
    408: "Request Timeout",
    413: "Request Entity Too Large",
    415: "Unsupported Media Type",
    416: "Unsupported URI Scheme",
    420: "Bad Extension",
    480: "Temporarily Unavailable",
    481: "Call/Transaction Does Not Exist",
    482: "Loop Detected",
    483: "Too Many Hops",
    486: "Busy Here",
    487: "Request Terminated",
    488: "Not Acceptable Here",
    491: "Request Pending",
    500: "Server Internal Error",
    501: "Not Implemented",
    503: "Service Unavailable",
    505: "Version Not Supported",
    513: "Message Too Large",
    600: "Busy Everywhere",
    603: "Decline",
}


def phrase_of(status: int) -> str:
    """The standard's reason phrase for a status code, or its class in a word."""
    known = PHRASES.get(status)
    if known is not None:
        return known
    return ("Progress", "Accepted", "Redirected", "Refused", "Failed", "Declined")[min(max(status // 100, 1), 6) - 1]


class SipError(TallylightError):
    """A SIP request cannot be served; `status` is the response code that says so (300 to 699)."""

    code = "sip"

    def __init__(self, status: int, message: str | None = None) -> None:
        super().__init__(message or f"SIP answers {status} {phrase_of(status)}.", code=f"sip_{status}")
        self.status = status


class MalformedUri(SipError):
    """Text that should be a SIP URI (RFC 3261 section 19.1) is none."""

    def __init__(self, reason: str) -> None:
        super().__init__(400, f"This is not a SIP URI: {reason}. Write it like sip:user@host:5060.")
