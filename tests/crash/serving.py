"""`tallylight serve` as a process that is killed, on a data folder that outlives it."""

import asyncio
import contextlib
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.peers.house import CONFIGURATION
from tests.peers.ports import LOOPBACK, Ports

READY_S = 60.0
SHORT_PROMPTS = "prompt_seconds = 0.2\nrepeat_wait_s = 0.3\nproof_after_s = 0.5"


def furnish(data: Path, ports: Ports, *, flow: str = SHORT_PROMPTS, project: str = "") -> None:
    """A data folder with a `tallylight.toml`."""
    data.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = data / "tallylight.toml"
    first, last = ports.media(0)[0], ports.media(3)[1]
    path.write_text(
        CONFIGURATION.format(flow=flow, project=project, first=first, last=last, sip='allowed = ["127.0.0.0/8"]')
    )
    path.chmod(0o600)


@contextlib.contextmanager
def spoken_once(data: Path, prompts: Path) -> Iterator[None]:
    """Prompts that another server of this run has spoken are taken from `prompts`, and kept there for the next one."""
    cache = data / "cache" / "prompts"
    if prompts.is_dir() and not cache.exists():
        shutil.copytree(prompts, cache)
    yield
    if not prompts.is_dir() and cache.is_dir():
        draft = prompts.with_name(f"{prompts.name}.{os.getpid()}")
        shutil.copytree(cache, draft)
        try:
            draft.rename(prompts)
        except OSError:
            shutil.rmtree(draft)  # another worker was faster


@dataclass(frozen=True, kw_only=True)
class Serving:
    """A server process that is ready."""

    process: asyncio.subprocess.Process
    errors: Path
    ready_s: float
    """From its start to the line `ready`."""

    async def kill(self) -> int:
        """`kill -9`, now. Returns the wall clock of that instant in ms."""
        self.process.kill()
        at_ms = time.time_ns() // 1_000_000
        await self.process.wait()
        return at_ms

    async def terminate(self, within_s: float) -> tuple[int, float]:
        """SIGTERM. Returns the exit status and how long it took; fails where that is longer than `within_s`."""
        began = time.monotonic()
        self.process.send_signal(signal.SIGTERM)
        status = await asyncio.wait_for(self.process.wait(), within_s)
        return status, time.monotonic() - began


async def launch(data: Path, *, sip_port: int, agent: str) -> tuple[asyncio.subprocess.Process, Path]:
    """Start a server and wait for nothing."""
    errors = data.parent / f"{data.name}.stderr"
    with errors.open("ab") as stderr:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "tallylight", "serve", "--data", str(data)),
            *("--sip", f"{LOOPBACK}:{sip_port}", "--connect", agent),
            stdout=subprocess.PIPE,
            stderr=stderr,
            env={**os.environ, "PYTHONWARNINGS": "ignore::DeprecationWarning"},
        )
    return process, errors


async def serve(data: Path, *, sip_port: int, agent: str) -> Serving:
    """Start a server and wait until it says that it is ready."""
    began = time.monotonic()
    process, errors = await launch(data, sip_port=sip_port, agent=agent)
    assert process.stdout is not None
    line = await asyncio.wait_for(process.stdout.readline(), READY_S)
    assert line.startswith(b"ready "), (line, errors.read_text()[-2000:])
    return Serving(process=process, errors=errors, ready_s=time.monotonic() - began)
