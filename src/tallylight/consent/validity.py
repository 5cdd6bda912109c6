"""What makes a yes a consent: the conditions of Arts 4(11) and 7 GDPR, each checked at the moment of decision."""

from enum import StrEnum

from tallylight.consent.answer import Consent, ConsentState, Modality
from tallylight.law.vocabulary import AFFIRMATIVE_METHODS, Purpose


class Condition(StrEnum):
    """One condition of a valid consent."""

    GIVEN = "given"
    NOT_WITHDRAWN = "not_withdrawn"
    """Art. 7(3)."""
    NOT_EXPIRED = "not_expired"
    AFFIRMATIVE = "affirmative"
    """A clear affirmative act: Art. 4(11), recital 32."""
    UNAMBIGUOUS = "unambiguous"
    """An answer to the question, heard to its end: Art. 4(11)."""
    PRIOR = "prior"
    """Not later than what rests on it."""
    FREELY_GIVEN = "freely_given"
    """No service depends on it, and no employer asks it: Art. 7(4), recitals 42 and 43."""
    SPECIFIC = "specific"
    """For this purpose, and for this of voice, picture, screen and transcript: Art. 6(1)(a), recitals 32 and 43."""
    INFORMED = "informed"
    """The person was told, in a wording that is kept: Arts 4(11), 13."""
    PROVABLE = "provable"
    """Art. 7(1)."""
    CAPABLE = "capable"
    """By somebody who can give it: Art. 8, recital 38."""


class Standing(StrEnum):
    """What an answer is worth for one purpose at one instant."""

    NONE = "none"
    REQUESTED = "requested"
    GIVEN = "given"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"
    EXPIRED = "expired"
    INVALID = "invalid"
    """A yes that fails a condition."""
    UNKNOWN = "unknown"


WORDS = {
    Condition.GIVEN: "nobody said yes",
    Condition.NOT_WITHDRAWN: "it was withdrawn",
    Condition.NOT_EXPIRED: "it has run out",
    Condition.AFFIRMATIVE: "it was not a clear act",
    Condition.UNAMBIGUOUS: "the question had not been heard to its end",
    Condition.PRIOR: "it came later",
    Condition.FREELY_GIVEN: "it was not free",
    Condition.SPECIFIC: "it was not given for this purpose",
    Condition.INFORMED: "the person had not been told what for",
    Condition.PROVABLE: "nothing proves it",
    Condition.CAPABLE: "the person could not give it",
}
"""Each failing condition, to follow "this consent does not count:"."""


def failing_conditions(
    consent: Consent,
    *,
    purpose: Purpose,
    at_ms: int,
    told: bool,
    employed: bool,
    modality: Modality = Modality.AUDIO,
    capable: bool = True,
) -> tuple[Condition, ...]:
    """The conditions that do not hold at `at_ms` (ms UTC); none: the consent is valid for the purpose.

    `told`: the person has heard the notice, in a language they understand. `employed`: they work for the controller.
    `capable`: false for a minor without a parent's leave.
    """
    holds = (
        (Condition.GIVEN, consent.state in (ConsentState.GIVEN, ConsentState.WITHDRAWN)),
        (Condition.NOT_WITHDRAWN, consent.state is not ConsentState.WITHDRAWN),
        (Condition.NOT_EXPIRED, consent.expires_at_ms is None or at_ms < consent.expires_at_ms),
        (Condition.AFFIRMATIVE, consent.method in AFFIRMATIVE_METHODS),
        (Condition.UNAMBIGUOUS, consent.question_heard),
        (Condition.PRIOR, consent.at_ms is not None and consent.at_ms <= at_ms),
        (Condition.FREELY_GIVEN, not consent.conditional and not employed),
        (Condition.SPECIFIC, purpose in consent.purposes and modality in consent.modalities),
        (Condition.INFORMED, told and bool(consent.notice)),
        (Condition.PROVABLE, bool(consent.evidence)),
        (Condition.CAPABLE, capable),
    )
    return tuple(condition for condition, held in holds if not held)


def standing(
    consent: Consent,
    *,
    purpose: Purpose,
    at_ms: int,
    told: bool,
    employed: bool,
    modality: Modality = Modality.AUDIO,
    capable: bool = True,
) -> Standing:
    """Where an answer stands at `at_ms`: the person's act, or what has become of their yes. As `failing_conditions`."""
    if consent.state is not ConsentState.GIVEN:
        return Standing(consent.state.value)
    failing = failing_conditions(
        consent,
        purpose=purpose,
        at_ms=at_ms,
        told=told,
        employed=employed,
        modality=modality,
        capable=capable,
    )
    if Condition.NOT_EXPIRED in failing:
        return Standing.EXPIRED
    return Standing.INVALID if failing else Standing.GIVEN
