"""`tallylight consent receipt`: what a person can be handed, from the stored events."""

import base64
import json
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from tests.cli.conftest import CUSTOMER, Recorded, Run, error


def receipt(run: Run, recorded: Recorded, conversation: str, *options: object) -> dict[str, Any]:
    given = run("consent", "receipt", conversation, "--data", recorded.directory, *options)
    assert given.exit_code == 0, given.stderr
    found: dict[str, Any] = json.loads(given.stdout)
    return found


def test_a_yes(recorded: Recorded, run: Run) -> None:
    given = receipt(run, recorded, recorded.accepted, "--party", "customer")
    record = given["dpv:hasRecordOfActivity"]
    assert record["dpv:hasDataSubject"]["dct:identifier"] == recorded.customer
    assert [status["@type"][0] for status in record["dpv:hasConsentStatus"]] == [
        "dpv:ConsentRequested",
        "dpv:ConsentGiven",
    ]
    assert record["dpv:hasConsentStatus"][1]["dpv:hasIndicationMethod"].startswith("digit: digit 1 at ")
    assert record["dpv:hasNotice"][0]["rdf:value"] == "We record."
    assert record["dpv:hasJurisdiction"] == ["loc:DK"]
    assert CUSTOMER not in json.dumps(given)


def test_a_no(recorded: Recorded, run: Run) -> None:
    record = receipt(run, recorded, recorded.refused, "--party", "customer")["dpv:hasRecordOfActivity"]
    assert record["dpv:hasConsentStatus"][-1]["@type"][0] == "dpv:ConsentRefused"
    refused = run(
        *("consent", "receipt", recorded.refused, "--party", "customer", "--format", "kantara"),
        *("--data", recorded.directory, "--json"),
    )
    assert (refused.exit_code, error(refused)["code"]) == (1, "no_consent_given")


def test_the_jwt_is_signed_with_the_ledgers_key(recorded: Recorded, run: Run) -> None:
    key = json.loads(run("ledger", "checkpoint", "--data", recorded.directory, "--json").stdout)["key"]
    given = receipt(run, recorded, recorded.accepted, "--party", recorded.customer, "--format", "kantara", "--json")
    assert given["claims"]["publicKey"] == key
    signing_input, _, signature = given["jwt"].rpartition(".")
    public = base64.b64decode(key.split("+", 2)[2])[1:]
    Ed25519PublicKey.from_public_bytes(public).verify(
        base64.urlsafe_b64decode(signature + "=="), signing_input.encode()
    )
    plain = run(
        *("consent", "receipt", recorded.accepted, "--party", "customer", "--format", "kantara"),
        *("--data", recorded.directory),
    )
    assert plain.stdout.count(".") == 2


def test_vcon(recorded: Recorded, run: Run) -> None:
    attachment = receipt(run, recorded, recorded.accepted, "--party", "customer", "--format", "vcon")
    assert (attachment["purpose"], attachment["party"]) == ("lawful_basis", 0)
    assert attachment["body"]["purpose_grants"][0]["granted"] is True


@pytest.mark.parametrize(
    ("options", "code", "message"),
    [
        (("--party", "agent"), "no_receipt", "Nobody asked this agent for consent"),
        (("--party", "supervisor"), "party_unknown", "give a party id or one of system, customer, agent"),
        (("--party", "customer", "--format", "vcom"), "format_unknown", "did you mean vcon"),
    ],
)
def test_what_there_is_no_receipt_for(
    recorded: Recorded, run: Run, options: tuple[str, ...], code: str, message: str
) -> None:
    refused = run("consent", "receipt", recorded.accepted, *options, "--data", recorded.directory, "--json")
    assert (refused.exit_code, refused.stdout, error(refused)["code"]) == (1, "", code)
    assert message in error(refused)["message"]


def test_a_conversation_that_does_not_exist(recorded: Recorded, run: Run) -> None:
    refused = run("consent", "receipt", "gone", "--party", "customer", "--data", recorded.directory, "--json")
    assert (refused.exit_code, error(refused)["code"]) == (1, "conversation_unknown")


def test_after_an_erasure_only_that_somebody_answered_is_left(recorded: Recorded, run: Run) -> None:
    assert run("erase", "--person", CUSTOMER, "--data", recorded.directory).exit_code == 0
    refused = run(
        "consent", "receipt", recorded.accepted, "--party", "customer", "--data", recorded.directory, "--json"
    )
    assert (refused.exit_code, error(refused)["code"]) == (1, "receipt_erased")
    assert "only that it was given is left" in error(refused)["message"]
