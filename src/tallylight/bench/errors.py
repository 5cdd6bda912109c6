"""What can keep a benchmark from giving figures."""

from tallylight.errors import TallylightError


class BenchFailed(TallylightError):
    """The run did not go as it must for its figures to mean anything."""

    code = "bench"
