"""`capture` and `relay`: what a packet costs on the product's media path, beside the bare receive loop."""

import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tallylight.bench.choir import Choir
from tallylight.bench.figures import Figure, Findings, median_figure
from tallylight.bench.kernel import allow_files
from tallylight.bench.rigs import BareLoop, MediaPath, Rig, Window
from tallylight.live.collector import calm_collector
from tallylight.telephony.rtp.engine import TICK_MS

PACKETS_PER_CALL_S = 100
"""Two legs, 50 packets a second each."""
QUIET_SHARE, HIGH_SHARE = 0.30, 0.60
FIRST_GUESS_LEGS = 400
MOST_LEGS = 4_000
FILES_PER_LEG = 3


@dataclass(frozen=True, kw_only=True)
class MediaLoad:
    """How much, how long, how often. `legs`: None is as many as take 30 % of a core, found by trying. `folder`: where
    the live log is written; it should be on the disk that recordings will be on."""

    legs: int | None = None
    seconds: float = 4.0
    repeats: int = 5
    folder: Path | None = None


def capture(load: MediaLoad) -> Findings:
    """Receive, gate, seal and log, without relaying; and voice activity detection on top of it."""
    run = _Run(load, relay=False)
    return Findings(
        benchmark="capture",
        method=[
            "Two-leg G.711 calls, 20 ms packets, spoken by a process of its own; each leg is received, its gate asked,"
            " and its sound sealed and written to a live log with one fsync a second. As in every call, its voice"
            " activity is judged too; what this adds is measured by leaving it out in a run beside.",
            *run.method(),
        ],
        figures=[
            median_figure("CPU per packet, voice activity included", run.costs(), "µs", at_most=10),
            median_figure("CPU per packet, receive, gate, seal, log", [w.us_per_packet for w in run.bare_bones], "µs"),
            *run.bare_figures([window.us_per_packet for window in run.bare_bones], limit=2),
            median_figure("two-leg calls per core", run.calls_per_core(), "calls", at_least=1_000),
            *run.load_figures(),
        ],
    )


def relay(load: MediaLoad) -> Findings:
    """The same, and each packet is sent on to the other leg."""
    run = _Run(load, relay=True)
    return Findings(
        benchmark="relay",
        method=[
            "Two-leg G.711 calls, 20 ms packets, spoken by a process of its own; each packet is relayed to the other"
            " leg and recorded: voice activity, gate, seal, live log with one fsync a second.",
            *run.method(),
        ],
        figures=[
            median_figure("CPU per packet, voice activity included", run.costs(), "µs", at_most=20),
            *run.bare_figures(run.costs(), limit=None),
            median_figure("two-leg calls per core", run.calls_per_core(), "calls", at_least=500),
            *run.load_figures(),
        ],
    )


class _Run:
    """Everything that is measured for one benchmark."""

    def __init__(self, load: MediaLoad, *, relay: bool) -> None:
        allow_files(MOST_LEGS * FILES_PER_LEG)
        calm_collector()  # as `serve` does once its rooms are joined
        self._load = load
        self._relay = relay
        self._folders = 0
        self.plain: list[Window] = []
        self.ticked: list[Window] = []
        self.media: list[Window] = []
        self.bare_bones: list[Window] = []
        """Without voice activity detection."""
        self.received_share: list[float] = []
        self.stored_share: list[float] = []
        with Choir() as choir, tempfile.TemporaryDirectory(prefix="tallylight-bench-", dir=load.folder) as folder:
            self._choir, self._folder = choir, Path(folder)
            self.legs = load.legs or self._find_legs()
            for _ in range(load.repeats):
                self.plain.append(self._hear(lambda: BareLoop(choir, self.legs)))
                self.ticked.append(self._hear(lambda: BareLoop(choir, self.legs, tick_ms=TICK_MS)))
                if not relay:
                    self.bare_bones.append(self._record(self.legs, detect=False))
                self.media.append(self._record(self.legs))
            self.high_legs = min(MOST_LEGS, _even(self.legs * HIGH_SHARE / self.share()))
            self.high = self._record(self.high_legs)

    def _find_legs(self) -> int:
        legs = FIRST_GUESS_LEGS
        for _ in range(2):
            window = self._record(legs)
            legs = min(MOST_LEGS, _even(legs * QUIET_SHARE / window.share))
        return legs

    def _record(self, legs: int, *, detect: bool = True) -> Window:
        self._folders += 1
        folder = self._folder / str(self._folders)
        path = MediaPath(self._choir, legs, folder=folder, relay=self._relay, detect=detect)
        window = self._hear(lambda: path)
        self.received_share.append(path.received / window.sung.sent)
        self.stored_share.append(path.stored_ms / path.received_ms)
        return window

    def _hear(self, make: Callable[[], Rig]) -> Window:
        rig = make()
        try:
            return rig.measure(self._choir, self._load.seconds)
        finally:
            rig.close()

    def share(self) -> float:
        shares = sorted(window.share for window in self.media)
        return shares[len(shares) // 2]

    def costs(self) -> list[float]:
        return [window.us_per_packet for window in self.media]

    def calls_per_core(self) -> list[float]:
        return [1e6 / PACKETS_PER_CALL_S / cost for cost in self.costs()]

    def bare_figures(self, costs: list[float], *, limit: float | None) -> list[Figure]:
        """The bare loops' costs, and how often each goes into `costs`."""
        plain = [window.us_per_packet for window in self.plain]
        ticked = [window.us_per_packet for window in self.ticked]
        return [
            median_figure("bare loop (epoll, recv)", plain, "µs"),
            median_figure(
                "times the bare loop", [cost / bare for cost, bare in zip(costs, plain, strict=True)], "", at_most=limit
            ),
            median_figure(f"bare loop that sleeps {TICK_MS} ms between drainings", ticked, "µs"),
            median_figure(
                "times the sleeping bare loop", [cost / bare for cost, bare in zip(costs, ticked, strict=True)], ""
            ),
        ]

    def load_figures(self) -> list[Figure]:
        loop = [window.loop_s / max(1, window.packets) * 1e6 for window in self.media]
        figures = [
            median_figure("of it, the media loop's thread", loop, "µs"),
            median_figure("share of a core", [100 * window.share for window in self.media], "%"),
            Figure(name="two-leg calls at that share", value=self.legs // 2, unit="calls"),
            Figure(
                name="kernel drops at that share",
                value=sum(window.drops for window in self.media),
                unit="packets",
                at_most=0,
            ),
            Figure(name="higher share of a core", value=100 * self.high.share, unit="%"),
            Figure(name="two-leg calls at the higher share", value=self.high_legs // 2, unit="calls"),
            Figure(name="kernel drops at the higher share", value=self.high.drops, unit="packets"),
            Figure(name="packets received of those sent", value=100 * min(self.received_share), unit="%", at_least=100),
            Figure(
                name="sound stored of what was received", value=100 * min(self.stored_share), unit="%", at_least=100
            ),
        ]
        if self._relay:
            back = [100 * window.sung.heard / max(1, window.sung.sent) for window in self.media]
            figures.append(median_figure("packets that came back to the speakers", back, "%"))
        return figures

    def method(self) -> list[str]:
        load = self._load
        return [
            f"CPU is the whole process's, user and system, every thread, over {load.seconds:g} s; the speaking process"
            f" is not counted. Medians of {load.repeats} repetitions, each beside the bare loop under the same load.",
            "The bare loop is epoll and recv and nothing else: once woken by every packet, once asleep for 10 ms"
            " between drainings, as the media loop is.",
            f"Per core = 1 s / ({PACKETS_PER_CALL_S} packets x CPU per packet). Kernel drops: /proc/net/udp, our ports.",
        ]


def _even(legs: float) -> int:
    return max(2, round(legs / 2) * 2)
