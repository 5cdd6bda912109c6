"""Star codes pressed during the talk: recognised, acted on, and kept from the other side.

What may begin a code is held back for a while; if no code comes of it, it is relayed after all, and so is every other
digit.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from tallylight.clock import Clock, Timer


@dataclass(frozen=True, kw_only=True)
class Digit:
    """One key press. `start_ms` is media time; `passes` is true where the tone has already gone by in the sound."""

    key: str
    start_ms: int
    passes: bool = False


class CodeListener(Protocol):
    def code(self, name: str, digit: Digit) -> None:
        """A whole code was pressed; `digit` is its last key."""

    def relay(self, digit: Digit) -> None:
        """Not part of a code: send it to the other side."""


class StarCodes:
    """Recognises the codes of one leg, of any length. `codes` maps `*2` to a name. Media loop only."""

    def __init__(self, *, codes: Mapping[str, str], clock: Clock, wait_s: float, listener: CodeListener) -> None:
        self._codes = codes
        self._clock = clock
        self._wait_s = wait_s
        self._listener = listener
        self._held: list[Digit] = []
        self._timer: Timer | None = None

    def press(self, digit: Digit) -> None:
        """Take one key press: it becomes a code, is held, or is relayed."""
        held = [*self._take_held(), digit]
        while held:
            keys = "".join(each.key for each in held)
            name = self._codes.get(keys)
            if name is not None:
                self._listener.code(name, digit)
                return
            if any(code.startswith(keys) for code in self._codes):
                self._held = held
                self._timer = self._clock.call_later(self._wait_s, self._expire)
                return
            self._relay(held.pop(0))

    def close(self) -> None:
        """The leg is gone: what is held is nobody's."""
        self._take_held()

    def _expire(self) -> None:
        for digit in self._take_held():
            self._relay(digit)

    def _take_held(self) -> list[Digit]:
        held, self._held = self._held, []
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        return held

    def _relay(self, digit: Digit) -> None:
        if not digit.passes:
            self._listener.relay(digit)
