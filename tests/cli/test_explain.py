"""`tallylight explain`."""

import json

from tests.cli.conftest import Recorded, Run, error


def test_the_whole_call(recorded: Recorded, run: Run) -> None:
    explained = run("explain", recorded.accepted, "--data", recorded.directory, "--json")
    assert explained.exit_code == 0, explained.stderr
    told = json.loads(explained.stdout)
    assert told["conversation"] == recorded.accepted
    assert told["marker"] == "TRIAL"
    assert told["settings"]
    lamps = {(segment["role"], segment["lamp"]) for segment in told["timeline"]}
    assert lamps >= {("customer", "off"), ("customer", "recording"), ("agent", "recording")}
    assert told["replay"]["agrees"] is True


def test_one_instant(recorded: Recorded, run: Run) -> None:
    everything = json.loads(run("explain", recorded.refused, "--data", recorded.directory, "--json").stdout)
    late = everything["timeline"][-1]["from_s"] + 0.01
    explained = json.loads(
        run("explain", recorded.refused, "--at", late, "--data", recorded.directory, "--json").stdout
    )
    assert explained["at_s"] == round(late, 3)
    (customer,) = (segment for segment in explained["timeline"] if segment["role"] == "customer")
    assert customer["lamp"] == "off"


def test_for_people(recorded: Recorded, run: Run) -> None:
    told = run("explain", recorded.refused, "--data", recorded.directory).stdout
    for text in (
        recorded.refused,
        "TRIAL",
        "said no and is not recorded",
        "no is no",
        "We record.",
        "come out the same",
    ):
        assert text in told


def test_an_instant_before_the_call(recorded: Recorded, run: Run) -> None:
    refused = run("explain", recorded.accepted, "--at", "-1", "--data", recorded.directory)
    assert refused.exit_code == 2
    assert "--at" in refused.stderr


def test_a_conversation_that_does_not_exist(recorded: Recorded, run: Run) -> None:
    refused = run("explain", "gone", "--data", recorded.directory, "--json")
    assert refused.exit_code == 1
    assert error(refused)["code"] == "conversation_unknown"
