"""A program of this room as an object: a process that takes orders and gives answers, one JSON line each."""

import json
import subprocess
import sys
from collections.abc import Mapping
from types import TracebackType
from typing import Self

from tallylight.bench.errors import BenchFailed
from tallylight.ledger.commitment import JsonValue

PYTHON = (sys.executable, "-W", "ignore::DeprecationWarning")
STOP_S = 30.0


class Program:
    """`python -m MODULE`, which ends when its stdin does."""

    def __init__(self, module: str) -> None:
        self._process = subprocess.Popen(
            [*PYTHON, "-m", module], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(STOP_S)

    def order(self, order: Mapping[str, JsonValue]) -> None:
        """Give an order, without waiting for its answer."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()

    def answer(self) -> Mapping[str, JsonValue]:
        """The next answer."""
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise BenchFailed("A program that makes the load ended before its time: its own message is above.")
        answer: dict[str, JsonValue] = json.loads(line)
        return answer


def integer(value: JsonValue) -> int:
    """A number in an answer."""
    assert isinstance(value, int)
    return value


def numbers(value: JsonValue) -> list[float]:
    """A list of numbers in an answer."""
    assert isinstance(value, list)
    return [float(each) for each in value if isinstance(each, int | float)]
