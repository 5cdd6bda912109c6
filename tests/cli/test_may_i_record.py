"""`tallylight may-i-record`: for a citizen and for a company, in words and as JSON."""

import json

import pytest

from tests.cli.conftest import Run, error

ADVICE = (
    "Not legal advice",
    "Ikke juridisk",
    "Keine Rechtsberatung",
    "pas un conseil juridique",
    "No es asesoramiento",
)


def test_the_strictest_of_both_places_and_words_to_say(run: Run) -> None:
    told = run("may-i-record", "--me", "US-NY", "--them", "US-CA", "--they-announced")
    assert told.exit_code == 0, told.stderr
    for text in ("Only if", "US-CA.wiretap", "Cal. Penal Code 632", "not settled", "Never record covertly", ADVICE[0]):
        assert text in " ".join(told.stdout.split())


def test_as_json(run: Run) -> None:
    told = json.loads(run("may-i-record", "--me", "DK", "--them", "+49 30 12345678", "--json").stdout)
    assert told["answer"] == "only_if"
    assert told["only_if"] == "agreed"
    assert told["them"] == [{"place": "DE", "evidence": "fixed_number"}]
    assert told["deciding"]["rule"] == "DE.wiretap"
    assert told["deciding"]["cite"]
    assert told["deciding"]["source"]
    assert told["deciding"]["checked_at"] in told["checked"]
    assert len(told["steps"]) == 4
    assert told["announcement"] is None
    assert len({rule["rule"] for rule in told["because"]}) == len(told["because"])


def test_a_company_learns_what_it_owes(run: Run) -> None:
    told = json.loads(
        run(
            "may-i-record", "--me", "DK", "--them", "DK", "--as", "company", "--purpose", "documentation", "--json"
        ).stdout
    )
    assert told["only_if"] == "told"
    assert told["law"]["basis"] == "legitimate_interests"
    assert "document_necessity" in told["law"]["owed"]


@pytest.mark.parametrize(("language", "notice"), list(zip(("en", "da", "de", "fr", "es"), ADVICE, strict=True)))
def test_in_every_language_and_never_as_legal_advice(run: Run, language: str, notice: str) -> None:
    told = run("may-i-record", "--me", "US-TX", "--them", "unknown", "--lang", language)
    assert told.exit_code == 0, told.stderr
    assert notice in " ".join(told.stdout.split())


@pytest.mark.parametrize(
    ("options", "near"),
    [
        (("--me", "US-NY", "--them", "US-XX"), "US-TX"),
        (("--me", "Denmrak", "--them", "DK"), "DK (Denmark)"),
        (("--me", "DK", "--them", "DK", "--purpose", "qualty_assurance"), "quality_assurance"),
        (("--me", "DK", "--them", "DK", "--lang", "sv"), "da"),
        (("--me", "DK", "--them", "DK", "--as", "company", "--they-announced"), "--they-announced"),
    ],
)
def test_what_does_not_exist_is_named_with_what_does(run: Run, options: tuple[str, ...], near: str) -> None:
    refused = run("may-i-record", *options, "--json")
    assert refused.exit_code == 1
    assert refused.stdout == ""
    assert near in str(error(refused)["message"])
