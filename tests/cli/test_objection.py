"""`tallylight objection`: kept as a keyed hash, found in any spelling, left by an erasure."""

import json

import pytest

from tallylight.database.engine import FILE_NAME
from tests.cli.conftest import CUSTOMER, Recorded, Run, error

ADD = ("--evidence", "letter of 2026-11-24")


def test_raised_once_found_in_any_spelling_and_lifted(recorded: Recorded, run: Run) -> None:
    data = ("--data", recorded.directory)
    raised = json.loads(run("objection", "add", "--person", CUSTOMER, *ADD, *data, "--json").stdout)
    assert (raised["state"], raised["evidence"]) == ("stands", "letter of 2026-11-24")
    again = json.loads(
        run("objection", "add", "--person", "0045 20 12 34 56", "--evidence", "again", *data, "--json").stdout
    )
    assert again == raised
    for spelling in ("20123456", "tel:+45-20-12-34-56", "sip:+4520123456@other.example"):
        (found,) = json.loads(run("objection", "list", "--person", spelling, *data, "--json").stdout)
        assert found["objection"] == raised["objection"]
    assert json.loads(run("objection", "list", "--person", "+4520123457", *data, "--json").stdout) == []
    assert raised["objection"] in run("objection", "list", *data).stdout
    lifted = json.loads(
        run("objection", "remove", "--person", "20123456", "--evidence", "call", *data, "--json").stdout
    )
    assert (lifted["objection"], lifted["state"]) == (raised["objection"], "lifted")
    assert json.loads(run("objection", "list", *data, "--json").stdout) == []
    assert run("ledger", "verify", *data).exit_code == 0


def test_an_erasure_leaves_it(recorded: Recorded, run: Run) -> None:
    data = ("--data", recorded.directory)
    run("objection", "add", "--person", CUSTOMER, *ADD, *data)
    erased = run("erase", "--person", CUSTOMER, *data, "--json")
    assert (erased.exit_code, json.loads(erased.stdout)["state"]) == (0, "complete")
    assert len(json.loads(run("objection", "list", "--person", CUSTOMER, *data, "--json").stdout)) == 1


def test_it_does_not_say_whose_it_is(recorded: Recorded, run: Run) -> None:
    run("objection", "add", "--person", "+4531415926", *ADD, "--data", recorded.directory)
    for file in recorded.directory.glob(f"{FILE_NAME}*"):
        assert b"31415926" not in file.read_bytes()
    assert "31415926" not in run("ledger", "export", "--data", recorded.directory).stdout


@pytest.mark.parametrize(
    ("person", "code"),
    [("?", "address_invalid"), ("sip:anonymous@anonymous.invalid", "objection_invalid")],
)
def test_an_address_that_is_no_persons(recorded: Recorded, run: Run, person: str, code: str) -> None:
    refused = run("objection", "add", "--person", person, *ADD, "--data", recorded.directory, "--json")
    assert (refused.exit_code, error(refused)["code"]) == (1, code)


def test_nothing_to_lift(recorded: Recorded, run: Run) -> None:
    refused = run("objection", "remove", "--person", CUSTOMER, *ADD, "--data", recorded.directory, "--json")
    assert (refused.exit_code, error(refused)["code"]) == (1, "objection_unknown")
    listed = run("objection", "list", "--data", recorded.directory)
    assert (listed.stdout, listed.stderr) == ("", "Nobody has a standing objection.\n")
