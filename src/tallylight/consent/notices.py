"""The exact words a person hears, and their hash."""

import hashlib
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from tallylight.consent.errors import NoticeError
from tallylight.consent.wording import da, de, en, es, fr
from tallylight.consent.wording.form import VERSION, Wording
from tallylight.law.vocabulary import Mode, Purpose

WORDINGS = {words.language: words for words in (en.WORDING, da.WORDING, de.WORDING, fr.WORDING, es.WORDING)}
LANGUAGES = tuple(WORDINGS)
"""What the house can say fluently. No fluent wording in somebody's language is no informed consent."""


WITHDRAW_CODE = "*2"
"""Pressed at any time in the talk."""


class NoticeKind(StrEnum):
    """What is said, and when."""

    FIRST_LAYER = "first_layer"
    """Before anything else; worded by the project's mode."""
    FIRST_LAYER_INFORMED = "first_layer_informed"
    """Mode both where no yes is asked for: everybody is told, and may object."""
    QUESTION = "question"
    QUESTION_AGAIN = "question_again"
    DETAILS = "details"
    """On key 9."""
    ACKNOWLEDGEMENT = "acknowledgement"
    """After a yes, on the recording."""
    NOT_RECORDED = "not_recorded"
    """The truth after a no or silence: the employee is recorded."""
    NOTHING_RECORDED = "nothing_recorded"
    """The truth after a no or silence: nobody is recorded."""
    WITHDRAWN = "withdrawn"
    APOLOGY = "apology"
    """The agent cannot be reached."""
    PAUSED = "paused"
    RESUMED = "resumed"


_ASKING = frozenset(
    {
        NoticeKind.QUESTION,
        NoticeKind.QUESTION_AGAIN,
        NoticeKind.DETAILS,
        NoticeKind.ACKNOWLEDGEMENT,
        NoticeKind.WITHDRAWN,
    }
)


class Terms(Protocol):
    """What a notice has to tell about a project; its settings are this."""

    @property
    def controller(self) -> str: ...
    @property
    def policy_address(self) -> str: ...
    @property
    def language(self) -> str: ...
    @property
    def mode(self) -> Mode: ...
    @property
    def purpose(self) -> Purpose: ...
    @property
    def retention_months(self) -> int: ...
    @property
    def proof_kept_months(self) -> int: ...


@dataclass(frozen=True, kw_only=True)
class RenderedNotice:
    """A notice as one person hears it."""

    kind: NoticeKind
    text: str
    sha256: str
    """Of the text, UTF-8."""
    language: str
    words_per_minute: int
    version: str = VERSION


def wording(language: str) -> Wording:
    """Raises NoticeError (`language_unknown`) where the house cannot say it fluently."""
    found = WORDINGS.get(language)
    if found is None:
        raise NoticeError(
            f"There is no wording in {language!r}: choose one of {', '.join(LANGUAGES)}.", code="language_unknown"
        )
    return found


def render(kind: NoticeKind, language: str, terms: Terms, *, withdraw_code: str = WITHDRAW_CODE) -> RenderedNotice:
    """The text of a notice for a project; `withdraw_code` is the keys that take a yes back.

    Raises NoticeError for an unknown language or a question nobody may be asked.
    """
    words = wording(language)
    if terms.mode is not Mode.BOTH and kind in _ASKING:
        raise NoticeError(f"Mode {terms.mode.value} records no caller, so nobody is asked: say the first layer alone.")
    if min(terms.retention_months, terms.proof_kept_months) < 1:
        raise NoticeError("A recording is kept for at least one month: set retention_months to 1 or more.")
    text = _template(words, kind, terms.mode).format(
        controller=terms.controller,
        purpose=words.purposes[terms.purpose],
        months=words.duration(terms.retention_months),
        proof_months=words.duration(terms.proof_kept_months),
        address=words.address(terms.policy_address),
        withdraw=words.keys(withdraw_code),
    )
    return RenderedNotice(
        kind=kind,
        text=text,
        sha256=hashlib.sha256(text.encode()).hexdigest(),
        language=language,
        words_per_minute=words.words_per_minute,
    )


def _template(words: Wording, kind: NoticeKind, mode: Mode) -> str:
    match kind:
        case NoticeKind.FIRST_LAYER:
            by_mode = {
                Mode.BOTH: words.first_layer,
                Mode.AGENT_ONLY: words.first_layer_agent_only,
                Mode.NONE: words.first_layer_none,
            }
            return by_mode[mode]
        case NoticeKind.FIRST_LAYER_INFORMED:
            return words.first_layer_informed
        case NoticeKind.QUESTION:
            return words.question
        case NoticeKind.QUESTION_AGAIN:
            return words.question_again
        case NoticeKind.DETAILS:
            return words.details
        case NoticeKind.ACKNOWLEDGEMENT:
            return words.acknowledgement
        case NoticeKind.NOT_RECORDED:
            return words.not_recorded
        case NoticeKind.NOTHING_RECORDED:
            return words.nothing_recorded
        case NoticeKind.WITHDRAWN:
            return words.withdrawn
        case NoticeKind.APOLOGY:
            return words.apology
        case NoticeKind.PAUSED:
            return words.paused
        case NoticeKind.RESUMED:
            return words.resumed
