"""`tallylight call`, and what a running server adds to `recordings list`."""

import json
from collections.abc import Mapping

import pytest

from tallylight.errors import TallylightError
from tallylight.ledger.commitment import JsonValue
from tests.cli.conftest import Recorded, Run, error
from tests.cli.server import answering


def test_pause_and_resume_reach_the_server(recorded: Recorded, run: Run) -> None:
    async def obey(_request: Mapping[str, JsonValue]) -> JsonValue:
        return None

    with answering(recorded.directory, {"pause": obey, "resume": obey}) as heard:
        paused = run("call", "pause", "abc", "--data", recorded.directory, "--json")
        resumed = run("call", "resume", "abc", "--data", recorded.directory)
    assert heard == [{"command": "pause", "conversation": "abc"}, {"command": "resume", "conversation": "abc"}]
    assert (paused.exit_code, json.loads(paused.stdout)) == (0, {"conversation": "abc", "state": "paused"})
    assert (resumed.exit_code, resumed.stdout, resumed.stderr) == (0, "", "Conversation abc: resumed.\n")


def test_what_staff_know_reaches_the_server(recorded: Recorded, run: Run) -> None:
    async def obey(_request: Mapping[str, JsonValue]) -> JsonValue:
        return None

    data = ("--data", recorded.directory)
    with answering(recorded.directory, {"attest": obey, "minor": obey}) as heard:
        attested = run("call", "attest", "abc", "--evidence", "said aloud", *data, "--json")
        unfounded = run("call", "attest", "abc", *data)
        minor = run("call", "minor", "abc", *data)
    assert heard == [
        {"command": "attest", "conversation": "abc", "evidence": "said aloud"},
        {"command": "minor", "conversation": "abc"},
    ]
    assert minor.stderr == "Conversation abc: known to be a minor.\n"
    assert json.loads(attested.stdout) == {"conversation": "abc", "state": "consent attested"}
    assert unfounded.exit_code == 2
    assert "--evidence" in unfounded.stderr


def test_what_the_server_refuses(recorded: Recorded, run: Run) -> None:
    async def refuse(_request: Mapping[str, JsonValue]) -> JsonValue:
        raise TallylightError("No call with the conversation abc is running.", code="no_such_call")

    with answering(recorded.directory, {"pause": refuse}):
        refused = run("call", "pause", "abc", "--data", recorded.directory, "--json")
    assert (refused.exit_code, refused.stdout) == (1, "")
    assert error(refused) == {"code": "no_such_call", "message": "No call with the conversation abc is running."}


def test_no_server(recorded: Recorded, run: Run) -> None:
    refused = run("call", "pause", "abc", "--data", recorded.directory, "--json")
    assert (refused.exit_code, error(refused)["code"]) == (1, "no_server")
    gone = run("call", "pause", "abc", "--data", recorded.directory / "gone", "--json")
    assert (gone.exit_code, error(gone)["code"]) == (1, "no_folder")


def test_the_folder_may_come_from_the_environment(
    recorded: Recorded, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TALLYLIGHT_DATA", str(recorded.directory))
    assert run("recordings", "list").exit_code == 0


def test_a_server_that_talks_nonsense_does_not_hide_the_list(recorded: Recorded, run: Run) -> None:
    async def nonsense(_request: Mapping[str, JsonValue]) -> JsonValue:
        raise TallylightError("not now")

    with answering(recorded.directory, {"status": nonsense}) as heard:
        listed = run("recordings", "list", "--data", recorded.directory, "--json")
    assert heard == [{"command": "status"}]
    assert len(json.loads(listed.stdout)) == 2


def test_the_customer_and_receipts_reach_the_server(recorded: Recorded, run: Run) -> None:
    async def obey(_request: Mapping[str, JsonValue]) -> JsonValue:
        return None

    data = ("--data", recorded.directory)
    with answering(recorded.directory, {"customer": obey, "receipt": obey}) as heard:
        on = run("call", "customer", "abc", *data)
        off = run("call", "customer", "abc", "--off", *data, "--json")
        opened = run("call", "receipt", "abc", "--order", "A-17", *data, "--json")
        closed = run("call", "receipt", "abc", "--close", *data)
    assert heard == [
        {"command": "customer", "conversation": "abc", "on": True},
        {"command": "customer", "conversation": "abc", "on": False},
        {"command": "receipt", "conversation": "abc", "open": True, "order": "A-17"},
        {"command": "receipt", "conversation": "abc", "open": False, "order": ""},
    ]
    assert on.stderr == "Conversation abc: customer on.\n"
    assert json.loads(off.stdout) == {"conversation": "abc", "state": "customer off"}
    assert json.loads(opened.stdout) == {"conversation": "abc", "state": "receipt open"}
    assert closed.stderr == "Conversation abc: receipt closed.\n"
