"""Months added to a day, and the deadline of a track."""

import dataclasses
import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallylight.law.vocabulary import Purpose
from tallylight.policy.retention import PolicyError, add_months, deadline_ms, identities_deadline_ms
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
