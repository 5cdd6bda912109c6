"""Sequence numbers of one incoming stream: what is new, late, twice or lost (RFC 3550 appendix A.1, A.3)."""

from enum import Enum

DROPOUT = 3_000
"""A larger step forward is a stream that started anew, not loss."""

MISORDER = 1_000
"""How far behind a packet may be and still be a late one."""

REPEATS = 10
"""Packets in a row that look repeated and follow one another: the stream started anew a little behind."""


class Verdict(Enum):
    """What a packet is that was not the next expected one."""

    NEWEST = "newest"
    LATE = "late"
    DUPLICATE = "duplicate"
    RESTARTED = "restarted"


class Reception:
    """Counts one leg's incoming packets. `expected` is the next sequence number with 2^16 for each wrap.

    The leg itself counts a packet that is the next one (`expected += 1`); everything else is judged here.
    """

    __slots__ = (
        "_base",
        "_expected_before",
        "_missing",
        "_received_before",
        "_repeat",
        "_repeats",
        "_started_with",
        "duplicates",
        "expected",
        "lost_before",
        "received",
        "reordered",
        "restarts",
    )

    def __init__(self) -> None:
        self.received = 0
        self.duplicates = 0
        self.reordered = 0
        self.restarts = 0
        self.lost_before = 0
        self.expected = 0
        self._base = 0
        self._missing: set[int] = set()
        self._repeat = -1
        self._repeats = 0
        self._expected_before = 0
        self._received_before = 0
        self._started_with = 0

    @property
    def lost(self) -> int:
        """Packets that never came, over all streams of the leg."""
        return self.lost_before + len(self._missing)

    def start(self, sequence: int) -> None:
        """A stream begins with this packet, which is not yet counted in `received`."""
        self._forget_missing(self.expected + DROPOUT)
        self._started_with = self.received
        self.expected = (1 << 16) + sequence + 1
        self._base = self.expected - 1
        self._expected_before = self._received_before = 0
        self._repeat, self._repeats = -1, 0

    def judge(self, sequence: int) -> Verdict:
        """Take a packet that is not the expected one."""
        step = (sequence - self.expected) & 0xFFFF
        if step < DROPOUT:
            self._missing.update(range(self.expected, self.expected + step))
            self.expected += step + 1
            if len(self._missing) > MISORDER:
                self._forget_missing(self.expected - MISORDER)
            return Verdict.NEWEST
        number = self.expected - ((1 << 16) - step)
        if number in self._missing:
            self._missing.discard(number)
            self.reordered += 1
            return Verdict.LATE
        if self.expected - number <= MISORDER and not self._starts_behind(sequence):
            self.duplicates += 1
            return Verdict.DUPLICATE
        self.restarts += 1
        self.start(sequence)
        return Verdict.RESTARTED

    def interval(self) -> tuple[int, int, int]:
        """(fraction lost in 1/256 since the last call, lost in all of this stream, highest sequence number)."""
        expected = self.expected - self._base
        received = self.received - self._started_with
        expected_now = expected - self._expected_before
        lost_now = expected_now - (received - self._received_before)
        self._expected_before, self._received_before = expected, received
        fraction = 0 if expected_now <= 0 or lost_now <= 0 else min(255, (lost_now << 8) // expected_now)
        return fraction, expected - received, (self.expected - 1 - (1 << 16)) & 0xFFFFFFFF

    def _starts_behind(self, sequence: int) -> bool:
        self._repeats = self._repeats + 1 if sequence == self._repeat else 1
        self._repeat = (sequence + 1) & 0xFFFF
        return self._repeats >= REPEATS

    def _forget_missing(self, before: int) -> None:
        old = {number for number in self._missing if number < before}
        self.lost_before += len(old)
        self._missing -= old
