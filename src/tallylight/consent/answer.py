"""Where one person's answer stands, and what proves it."""

from dataclasses import dataclass
from enum import StrEnum

from tallylight.consent.errors import ConsentError
from tallylight.law.vocabulary import Method, Purpose


class Modality(StrEnum):
    """What of a person is recorded: each has a yes of its own."""

    AUDIO = "audio"
    VIDEO = "video"
    SCREEN = "screen"
    TRANSCRIPT = "transcript"


class ConsentState(StrEnum):
    """What the last act of a person, or the lack of one, was. What it is worth now is `validity.standing`."""

    NONE = "none"
    REQUESTED = "requested"
    GIVEN = "given"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"
    UNKNOWN = "unknown"
    """Asked and not answered, or not understood: never a yes."""


@dataclass(frozen=True, kw_only=True)
class Consent:
    """One person's standing answer and its proof."""

    state: ConsentState = ConsentState.NONE
    purposes: frozenset[Purpose] = frozenset()
    method: Method | None = None
    notice: str | None = None
    """SHA-256 of the exact text of the question."""
    evidence: str | None = None
    """What proves the act, e.g. `digit 1 at 18420 ms`."""
    question_heard: bool = False
    """Heard or read to its end, before the answer."""
    conditional: bool = False
    """The service depended on a yes (Art. 7(4) GDPR). Never so in a flow of ours; an imported consent may say it."""
    at_ms: int | None = None
    """When it was given, refused or withdrawn: ms UTC."""
    modalities: frozenset[Modality] = frozenset({Modality.AUDIO})
    expires_at_ms: int | None = None
    """From then on it is no yes any more: ms UTC. None: it ends with its conversation."""

    @property
    def in_advance(self) -> bool:
        """It was given before the conversation, for this one too: nothing of it is on the recording."""
        return self.state is ConsentState.GIVEN and self.expires_at_ms is not None

    @property
    def flagged(self) -> bool:
        """It rests on somebody else's word, not on the person's own act: a human looks at it."""
        return self.method in SECOND_HAND


NO_ANSWER = Consent()
"""Nobody has asked."""

ON_THE_LINE = frozenset({Method.DIGIT, Method.SPOKEN})
"""Methods by which a person answers in the conversation itself: what they say once recorded proves it."""

SECOND_HAND = frozenset({Method.ATTESTED, Method.IMPORTED})
"""Methods by which somebody else says that a person agreed."""


def attest(standing: Consent, *, purposes: frozenset[Purpose], notice: str, evidence: str, at_ms: int) -> Consent:
    """A member of staff who may do so says that the person agreed, e.g. aloud before the line was recorded.

    It is flagged, and no affirmative act of the person's own (Art. 4(11) GDPR). Raises ConsentError
    (`attested_against_refusal`) after the person's no: only their own later act undoes that.
    """
    if standing.state in (ConsentState.REFUSED, ConsentState.WITHDRAWN):
        raise ConsentError(
            "That person said no. Nobody can say yes in their place: ask them again.", code="attested_against_refusal"
        )
    return Consent(
        state=ConsentState.GIVEN,
        purposes=purposes,
        method=Method.ATTESTED,
        notice=notice,
        evidence=evidence,
        question_heard=standing.question_heard,
        at_ms=at_ms,
    )
