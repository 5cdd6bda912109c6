"""Months added to a day, and the deadline of a track, between the bounds that law sets for it."""

import dataclasses
import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallylight.ids import PartyId
from tallylight.law.iso8601 import seconds
from tallylight.law.vocabulary import Purpose
from tallylight.policy.decision import Decision, Lamp, PartyRuling, Reason, Verdict
from tallylight.policy.retention import (
    NO_BOUNDS,
    Bounds,
    PolicyError,
    add_duration,
    add_months,
    bounds_of,
    deadline_ms,
    floor_ms,
    identities_deadline_ms,
)
from tests.policy.making import SETTINGS


def ms(text: str) -> int:
    return round(datetime.datetime.fromisoformat(text).replace(tzinfo=datetime.UTC).timestamp() * 1000)


@pytest.mark.parametrize(
    ("start", "months", "end"),
    [
        ("2026-11-24T07:13:20.123", 3, "2027-02-24T07:13:20.123"),
        ("2026-11-30T12:00", 3, "2027-02-28T12:00"),
        ("2027-11-30T12:00", 3, "2028-02-29T12:00"),
        ("2026-01-31T00:00", 1, "2026-02-28T00:00"),
        ("2026-03-31T23:59:59.999", 1, "2026-04-30T23:59:59.999"),
        ("2026-12-15T00:00", 1, "2027-01-15T00:00"),
        ("2024-02-29T00:00", 12, "2025-02-28T00:00"),
        ("2024-02-29T00:00", 48, "2028-02-29T00:00"),
        ("2026-06-01T00:00", 0, "2026-06-01T00:00"),
    ],
)
def test_add_months(start: str, months: int, end: str) -> None:
    assert add_months(ms(start), months) == ms(end)


def test_the_proof_of_a_yes_outlives_the_talk_on_a_ground_alone() -> None:
    settings = dataclasses.replace(SETTINGS, retention_months=3, proof_retention_months=36)
    start = ms("2026-11-24T00:00")
    assert deadline_ms(settings, Purpose.QUALITY_ASSURANCE, start) == ms("2027-02-24T00:00")
    assert deadline_ms(settings, Purpose.PROOF_OF_CONSENT, start) == ms("2027-02-24T00:00")
    on_a_ground = dataclasses.replace(settings, proof_ground="Art. 7(1) GDPR")
    assert deadline_ms(on_a_ground, Purpose.QUALITY_ASSURANCE, start) == ms("2027-02-24T00:00")
    assert deadline_ms(on_a_ground, Purpose.PROOF_OF_CONSENT, start) == ms("2029-11-24T00:00")


@given(st.integers(1, 1_200), st.integers(0, 4_000_000_000_000), st.integers(0, 14_400_000))
def test_who_took_part_is_known_as_long_as_any_talk_and_hardly_longer(
    months: int, start_ms: int, length_ms: int
) -> None:
    settings = dataclasses.replace(SETTINGS, retention_months=months)
    last_talk = deadline_ms(settings, Purpose.QUALITY_ASSURANCE, start_ms + length_ms)
    assert identities_deadline_ms(settings, start_ms) <= identities_deadline_ms(settings, start_ms + length_ms)
    assert identities_deadline_ms(settings, start_ms + length_ms) == last_talk


def test_a_deadline_beyond_the_calendar_says_so() -> None:
    with pytest.raises(PolicyError, match="lead out of the calendar: choose fewer"):
        add_months(ms("2026-11-24T00:00"), 100_000)


@given(st.integers(0, 4_000_000_000_000), st.integers(0, 600))
def test_more_months_are_never_sooner(at_ms: int, months: int) -> None:
    assert at_ms <= add_months(at_ms, months) < add_months(at_ms, months + 1)
    assert add_months(at_ms, months) - at_ms <= months * 31 * 86_400_000


@pytest.mark.parametrize(
    ("start", "duration", "end"),
    [
        ("2026-11-24T07:13:20.123", "P5Y", "2031-11-24T07:13:20.123"),
        ("2024-02-29T23:59:59.999", "P5Y", "2029-02-28T23:59:59.999"),
        ("2026-08-31T12:00", "P6M", "2027-02-28T12:00"),
        ("2027-08-31T12:00", "P6M", "2028-02-29T12:00"),
        ("2026-01-31T00:00", "P30D", "2026-03-02T00:00"),
        ("2026-01-31T00:00", "P1M", "2026-02-28T00:00"),
        ("2026-01-31T00:00", "P1M1D", "2026-03-01T00:00"),
        ("2026-03-28T02:30", "P2W", "2026-04-11T02:30"),
        ("2026-06-01T00:00", "P1Y6M", "2027-12-01T00:00"),
    ],
)
def test_a_duration_is_added_by_the_calendar(start: str, duration: str, end: str) -> None:
    assert add_duration(ms(start), duration) == ms(end)


NOVEMBER = ms("2026-11-24T00:00")


@pytest.mark.parametrize(
    ("months", "bounds", "floor", "deadline"),
    [
        (3, NO_BOUNDS, None, "2027-02-24"),
        (3, Bounds(floors=("P5Y",)), "2031-11-24", "2031-11-24"),
        (84, Bounds(floors=("P5Y",)), "2031-11-24", "2033-11-24"),
        (12, Bounds(ceilings=("P6M",)), None, "2027-05-24"),
        (3, Bounds(ceilings=("P6M",)), None, "2027-02-24"),
        (3, Bounds(ceilings=("P6M", "P1M")), None, "2026-12-24"),
        (3, Bounds(floors=("P1Y", "P5Y")), "2031-11-24", "2031-11-24"),
        (3, Bounds(floors=("P5Y",), ceilings=("P6M",)), "2031-11-24", "2031-11-24"),
        (12, Bounds(floors=("P90D",), ceilings=("P6M",)), "2027-02-22", "2027-05-24"),
    ],
)
def test_the_chosen_term_is_moved_between_floor_and_ceiling(
    months: int, bounds: Bounds, floor: str | None, deadline: str
) -> None:
    settings = dataclasses.replace(SETTINGS, retention_months=months)
    assert floor_ms(NOVEMBER, bounds) == (None if floor is None else ms(floor))
    assert deadline_ms(settings, Purpose.COMPLIANCE, NOVEMBER, bounds) == ms(deadline)


durations = st.one_of(
    st.builds("P{}Y".format, st.integers(1, 12)),
    st.builds("P{}M".format, st.integers(1, 30)),
    st.builds("P{}D".format, st.integers(1, 400)),
    st.builds("P{}Y{}M".format, st.integers(1, 3), st.integers(1, 11)),
)
some = st.lists(durations, max_size=3).map(tuple)
all_bounds = st.builds(Bounds, some, some)
instants = st.integers(0, 4_000_000_000_000)
grounds = st.none() | st.just("Art. 17(3)(e) GDPR")


@given(all_bounds, st.integers(1, 120), instants, st.sampled_from(Purpose), grounds)
def test_a_floor_always_holds_and_a_ceiling_unless_a_floor_is_above_it(
    bounds: Bounds, months: int, from_ms: int, purpose: Purpose, ground: str | None
) -> None:
    settings = dataclasses.replace(SETTINGS, retention_months=months, proof_ground=ground)
    deadline = deadline_ms(settings, purpose, from_ms, bounds)
    floors = [add_duration(from_ms, floor) for floor in bounds.floors]
    ceilings = [add_duration(from_ms, ceiling) for ceiling in bounds.ceilings]
    assert floor_ms(from_ms, bounds) == max(floors, default=None)
    assert all(floor <= deadline for floor in floors)
    if purpose is not Purpose.PROOF_OF_CONSENT:
        assert all(deadline <= max((ceiling, *floors)) for ceiling in ceilings)
        assert deadline in (add_months(from_ms, months), *floors, *ceilings), "nobody else chooses"


@given(all_bounds, st.integers(1, 120), st.integers(1, 120), st.integers(1, 120), instants, grounds)
def test_a_proof_is_never_gone_before_what_it_proves(
    bounds: Bounds, months: int, proof_months: int, receipt_months: int, from_ms: int, ground: str | None
) -> None:
    settings = dataclasses.replace(
        SETTINGS,
        retention_months=months,
        proof_retention_months=proof_months,
        receipt_months=receipt_months,
        proof_ground=ground,
    )
    for proves in (settings.purpose, Purpose.VOICE_RECEIPT):
        proved = deadline_ms(settings, proves, from_ms, bounds)
        proof = deadline_ms(settings, Purpose.PROOF_OF_CONSENT, from_ms, bounds, proves=proves)
        own = add_months(from_ms, proof_months)
        assert proof == (proved if ground is None else max(proved, own)), "a ceiling moves no term of a ground"


@given(all_bounds, all_bounds, instants)
def test_where_two_laws_hold_the_stricter_does(one: Bounds, other: Bounds, from_ms: int) -> None:
    both = one | other
    assert floor_ms(from_ms, both) == max(
        (floor for each in (one, other) if (floor := floor_ms(from_ms, each)) is not None), default=None
    )
    assert (one | one, both | other) == (one | NO_BOUNDS, both)


@given(all_bounds, st.integers(1, 120))
def test_the_term_in_words_is_between_the_bounds_too(bounds: Bounds, months: int) -> None:
    chosen = bounds.chosen(f"P{months}M")
    assert bounds.floor is None or seconds(bounds.floor) <= seconds(chosen)
    assert bounds.ceiling is None or seconds(chosen) <= max(seconds(bounds.ceiling), seconds(bounds.floor or "P0D"))


def test_the_bounds_are_all_that_any_ruling_owes() -> None:
    reason = Reason(rule="a", cite="a", verdict=Verdict.ALLOWS, text="a")

    def ruling(party: str, *actions: str) -> PartyRuling:
        return PartyRuling(party=PartyId(party), lamp=Lamp.OFF, reasons=(reason,), actions=actions)

    rulings = (
        ruling("agent", "record_mandatory", "retain_min:P5Y", "retain_max:P6M"),
        ruling("customer", "retain_min:P10Y", "retain_min:P5Y", "voiceprint_retain_max:P1Y"),
        ruling("system"),
    )
    decision = Decision(rulings=rulings, pack="p", settings="s", situation="t", profile="house")
    assert bounds_of(decision) == Bounds(floors=("P5Y", "P10Y"), ceilings=("P6M",))
    assert bounds_of(dataclasses.replace(decision, rulings=())) == NO_BOUNDS
