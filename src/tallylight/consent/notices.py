"""The exact words a person hears, and their hash."""

import functools
import hashlib
import importlib.resources
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from tallylight.consent.errors import NoticeError
from tallylight.consent.purposes import OwnPurpose
from tallylight.consent.wording.form import ASKING, Variant, Wording, parse_wording
from tallylight.law.vocabulary import Mode, Purpose

LANGUAGES = ("en", "da", "de", "fr", "es")
"""What the house can say fluently. No fluent wording in somebody's language is no informed consent."""


WITHDRAW_CODE = "*2"
"""Pressed at any time in the talk."""

WRITTEN = frozenset({Variant.VIDEO, Variant.EMPLOYEE, Variant.COMPANION})
"""Read, not heard: addresses stand as they are typed."""


class NoticeKind(StrEnum):
    """What is said, and when."""

    FIRST_LAYER = "first_layer"
    """Before anything else; worded by the project's mode."""
    FIRST_LAYER_INFORMED = "first_layer_informed"
    """Mode both where no yes is asked for: everybody is told, and may object."""
    QUESTION = "question"
    QUESTION_AGAIN = "question_again"
    QUESTION_SPOKEN = "question_spoken"
    """Where an answer may be spoken as well as pressed."""
    QUESTION_SPOKEN_AGAIN = "question_spoken_again"
    CONFIRM = "confirm"
    """After a spoken yes."""
    DETAILS = "details"
    """On key 9."""
    ACKNOWLEDGEMENT = "acknowledgement"
    ACKNOWLEDGEMENT_SPOKEN = "acknowledgement_spoken"
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


_TELLING = frozenset({NoticeKind.FIRST_LAYER, NoticeKind.FIRST_LAYER_INFORMED})
_ASKING = frozenset(
    {
        NoticeKind.QUESTION,
        NoticeKind.QUESTION_AGAIN,
        NoticeKind.QUESTION_SPOKEN,
        NoticeKind.QUESTION_SPOKEN_AGAIN,
        NoticeKind.CONFIRM,
        NoticeKind.DETAILS,
        NoticeKind.ACKNOWLEDGEMENT,
        NoticeKind.ACKNOWLEDGEMENT_SPOKEN,
        NoticeKind.WITHDRAWN,
    }
)
ALOUD = frozenset(
    {
        NoticeKind.QUESTION_SPOKEN,
        NoticeKind.QUESTION_SPOKEN_AGAIN,
        NoticeKind.CONFIRM,
        NoticeKind.ACKNOWLEDGEMENT_SPOKEN,
    }
)
"""Said only where people may answer aloud."""


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
    def own_purpose(self) -> OwnPurpose | None: ...
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
    version: str
    variant: Variant = Variant.INBOUND
    purposes: frozenset[Purpose] = frozenset()
    """What the listener's own voice is recorded for, as it says; empty: it says nothing of that."""


@functools.cache
def wording(language: str) -> Wording:
    """Raises NoticeError (`language_unknown`) where the house cannot say it fluently."""
    if language not in LANGUAGES:
        raise NoticeError(
            f"There is no wording in {language!r}: choose one of {', '.join(LANGUAGES)}.", code="language_unknown"
        )
    file = importlib.resources.files("tallylight.consent.wording").joinpath(f"{language}.toml")
    return parse_wording(file.read_text(encoding="utf-8"), source=file.name)


@dataclass(frozen=True, kw_only=True)
class Choice:
    """The language somebody is addressed in, and whether a yes in it can be an informed one (Art. 4(11) GDPR)."""

    language: str
    informed: bool


def choose_language(understood: Sequence[str], default: str, fluent: Collection[str] = LANGUAGES) -> Choice:
    """The wording for somebody who understands these languages (tags of RFC 5646, best first).

    Where nothing is known of them the project's own language, `default`, is theirs: they called its line. Where they
    are known to understand only others they are told in it, and no yes counts.
    """
    spoken = [tag.partition("-")[0].casefold() for tag in understood] or [default]
    for language in spoken:
        if language in fluent:
            return Choice(language=language, informed=True)
    return Choice(language=default, informed=False)


def render(
    kind: NoticeKind,
    language: str,
    terms: Terms,
    *,
    withdraw_code: str = WITHDRAW_CODE,
    variant: Variant = Variant.INBOUND,
    words: Wording | None = None,
) -> RenderedNotice:
    """The text of a notice for a project; `withdraw_code` is the keys that take a yes back.

    `words`: an operator's own wording instead of the house's.
    Raises NoticeError for an unknown language or a question nobody may be asked.
    """
    words = wording(language) if words is None else words
    if terms.mode is not Mode.BOTH and kind in _ASKING:
        raise NoticeError(f"Mode {terms.mode.value} records no caller, so nobody is asked: say the first layer alone.")
    if min(terms.retention_months, terms.proof_kept_months) < 1:
        raise NoticeError("A recording is kept for at least one month: set retention_months to 1 or more.")
    text = _template(words, kind, terms.mode, variant).format(
        controller=terms.controller,
        purpose=purpose_words(words, terms),
        months=words.duration(terms.retention_months),
        proof_months=words.duration(terms.proof_kept_months),
        address=terms.policy_address if variant in WRITTEN else words.address(terms.policy_address),
        withdraw=withdrawal(words, variant, withdraw_code),
    )
    return RenderedNotice(
        kind=kind,
        text=text,
        sha256=hashlib.sha256(text.encode()).hexdigest(),
        language=language,
        words_per_minute=words.words_per_minute,
        version=words.version,
        variant=variant,
        purposes=frozenset({terms.purpose}) if terms.mode is Mode.BOTH and kind in _TELLING else frozenset(),
    )


def purpose_words(words: Wording, terms: Terms) -> str:
    """What joins a project's purpose to "records this call ...". Raises NoticeError where an operator's own has none."""
    own = terms.own_purpose
    if own is None:
        return words.purposes[terms.purpose]
    if words.language not in own.words:
        raise NoticeError(
            f"Purpose {own.name!r} has no words in {words.language!r}: add them, or record for another purpose there.",
            code="purpose_unworded",
        )
    return own.words[words.language]


def script(
    variant: Variant, language: str, terms: Terms, *, withdraw_code: str = WITHDRAW_CODE, words: Wording | None = None
) -> tuple[RenderedNotice, ...]:
    """Everything one person is told, and asked, before a recording: in order. Raises NoticeError as `render` does."""
    asks = terms.mode is Mode.BOTH and variant in (Variant.INBOUND, Variant.OUTBOUND, *ASKING)
    kinds = (NoticeKind.FIRST_LAYER, NoticeKind.QUESTION) if asks else (NoticeKind.FIRST_LAYER,)
    return tuple(
        render(kind, language, terms, withdraw_code=withdraw_code, variant=variant, words=words) for kind in kinds
    )


def recall(sha256: str, *several: Terms, withdraw_code: str = WITHDRAW_CODE) -> RenderedNotice | None:
    """The notice of any of these terms whose text has this hash, e.g. of a question of which an event kept only that.

    None where the wording has changed since.
    """
    for terms in several:
        for language in dict.fromkeys((terms.language, *LANGUAGES)):
            for variant in Variant:
                for kind in NoticeKind:
                    try:
                        notice = render(kind, language, terms, withdraw_code=withdraw_code, variant=variant)
                    except NoticeError:
                        continue  # a question nobody may be asked in this mode
                    if notice.sha256 == sha256:
                        return notice
    return None


def withdrawal(words: Wording, variant: Variant, withdraw_code: str) -> str:
    """How a yes is taken back, as the notice names it."""
    match variant:
        case Variant.VIDEO:
            return words.stop_button
        case Variant.COMPANION:
            return withdraw_code
        case _:
            return words.keys(withdraw_code)


def _first_layer(words: Wording, mode: Mode, variant: Variant) -> str:
    if variant is Variant.EMPLOYEE:
        if mode is Mode.NONE:
            raise NoticeError("Mode none records no employee: there is nothing to tell them.")
        return words.variants[variant]
    match mode:
        case Mode.BOTH:
            return words.first_layer if variant is Variant.INBOUND else words.variants[variant]
        case Mode.AGENT_ONLY:
            return words.first_layer_agent_only
        case Mode.NONE:
            return words.first_layer_none
        case _:
            return words.first_layer_on_request


def _template(words: Wording, kind: NoticeKind, mode: Mode, variant: Variant) -> str:
    match kind:
        case NoticeKind.FIRST_LAYER:
            return _first_layer(words, mode, variant)
        case NoticeKind.FIRST_LAYER_INFORMED:
            return words.first_layer_informed
        case NoticeKind.QUESTION:
            return words.questions.get(variant, words.question)
        case NoticeKind.QUESTION_AGAIN:
            return words.question_again
        case NoticeKind.QUESTION_SPOKEN:
            return words.question_spoken
        case NoticeKind.QUESTION_SPOKEN_AGAIN:
            return words.question_spoken_again
        case NoticeKind.CONFIRM:
            return words.confirm
        case NoticeKind.DETAILS:
            return words.details
        case NoticeKind.ACKNOWLEDGEMENT:
            return words.acknowledgement
        case NoticeKind.ACKNOWLEDGEMENT_SPOKEN:
            return words.acknowledgement_spoken
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
