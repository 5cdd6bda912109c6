"""Where CI is set, a skip fails the run, unless ../shared is missing."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.needs import CHECKOUT


def run(folder: Path, *options: str, ci: bool) -> subprocess.CompletedProcess[str]:
    """A session of its own over `folder`, with the same hooks."""
    environment = {name: value for name, value in os.environ.items() if name != "CI" and not name.startswith("PYTEST_")}
    environment["PYTHONPATH"] = str(CHECKOUT)
    if ci:
        environment["CI"] = "1"
    command = [sys.executable, "-m", "pytest", "-p", "tests.conftest", "-p", "no:cacheprovider", "-c", os.devnull]
    return subprocess.run(
        [*command, f"--rootdir={folder}", *options, str(folder)],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


SKIPS = {
    "mark": "@pytest.mark.skip(reason='{}')\ndef test_it() -> None: pass",
    "condition": "@pytest.mark.skipif(True, reason='{}')\ndef test_it() -> None: pass",
    "call": "def test_it() -> None: pytest.skip('{}')",
    "fixture": "@pytest.fixture\ndef it() -> None: pytest.skip('{}')\ndef test_it(it: None) -> None: pass",
    "module": "pytest.skip('{}', allow_module_level=True)",
}


def write_skips(folder: Path, reason: str) -> None:
    """One file for each way of skipping, and a test that passes."""
    for way, text in SKIPS.items():
        (folder / f"test_{way}.py").write_text("import pytest\n" + text.format(f"{reason} {way}"))
    (folder / "test_passing.py").write_text("def test_it() -> None: pass")


@pytest.mark.parametrize("workers", ["0", "1"])
def test_a_skip_fails_in_ci(tmp_path: Path, workers: str) -> None:
    write_skips(tmp_path, "needs a peer:")
    failed = run(tmp_path, "-n", workers, "--continue-on-collection-errors", ci=True)
    assert failed.returncode == 1
    missing = [way for way in SKIPS if f"skipped where CI is set: needs a peer: {way}" not in failed.stdout]
    assert missing == []


def test_elsewhere_a_skip_is_a_skip(tmp_path: Path) -> None:
    write_skips(tmp_path, "needs a peer:")
    assert run(tmp_path, "-n", "0", ci=False).returncode == 0


def test_a_missing_shared_folder_is_let_by(tmp_path: Path) -> None:
    write_skips(tmp_path, "needs ../shared:")
    (tmp_path / "test_xfail.py").write_text("import pytest\n@pytest.mark.xfail\ndef test_it() -> None: assert False")
    assert run(tmp_path, "-n", "0", ci=True).returncode == 0


def test_no_tests_at_all_fails(tmp_path: Path) -> None:
    assert run(tmp_path, "-n", "1", ci=True).returncode == 5
