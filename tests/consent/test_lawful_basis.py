"""Balancing tests, necessity and responsibility: when each holds."""

import dataclasses
import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallylight.consent.errors import BasisError
from tallylight.consent.lawful_basis import (
    Acknowledgement,
    BalancingTest,
    Ground,
    Lack,
    NecessityStatement,
    Outcome,
    shortcomings,
)
from tallylight.law.vocabulary import LawfulBasis, Purpose, Role
from tests import needs

NOW_MS = 1_790_000_000_000
TEST = BalancingTest(
    id="lia-1",
    purpose=Purpose.TRAINING,
    interest="Better answers.",
    necessity="Notes lose how something was said.",
    less_intrusive_alternatives="Role play does not show real calls.",
    data_subject_expectations="Callers are told first.",
    impact="Voices, for a month.",
    safeguards="Two trainers hear them.",
    opt_out_mechanism="A key at any time.",
    outcome=Outcome.INTERESTS_NOT_OVERRIDDEN,
    approved_by="Jane Doe",
    approved_at=NOW_MS - 10,
    review_by=NOW_MS + 10,
)


def test_a_good_one_holds() -> None:
    assert TEST.lacks(Purpose.TRAINING, NOW_MS) == ()


@needs.shared("law", "world.toml")
def test_it_has_the_fields_of_the_research() -> None:
    world = tomllib.loads(needs.SHARED.joinpath("law", "world.toml").read_text())
    assert [field.name for field in dataclasses.fields(BalancingTest)] == world["gdpr"]["lia_record"]["fields"]


@pytest.mark.parametrize(
    ("change", "lack"),
    [
        ({"purpose": Purpose.MARKETING}, Lack.OTHER_PURPOSE),
        ({"approved_by": None, "approved_at": None}, Lack.NOT_APPROVED),
        ({"approved_at": NOW_MS + 1}, Lack.NOT_APPROVED),
        ({"outcome": Outcome.INTERESTS_OVERRIDDEN}, Lack.OVERRIDDEN),
        ({"review_by": NOW_MS}, Lack.EXPIRED),
    ],
)
def test_each_condition_fails_alone_and_says_so(change: dict[str, object], lack: Lack) -> None:
    test = dataclasses.replace(TEST, **change)  # type: ignore[arg-type]
    assert test.lacks(Purpose.TRAINING, NOW_MS) == (lack,)
    ground = Ground(
        role=Role.CUSTOMER,
        purpose=Purpose.TRAINING,
        basis=LawfulBasis.LEGITIMATE_INTERESTS,
        balancing_test="lia-1",
    )
    (shortcoming,) = shortcomings(ground, [test], at_ms=NOW_MS)
    assert shortcoming.lack is lack
    assert shortcoming.message.startswith("Balancing test 'lia-1' ")


@given(st.integers(NOW_MS - 20, NOW_MS + 20))
def test_it_holds_from_its_approval_to_its_review(at_ms: int) -> None:
    assert (TEST.lacks(Purpose.TRAINING, at_ms) == ()) == (NOW_MS - 10 <= at_ms < NOW_MS + 10)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"impact": "  "}, "says nothing under impact: fill it in"),
        ({"id": "", "interest": ""}, "says nothing under id, interest"),
        ({"approved_by": None}, "a name and an instant, or neither"),
        ({"approved_by": ""}, "says nothing under approved_by"),
        ({"review_by": NOW_MS - 10}, "ends before it is approved"),
    ],
)
def test_what_is_no_balancing_test(change: dict[str, object], message: str) -> None:
    with pytest.raises(BasisError, match=message):
        dataclasses.replace(TEST, **change)  # type: ignore[arg-type]


@pytest.mark.parametrize("basis", [basis for basis in LawfulBasis if basis is not LawfulBasis.LEGITIMATE_INTERESTS])
def test_other_grounds_need_no_balancing_test(basis: LawfulBasis) -> None:
    assert shortcomings(Ground(role=Role.CUSTOMER, purpose=Purpose.TRAINING, basis=basis), [], at_ms=NOW_MS) == ()


def test_a_missing_one_names_those_there_are() -> None:
    ground = Ground(role=Role.CUSTOMER, purpose=Purpose.TRAINING, basis=LawfulBasis.LEGITIMATE_INTERESTS)
    (none,) = shortcomings(ground, [], at_ms=NOW_MS)
    assert (none.lack, none.message) == (
        Lack.MISSING,
        "Legitimate interests for training need a balancing test; there is none.",
    )
    (other,) = shortcomings(dataclasses.replace(ground, balancing_test="lia-2"), [TEST], at_ms=NOW_MS)
    assert other.message.endswith("there is none 'lia-2'. There are lia-1.")


def test_a_necessity_statement() -> None:
    statement = NecessityStatement(
        purpose=Purpose.TRAINING, text="Notes lose the tone.", stated_by="Jane Doe", stated_at=NOW_MS
    )
    assert statement.lacks(Purpose.TRAINING, NOW_MS) == ()
    assert statement.lacks(Purpose.MARKETING, NOW_MS - 1) == (Lack.OTHER_PURPOSE, Lack.NOT_APPROVED)
    for change in ({"text": " "}, {"stated_by": ""}):
        with pytest.raises(BasisError, match="a text and the name"):
            dataclasses.replace(statement, **change)  # type: ignore[arg-type]


def test_responsibility_is_taken_by_a_person_for_one_version_of_the_terms() -> None:
    taken = Acknowledgement(person="Jane Doe", terms_version="2026-11", acknowledged_at=NOW_MS)
    assert taken.holds("2026-11", NOW_MS)
    assert not taken.holds("2026-12", NOW_MS)
    assert not taken.holds("2026-11", NOW_MS - 1)
    with pytest.raises(BasisError, match="name them"):
        dataclasses.replace(taken, person=" ")
