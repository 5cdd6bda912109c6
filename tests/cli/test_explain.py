"""`tallylight explain`."""

import json

from tallylight.law.pack import default_pack
from tests.cli.conftest import OldLaw, Recorded, Run, error


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
    steps = {person["role"]: [step["held"] for step in person["steps"]] for person in told["steps"]}
    assert steps == {"customer": [True] * 4, "agent": [True] * 4}
    assert told["today"] == {
        "pack": default_pack().hash,
        "same_pack": True,
        "unavailable": None,
        "differences": [],
    }


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
        "customer  not recorded, so no step was needed",
        "agent  recorded from ",
        "held: Everybody there had been told",
        "come out the same",
        "The law data of today are those it was judged by.",
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


def test_what_the_law_of_today_says_of_a_call_of_then(old_law: OldLaw, run: Run) -> None:
    explained = json.loads(run("explain", old_law.conversation, "--data", old_law.directory, "--json").stdout)
    assert explained["replay"]["agrees"] is True
    today = explained["today"]
    assert (today["pack"], today["same_pack"]) == (default_pack().hash, False)
    (difference,) = today["differences"]
    assert (difference["role"], difference["from_s"]) == ("agent", 5.0)
    assert [difference[when]["deciding"]["rule"] for when in ("then", "today")] == ["DK.employee.2018", "DK.employee"]
    told = " ".join(run("explain", old_law.conversation, "--data", old_law.directory).stdout.split())
    for text in (
        f"The law data of today ({default_pack().hash[:16]}) say otherwise",
        f"`tallylight law diff {old_law.pack[:16]} shipped",
        "5.0 s to now agent then recording by DK.employee.2018, today recording:",
        "[DK.employee: GDPR Arts 6(1)(b), 6(1)(f), 13, 88; since 2018-05-25, checked 2026-11-23]",
    ):
        assert text in told
