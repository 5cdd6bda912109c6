"""How a call ended, in words that stay stable for lists and statistics."""

from enum import StrEnum


class Outcome(StrEnum):
    COMPLETED = "completed"
    ABANDONED = "abandoned"
    """The caller left before the agent was reached."""
    AGENT_BUSY = "agent_busy"
    AGENT_DECLINED = "agent_declined"
    AGENT_UNREACHABLE = "agent_unreachable"
    AGENT_NO_ANSWER = "agent_no_answer"
    NO_MEDIA = "no_media"
    TOO_LONG = "too_long"
    SHUTDOWN = "shutdown"


_BUSY = frozenset({486, 600})
_DECLINED = frozenset({401, 403, 407, 488, 603, 606, 607})
_NO_ANSWER = frozenset({408, 480, 487})


def outcome_of(code: int) -> Outcome:
    """What the agent's final SIP response (RFC 3261 section 21) means for the call."""
    if code in _BUSY:
        return Outcome.AGENT_BUSY
    if code in _DECLINED:
        return Outcome.AGENT_DECLINED
    if code in _NO_ANSWER:
        return Outcome.AGENT_NO_ANSWER
    return Outcome.AGENT_UNREACHABLE
