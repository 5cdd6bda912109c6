"""Whether an agent may hear what was recorded on a conversation."""

from dataclasses import dataclass

from tallylight.policy.settings import Settings


@dataclass(frozen=True, kw_only=True)
class Hearing:
    """The answer, and why."""

    allowed: bool
    reason: str


def may_hear(settings: Settings, *, took_part: bool) -> Hearing:
    """For an agent who took part in the conversation, or did not, by the settings that the conversation was under."""
    if took_part:
        return Hearing(allowed=True, reason="the agent took part in this conversation")
    if settings.agents_hear_others:
        return Hearing(allowed=True, reason=f"agents of project {settings.project} may hear each other's recordings")
    return Hearing(
        allowed=False,
        reason=(
            "the agent did not take part in this conversation, and by the settings it was under"
            f" (project {settings.project}) agents hear their own recordings alone"
        ),
    )
