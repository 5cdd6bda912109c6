"""What makes a yes a consent: the conditions of Arts 4(11) and 7 GDPR, each checked at the moment of decision."""

from enum import StrEnum

from tallylight.consent.answer import Consent, ConsentState
from tallylight.law.vocabulary import AFFIRMATIVE_METHODS, Purpose


class Condition(StrEnum):
    """One condition of a valid consent."""

    GIVEN = "given"
    NOT_WITHDRAWN = "not_withdrawn"
    """Art. 7(3)."""
    AFFIRMATIVE = "affirmative"
    """A clear affirmative act: Art. 4(11), recital 32."""
    UNAMBIGUOUS = "unambiguous"
    """An answer to the question, heard to its end: Art. 4(11)."""
    PRIOR = "prior"
    """Not later than what rests on it."""
    FREELY_GIVEN = "freely_given"
    """No service depends on it, and no employer asks it: Art. 7(4), recitals 42 and 43."""
    SPECIFIC = "specific"
    """For this purpose: Art. 6(1)(a), recitals 32 and 43."""
    INFORMED = "informed"
    """The person was told, in a wording that is kept: Arts 4(11), 13."""
    PROVABLE = "provable"
    """Art. 7(1)."""


WORDS = {
    Condition.GIVEN: "nobody said yes",
    Condition.NOT_WITHDRAWN: "it was withdrawn",
    Condition.AFFIRMATIVE: "it was not a clear act",
    Condition.UNAMBIGUOUS: "the question had not been heard to its end",
    Condition.PRIOR: "it came later",
    Condition.FREELY_GIVEN: "it was not free",
    Condition.SPECIFIC: "it was not given for this purpose",
    Condition.INFORMED: "the person had not been told what for",
    Condition.PROVABLE: "nothing proves it",
}
"""Each failing condition, to follow "this consent does not count:"."""


def failing_conditions(
    consent: Consent, *, purpose: Purpose, at_ms: int, told: bool, employed: bool
) -> tuple[Condition, ...]:
    """The conditions that do not hold at `at_ms` (ms UTC); none: the consent is valid for the purpose.

    `told`: the person has heard the notice. `employed`: the person works for the controller.
    """
    holds = (
        (Condition.GIVEN, consent.state in (ConsentState.GIVEN, ConsentState.WITHDRAWN)),
        (Condition.NOT_WITHDRAWN, consent.state is not ConsentState.WITHDRAWN),
        (Condition.AFFIRMATIVE, consent.method in AFFIRMATIVE_METHODS),
        (Condition.UNAMBIGUOUS, consent.question_heard),
        (Condition.PRIOR, consent.at_ms is not None and consent.at_ms <= at_ms),
        (Condition.FREELY_GIVEN, not consent.conditional and not employed),
        (Condition.SPECIFIC, purpose in consent.purposes),
        (Condition.INFORMED, told and bool(consent.notice)),
        (Condition.PROVABLE, bool(consent.evidence)),
    )
    return tuple(condition for condition, held in holds if not held)
