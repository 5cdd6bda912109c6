"""`tallylight serve` as a process: ready, asked by the other commands, stopped in good order."""

import http.client
import json
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.cli.conftest import Run, error

SERVE = (sys.executable, "-m", "tallylight", "serve", "--sip", "127.0.0.1:0", "--connect", "sip:agent@127.0.0.1:9")


@dataclass(frozen=True)
class Served:
    process: "subprocess.Popen[str]"
    directory: Path
    ready: str


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    directory = tmp_path / "data"
    arguments = [*SERVE, "--http", "127.0.0.1:0", "--data", str(directory)]
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield Served(process=process, directory=directory, ready=process.stdout.readline())
        finally:
            process.kill()


def test_a_server_and_the_commands_beside_it(served: Served, run: Run) -> None:
    assert served.ready.startswith("ready ")
    assert "TRIAL" in served.ready
    found = re.search(r"http 127\.0\.0\.1:(\d+)", served.ready)
    assert found is not None
    connection = http.client.HTTPConnection("127.0.0.1", int(found[1]), timeout=10)
    connection.request("GET", "/readyz")
    assert connection.getresponse().status == 200
    connection.close()

    listed = run("recordings", "list", "--data", served.directory, "--json")
    assert (listed.exit_code, json.loads(listed.stdout)) == (0, [])
    erased = run("erase", "--person", "+4520123456", "--data", served.directory, "--json")
    assert (erased.exit_code, json.loads(erased.stdout)["state"]) == (0, "complete")
    swept = run("retention", "sweep", "--data", served.directory, "--json")
    assert (swept.exit_code, json.loads(swept.stdout)["state"]) == (0, "nothing_due")
    paused = run("call", "pause", "gone", "--data", served.directory, "--json")
    assert (paused.exit_code, error(paused)["code"]) == (1, "no_such_call")
    assert run("ledger", "verify", "--data", served.directory).exit_code == 0

    second = subprocess.run([*SERVE, "--data", str(served.directory)], capture_output=True, text=True, check=False)
    assert second.returncode == 1
    assert "already runs" in second.stderr

    served.process.send_signal(signal.SIGTERM)
    assert served.process.wait(10) == 0
    assert run("call", "pause", "gone", "--data", served.directory, "--json").exit_code == 1


def test_a_killed_server_holds_nobody_up(served: Served) -> None:
    served.process.kill()
    served.process.wait(10)
    arguments = [*SERVE, "--data", str(served.directory)]
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True) as again:
        assert again.stdout is not None
        assert again.stdout.readline().startswith("ready ")
        again.send_signal(signal.SIGTERM)
        assert again.wait(10) == 0
