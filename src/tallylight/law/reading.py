"""How a rule is read from its `[[rule]]` table, with every mistake named."""

import datetime
from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import TypeVar, cast

from tallylight.errors import near
from tallylight.law.errors import LawError
from tallylight.law.iso8601 import is_duration
from tallylight.law.rule import Rule
from tallylight.law.vocabulary import (
    CallType,
    Channel,
    CheckedBy,
    Confidence,
    Direction,
    EmployeeForm,
    Exemption,
    LawfulBasis,
    Layer,
    Method,
    Purpose,
    Reach,
    Recorder,
    Release,
    Requirement,
    Role,
    Sector,
    Standard,
    Subject,
)

EVERY = "*"
"""A list that holds only this word leaves nothing out."""

Word = TypeVar("Word", bound=StrEnum)

_REQUIRED = frozenset(
    {"id", "jurisdiction", "layer", "cite", "source", "checked_at", "checked_by", "confidence", "explain"}
)
_EVERYWHERE = frozenset(
    {"purposes", "sectors", "channels", "directions", "call_types", "recorder", "place_of", "exceptions", "floor"}
    | {"contested", "quote", "effective_from", "effective_to"}
)
_OF_LAYER = {
    Layer.WIRETAP: frozenset({"standard", "law_view", "reach", "civil_only", "accepts", "tone_interval_s"}),
    Layer.GROUND: frozenset({"accepts", "requires"}),
    Layer.CONSENT: frozenset({"accepts"}),
    Layer.NOTICE: frozenset[str](),
    Layer.EMPLOYEE: frozenset({"forms", "works_council"}),
    Layer.DUTY: frozenset({"mandatory", "authorises", "retain_min"}),
    Layer.RETENTION: frozenset({"retain_max"}),
    Layer.BIOMETRIC: frozenset({"accepts", "requires", "retain_max"}),
    Layer.MINOR: frozenset[str](),
    Layer.PROHIBITION: frozenset({"subject"}),
}
_NEEDED = {
    Layer.GROUND: "accepts",
    Layer.CONSENT: "accepts",
    Layer.BIOMETRIC: "accepts",
    Layer.RETENTION: "retain_max",
    Layer.PROHIBITION: "subject",
}
_FIELDS = _REQUIRED | _EVERYWHERE | frozenset().union(*_OF_LAYER.values())


def parse_rule(file: str, position: int, table: Mapping[str, object]) -> Rule:
    """One `[[rule]]` table. `position` counts from 1 and names a rule that has no id."""
    return _Reader(file, position, table).rule()


class _Reader:
    def __init__(self, file: str, position: int, table: Mapping[str, object]) -> None:
        identifier = table.get("id")
        self._where = (
            f"{file}, rule {identifier if isinstance(identifier, str) and identifier else f'number {position}'}"
        )
        self._table = table

    def rule(self) -> Rule:
        table = self._table
        missing, unknown = _REQUIRED - table.keys(), table.keys() - _FIELDS
        if missing:
            raise self._error(f"add {_listed(missing)}.")
        if unknown:
            name = min(unknown)
            meant = near(name, _FIELDS)
            hint = f"did you mean {meant[0]}?" if meant else "remove it or correct its spelling."
            raise self._error(f"{_listed(unknown)} is no field of a rule: {hint}")
        layer = self._word("layer", Layer)
        standard = self._word("standard", Standard) if "standard" in table else None
        self._require_shape(layer, standard)
        methods = standard is Standard.ALL_PARTY or layer is Layer.CONSENT
        effective_from, effective_to = self._date("effective_from"), self._date("effective_to")
        if effective_from is not None and effective_to is not None and effective_to <= effective_from:
            raise self._error("effective_to must be after effective_from.")
        return Rule(
            id=self._text("id"),
            jurisdiction=self._text("jurisdiction"),
            layer=layer,
            standard=standard,
            law_view=self._word("law_view", Standard) if "law_view" in table else None,
            reach=self._word("reach", Reach) if "reach" in table else Reach.UNSETTLED,
            civil_only=self._flag("civil_only"),
            methods=self._words("accepts", Method) if methods else frozenset(),
            tone_interval_s=self._seconds("tone_interval_s"),
            bases=self._words("accepts", LawfulBasis) if layer is Layer.GROUND else frozenset(),
            requires=self._words("requires", Requirement) if "requires" in table else frozenset(),
            forms=self._forms(),
            works_council=self._flag("works_council"),
            releases=self._words("accepts", Release) if layer is Layer.BIOMETRIC else frozenset(),
            subject=self._word("subject", Subject) if "subject" in table else None,
            mandatory=self._flag("mandatory"),
            authorises=self._flag("authorises"),
            retain_min=self._duration("retain_min"),
            retain_max=self._duration("retain_max"),
            purposes=self._some("purposes", Purpose),
            sectors=self._some("sectors", Sector),
            channels=self._some("channels", Channel),
            directions=self._some("directions", Direction),
            call_types=self._some("call_types", CallType),
            recorder=self._word("recorder", Recorder) if "recorder" in table else None,
            place_of=self._place_of(),
            exceptions=self._words("exceptions", Exemption) if "exceptions" in table else frozenset(),
            floor=self._flag("floor"),
            contested=self._flag("contested"),
            cite=self._text("cite"),
            quote=self._text("quote") if "quote" in table else None,
            source=self._text("source"),
            effective_from=effective_from,
            effective_to=effective_to,
            checked_at=self._date("checked_at") or "",
            checked_by=self._word("checked_by", CheckedBy),
            confidence=self._word("confidence", Confidence),
            explain=self._text("explain"),
        )

    def _require_shape(self, layer: Layer, standard: Standard | None) -> None:
        table = self._table
        if (layer is Layer.WIRETAP) != (standard is not None):
            raise self._error("a wiretap rule, and no other, has a standard: one_party, informed or all_party.")
        if layer is Layer.WIRETAP and ("accepts" in table) != (standard is Standard.ALL_PARTY):
            raise self._error("accepts belongs to all-party, consent, ground and biometric rules; each needs it.")
        if table.keys() & {"reach", "civil_only"} and standard is not Standard.ALL_PARTY:
            raise self._error("reach and civil_only belong to all-party rules.")
        if layer in _NEEDED and _NEEDED[layer] not in table:
            raise self._error(f"a {layer} rule needs {_NEEDED[layer]}.")
        foreign = table.keys() - _REQUIRED - _EVERYWHERE - _OF_LAYER[layer]
        if foreign:
            raise self._error(f"{_listed(foreign)} does not belong to the {layer} layer.")

    def _some(self, field: str, words: type[Word]) -> frozenset[Word] | None:
        if self._table.get(field, [EVERY]) == [EVERY]:
            return None
        return self._words(field, words)

    def _place_of(self) -> Role | None:
        role = self._word("place_of", Role) if "place_of" in self._table else None
        if role in (None, Role.CUSTOMER):
            return role
        raise self._error("place_of can only be customer.")

    def _forms(self) -> tuple[frozenset[EmployeeForm], ...]:
        value = self._table.get("forms", [[EmployeeForm.TOLD]])
        if not isinstance(value, list) or not all(isinstance(item, list) and item for item in value):
            raise self._error("forms must be a list of lists: any one of them, whole.")
        return tuple(frozenset(self._one("forms", word, EmployeeForm) for word in item) for item in value)

    def _text(self, field: str) -> str:
        value = self._table[field]
        if not isinstance(value, str) or not value.strip():
            raise self._error(f"{field} must be a text.")
        return value

    def _flag(self, field: str) -> bool:
        value = self._table.get(field, False)
        if not isinstance(value, bool):
            raise self._error(f"{field} must be true or false.")
        return value

    def _seconds(self, field: str) -> int | None:
        value = self._table.get(field)
        if value is None or (isinstance(value, int) and not isinstance(value, bool) and value > 0):
            return value
        raise self._error(f"{field} must be a number of seconds.")

    def _duration(self, field: str) -> str | None:
        value = self._table.get(field)
        if value is None or (isinstance(value, str) and is_duration(value)):
            return value
        raise self._error(f"{field} must be an ISO 8601 duration such as P6M.")

    def _date(self, field: str) -> str | None:
        if field not in self._table:
            return None
        text = self._text(field)
        try:
            if datetime.date.fromisoformat(text).isoformat() == text:
                return text
        except ValueError:
            pass
        raise self._error(f"{field} must be a date such as 2026-11-23.")

    def _word(self, field: str, words: type[Word]) -> Word:
        return self._one(field, self._table[field], words)

    def _words(self, field: str, words: type[Word]) -> frozenset[Word]:
        value = self._table[field]
        if not isinstance(value, list) or not value:
            raise self._error(f"{field} must be a list of at least one word.")
        return frozenset(self._one(field, item, words) for item in value)

    def _one(self, field: str, value: object, words: type[Word]) -> Word:
        found = words.__members__.get(str(value).upper())
        if found != value:
            raise self._error(f"{field} knows no {value!r}; it is one of {_listed(words)}.")
        return cast("Word", found)

    def _error(self, message: str) -> LawError:
        return LawError(f"{self._where}: {message}")


def _listed(words: Iterable[str]) -> str:
    return ", ".join(sorted(words))
