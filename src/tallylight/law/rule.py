"""One dated rule of law, and how it is read from TOML."""

import datetime
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeVar

from tallylight.law.errors import LawError
from tallylight.law.vocabulary import Confidence, LawfulBasis, Layer, Method, Purpose, Reach, Standard

EVERY_PURPOSE = "*"

Word = TypeVar("Word", bound=StrEnum)


@dataclass(frozen=True, kw_only=True, eq=False)
class Rule:
    """What one jurisdiction asks in one layer. Fields that a layer does not use keep their defaults.

    Compared by identity: packs are compared by hash, and rules are keys of caches on the way to every decision.
    """

    id: str
    jurisdiction: str
    """A country (`DK`), a country and region (`US-CA`), an area (`EEA`) or `unknown`."""
    layer: Layer
    standard: Standard | None = None
    """Wiretap only."""
    reach: Reach = Reach.UNSETTLED
    """All-party wiretap rules only."""
    methods: frozenset[Method] = frozenset()
    """Ways of consent the rule accepts (wiretap and consent layers)."""
    bases: frozenset[LawfulBasis] = frozenset()
    """Lawful bases the rule accepts (ground layer)."""
    purposes: frozenset[Purpose] | None = None
    """None: every purpose."""
    floor: bool = False
    """True: the least that holds everywhere in the area; it does not settle what a country or region asks beyond it."""
    cite: str
    source: str
    effective_from: str | None = None
    """ISO date; None: in force as far back as it matters."""
    effective_to: str | None = None
    """ISO date of the first day it no longer holds."""
    checked_at: str
    confidence: Confidence
    explain: str
    """One sentence a person understands."""

    def in_force(self, day: str) -> bool:
        """Whether the rule holds on an ISO date."""
        return (self.effective_from is None or self.effective_from <= day) and (
            self.effective_to is None or day < self.effective_to
        )

    def covers(self, purpose: Purpose) -> bool:
        return self.purposes is None or purpose in self.purposes


_REQUIRED = frozenset({"id", "jurisdiction", "layer", "cite", "source", "checked_at", "confidence", "explain"})
_FIELDS = _REQUIRED | {"standard", "reach", "accepts", "purposes", "floor", "effective_from", "effective_to"}


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
        missing, unknown = _REQUIRED - self._table.keys(), self._table.keys() - _FIELDS
        if missing:
            raise self._error(f"add {_listed(missing)}.")
        if unknown:
            raise self._error(f"{_listed(unknown)} is no field of a rule: remove it or correct its spelling.")
        layer = self._word("layer", Layer)
        standard = self._word("standard", Standard) if "standard" in self._table else None
        if (layer is Layer.WIRETAP) != (standard is not None):
            raise self._error("a wiretap rule, and no other, has a standard: one_party or all_party.")
        accepts_methods = layer is Layer.CONSENT or standard is Standard.ALL_PARTY
        if ("accepts" in self._table) != (accepts_methods or layer is Layer.GROUND):
            raise self._error("accepts belongs to all-party, consent and ground rules, and each of them needs it.")
        if "reach" in self._table and standard is not Standard.ALL_PARTY:
            raise self._error("reach belongs to all-party rules.")
        effective_from, effective_to = self._date("effective_from"), self._date("effective_to")
        if effective_from is not None and effective_to is not None and effective_to <= effective_from:
            raise self._error("effective_to must be after effective_from.")
        return Rule(
            id=self._text("id"),
            jurisdiction=self._text("jurisdiction"),
            layer=layer,
            standard=standard,
            reach=self._word("reach", Reach) if "reach" in self._table else Reach.UNSETTLED,
            methods=self._words("accepts", Method) if accepts_methods else frozenset(),
            bases=self._words("accepts", LawfulBasis) if layer is Layer.GROUND else frozenset(),
            purposes=self._purposes(),
            floor=self._flag("floor"),
            cite=self._text("cite"),
            source=self._text("source"),
            effective_from=effective_from,
            effective_to=effective_to,
            checked_at=self._date("checked_at") or "",
            confidence=self._word("confidence", Confidence),
            explain=self._text("explain"),
        )

    def _purposes(self) -> frozenset[Purpose] | None:
        if self._table.get("purposes", [EVERY_PURPOSE]) == [EVERY_PURPOSE]:
            return None
        return self._words("purposes", Purpose)

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
        for word in words:
            if word == value:
                return word
        raise self._error(f"{field} knows no {value!r}; it is one of {_listed(words)}.")

    def _error(self, message: str) -> LawError:
        return LawError(f"{self._where}: {message}")


def _listed(words: Iterable[str]) -> str:
    return ", ".join(sorted(words))
