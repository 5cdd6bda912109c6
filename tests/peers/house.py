"""The product as a stranger meets it: a `tallylight serve` process of its own, its CLI, and a look into its folder."""

import contextlib
import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar, cast

from tallylight.live.control import request
from tallylight.vault.errors import RecordError
from tallylight.vault.record import MAGIC, parse_header
from tests.peers.ports import LOOPBACK, Ports
from tests.peers.sound import Samples, read_wav

T = TypeVar("T")

READY_S = 60.0
POLL_S = 0.1
NOTHING_STORED = 3

CONFIGURATION = """\
[controller]
name = "Example Ltd"
country = "DK"
policy_address = "example.com/privacy"
terms_acknowledged_by = "tests"

[agents]
country = "DK"
employee_notice = true

[project.main]
language = "en"
mode = "both"
necessity = "tests"
purpose = "quality_assurance"
basis = "consent"
retention_months = 3
{project}

[flow]
{flow}

[sip]
rtp_ports = [{first}, {last}]
{sip}
"""


@dataclass(frozen=True, kw_only=True)
class Party:
    """As `recordings list` shows it."""

    id: str
    role: str
    address: str | None
    consent: str
    talked_s: float
    stored_s: float
    reason: str
    flagged: list[str]
    tracks: list[dict[str, object]]


@dataclass(frozen=True, kw_only=True)
class Conversation:
    """As `recordings list` shows it."""

    id: str
    ended: str | None
    outcome: str | None
    alarms: list[object]
    parties: list[Party] = field(default_factory=list)

    def party(self, role: str) -> Party:
        """The only one in this role."""
        (found,) = [party for party in self.parties if party.role == role]
        return found

    @property
    def caller(self) -> str:
        """The customer's address, or nothing."""
        return self.party("customer").address or ""


class House:
    """One running server."""

    def __init__(self, data: Path, process: subprocess.Popen[str], ready: str, ports: Ports, sip_port: int) -> None:
        self.data = data
        self.ready = ready
        self.ports = ports
        self.sip_port = sip_port
        self.process = process
        self.errors: list[str] = []

    @property
    def address(self) -> str:
        """Where it answers SIP."""
        return f"{LOOPBACK}:{self.sip_port}"

    def cli(self, *arguments: object, code: int = 0) -> str:
        """Run `tallylight` on the folder; what it printed. Fails where it exits otherwise than with `code`."""
        done = self.command(*arguments)
        assert done.returncode == code, f"{arguments} exited with {done.returncode}: {done.stderr}"
        return done.stdout

    def command(self, *arguments: object) -> subprocess.CompletedProcess[str]:
        """Run `tallylight` on the folder."""
        words = [str(argument) for argument in arguments]
        return subprocess.run(
            [sys.executable, "-m", "tallylight", *words, "--data", str(self.data)],
            capture_output=True,
            text=True,
            timeout=60,
        )

    def recordings(self) -> list[Conversation]:
        """`tallylight recordings list --json`."""
        return [
            Conversation(
                id=entry["conversation"],
                ended=entry["ended"],
                outcome=entry["outcome"],
                alarms=entry["alarms"],
                parties=[Party(id=party.pop("party"), **party) for party in entry["parties"]],
            )
            for entry in json.loads(self.cli("recordings", "list", "--json"))
        ]

    def export(self, conversation: str, party: str) -> Samples:
        """What is stored of a party; sample 0 is our 200 OK."""
        out = self.data.parent / f"{conversation}-{party}.wav"
        self.cli("recordings", "export", conversation, "--party", party, "--out", out)
        return read_wav(out)

    def lamps(self, conversation: str) -> list[tuple[float, float | None, str, str]]:
        """`tallylight explain`: (from s, until s, role, lamp)."""
        told = json.loads(self.cli("explain", conversation, "--json"))
        return [(part["from_s"], part["until_s"], part["role"], part["lamp"]) for part in told["timeline"]]

    def status(self) -> list[Mapping[str, object]]:
        """The running calls, as the server tells over its control socket."""
        return cast("list[Mapping[str, object]]", request(self.data, "status", timeout_s=10))

    def until(self, found: Callable[[], T | None], what: str, *, seconds: float = 30.0) -> T:
        """Look again and again until there is something."""
        deadline = time.monotonic() + seconds
        while True:
            result = found()
            if result:
                return result
            assert self.process.poll() is None, f"the server died: {''.join(self.errors)}"
            assert time.monotonic() < deadline, f"no {what} within {seconds} s; running: {self.status()}"
            threading.Event().wait(POLL_S)

    def until_idle(self, *, seconds: float = 30.0) -> None:
        """Until every call has ended and is sealed."""
        self.until(lambda: not self.status(), "end of all calls", seconds=seconds)

    # -- behind the curtain -------------------------------------------------------------------------------------------

    def rows(self, sql: str, *values: object) -> list[tuple[object, ...]]:
        """A look into the database."""
        with contextlib.closing(sqlite3.connect(f"file:{self.data / 'tallylight.db'}?mode=ro", uri=True)) as connection:
            return [tuple(row) for row in connection.execute(sql, values)]

    def tracks(self, conversation: str, party: str) -> list[tuple[str, str]]:
        """(track, state) of every track a party of the conversation ever had."""
        found = self.rows("SELECT track, state FROM track WHERE conversation = ? AND party = ?", conversation, party)
        return [(str(track), str(state)) for track, state in found]

    def keyed_tracks(self) -> set[str]:
        """The tracks that have a key."""
        return {str(track) for (track,) in self.rows("SELECT track FROM key")}

    def objects(self) -> set[str]:
        """Every sealed object, by its path in the store."""
        folder = self.data / "objects"
        return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}

    def logged_tracks(self) -> set[str]:
        """The tracks with a record in the live log's files."""
        found = set()
        for path in (self.data / "live").iterdir():
            data = path.read_bytes()
            at = data.find(MAGIC)
            while at >= 0:
                try:
                    header = parse_header(data, at)
                except RecordError:
                    break  # being written
                found.add(str(header.track))
                at = data.find(MAGIC, at + header.size)
        return found

    def open_ports(self) -> set[int]:
        """The UDP ports the server has."""
        inodes = set()
        for link in Path(f"/proc/{self.process.pid}/fd").iterdir():
            with contextlib.suppress(FileNotFoundError):
                inodes.add(os.readlink(link).removeprefix("socket:[").removesuffix("]"))
        rows = [line.split() for line in Path("/proc/net/udp").read_text().splitlines()[1:]]
        return {int(row[1].rpartition(":")[2], 16) for row in rows if row[9] in inodes}

    def log(self) -> str:
        """The text log."""
        return (self.data / "logs" / "tallylight.log").read_text()

    def verify_ledger(self) -> None:
        """`tallylight ledger verify`."""
        self.cli("ledger", "verify")

    def stop(self) -> None:
        """SIGTERM: it must seal what is open and exit within 10 s, with nothing on stderr but what was expected."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        assert self.process.wait(10) == 0


@contextlib.contextmanager
def served(
    folder: Path,
    ports: Ports,
    *,
    prompts: Path,
    agent: str,
    flow: str = "",
    sip: str = 'allowed = ["127.0.0.0/8"]',
    project: str = "",
    trial: bool = False,
) -> Iterator[House]:
    """A server on `folder`/data. `prompts`: where spoken prompts are kept between servers, as speaking them takes long.

    At the end it is stopped, and must have written no traceback and nothing unexpected.
    """
    data = folder / "data"
    data.mkdir(mode=0o700, parents=True)
    first, last = ports.media(0)[0], ports.media(7)[1]
    if not trial:
        text = CONFIGURATION.format(project=project, flow=flow, sip=sip, first=first, last=last)
        path = data / "tallylight.toml"
        path.write_text(text)
        path.chmod(0o600)
    cache = data / "cache" / "prompts"
    if prompts.is_dir():
        shutil.copytree(prompts, cache)
    sip_port = ports.sip(0)
    process = subprocess.Popen(
        [
            sys.executable,
            "-m",
            "tallylight",
            "serve",
            "--data",
            data,
            "--sip",
            f"{LOOPBACK}:{sip_port}",
            "--connect",
            agent,
        ],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONWARNINGS": "ignore::DeprecationWarning"},
    )
    assert process.stdout is not None
    assert process.stderr is not None
    lines: list[str] = []
    reading = threading.Thread(target=_read, args=(process.stdout, lines), daemon=True)
    reading.start()
    house = House(data, process, "", ports, sip_port)
    moaning = threading.Thread(target=_read, args=(process.stderr, house.errors), daemon=True)
    moaning.start()
    try:
        house.until(lambda: any(line.startswith("ready ") for line in lines), "line `ready`", seconds=READY_S)
        house.ready = lines[0].strip()
        _keep(cache, prompts)
        yield house
        house.stop()
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()
        reading.join()
        moaning.join()
    assert "Traceback" not in house.log(), house.log()
    assert "Traceback" not in "".join(house.errors), house.errors


def _read(stream: Iterable[str], lines: list[str]) -> None:
    for line in stream:
        lines.append(line)


def _keep(cache: Path, prompts: Path) -> None:
    """Keep what was spoken, once."""
    if not prompts.is_dir():
        draft = prompts.with_name(f"{prompts.name}.{os.getpid()}")
        shutil.copytree(cache, draft)
        try:
            draft.rename(prompts)
        except OSError:
            shutil.rmtree(draft)  # another worker was faster
