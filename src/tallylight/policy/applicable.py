"""Which rules hold for a set of candidate places on one day."""

import datetime
import functools
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from tallylight.law.iso8601 import seconds
from tallylight.law.pack import UNKNOWN_PLACE, Pack
from tallylight.law.rule import Rule
from tallylight.law.vocabulary import (
    CallType,
    Channel,
    Direction,
    Exemption,
    Layer,
    Purpose,
    Recorder,
    Sector,
    Standard,
    Subject,
)
from tallylight.policy.situation import Place, PlaceEvidence

DAY_MS = 86_400_000


@dataclass(frozen=True, kw_only=True, eq=False)
class Applicable:
    """The rules of every candidate place, by layer: what settles a place first, floors next, the unknown place last.

    Of duties the one that has a recording kept longest comes first.
    """

    wiretap: tuple[Rule, ...]
    all_party: tuple[Rule, ...]
    """Those of them that ask for everybody's agreement."""
    ground: tuple[Rule, ...]
    consent: tuple[Rule, ...]
    notice: tuple[Rule, ...]
    employee: tuple[Rule, ...]
    employee_settled: bool
    """The law of every candidate place says how employees are told."""
    duty: tuple[Rule, ...]
    retention: tuple[Rule, ...]
    biometric: tuple[Rule, ...]
    minor: tuple[Rule, ...]
    prohibition: Mapping[Subject, tuple[Rule, ...]]
    consent_for: Mapping[Rule, tuple[Rule, ...]]
    """For each rule on grounds: what makes a consent valid there."""
    consent_settled: bool
    """The law of every candidate place says how consent is given."""


@functools.lru_cache(maxsize=1024)
def candidate_codes(places: tuple[Place, ...]) -> frozenset[str]:
    """Every place a party may be in. A mobile number tells its country, not where in it; no candidate is unknown."""
    codes: set[str] = set()
    for place in places:
        if place.code is None or place.evidence is PlaceEvidence.UNKNOWN:
            codes.add(UNKNOWN_PLACE)
        if place.code:
            codes.add(place.code)
            if place.evidence is PlaceEvidence.MOBILE_NUMBER:
                codes.add(place.code.partition("-")[0])
    return frozenset(codes) or frozenset({UNKNOWN_PLACE})


class Matter(NamedTuple):
    """What a call is about, as far as it decides whether a rule speaks of it at all."""

    purpose: Purpose
    channel: Channel
    direction: Direction
    sector: Sector | None
    call_type: CallType | None
    recorder: Recorder
    exempt: frozenset[Exemption]
    """The exceptions that are the case."""

    def holds(self, rule: Rule) -> bool:
        """Whether a rule speaks of this call: its purpose, channel, sector, direction, kind and recorder, and no exception."""
        return (
            (rule.purposes is None or self.purpose in rule.purposes)
            and (rule.channels is None or self.channel in rule.channels)
            and (rule.sectors is None or self.sector in rule.sectors)
            and (rule.directions is None or self.direction in rule.directions)
            and (rule.call_types is None or self.call_type in rule.call_types)
            and (rule.recorder is None or self.recorder is rule.recorder)
            and not self.exempt & rule.exceptions
        )


@functools.lru_cache(maxsize=1024)
def applicable(
    pack: Pack,
    codes: frozenset[str],
    day: int,
    matter: Matter,
    areas: frozenset[str] = frozenset(),
    customers: frozenset[str] = frozenset(),
) -> Applicable:
    """Every rule that speaks of a call. `day` counts from 1970-01-01 UTC; `areas` hold wherever people are; `customers`
    are those of the codes where somebody is who is no employee. A place the pack does not settle gets the rules of an
    unknown place as well.
    """
    date = (datetime.date(1970, 1, 1) + datetime.timedelta(days=day)).isoformat()
    jurisdictions = set(areas)
    strangers: set[str] = set()
    for code in codes:
        own = pack.jurisdictions(code)
        jurisdictions |= own
        if not pack.knows(code, date, matter.channel):
            jurisdictions.add(pack.unknown(code))
        if not _in_force(pack, own, date, Layer.BIOMETRIC):
            strangers.add(UNKNOWN_PLACE)
    theirs = frozenset[str]().union(*(pack.jurisdictions(code) for code in customers))
    rules = sorted(
        (
            rule
            for name in jurisdictions
            for rule in pack.by_jurisdiction.get(name, ())
            if rule.in_force(date) and matter.holds(rule) and (rule.place_of is None or name in theirs)
        ),
        key=lambda rule: (rule.jurisdiction.endswith(UNKNOWN_PLACE), rule.floor, rule.id),
    )

    def layer(wanted: Layer) -> tuple[Rule, ...]:
        return tuple(rule for rule in rules if rule.layer is wanted)

    ground, consent, employee = layer(Layer.GROUND), layer(Layer.CONSENT), layer(Layer.EMPLOYEE)
    return Applicable(
        wiretap=layer(Layer.WIRETAP),
        all_party=tuple(rule for rule in layer(Layer.WIRETAP) if rule.standard is Standard.ALL_PARTY),
        ground=ground,
        consent=consent,
        notice=layer(Layer.NOTICE),
        employee=employee,
        employee_settled=all(any(rule.jurisdiction in pack.jurisdictions(code) for rule in employee) for code in codes),
        duty=tuple(sorted(layer(Layer.DUTY), key=_kept_s, reverse=True)),
        retention=layer(Layer.RETENTION),
        biometric=tuple(
            dict.fromkeys((*layer(Layer.BIOMETRIC), *_in_force(pack, frozenset(strangers), date, Layer.BIOMETRIC)))
        ),
        minor=layer(Layer.MINOR),
        prohibition={
            subject: tuple(rule for rule in layer(Layer.PROHIBITION) if rule.subject is subject) for subject in Subject
        },
        consent_for={
            rule: tuple(
                each
                for each in consent
                if each.jurisdiction in pack.jurisdictions(rule.jurisdiction)
                or each.jurisdiction.startswith(f"{rule.jurisdiction}-")
            )
            for rule in ground
        },
        consent_settled=all(_in_force(pack, pack.jurisdictions(code), date, Layer.CONSENT) for code in codes),
    )


def _kept_s(duty: Rule) -> int:
    """How long a duty has a recording kept: of several, the longest speaks for all."""
    return seconds(duty.retain_min) if duty.retain_min is not None else 0


def _in_force(pack: Pack, jurisdictions: frozenset[str], date: str, layer: Layer) -> list[Rule]:
    return [
        rule
        for name in sorted(jurisdictions)
        for rule in pack.by_jurisdiction.get(name, ())
        if rule.layer is layer and rule.in_force(date)
    ]
