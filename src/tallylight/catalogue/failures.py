"""Where less was stored than was decided, and how dark it leaves the timeline."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from tallylight.catalogue.segments import Segment
from tallylight.conversation.events import OpeningMissed, RecordingFailed
from tallylight.ids import PartyId
from tallylight.policy.decision import Lamp, Reason, Verdict

Trouble = OpeningMissed | RecordingFailed

STOPPED = Reason(
    rule="house.fail_closed",
    cite="house rule: a recording that fails stops for good, and people keep talking",
    verdict=Verdict.CLOSES,
    text="The recording failed and was stopped; nothing said since is stored.",
)
NOT_WRITTEN = Reason(
    rule="house.commit_first",
    cite="house rule: nothing is recorded before its decision is written down",
    verdict=Verdict.CLOSES,
    text="The decision that opens this gate was not written down in time: what was said meanwhile was dropped.",
)


@dataclass(frozen=True, kw_only=True)
class Failure:
    """Where less was stored than was decided. Times in ms since the start."""

    at_ms: int
    party: PartyId | None
    """None: everybody."""
    kind: str
    """As the list names its alarms: `recording_failed`, `track_short`, `opening_missed`."""
    why: str
    missing_ms: int | None
    """None: nobody can say how much would have been said."""


@dataclass(frozen=True, kw_only=True)
class _Darkness:
    """Media time in which a gate was shut although the decision would have opened it."""

    party: PartyId | None
    from_ms: int
    until_ms: int | None
    why: Reason

    def covers(self, segment: Segment) -> bool:
        """Whether a part of the segment was dark. A pause stays a pause, until recording stops for good."""
        return (
            self.party in (None, segment.party)
            and (segment.lamp is Lamp.RECORDING or (segment.lamp is Lamp.PAUSED and self.until_ms is None))
            and (segment.until_ms is None or self.from_ms < segment.until_ms)
            and (self.until_ms is None or segment.from_ms < self.until_ms)
        )


def failure(event: Trouble) -> Failure:
    """One such event as it is told."""
    if isinstance(event, OpeningMissed):
        return Failure(
            at_ms=event.from_ms,
            party=event.party,
            kind="opening_missed",
            why=NOT_WRITTEN.text,
            missing_ms=event.until_ms - event.from_ms,
        )
    whole = event.track is None
    return Failure(
        at_ms=event.offset_ms,
        party=event.party,
        kind="recording_failed" if whole else "track_short",
        why=event.why,
        missing_ms=None if whole else event.missing_ms,
    )


def darkened(segments: Sequence[Segment], troubles: Iterable[Trouble]) -> tuple[Segment, ...]:
    """The timeline with every stretch in which a gate stayed shut cut out of what was decided."""
    for trouble in troubles:
        dark = _darkness(trouble)
        if dark is None:
            continue
        cut: list[Segment] = []
        for segment in segments:
            if not dark.covers(segment):
                cut.append(segment)
                continue
            from_ms = max(segment.from_ms, dark.from_ms)
            if from_ms > segment.from_ms:
                cut.append(replace(segment, until_ms=from_ms))
            until_ms = segment.until_ms
            if dark.until_ms is not None and (until_ms is None or dark.until_ms < until_ms):
                cut.append(replace(segment, from_ms=dark.until_ms))
                until_ms = dark.until_ms
            cut.append(
                replace(
                    segment,
                    from_ms=from_ms,
                    until_ms=until_ms,
                    lamp=Lamp.OFF,
                    deciding=dark.why,
                    reasons=(dark.why,),
                    passed_over=(*segment.reasons, *segment.passed_over),
                    actions=(),
                )
            )
        segments = cut
    return tuple(sorted(segments, key=lambda segment: segment.from_ms))


def _darkness(event: Trouble) -> _Darkness | None:
    """None where a track is short: what is missing of it is spread over its whole length."""
    if isinstance(event, OpeningMissed):
        return _Darkness(party=event.party, from_ms=event.from_ms, until_ms=event.until_ms, why=NOT_WRITTEN)
    if event.track is None:
        return _Darkness(party=None, from_ms=event.offset_ms, until_ms=None, why=STOPPED)
    return None
