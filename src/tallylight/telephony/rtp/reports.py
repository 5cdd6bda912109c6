"""One leg's RTCP: what is reported every five seconds or so, and what the other side reports (RFC 3550 section 6)."""

import base64
from collections.abc import Callable

from tallylight.telephony.rtp import rtcp
from tallylight.telephony.rtp.errors import PacketMalformed
from tallylight.telephony.rtp.outgoing import Outgoing
from tallylight.telephony.rtp.reception import Reception

INTERVAL_MS = 5_000
"""Between reports on average; each is drawn from half to one and a half of it."""


class Reporter:
    """Makes and reads the reports of one leg. The name it gives is random (RFC 7022): it says nothing about anybody."""

    __slots__ = (
        "_last_report",
        "_last_report_ms",
        "_out",
        "_random",
        "_wall_ms",
        "bad",
        "cname",
        "due_ms",
        "remote_lost",
        "round_trip_ms",
    )

    def __init__(
        self, out: Outgoing, random_bytes: Callable[[int], bytes], wall_ms: Callable[[], int], now_ms: int
    ) -> None:
        self._out = out
        self._random = random_bytes
        self._wall_ms = wall_ms
        self.cname = base64.b64encode(random_bytes(12)).decode("ascii")
        self.due_ms = now_ms
        self._last_report = 0
        self._last_report_ms = 0
        self.bad = 0
        self.remote_lost = 0
        """Of our packets, as the other side last reported."""
        self.round_trip_ms: int | None = None
        self.schedule(now_ms)

    def schedule(self, now_ms: int) -> None:
        """Set the instant of the next report."""
        self.due_ms = now_ms + INTERVAL_MS // 2 + int.from_bytes(self._random(2), "big") % (INTERVAL_MS + 1)

    def forget(self) -> None:
        """The other side's stream starts anew: its last report was about another one."""
        self._last_report = 0

    def build(self, reception: Reception, ssrc: int, jitter: int, now_ms: int, wall_ms: int) -> list[rtcp.Report]:
        """The reports due now. `ssrc` is the source received, -1 if none; `jitter` in samples."""
        out = self._out
        blocks: tuple[rtcp.ReportBlock, ...] = ()
        if ssrc >= 0:
            fraction, lost, highest = reception.interval()
            delay = (now_ms - self._last_report_ms) * 65536 // 1000 if self._last_report else 0
            blocks = (
                rtcp.ReportBlock(
                    ssrc=ssrc,
                    fraction_lost=fraction,
                    lost=lost,
                    highest=highest,
                    jitter=jitter,
                    last_report=self._last_report,
                    delay=delay & 0xFFFFFFFF,
                ),
            )
        first: rtcp.Report
        if out.sent:
            first = rtcp.SenderReport(
                ssrc=out.ssrc,
                ntp=rtcp.ntp_time(wall_ms),
                timestamp=out.rtp_time(now_ms),
                packets=out.sent & 0xFFFFFFFF,
                octets=out.octets & 0xFFFFFFFF,
                blocks=blocks,
            )
        else:
            first = rtcp.ReceiverReport(ssrc=out.ssrc, blocks=blocks)
        return [first, rtcp.SourceDescription(ssrc=out.ssrc, cname=self.cname)]

    def take(self, data: bytes, now_ms: int) -> None:
        """Read a datagram of the other side's."""
        try:
            reports = rtcp.parse(data)
        except PacketMalformed:
            self.bad += 1
            return
        for report in reports:
            if isinstance(report, rtcp.SenderReport):
                self._last_report = report.ntp >> 16 & 0xFFFFFFFF
                self._last_report_ms = now_ms
            if isinstance(report, rtcp.SenderReport | rtcp.ReceiverReport):
                for block in report.blocks:
                    if block.ssrc == self._out.ssrc:
                        self._learn(block, self._wall_ms())

    def _learn(self, block: rtcp.ReportBlock, wall_ms: int) -> None:
        self.remote_lost = block.lost
        if block.last_report:
            middle = rtcp.ntp_time(wall_ms) >> 16 & 0xFFFFFFFF
            spent = (middle - block.last_report - block.delay) & 0xFFFFFFFF
            if spent < 60 << 16:
                self.round_trip_ms = spent * 1000 >> 16
