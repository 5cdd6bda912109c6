"""The program `voices` as an object: aimed, made to speak, and its counts."""

from collections.abc import Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from tallylight.bench.program import Program, integer, numbers


@dataclass(frozen=True, kw_only=True)
class Sung:
    """What one stretch of speaking came to. `late_ms`: how late the sender itself was at worst."""

    sent: int
    heard: int
    late_ms: int


class Choir:
    """Every voice of a benchmark."""

    def __init__(self) -> None:
        self._program = Program("tallylight.bench.voices")
        answer = self._program.answer()
        self._sources = [round(port) for port in numbers(answer["ports"])]
        self.reports_port = integer(answer["reports"])
        """Where RTCP may go."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._program.__exit__(kind, error, at)

    def source_of(self, leg: int) -> int:
        """The port from which leg number `leg` is spoken to."""
        return self._sources[leg % len(self._sources)]

    def aim(self, ports: Sequence[int]) -> None:
        """Speak to these ports from now on."""
        self._program.order({"ports": list(ports)})
        self._program.answer()

    def sing(self, seconds: float) -> None:
        """Begin to speak for so long; `sung` waits for the end."""
        self._program.order({"seconds": seconds})

    def sung(self) -> Sung:
        """The counts, when it is over."""
        answer = self._program.answer()
        return Sung(sent=integer(answer["sent"]), heard=integer(answer["heard"]), late_ms=integer(answer["late_ms"]))
