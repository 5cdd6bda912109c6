"""What a language must be able to say, and how that is read from TOML."""

import string
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from enum import StrEnum

from tallylight.config.words import nearest, one_of
from tallylight.consent.errors import NoticeError
from tallylight.law.vocabulary import Purpose

TWELVE = 12

PLACEHOLDERS = frozenset({"controller", "purpose", "months", "proof_months", "address", "withdraw"})


class Variant(StrEnum):
    """For whom, and on what, a first layer is worded."""

    INBOUND = "inbound"
    OUTBOUND = "outbound"
    VIDEO = "video"
    """Shown, and answered for voice, picture and screen apart."""
    EMPLOYEE = "employee"
    """Written, to the people who answer the calls, before their first one."""
    AGENT_SCRIPT = "agent_script"
    """Read out by the agent."""
    COMPANION = "companion"
    """By SMS or mail, beside what was said."""
    CONTINUED = "continued"
    """For laws that accept staying on after an announcement; an unrecorded line is offered. Never a GDPR consent."""


WORDED = tuple(variant for variant in Variant if variant is not Variant.INBOUND)
"""Variants with a text of their own; the inbound ones stand under `texts`."""
ASKING = (Variant.VIDEO, Variant.AGENT_SCRIPT)
"""Variants with a question of their own."""


@dataclass(frozen=True, kw_only=True)
class Wording:
    """One language. Texts take {controller}, {purpose}, {months}, {proof_months} and {address} and {withdraw}."""

    language: str
    """ISO 639-1."""
    version: str
    """Of all its texts together."""
    words_per_minute: int
    """The rate the synthesiser is set to: 160 to 200, German 195."""

    first_layer: str
    """Mode both, and the question follows."""
    first_layer_informed: str
    """Mode both where no yes is asked for: told, and free to object."""
    first_layer_agent_only: str
    first_layer_on_request: str
    """The employee alone, and others later if at all."""
    first_layer_none: str
    question: str
    question_again: str
    question_spoken: str
    """Where an answer may be spoken as well as pressed. So below."""
    question_spoken_again: str
    confirm: str
    """After a spoken yes."""
    details: str
    acknowledgement: str
    acknowledgement_spoken: str
    """After a spoken yes: the clip is to hold one."""
    not_recorded: str
    """After a no or silence, where the employee is recorded."""
    nothing_recorded: str
    """After a no or silence, where nobody is."""
    withdrawn: str
    apology: str
    paused: str
    resumed: str

    variants: Mapping[Variant, str]
    """First layers in mode both other than the inbound one."""
    questions: Mapping[Variant, str]
    """Where it is not asked as on the phone."""
    purposes: Mapping[Purpose, str]
    """Each with the words that join it to "records this call ..."."""

    numbers: tuple[str, ...]
    """One to twelve, as they stand before `month` or `months`."""
    digits: tuple[str, ...]
    """Nought to nine, as keys are named."""
    star: str
    hash: str
    month: str
    months: str
    dot: str
    slash: str
    dash: str
    stop_button: str
    """What ends one's own recording on a screen."""

    says_recorded: tuple[str, ...]
    """Beginnings of words, any of which says that a call is recorded. So below."""
    says_stored: tuple[str, ...]
    says_same_service: tuple[str, ...]
    says_object: tuple[str, ...]
    """That one may object."""
    says_unrecorded: tuple[str, ...]
    """That there is a line without recording."""
    hedges: tuple[str, ...]
    """"May be recorded": what leaves it open whether it is."""
    conditions: tuple[str, ...]
    """What makes the service depend on a yes."""

    def duration(self, months: int) -> str:
        """`three months`; from thirteen on in digits."""
        number = self.numbers[months - 1] if months <= TWELVE else str(months)
        return f"{number} {self.month if months == 1 else self.months}"

    def address(self, address: str) -> str:
        """`example.com/privacy` as it is spoken."""
        bare = address.strip().partition("://")[2] or address.strip()
        spoken = bare.rstrip("/").replace("-", f" {self.dash} ").replace("/", f" {self.slash} ")
        return " ".join(spoken.replace(".", f" {self.dot} ").split())

    def keys(self, code: str) -> str:
        """`*2` as it is spoken."""
        names = {"*": self.star, "#": self.hash, **{str(digit): name for digit, name in enumerate(self.digits)}}
        return " ".join(names.get(key, key) for key in code)


_HEAD = ("language", "version", "words_per_minute")
_LINT = tuple(
    field.name for field in fields(Wording) if field.name.startswith("says_") or field.name in ("hedges", "conditions")
)
_LISTS = {"numbers": TWELVE, "digits": 10}
_NAMES = (*_LISTS, "star", "hash", "month", "months", "dot", "slash", "dash", "stop_button")
_TEXTS = tuple(field.name for field in fields(Wording) if field.type is str and field.name not in (*_HEAD, *_NAMES))
FOLLOWING = tuple(name for name in _TEXTS if not name.startswith("first_layer"))
"""The texts that come after a first layer."""
_TABLES: Mapping[str, tuple[str, ...]] = {
    "texts": _TEXTS,
    "variants": tuple(WORDED),
    "questions": tuple(ASKING),
    "purposes": tuple(Purpose),
    "names": _NAMES,
    "lint": _LINT,
}
"""Every table of the file with its keys; all of them are needed."""


def parse_wording(text: str, *, source: str) -> Wording:
    """A wording from its TOML. Raises NoticeError (`wording_invalid`) with one line for everything that is wrong."""
    try:
        content = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise NoticeError(f"{source} is no TOML file: {error}.", code="wording_invalid") from None
    wrong = list(_wrong(content))
    if wrong:
        raise NoticeError("\n".join(f"{source}: {line}." for line in wrong), code="wording_invalid")
    values: dict[str, object] = {key: content[key] for key in _HEAD}
    for table in ("texts", "names", "lint"):
        values.update(
            {key: tuple(value) if isinstance(value, list) else value for key, value in content[table].items()}
        )
    return Wording(
        **values,  # type: ignore[arg-type]
        variants={Variant(key): value for key, value in content["variants"].items()},
        questions={Variant(key): value for key, value in content["questions"].items()},
        purposes={Purpose(key): value for key, value in content["purposes"].items()},
    )


def _wrong(content: Mapping[str, object]) -> Iterator[str]:
    yield from _keys("", content, (*_HEAD, *_TABLES))
    for key in ("language", "version"):
        if key in content and not _is_text(content[key]):
            yield f"{key} must be a text"
    rate = content.get("words_per_minute", 160)
    if type(rate) is not int or not 160 <= rate <= 200:
        yield f"words_per_minute must be a whole number from 160 to 200, not {rate!r}"
    for name, keys in _TABLES.items():
        table = content.get(name, {})
        if not isinstance(table, Mapping):
            yield f"{name} must be a table"
            continue
        if name in content:
            yield from _keys(f"{name}.", table, keys)
        for key, value in table.items():
            yield from _wrong_value(name, key, value)


def _keys(path: str, found: Mapping[str, object], wanted: tuple[str, ...]) -> Iterator[str]:
    for key in wanted:
        if key not in found:
            yield f"{path}{key} is missing; add it"
    for key in found:
        if key not in wanted:
            yield f"{path}{one_of(key, wanted)}"


def _wrong_value(table: str, key: str, value: object) -> Iterator[str]:
    if table == "lint" or key in _LISTS:
        if not isinstance(value, list) or not value or not all(_is_text(item) for item in value):
            yield f"{table}.{key} must be a list of texts"
        elif len(value) != _LISTS.get(key, len(value)):
            yield f"{table}.{key} must be {_LISTS[key]} texts, not {len(value)}"
    elif not _is_text(value):
        yield f"{table}.{key} must be a text"
    elif table in ("texts", "variants", "questions"):
        yield from _wrong_placeholders(f"{table}.{key}", str(value))


def _wrong_placeholders(path: str, text: str) -> Iterator[str]:
    try:
        found = [(name, spec, conversion) for _, name, spec, conversion in string.Formatter().parse(text)]
    except ValueError as error:
        yield f"{path} has a brace without its other half ({error})"
        return
    for name, spec, conversion in found:
        if name is None:
            continue
        if name not in PLACEHOLDERS or spec or conversion:
            yield f"{path}: {{{name}}} is no placeholder; there are {', '.join(sorted(PLACEHOLDERS))}" + nearest(
                name, PLACEHOLDERS
            )


def _is_text(value: object) -> bool:
    return isinstance(value, str) and bool(value.strip())
