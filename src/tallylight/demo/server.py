"""`tallylight` as a user runs it: a server process, and commands beside it."""

import asyncio
import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

TALLYLIGHT = (sys.executable, "-W", "ignore::DeprecationWarning", "-m", "tallylight")
START_S = 60.0
STOP_S = 15.0


class DemoFailed(Exception):
    """Something did not go as the demo expects; the message says what."""


class ServerProcess:
    """`tallylight serve` on a data folder."""

    def __init__(self, process: asyncio.subprocess.Process, ready: str) -> None:
        self._process = process
        self.ready = ready
        """The line it printed once its doors were open."""

    @classmethod
    async def start(cls, data: Path, *, sip_port: int, agent: str) -> "ServerProcess":
        """Start it and wait for the line `ready`. Raises DemoFailed."""
        arguments = ("serve", "--data", str(data), "--sip", f"127.0.0.1:{sip_port}", "--connect", agent)
        process = await asyncio.create_subprocess_exec(*TALLYLIGHT, *arguments, stdout=subprocess.PIPE)
        assert process.stdout is not None
        try:
            line = (await asyncio.wait_for(process.stdout.readline(), START_S)).decode().strip()
        except TimeoutError:
            process.kill()
            raise DemoFailed(f"the server was not ready within {START_S:g} s") from None
        if not line.startswith("ready "):
            raise DemoFailed(f"the server did not start; it exited with {await process.wait()}")
        return cls(process, line)

    async def stop(self) -> int:
        """SIGTERM, and wait for it. Returns its exit status."""
        if self._process.returncode is None:
            self._process.terminate()
        try:
            return await asyncio.wait_for(self._process.wait(), STOP_S)
        except TimeoutError:
            self._process.kill()
            raise DemoFailed(f"the server did not stop within {STOP_S:g} s") from None


async def run(arguments: Sequence[str], *, accept: Sequence[int] = (0,)) -> str:
    """One `tallylight` command: what it printed on stdout. Raises DemoFailed for an exit status not accepted."""
    process = await asyncio.create_subprocess_exec(
        *TALLYLIGHT, *arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    output, messages = await process.communicate()
    if process.returncode not in accept:
        raise DemoFailed(f"`tallylight {' '.join(arguments)}` exited {process.returncode}: {messages.decode().strip()}")
    return output.decode()


async def run_json(arguments: Sequence[str]) -> "list[dict[str, object]] | dict[str, object]":
    """As `run` with --json."""
    answer: list[dict[str, object]] | dict[str, object] = json.loads(await run((*arguments, "--json")))
    return answer
