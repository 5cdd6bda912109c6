"""What the SIP layer counted since it started, for metrics. Numbers only: no address, name or Call-ID."""

from collections import Counter
from dataclasses import dataclass, field


@dataclass(slots=True)
class Counters:
    """Counts since start. Written on the event loop's thread; any thread may read."""

    requests_received: Counter[str] = field(default_factory=Counter)
    """By method; foreign methods together as OTHER."""
    responses_received: Counter[str] = field(default_factory=Counter)
    """By class: 1xx to 6xx."""
    messages_sent: int = 0
    dropped: Counter[str] = field(default_factory=Counter)
    """Messages nobody was told about, by reason."""
    refused: Counter[int] = field(default_factory=Counter)
    """Requests outside a dialog answered without a call, by status code."""
    retransmissions_received: int = 0
    retransmissions_sent: int = 0
    transactions: int = 0
    """Client and server transactions made."""
    timeouts: int = 0
    """Transactions that ended by timer B, F or H."""
    transport_failures: int = 0
    keepalives: int = 0
    connections: int = 0
    """TCP connections made or accepted."""
    calls_in: int = 0
    calls_out: int = 0
    observer_errors: int = 0
    """Callbacks of the upper layer that raised."""
