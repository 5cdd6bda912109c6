"""`capture` and `relay`: what a packet costs on the product's media path, beside the bare receive loop."""

import gc
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tallylight.bench.choir import Choir
from tallylight.bench.figures import Figure, Findings, median_figure
from tallylight.bench.kernel import allow_files
from tallylight.bench.rigs import BareLoop, MediaPath, Rig, Window
from tallylight.bench.voices import speech
from tallylight.capture.vad import Vad
from tallylight.telephony.rtp.engine import TICK_MS

PACKETS_PER_CALL_S = 100
"""Two legs, 50 packets a second each."""
QUIET_SHARE, HIGH_SHARE = 0.30, 0.60
FIRST_GUESS_LEGS = 400
MOST_LEGS = 4_000
FILES_PER_LEG = 3
HANDED_ON_MS = 200


@dataclass(frozen=True, kw_only=True)
class MediaLoad:
    """How much, how long, how often. `legs`: None is as many as take 30 % of a core, found by trying. `folder`: where
    the live log is written; it should be on the disk that recordings will be on."""

    legs: int | None = None
    seconds: float = 4.0
    repeats: int = 5
    folder: Path | None = None


def capture(load: MediaLoad) -> Findings:
    """Receive, detect voice, gate, seal and log, without relaying."""
    run = _Run(load, relay=False)
    vad_us = _vad_us()
    return Findings(
        benchmark="capture",
        method=[
            "Two-leg G.711 calls, 20 ms packets, spoken by a process of its own; each leg is received, its voice"
            " activity judged, its gate asked, and its sound sealed and written to a live log with one fsync a second.",
            *run.method(),
        ],
        figures=[
            median_figure("CPU per packet", run.costs(), "µs", at_most=10),
            *run.bare_figures(limit=2, apart_us=vad_us),
            Figure(name="voice activity detection", value=vad_us, unit="µs"),
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
            median_figure("CPU per packet", run.costs(), "µs", at_most=20),
            *run.bare_figures(limit=None, apart_us=0),
            median_figure("two-leg calls per core", run.calls_per_core(), "calls", at_least=500),
            *run.load_figures(),
        ],
    )


class _Run:
    """Everything that is measured for one benchmark."""

    def __init__(self, load: MediaLoad, *, relay: bool) -> None:
        allow_files(MOST_LEGS * FILES_PER_LEG)
        gc.freeze()  # as `serve` does once its rooms are joined
        self._load = load
        self._relay = relay
        self._folders = 0
        self.plain: list[Window] = []
        self.ticked: list[Window] = []
        self.media: list[Window] = []
        self.stored_share: list[float] = []
        with Choir() as choir, tempfile.TemporaryDirectory(prefix="tallylight-bench-", dir=load.folder) as folder:
            self._choir, self._folder = choir, Path(folder)
            self.legs = load.legs or self._find_legs()
            for _ in range(load.repeats):
                self.plain.append(self._hear(lambda: BareLoop(choir, self.legs)))
                self.ticked.append(self._hear(lambda: BareLoop(choir, self.legs, tick_ms=TICK_MS)))
                self.media.append(self._record(self.legs))
            self.high_legs = min(MOST_LEGS, _even(self.legs * HIGH_SHARE / self.share()))
            self.high = self._record(self.high_legs)

    def _find_legs(self) -> int:
        legs = FIRST_GUESS_LEGS
        for _ in range(2):
            window = self._record(legs)
            legs = min(MOST_LEGS, _even(legs * QUIET_SHARE / window.share))
        return legs

    def _record(self, legs: int) -> Window:
        self._folders += 1
        path = MediaPath(self._choir, legs, folder=self._folder / str(self._folders), relay=self._relay)
        window = self._hear(lambda: path)
        self.stored_share.append(path.stored_ms / (window.sung.sent * 20))
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

    def bare_figures(self, *, limit: float | None, apart_us: float) -> list[Figure]:
        """The bare loops' costs, and how often they go into ours. The limit holds without `apart_us`."""
        plain = [window.us_per_packet for window in self.plain]
        ticked = [window.us_per_packet for window in self.ticked]
        apart = (
            [
                median_figure(
                    "times the bare loop, without voice activity detection",
                    [(cost - apart_us) / bare for cost, bare in zip(self.costs(), plain, strict=True)],
                    "",
                    at_most=limit,
                )
            ]
            if apart_us
            else []
        )
        return [
            median_figure("bare loop (epoll, recv)", plain, "µs"),
            *apart,
            median_figure(
                "times the bare loop", [cost / bare for cost, bare in zip(self.costs(), plain, strict=True)], ""
            ),
            median_figure(f"bare loop that sleeps {TICK_MS} ms between drainings", ticked, "µs"),
            median_figure(
                "times the sleeping bare loop",
                [cost / bare for cost, bare in zip(self.costs(), ticked, strict=True)],
                "",
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
            Figure(name="spoken sound that was stored", value=100 * min(self.stored_share), unit="%", at_least=99.9),
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


def _vad_us() -> float:
    """CPU of the voice activity detector per packet of 20 ms, fed as the media loop feeds it."""
    sound = speech(seconds=60)
    size = HANDED_ON_MS * 8
    vad = Vad()
    began = time.process_time()
    for at in range(0, len(sound), size):
        vad.feed(0, sound[at : at + size])
    return (time.process_time() - began) / (len(sound) / 160) * 1e6
