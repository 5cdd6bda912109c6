"""The lengths and codes a flow works with."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class FlowSettings:
    """Seconds unless the name says otherwise."""

    repeat_wait_s: float = 4.0
    """Silence after the question before it is repeated, and again before silence is taken for an answer."""
    ring_s: float = 30.0
    no_media_s: float = 60.0
    max_call_s: float = 4 * 3600.0
    withdraw_code: str = "*2"
    pause_code: str = "*3"
    customer_code: str = "*4"
    receipt_code: str = "*5"
    minor_code: str = "*6"
    code_wait_s: float = 2.0
    proof_after_s: float = 3.0
    """How long the proof-of-consent clip goes on after our acknowledgement."""
    prompt_s: float | None = None
    """Cut every prompt to this length (tests, benchmarks); None: as spoken."""
