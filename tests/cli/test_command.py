"""How the command itself behaves: light help, quiet pipes, a template, an exit status."""

import importlib.metadata
import json
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from tallylight.config.file import FILE_NAME, load
from tests.cli.conftest import Recorded, Run, error

HEAVY = (
    "fastapi",
    "sqlalchemy",
    "starlette",
    "uvicorn",
    "obstore",
    "cryptography",
    "aiosipua",
    "phonenumbers",
    "alembic",
)


@pytest.mark.parametrize(
    "arguments", [("--help",), ("recordings", "export", "--help"), ("serve", "--help"), ("--version",)]
)
def test_help_loads_no_heavy_room(arguments: tuple[str, ...]) -> None:
    program = (
        "import sys\n"
        "from tallylight.cli import main\n"
        "try: main()\n"
        "except SystemExit as end: assert not end.code, end.code\n"
        f"print([name for name in {HEAVY!r} if name in sys.modules], file=sys.stderr)"
    )
    helped = subprocess.run([sys.executable, "-c", program, *arguments], capture_output=True, text=True, check=True)
    assert helped.stderr.strip() == "[]"
    assert helped.stdout


def test_version(run: Run) -> None:
    assert run("--version").stdout == importlib.metadata.version("tallylight") + "\n"


def test_init_writes_a_file_that_can_be_read(run: Run, tmp_path: Path) -> None:
    directory = tmp_path / "new" / "data"
    written = run("init", directory, "--json")
    assert written.exit_code == 0, written.stderr
    path = directory / FILE_NAME
    assert json.loads(written.stdout) == {"path": str(path)}
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert load(directory).trial is False
    path.write_text("mine")
    again = run("init", directory, "--json")
    assert (again.exit_code, error(again)["code"]) == (1, "config_exists")
    assert path.read_text() == "mine"


def test_init_where_no_folder_can_be(run: Run, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    refused = run("init", tmp_path / "file" / "data", "--json")
    assert (refused.exit_code, error(refused)["code"]) == (1, "os")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--sip", "5060"), "host with a port"),
        (("--sip", "127.0.0.1:0", "--http", "nowhere"), "host with a port"),
        (("--sip", "127.0.0.1:0"), "--connect"),
    ],
)
def test_serve_says_what_is_missing(tmp_path: Path, options: tuple[str, ...], words: str) -> None:
    served = subprocess.run(
        [sys.executable, "-m", "tallylight", "serve", "--data", tmp_path / "data", *options],
        capture_output=True,
        text=True,
        check=False,
    )
    assert served.returncode == 1
    assert words in served.stderr
    assert "Traceback" not in served.stderr
    assert "ready" not in served.stdout


def test_a_mistake_in_the_file_stops_every_command(recorded: Recorded, run: Run) -> None:
    (recorded.directory / FILE_NAME).write_text("[controler]\n")
    for command in (("recordings", "list"), ("erase", "--person", "+4520123456"), ("ledger", "verify")):
        refused = run(*command, "--data", recorded.directory, "--json")
        assert (refused.exit_code, error(refused)["code"]) == (1, "config_invalid")
        assert "did you mean controller?" in error(refused)["message"]


def test_a_reader_that_leaves_is_no_error(recorded: Recorded) -> None:
    program = [sys.executable, "-m", "tallylight", "ledger", "export", "--data", str(recorded.directory)]
    with subprocess.Popen(program, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as writing:
        assert writing.stdout is not None
        assert writing.stderr is not None
        writing.stdout.close()
        assert writing.stderr.read() == b""
        assert writing.wait(30) == 1


def test_a_wrong_option_is_exit_2(run: Run) -> None:
    wrong = run("recordings", "list", "--nonsense")
    assert wrong.exit_code == 2
    assert wrong.stdout == ""


def test_a_database_that_is_none(recorded: Recorded, run: Run) -> None:
    from tallylight.database.engine import FILE_NAME as DATABASE

    for path in recorded.directory.glob(f"{DATABASE}*"):
        path.unlink()
    (recorded.directory / DATABASE).write_bytes(b"no database at all" * 100)
    refused = run("recordings", "list", "--data", recorded.directory, "--json")
    assert refused.exit_code == 1
    assert error(refused)["code"].startswith("database")
