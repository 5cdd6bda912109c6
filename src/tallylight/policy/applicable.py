"""Which rules hold for a set of candidate places on one day."""

import datetime
import functools
from collections.abc import Iterable
from dataclasses import dataclass

from tallylight.law.pack import UNKNOWN_PLACE, Pack
from tallylight.law.rule import Rule
from tallylight.law.vocabulary import Layer
from tallylight.policy.situation import Place, PlaceEvidence

DAY_MS = 86_400_000


@dataclass(frozen=True, kw_only=True, eq=False)
class Applicable:
    """The rules of every candidate place, by layer: what settles a place first, floors next, the unknown place last."""

    wiretap: tuple[Rule, ...]
    ground: tuple[Rule, ...]
    consent: tuple[Rule, ...]
    notice: tuple[Rule, ...]
    employee: tuple[Rule, ...]


def candidate_codes(places: Iterable[Place]) -> frozenset[str]:
    """Every place a party may be in. A mobile number tells its country, not where in it; no candidate is unknown."""
    codes: set[str] = set()
    for place in places:
        if place.code is None or place.evidence is PlaceEvidence.UNKNOWN:
            codes.add(UNKNOWN_PLACE)
        if place.code is not None:
            codes.add(place.code)
            if place.evidence is PlaceEvidence.MOBILE_NUMBER:
                codes.add(place.code.partition("-")[0])
    return frozenset(codes) or frozenset({UNKNOWN_PLACE})


@functools.lru_cache(maxsize=1024)
def applicable(pack: Pack, codes: frozenset[str], day: int) -> Applicable:
    """`day` counts from 1970-01-01 UTC. A place the pack does not settle gets the unknown place's rules as well."""
    date = (datetime.date(1970, 1, 1) + datetime.timedelta(days=day)).isoformat()
    jurisdictions: set[str] = set()
    for code in codes:
        jurisdictions |= pack.jurisdictions(code)
        if not pack.knows(code, date):
            jurisdictions.add(UNKNOWN_PLACE)
    rules = sorted(
        (rule for rule in pack.rules if rule.jurisdiction in jurisdictions and rule.in_force(date)),
        key=lambda rule: (rule.jurisdiction == UNKNOWN_PLACE, rule.floor, rule.id),
    )

    def layer(wanted: Layer) -> tuple[Rule, ...]:
        return tuple(rule for rule in rules if rule.layer is wanted)

    return Applicable(
        wiretap=layer(Layer.WIRETAP),
        ground=layer(Layer.GROUND),
        consent=layer(Layer.CONSENT),
        notice=layer(Layer.NOTICE),
        employee=layer(Layer.EMPLOYEE),
    )
