"""The closed purposes, their DPV terms, and an operator's own."""

import dataclasses
import re

import pytest

from tallylight.consent.errors import NoticeError, PurposeError
from tallylight.consent.lint import lint
from tallylight.consent.notices import NoticeKind, render, script
from tallylight.consent.purposes import CASE_WORDS, DPV_TERMS, KNOWN_TERMS, OwnPurpose, dpv_iris, find_purpose
from tallylight.consent.wording.form import Variant
from tallylight.law.vocabulary import Purpose
from tests import needs
from tests.policy.making import SETTINGS

IN_CASES = {"quality", "training", "documentation", "compliance", "dispute", "security", "marketing"}

COACHING = OwnPurpose(
    name="coaching",
    words={"en": "to coach our staff", "da": "til coaching af vores medarbejdere"},
    term="HumanResourceManagement",
    judged_as=Purpose.TRAINING,
)


def test_every_purpose_is_mapped() -> None:
    assert DPV_TERMS.keys() == CASE_WORDS.keys() == set(Purpose)
    for purpose in Purpose:
        assert dpv_iris(purpose)
        for iri in dpv_iris(purpose):
            assert re.fullmatch(r"https://w3id\.org/dpv#[A-Z][A-Za-z]+", iri)
            assert iri.rpartition("#")[2] in KNOWN_TERMS
        assert CASE_WORDS[purpose] in IN_CASES


@needs.shared("law", "CASES.md")
def test_the_words_of_the_cases_are_those_of_their_page() -> None:
    row = next(
        line
        for line in needs.SHARED.joinpath("law", "CASES.md").read_text().splitlines()
        if line.startswith("| `purpose` |")
    )
    assert IN_CASES | {"criminal_or_tortious"} == set(row.split("|")[2].strip().split(", "))


def test_an_own_purpose_stands_beside_ours() -> None:
    assert find_purpose("coaching", [COACHING]) is COACHING
    assert find_purpose("training", [COACHING]) is Purpose.TRAINING
    assert COACHING.iris == ("https://w3id.org/dpv#HumanResourceManagement",)
    assert CASE_WORDS[COACHING.judged_as] == "training"


@pytest.mark.parametrize("purpose", Purpose)
def test_every_purpose_is_found_by_name(purpose: Purpose) -> None:
    assert find_purpose(purpose.value) is purpose


def test_an_unknown_purpose_names_the_nearest() -> None:
    with pytest.raises(PurposeError, match=r"'trainning' is none of .*; did you mean training\?") as raised:
        find_purpose("trainning")
    assert raised.value.code == "purpose_unknown"
    with pytest.raises(PurposeError, match="did you mean coaching"):
        find_purpose("coachin", [COACHING])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"name": "training"}, "is a purpose of ours"),
        ({"name": "Our Fun"}, "small letters, digits and underscores"),
        ({"name": ""}, "small letters, digits and underscores"),
        ({"term": "CustomerCar"}, "did you mean CustomerCare"),
        ({"term": "AnalyseData"}, "is none of"),
        ({"words": {}}, "no words that people hear"),
        ({"words": {"en": " "}}, "no words that people hear"),
        ({"judged_as": Purpose.PROOF_OF_CONSENT}, "no purpose of a project's own"),
    ],
)
def test_what_an_own_purpose_must_be(change: dict[str, object], message: str) -> None:
    wanted = {"name": "fun", "words": {"en": "for fun"}, "term": "CustomerCare", "judged_as": Purpose.MARKETING}
    with pytest.raises(PurposeError, match=message):
        OwnPurpose(**{**wanted, **change})  # type: ignore[arg-type]


def test_an_own_purpose_is_told_in_its_own_words_and_judged_as_ours() -> None:
    terms = dataclasses.replace(SETTINGS, purpose=Purpose.TRAINING, own_purpose=COACHING)
    notice = render(NoticeKind.FIRST_LAYER, "da", terms)
    assert "optager og gemmer denne samtale til coaching af vores medarbejdere" in notice.text
    assert notice.purposes == {Purpose.TRAINING}
    assert lint(" ".join(part.text for part in script(Variant.INBOUND, "en", terms)), terms) == ()
    # A voice receipt is one all the same.
    assert "as a receipt" in render(NoticeKind.FIRST_LAYER, "en", terms.for_receipts).text
    with pytest.raises(NoticeError, match="Purpose 'coaching' has no words in 'de': add them"):
        render(NoticeKind.FIRST_LAYER, "de", terms)
