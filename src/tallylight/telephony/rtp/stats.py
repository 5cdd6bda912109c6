"""One leg's counts."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class LegStats:
    """One leg's counts at an instant. Incoming unless said otherwise."""

    received: int
    received_ms: int
    """Sound handed on, in media ms: what health compares with what was stored."""
    lost: int
    duplicates: int
    reordered: int
    late: int
    """Packets whose time had been taken by others when they came: not kept."""
    sources: int
    """How often the stream began anew: 1 for a plain call."""
    anchors: int
    slewed_ms: int
    """By how much the sender's clock was corrected."""
    jitter_ms: float
    bad: int
    """Malformed packets of any kind."""
    strangers: int
    """Packets from elsewhere than the party. Once the port is locked the kernel drops them, uncounted."""
    unnegotiated: int
    """Packets of a payload type or direction that was not agreed."""
    refused: int
    """ICMP errors on the port: nobody listens at the other end."""
    last_received_ms: int | None
    """Media time at which the last valid packet came; None before the first."""
    sent: int
    sent_octets: int
    send_failures: int
    remote_lost: int
    """Of ours, as the other side reports."""
    round_trip_ms: int | None
