"""The gate of one track: admits media by the time it was spoken, never by the time it arrived.

Opening has three steps, so that nothing is kept without a committed decision: `request` (media is held in memory),
`commit` (it may pass), or `miss` (a second went by, or the commit failed: what was held is a gap). Closing is one step
and immediate. A change of decision that leaves the gate open takes effect at its commit.
"""

from collections import deque
from dataclasses import dataclass

from tallylight.ids import DecisionId

SPANS_KEPT = 16
"""Closed spans kept for packets that arrive late; far longer than any jitter buffer."""


@dataclass(slots=True)
class Span:
    """Media time [from_ms, until_ms) under one decision; until_ms None is still open."""

    from_ms: int
    until_ms: int | None
    decision: DecisionId


class Gate:
    """The lamp timeline of one track. All times are media ms. Used on the media loop only."""

    __slots__ = ("_spans", "current", "pending")

    def __init__(self) -> None:
        self._spans: deque[Span] = deque(maxlen=SPANS_KEPT)
        self.current: Span | None = None
        self.pending: Span | None = None

    @property
    def is_open(self) -> bool:
        """Whether media spoken now passes (a commit has been seen)."""
        return self.current is not None

    @property
    def is_dark(self) -> bool:
        """Neither open nor asked to open."""
        return self.current is None and self.pending is None

    def request(self, decision: DecisionId, from_ms: int) -> None:
        """A decision would open the gate from `from_ms`; nothing passes before `commit`."""
        self.pending = Span(from_ms, None, decision)

    def miss(self) -> Span | None:
        """The commit is late or failed: what waits for it will never pass. Returns what was pending."""
        missed, self.pending = self.pending, None
        return missed

    def commit(self, decision: DecisionId, from_ms: int) -> None:
        """The decision is durable: media spoken from `from_ms` on passes."""
        self.pending = None
        current = self.current
        if current is not None:
            current.until_ms = max(current.from_ms, from_ms)
        self.current = Span(from_ms, None, decision)
        self._spans.append(self.current)

    def close(self, at_ms: int) -> None:
        """Nothing spoken at or after `at_ms` passes, whenever it arrives."""
        self.pending = None
        self.current = None
        for span in self._spans:
            if span.until_ms is None or span.until_ms > at_ms:
                span.until_ms = max(span.from_ms, at_ms)

    def changes(self, start_ms: int, end_ms: int) -> list[int]:
        """The instants inside [start_ms, end_ms) at which another answer of `admit` begins, in order."""
        spans = [*self._spans, self.pending] if self.pending is not None else self._spans
        instants = {instant for span in spans for instant in (span.from_ms, span.until_ms) if instant is not None}
        return sorted(instant for instant in instants if start_ms < instant < end_ms)

    def admit(self, start_ms: int, end_ms: int) -> DecisionId | None:
        """The decision under which media [start_ms, end_ms) passes, or None: it does not, not even in part."""
        for span in reversed(self._spans):
            if start_ms >= span.from_ms:
                if span.until_ms is None or end_ms <= span.until_ms:
                    return span.decision
                if start_ms < span.until_ms:
                    following = self.admit(span.until_ms, end_ms)
                    return span.decision if following is not None else None
                return None
        return None
