"""How long law lets and makes a recording be kept: floors, ceilings, and what is chosen between them."""

from dataclasses import dataclass

from tallylight.policy.retention import Bounds
from tallylight.policy.view import View


@dataclass(frozen=True, kw_only=True)
class Kept:
    """ISO 8601 durations; None where no law says anything."""

    floor: str | None
    ceiling: str | None
    chosen: str
    """Where a floor is above a ceiling the floor holds, for the copy that the duty asks for and its purpose alone."""


def kept(seen: View) -> Kept:
    """The longest floor, the shortest ceiling, and the project's own term moved between them."""
    bounds = Bounds(
        floors=tuple(rule.retain_min for rule in seen.law.duty if rule.retain_min),
        ceilings=tuple(rule.retain_max for rule in seen.law.retention if rule.retain_max),
    )
    chosen = bounds.chosen(f"P{seen.settings.retention_months}M")
    return Kept(floor=bounds.floor, ceiling=bounds.ceiling, chosen=chosen)
