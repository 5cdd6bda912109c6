"""Reading one JSON object of a closed form: every name must be taken, and what is wrong is named with what is near."""

import json
from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import TypeVar, cast

from tallylight.errors import TallylightError, near

Value = TypeVar("Value")
Word = TypeVar("Word", bound=StrEnum)


class CaseError(TallylightError):
    """A case is not in the form; the message names the field, the value and the nearest that are."""

    code = "case_invalid"


class Fields:
    """One JSON object, of which every name must be taken."""

    def __init__(self, where: str, table: object) -> None:
        if not isinstance(table, dict):
            raise CaseError(f"{where}: this must be an object.")
        self.where = where
        self._left = cast("dict[str, object]", dict(table))
        self._taken: list[str] = []

    def __contains__(self, name: str) -> bool:
        return name in self._left

    def take(self, name: str, default: object = None) -> object:
        self._taken.append(name)
        return self._left.pop(name, default)

    def flag(self, name: str, default: bool = False) -> bool:
        value = self.take(name, default)
        if not isinstance(value, bool):
            raise self.wrong(name, value, ("true", "false"))
        return value

    def maybe_flag(self, name: str) -> bool | None:
        given = name in self._left
        value = self.flag(name)
        return value if given else None

    def text(self, name: str, default: str | None = None) -> str:
        value = self.take(name, default)
        if not isinstance(value, str):
            raise CaseError(f"{self.where}: {name} must be a text.")
        return value

    def one(self, name: str, values: Mapping[str, Value], default: str | None = None) -> Value:
        return self.check(name, self.take(name, default), values)

    def check(self, name: str, value: object, values: Mapping[str, Value]) -> Value:
        if not isinstance(value, str) or value not in values:
            raise self.wrong(name, value, values)
        return values[value]

    def seconds(self, name: str) -> float | None:
        """A number of seconds or null."""
        value = self.take(name)
        if value is None or (isinstance(value, int | float) and not isinstance(value, bool) and value > 0):
            return value
        raise CaseError(f"{self.where}: {name} must be a number of seconds.")

    def maybe(self, name: str, words: type[Word]) -> Word | None:
        """A word or null; the same as absent."""
        value = self.take(name)
        return None if value is None else self.check(name, value, named(words))

    def several(self, name: str, values: Mapping[str, Value]) -> tuple[Value, ...]:
        found = self.take(name, [])
        if not isinstance(found, list):
            raise CaseError(f"{self.where}: {name} must be a list.")
        return tuple(self.check(name, value, values) for value in found)

    def wrong(self, name: str, value: object, known: Iterable[str]) -> CaseError:
        words = sorted(known)
        meant = near(str(value), words)
        hint = f"; did you mean {meant[0]}?" if meant else "."
        return CaseError(f"{self.where}: {name} knows no {json.dumps(value)}, only {', '.join(words)}{hint}")

    def end(self) -> None:
        """Nothing may be left over."""
        for name in self._left:
            meant = near(name, self._taken)
            hint = f" Did you mean {meant[0]}?" if meant else f" It has {', '.join(sorted(self._taken))}."
            raise CaseError(f"{self.where} has no {name}.{hint}")


def named(words: type[Word]) -> dict[str, Word]:
    return {word.value: word for word in words}
