"""What can go wrong when a person asks something of us."""

from tallylight.errors import TallylightError


class ObjectionError(TallylightError):
    """An objection cannot be kept or found; the message says why."""

    code = "objection_invalid"


class StandingYesError(TallylightError):
    """A standing yes cannot be kept or found; the message says why."""

    code = "standing_yes_invalid"
