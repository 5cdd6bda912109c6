"""The program `callers` as an object."""

from dataclasses import dataclass
from types import TracebackType
from typing import Self

from tallylight.bench.program import Program, integer, numbers


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What became of the calls: how many ran to their end, and how long each was unanswered, in ms."""

    done: int
    answer_ms: list[float]


class Crowd:
    """People who call. Each call is answered, talks for `talk_s` and hangs up; callers of `bridged` calls press 1 when
    asked, and the crowd is the agent as well."""

    def __init__(self, *, rate: float, talk_s: float, bridged: bool) -> None:
        self._program = Program("tallylight.bench.callers")
        self._program.order({"rate": rate, "talk_s": talk_s, "bridged": bridged})
        self.agent_port = integer(self._program.answer()["agent"])
        """Where the crowd answers as the agent."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._program.__exit__(kind, error, at)

    def call(self, port: int, count: int) -> Outcome:
        """Place `count` calls to a port on loopback; blocks until all are over."""
        self._program.order({"target": port, "count": count})
        answer = self._program.answer()
        return Outcome(done=integer(answer["done"]), answer_ms=numbers(answer["answer_ms"]))
