"""Keys and frames for the vault's tests."""

import time

from tallylight.ids import DecisionId, EpochId, TrackId, new_id
from tallylight.vault.frame import SOURCE_PARTY, Frame, FrameKind, MediaType
from tallylight.vault.keys import Epoch, EpochKind, KeyRing, MemoryKeyWrapper

PROJECT = "support"
DECISION = DecisionId("0190f3c2-0000-7000-8000-00000000d0d0")


def fresh() -> str:
    return new_id(time.time_ns() // 1_000_000)


def ring() -> KeyRing:
    made = KeyRing(MemoryKeyWrapper())
    made.new_project_key(PROJECT, fresh())
    return made


def epoch(keys: KeyRing, track: TrackId | None = None, kind: EpochKind = EpochKind.LIVE) -> Epoch:
    return keys.new_epoch(
        project=PROJECT, track=TrackId(fresh()) if track is None else track, epoch=EpochId(fresh()), kind=kind
    )


def media(start_ms: int, duration_ms: int = 1000, *, fill: int = 0x55, source: int = SOURCE_PARTY) -> Frame:
    return Frame(
        start_ms=start_ms,
        duration_ms=duration_ms,
        media=MediaType.PCMU,
        source=source,
        decision=DECISION,
        payload=bytes([fill]) * (duration_ms * 8),
    )


def mark(start_ms: int, duration_ms: int, kind: FrameKind = FrameKind.GAP) -> Frame:
    return Frame(start_ms=start_ms, duration_ms=duration_ms, media=MediaType.NONE, kind=kind, decision=DECISION)
