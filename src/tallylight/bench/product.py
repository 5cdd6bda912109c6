"""Whole calls through `tallylight serve`, and what they cost it."""

import signal
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import func, select

from tallylight.bench.crowd import Crowd
from tallylight.bench.errors import BenchFailed
from tallylight.bench.kernel import cpu_s_of
from tallylight.bench.program import PYTHON
from tallylight.catalogue.tables import track
from tallylight.database.engine import open_database, read_only
from tallylight.database.tables import event

LOOPBACK = "127.0.0.1"
CONFIGURATION = """\
[controller]
name = "Example Ltd"
country = "DK"
policy_address = "example.com/privacy"
terms_acknowledged_by = "the benchmark"
[agents]
country = "DK"
employee_notice = true
[project.main]
language = "en"
mode = "both"
necessity = "the benchmark"
purpose = "quality_assurance"
basis = "consent"
retention_months = 3
[flow]
prompt_seconds = 0.0
[sip]
allowed = ["127.0.0.0/8"]
rtp_ports = [22000, 31999]
"""
SEALED_WITHIN_S = 60.0
STOP_S = 15.0


@dataclass(frozen=True, kw_only=True)
class CallCost:
    """Per call; `share` is of one core while calls were placed, `answer_ms` the median until 200 OK."""

    cpu_ms: float
    share: float
    events: float
    tracks: float
    answer_ms: float


def whole_calls(calls: int, rate: float, talk_s: float, warm_up: int, folder: Path | None) -> CallCost:
    """Place the calls on a server of their own in a fresh data folder under `folder`."""
    with (
        tempfile.TemporaryDirectory(prefix="tallylight-bench-", dir=folder) as directory,
        Crowd(rate=rate, talk_s=talk_s, bridged=True) as crowd,
    ):
        data = Path(directory)
        configuration = data / "tallylight.toml"
        configuration.write_text(CONFIGURATION, encoding="utf-8")
        configuration.chmod(0o600)
        server = subprocess.Popen(
            [
                *PYTHON,
                *("-m", "tallylight", "serve", "--data", str(data), "--sip", f"{LOOPBACK}:0"),
                *("--connect", f"sip:agent@{LOOPBACK}:{crowd.agent_port}"),
            ],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        try:
            return _place(server, crowd, data, calls, warm_up)
        finally:
            server.send_signal(signal.SIGTERM)
            server.wait(STOP_S)
            assert server.stdout is not None
            server.stdout.close()


def _place(server: "subprocess.Popen[str]", crowd: Crowd, data: Path, calls: int, warm_up: int) -> CallCost:
    assert server.stdout is not None
    ready = server.stdout.readline()
    if not ready.startswith("ready sip "):
        raise BenchFailed("The server did not start: `tallylight serve` on a fresh folder says why.")
    port = int(ready.split(",")[0].rpartition(":")[2])
    if warm_up:
        crowd.call(port, warm_up)
        _until_sealed(data, 0)
    events, tracks = _counts(data)
    cpu_s, began = cpu_s_of(server.pid), time.monotonic()
    outcome = crowd.call(port, calls)
    talked_s, busy_s = time.monotonic() - began, cpu_s_of(server.pid) - cpu_s
    if outcome.done != calls:
        raise BenchFailed(f"Only {outcome.done} of {calls} calls came to their end: try a lower --rate.")
    _until_sealed(data, tracks)
    spent_s = cpu_s_of(server.pid) - cpu_s
    more_events, more_tracks = _counts(data)
    return CallCost(
        cpu_ms=spent_s / calls * 1000,
        share=busy_s / talked_s,
        events=(more_events - events) / calls,
        tracks=(more_tracks - tracks) / calls,
        answer_ms=sorted(outcome.answer_ms)[len(outcome.answer_ms) // 2],
    )


def _counts(data: Path) -> tuple[int, int]:
    """Events in the ledger, tracks sealed."""
    engine = open_database(data)
    try:
        with read_only(engine) as connection:
            events = connection.execute(select(func.count()).select_from(event)).scalar_one()
            sealed = connection.execute(
                select(func.count()).select_from(track).where(track.c.state == "sealed")
            ).scalar_one()
        return events, sealed
    finally:
        engine.dispose()


def _until_sealed(data: Path, before: int) -> None:
    """Wait until no track is open any more, which the ends of the calls have made certain to come."""
    engine = open_database(data)
    limit = time.monotonic() + SEALED_WITHIN_S
    try:
        while time.monotonic() < limit:
            with read_only(engine) as connection:
                unsealed = connection.execute(
                    select(func.count()).select_from(track).where(track.c.state.in_(("open", "closed")))
                ).scalar_one()
                sealed = connection.execute(
                    select(func.count()).select_from(track).where(track.c.state == "sealed")
                ).scalar_one()
            if not unsealed and sealed > before:
                return
            time.sleep(0.25)
    finally:
        engine.dispose()
    raise BenchFailed(f"Some tracks were not sealed within {SEALED_WITHIN_S:g} s: try a lower --rate.")
