"""What can go wrong at the HTTP rim."""

from tallylight.errors import TallylightError


class HttpUnavailable(TallylightError):
    """The HTTP server could not open its port."""

    code = "http_unavailable"
