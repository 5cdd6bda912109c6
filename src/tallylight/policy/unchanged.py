"""Whether a decision still holds: the short way for a live call, whose situation seldom changes but for the instant."""

from tallylight.policy.applicable import DAY_MS
from tallylight.policy.situation import Situation


def still_holds(before: Situation, now: Situation) -> bool:
    """Whether what was decided about `before` is what would be decided about `now`: the same but for the instant, on
    the same day (UTC) and on the same side of every answer that was given, and of its end.
    """
    if before is now:
        return True
    return (
        before.at_ms // DAY_MS == now.at_ms // DAY_MS
        and before.parties == now.parties
        and before.settings.version == now.settings.version
        and before.paused_by == now.paused_by
        and before.on_hold == now.on_hold
        and before.purpose is now.purpose
        and before.customer_on == now.customer_on
        and before.channel is now.channel
        and before.direction is now.direction
        and (before.circumstances is now.circumstances or before.circumstances == now.circumstances)
        and not any(
            _between(before.at_ms, bound_ms, now.at_ms)
            for party in now.parties
            for bound_ms in (party.consent.at_ms, party.consent.expires_at_ms)
        )
    )


def _between(one_ms: int, bound_ms: int | None, other_ms: int) -> bool:
    return bound_ms is not None and (one_ms < bound_ms) != (other_ms < bound_ms)
