"""`tallylight ledger`: verified in place, and by the stand-alone verifier that needs only the export."""

import json
import sqlite3
import subprocess
import sys
from pathlib import Path

from tallylight.database.engine import FILE_NAME
from tests.cli.conftest import Recorded, Run, error


def test_verify(recorded: Recorded, run: Run) -> None:
    verified = run("ledger", "verify", "--data", recorded.directory, "--json")
    assert verified.exit_code == 0, verified.stderr
    report = json.loads(verified.stdout)
    assert report["verified"] is True
    assert report["entries"] == report["signed"] > 10
    plain = run("ledger", "verify", "--data", recorded.directory)
    assert (plain.exit_code, plain.stdout) == (0, "")
    assert plain.stderr.startswith(f"Verified: {report['entries']} entries")


def tamper(directory: Path) -> None:
    with sqlite3.connect(directory / FILE_NAME) as database:
        database.execute("UPDATE event SET actor = 'somebody else' WHERE leaf = 3")


def test_a_changed_entry_is_found(recorded: Recorded, run: Run) -> None:
    tamper(recorded.directory)
    found = run("ledger", "verify", "--data", recorded.directory, "--json")
    assert (found.exit_code, found.stdout) == (1, "")
    assert error(found)["code"] == "ledger_invalid"
    assert "does not verify" in error(found)["message"]


def test_a_key_of_ones_own(recorded: Recorded, run: Run) -> None:
    own = json.loads(run("ledger", "checkpoint", "--data", recorded.directory, "--json").stdout)["key"]
    assert run("ledger", "verify", "--key", own, "--data", recorded.directory).exit_code == 0
    other = run("ledger", "verify", "--key", own[:-4] + "AAA=", "--data", recorded.directory, "--json")
    assert (other.exit_code, error(other)["code"]) == (1, "ledger_invalid")


def test_a_checkpoint_kept_elsewhere(recorded: Recorded, run: Run, tmp_path: Path) -> None:
    kept = tmp_path / "kept.txt"
    kept.write_bytes(run("ledger", "checkpoint", "--data", recorded.directory).stdout_bytes)
    arguments = ("ledger", "verify", "--checkpoint", kept, "--data", recorded.directory, "--json")
    assert run(*arguments).exit_code == 0
    with sqlite3.connect(recorded.directory / FILE_NAME) as database:
        database.execute("DELETE FROM checkpoint")
        database.execute("DELETE FROM event WHERE leaf > 5")
    assert run(*arguments).exit_code == 1


def test_the_export_verifies_without_tallylight(recorded: Recorded, run: Run, tmp_path: Path) -> None:
    export, program = tmp_path / "log.jsonl", tmp_path / "verifier.py"
    assert run("ledger", "export", "--out", export, "--data", recorded.directory).exit_code == 0
    program.write_bytes(run("ledger", "verifier").stdout_bytes)
    # -I -S: no site packages, so that nothing of ours can be imported.
    alone = subprocess.run(
        [sys.executable, "-I", "-S", program, export], capture_output=True, text=True, check=False, cwd=tmp_path
    )
    assert alone.returncode == 0, alone.stdout + alone.stderr
    assert alone.stdout.startswith("verified: ")
    to_stdout = run("ledger", "export", "--data", recorded.directory)
    assert to_stdout.stdout == export.read_text()
    tamper(recorded.directory)
    run("ledger", "export", "--out", export, "--data", recorded.directory)
    alone = subprocess.run(
        [sys.executable, "-I", "-S", program, export], capture_output=True, text=True, check=False, cwd=tmp_path
    )
    assert alone.returncode == 1


def test_a_checkpoint_file_that_is_missing(recorded: Recorded, run: Run, tmp_path: Path) -> None:
    gone = tmp_path / "gone.txt"
    found = run("ledger", "verify", "--checkpoint", gone, "--data", recorded.directory, "--json")
    assert (found.exit_code, error(found)["code"]) == (1, "os")
    assert str(gone) in error(found)["message"]
