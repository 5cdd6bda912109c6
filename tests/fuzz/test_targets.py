"""Every parser that meets bytes of strangers, a few seconds each under a coverage-guided fuzzer: no uncaught exception.

A target is a module `fuzz_*.py` beside the room's tests with a function `fuzz_one(data)`.
"""

import os
import subprocess
import sys

import pytest

from tests import needs

TARGETS = sorted(
    ".".join(path.relative_to(needs.CHECKOUT).with_suffix("").parts)
    for path in (needs.CHECKOUT / "tests").rglob("fuzz_*.py")
)
SECONDS = 600 if os.environ.get("TALLYLIGHT_SOAK") else 3


def test_there_are_targets() -> None:
    assert len(TARGETS) >= 10


@needs.atheris
@pytest.mark.parametrize("target", TARGETS)
def test_no_input_breaks_it(target: str, tmp_path: "os.PathLike[str]") -> None:
    outcome = subprocess.run(
        [sys.executable, "-W", "ignore", "-m", "tests.fuzz.run", target, str(SECONDS), str(tmp_path)],
        cwd=needs.CHECKOUT,
        capture_output=True,
        text=True,
        timeout=SECONDS + 60,
        check=False,
    )
    assert outcome.returncode == 0, outcome.stderr[-4000:]
