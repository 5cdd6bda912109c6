"""A decision still holds exactly where deciding again would say the same; and every field of a situation is hashed."""

import dataclasses
import json

from hypothesis import given, settings
from hypothesis import strategies as st

from tallylight.law.vocabulary import CallType, Conference, EmployeeForm, Release, Sector
from tallylight.policy.canonical import canonical, situation_hash
from tallylight.policy.decide import decide
from tallylight.policy.situation import ORDINARY, Circumstances, Segment, Situation
from tallylight.policy.unchanged import still_holds
from tests.policy.making import AT_MS, PACK, YES, customer, situation, situations


@settings(max_examples=1_000)
@given(situations(), st.integers(-3, 3) | st.integers(-200_000_000, 200_000_000))
def test_what_still_holds_would_be_decided_again(before: Situation, later_ms: int) -> None:
    now = dataclasses.replace(before, at_ms=before.at_ms + later_ms)
    if still_holds(before, now):
        assert decide(before, PACK).rulings == decide(now, PACK).rulings


@given(situations(), situations())
def test_another_situation_does_not_hold(before: Situation, now: Situation) -> None:
    same = dataclasses.replace(now, at_ms=before.at_ms) == before
    assert still_holds(before, dataclasses.replace(now, at_ms=before.at_ms)) == same


@given(situations(), st.text(st.characters(exclude_categories=["Cs"])))
def test_the_canonical_form_is_json_with_sorted_keys_and_nothing_to_choose(now: Situation, evidence: str) -> None:
    said = dataclasses.replace(now.parties[0], consent=dataclasses.replace(YES, evidence=evidence))
    written = canonical(dataclasses.replace(now, parties=(said, *now.parties[1:])))
    again = json.dumps(json.loads(written), sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    assert written == again.encode()


def test_an_answer_in_between_ends_it() -> None:
    before = situation(customer(dataclasses.replace(YES, at_ms=AT_MS + 5)))
    assert still_holds(before, dataclasses.replace(before, at_ms=AT_MS + 4))
    assert not still_holds(before, dataclasses.replace(before, at_ms=AT_MS + 5))


def test_the_end_of_an_answer_in_between_ends_it() -> None:
    before = situation(customer(dataclasses.replace(YES, expires_at_ms=AT_MS + 5)))
    assert still_holds(before, dataclasses.replace(before, at_ms=AT_MS + 4))
    over = dataclasses.replace(before, at_ms=AT_MS + 5)
    assert not still_holds(before, over)
    assert decide(before, PACK).rulings != decide(over, PACK).rulings


CHANGED = {
    "sector": Sector.PAYMENTS,
    "call_type": CallType.SALES,
    "segment": Segment.ON_HOLD,
    "conference": Conference.NONE,
}


def test_every_circumstance_is_hashed_and_the_ordinary_ones_keep_their_hash() -> None:
    plain = situation()
    hashes = {situation_hash(plain)}
    for field in dataclasses.fields(Circumstances):
        value = CHANGED.get(field.name, not field.default)
        hashes.add(situation_hash(dataclasses.replace(plain, circumstances=Circumstances(**{field.name: value}))))  # type: ignore[arg-type]
    assert len(hashes) == 1 + len(dataclasses.fields(Circumstances))
    again = dataclasses.replace(plain, circumstances=dataclasses.replace(ORDINARY))
    assert situation_hash(again) == situation_hash(plain)


def test_every_field_of_a_party_is_hashed() -> None:
    plain = customer()
    changes: dict[str, object] = {
        "employee_forms": frozenset({EmployeeForm.POSTED}),
        "works_council": False,
        "release": Release.WRITTEN,
        "consent_on_recording": False,
        "tone_interval_s": 15,
        "minor": True,
        "notice_heard": False,
        "employee_notice": True,
        "present": False,
    }
    hashes = {situation_hash(situation(plain))}
    for name, value in changes.items():
        hashes.add(situation_hash(situation(dataclasses.replace(plain, **{name: value}))))  # type: ignore[arg-type]
    assert len(hashes) == 1 + len(changes)
