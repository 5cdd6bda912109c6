"""The consent dialogue with one caller, as a state machine without I/O.

Notice, question, four seconds, the question once more, four seconds: silence. A refusal counts at any moment; a yes
only once the question has been heard to its end; the details key speaks the details and asks the question anew.

An answer may be spoken too. Nothing may be stored before the consent, so both are judged in memory: a clear no refuses
at once; a yes is asked for a second time, and only the second one gives consent. The recogniser takes 2 to 6 noes
in a hundred for a yes, so one alone is no consent; how often it errs twice in a row nobody has measured. What is said
to the acknowledgement, a third yes, is on the recording. Words that are no answer bring the question once more, as silence.
"""

from dataclasses import dataclass
from enum import StrEnum

YES = "1"
NO = "2"
DETAILS = "9"
DETAILS_AT_MOST = 3
"""How often one caller may ask for the details: the dialogue must end."""


class Part(StrEnum):
    """A text the dialogue speaks."""

    NOTICE = "notice"
    QUESTION = "question"
    QUESTION_AGAIN = "question_again"
    DETAILS = "details"
    CONFIRM = "confirm"
    """After a spoken yes: say it once more."""


class Said(StrEnum):
    """What a recogniser made of somebody's words."""

    YES = "yes"
    NO = "no"
    UNCLEAR = "unclear"


class Answer(StrEnum):
    """How the dialogue ended."""

    GIVEN = "given"
    REFUSED = "refused"
    SILENT = "silent"


@dataclass(frozen=True)
class Speak:
    """Say this part; `QuestionDialogue.spoken` when it has been heard to its end."""

    part: Part


@dataclass(frozen=True)
class Listen:
    """Stay silent for this long; `QuestionDialogue.waited` afterwards."""

    seconds: float


@dataclass(frozen=True)
class Noticed:
    """The notice has been heard to its end."""


@dataclass(frozen=True)
class Asked:
    """The question begins (anew)."""


@dataclass(frozen=True)
class Heard:
    """The question has been heard to its end: a yes counts from now on."""


@dataclass(frozen=True)
class TooEarly:
    """A yes before the question was heard: it opens nothing."""


@dataclass(frozen=True)
class Finished:
    answer: Answer


Step = Speak | Listen | Noticed | Asked | Heard | TooEarly | Finished


class QuestionDialogue:
    """Feed it what happens (`start`, `spoken`, `waited`, `pressed`, `said`); do what it returns, in order."""

    def __init__(self, *, repeat_wait_s: float) -> None:
        self._repeat_wait_s = repeat_wait_s
        self._speaking: Part | None = None
        self._noticed = False
        self._heard = False
        self._repeated = False
        self._agreed = False
        """A yes was said; the next one confirms it."""
        self._details = 0
        self.answer: Answer | None = None

    def start(self) -> list[Step]:
        return [self._speak(Part.NOTICE)]

    def spoken(self) -> list[Step]:
        """The part being spoken was heard to its end."""
        part, self._speaking = self._speaking, None
        if self.answer is not None or part is None:
            return []
        if part is Part.NOTICE:
            self._noticed = True
            return [Noticed(), *self._ask()]
        if part is Part.DETAILS:
            return self._ask() if self._noticed else [self._speak(Part.NOTICE)]
        steps: list[Step] = [] if self._heard else [Heard()]
        self._heard = True
        return [*steps, Listen(self._repeat_wait_s)]

    def waited(self) -> list[Step]:
        """The silence after a question went by without an answer."""
        if self.answer is not None or self._speaking is not None:
            return []
        self._agreed = False
        if not self._repeated:
            self._repeated = True
            return [self._speak(Part.QUESTION_AGAIN)]
        return self._finish(Answer.SILENT)

    def pressed(self, key: str) -> list[Step]:
        """A key was pressed."""
        if self.answer is not None:
            return []
        if key == NO:
            return self._finish(Answer.REFUSED)
        if key == YES:
            return self._finish(Answer.GIVEN) if self._heard else [TooEarly()]
        if key == DETAILS and self._details < DETAILS_AT_MOST and self._speaking is not Part.DETAILS:
            self._details += 1
            self._heard = False
            self._repeated = False
            self._agreed = False
            return [self._speak(Part.DETAILS)]
        return []

    def said(self, words: Said) -> list[Step]:
        """Somebody spoke and paused. Words other than a no count only while nothing is spoken to them."""
        if self.answer is not None:
            return []
        if words is Said.NO:
            return self._finish(Answer.REFUSED)
        if self._speaking is not None or not self._heard:
            return []
        if words is Said.UNCLEAR:
            return self.waited()
        if self._agreed:
            return self._finish(Answer.GIVEN)
        self._agreed = True
        return [self._speak(Part.CONFIRM)]

    def _ask(self) -> list[Step]:
        return [Asked(), self._speak(Part.QUESTION)]

    def _speak(self, part: Part) -> Speak:
        self._speaking = part
        return Speak(part)

    def _finish(self, answer: Answer) -> list[Step]:
        self.answer = answer
        return [Finished(answer)]
