"""sipp, the peer that says exactly what a scenario says: one process per scenario, in a folder of its own."""

import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.peers.pcap import write
from tests.peers.ports import LOOPBACK, Ports

SCENARIOS = Path(__file__).parent / "scenarios"

MU_LAW = "0 101"
OFFER = """\
a=rtpmap:0 PCMU/8000
a=rtpmap:101 telephone-event/8000
a=fmtp:101 0-15
a=ptime:20"""


class Sipp:
    """A running sipp. Its SIP port and media range are the n-th of the test's block."""

    def __init__(
        self,
        folder: Path,
        scenario: str,
        ports: Ports,
        n: int,
        *,
        target: str = "",
        calls: int = 1,
        rate: int = 1,
        transport: str = "u1",
        stay_ms: int = 0,
        keys: Mapping[str, str] | None = None,
        sounds: Mapping[str, Sequence[tuple[int, bytes]]] | None = None,
        service: str = "service",
        limit_s: int = 60,
        more: Sequence[str] = (),
    ) -> None:
        folder.mkdir(parents=True)
        self.folder = folder
        self.scenario = scenario
        shutil.copy(SCENARIOS / f"{scenario}.xml", folder / "scenario.xml")
        for name, packets in (sounds or {}).items():
            write(folder / f"{name}.pcap", packets)
        words = {"formats": MU_LAW, "offer": OFFER} | dict(keys or {})
        self.port = ports.sip(n)
        self.limit_s = limit_s
        command = ["sipp", "-sf", "scenario.xml", "-nostdin", "-skip_rlimit", "-i", LOOPBACK, "-mi", LOOPBACK]
        command += ["-p", str(self.port), "-mp", str(ports.first + 40 + 4 * n), "-t", transport, "-s", service]
        command += ["-m", str(calls), "-r", str(rate), "-l", str(max(calls, 3)), "-d", str(stay_ms)]
        command += ["-timeout", f"{limit_s}s", "-timeout_error", "-recv_timeout", str(limit_s * 1000)]
        command += ["-trace_err", "-error_file", "errors.log", "-trace_msg", "-message_file", "messages.log"]
        for name, value in words.items():
            command += ["-key", name, value]
        command += more
        if target:
            command.append(target)
        with (folder / "screen.log").open("wb") as screen:
            self.process = subprocess.Popen(
                command, cwd=folder, stdin=subprocess.DEVNULL, stdout=screen, stderr=subprocess.STDOUT
            )

    def finish(self) -> None:
        """Wait for its end; fails where a call went otherwise than the scenario says."""
        code = self.process.wait(self.limit_s + 15)
        assert code == 0, f"sipp {self.scenario} exited with {code}: {self.errors()}"

    def errors(self) -> str:
        """What went otherwise."""
        path = self.folder / "errors.log"
        return path.read_text(errors="replace") if path.exists() else ""

    def messages(self) -> str:
        """Every message, both ways."""
        return (self.folder / "messages.log").read_text(errors="replace")

    def stop(self) -> None:
        """End it, however far it is."""
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
