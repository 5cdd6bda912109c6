"""What a benchmark found: figures, each with its unit and, where there is one, the limit it is to keep."""

import os
import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

Number = int | float


@dataclass(frozen=True, kw_only=True)
class Figure:
    """One figure. `at_least` or `at_most` is what it is to keep; `spread` is (least, most) over the repetitions."""

    name: str
    value: Number
    unit: str
    at_least: Number | None = None
    at_most: Number | None = None
    spread: tuple[Number, Number] | None = None

    @property
    def met(self) -> bool | None:
        """Whether the limit is kept; None where there is none."""
        if self.at_least is None and self.at_most is None:
            return None
        return (self.at_least is None or self.value >= self.at_least) and (
            self.at_most is None or self.value <= self.at_most
        )

    @property
    def limit(self) -> str:
        """The limit in words."""
        words = [f"≥ {self.at_least:g}"] if self.at_least is not None else []
        return " ".join([*words, *([f"≤ {self.at_most:g}"] if self.at_most is not None else [])])


@dataclass(frozen=True, kw_only=True)
class Findings:
    """One benchmark's outcome."""

    benchmark: str
    method: Sequence[str]
    figures: Sequence[Figure]

    def as_json(self) -> Mapping[str, object]:
        """For `--json`."""
        return {
            "benchmark": self.benchmark,
            "machine": machine(),
            "method": list(self.method),
            "figures": [
                {
                    "name": figure.name,
                    "value": figure.value,
                    "unit": figure.unit,
                    "least": figure.spread[0] if figure.spread else None,
                    "most": figure.spread[1] if figure.spread else None,
                    "at_least": figure.at_least,
                    "at_most": figure.at_most,
                    "met": figure.met,
                }
                for figure in self.figures
            ],
        }


def median_figure(
    name: str,
    values: Sequence[float],
    unit: str,
    *,
    at_least: Number | None = None,
    at_most: Number | None = None,
) -> Figure:
    """The middle of several repetitions, with the least and the most."""
    ordered = sorted(values)
    return Figure(
        name=name,
        value=ordered[len(ordered) // 2],
        unit=unit,
        at_least=at_least,
        at_most=at_most,
        spread=(ordered[0], ordered[-1]),
    )


def machine() -> str:
    """The machine in words: cores, processor, system, Python, load."""
    load = os.getloadavg()[0]
    return (
        f"{os.cpu_count()} cores of {_processor()}, {platform.system()} {platform.release()}, "
        f"Python {platform.python_version()}, load {load:.1f}"
    )


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="ascii", errors="replace").splitlines()
    except OSError:
        return platform.machine()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()
