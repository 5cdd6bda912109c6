"""How long law lets and makes a recording be kept: floors, ceilings, and what is chosen between them."""

from dataclasses import dataclass

from tallylight.law.durations import longest, seconds, shortest
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
    floor = longest([rule.retain_min for rule in seen.law.duty if rule.retain_min])
    ceiling = shortest([rule.retain_max for rule in seen.law.retention if rule.retain_max])
    chosen = f"P{seen.settings.retention_months}M"
    if ceiling is not None and seconds(ceiling) < seconds(chosen):
        chosen = ceiling
    if floor is not None and seconds(chosen) < seconds(floor):
        chosen = floor
    return Kept(floor=floor, ceiling=ceiling, chosen=chosen)
