"""What can be wrong with the law as data."""

from tallylight.errors import TallylightError


class LawError(TallylightError):
    """A rule pack cannot be used; the message names file, rule and field."""

    code = "law_invalid"
