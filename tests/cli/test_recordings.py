"""`tallylight recordings`: the shapes the issue promises, files that are whole, and exit 3 where nothing is stored."""

import io
import json
import stat
import time
import wave
from pathlib import Path

from tallylight.catalogue.flags import MINOR
from tallylight.clock import VirtualClock
from tallylight.conversation.commands import OPERATOR, KnowMinor
from tallylight.law.vocabulary import Role
from tests.cli.conftest import AGENT, CUSTOMER, Recorded, Run, error
from tests.live.conftest import Talk, open_house


def test_list_as_json(recorded: Recorded, run: Run) -> None:
    listed = run("recordings", "list", "--data", recorded.directory, "--json")
    assert listed.exit_code == 0, listed.stderr
    accepted, refused = json.loads(listed.stdout)
    assert (accepted["conversation"], refused["conversation"]) == (recorded.accepted, recorded.refused)
    for entry in (accepted, refused):
        assert entry.keys() >= {"conversation", "started", "ended", "direction", "project", "parties"}
        assert [party["role"] for party in entry["parties"]] == ["customer", "agent"]
        for party in entry["parties"]:
            assert party.keys() >= {"party", "role", "address", "consent", "talked_s", "stored_s", "reason"}
    customer, agent = accepted["parties"]
    assert (customer["address"], customer["consent"], customer["party"]) == (CUSTOMER, "given", recorded.customer)
    assert customer["stored_s"] == 2.0
    assert (agent["address"], agent["stored_s"]) == (AGENT, 1.0)
    customer, agent = refused["parties"]
    assert (customer["consent"], customer["stored_s"]) == ("refused", 0.0)
    assert agent["stored_s"] == 1.0


def test_list_for_people(recorded: Recorded, run: Run) -> None:
    listed = run("recordings", "list", "--data", recorded.directory)
    assert listed.exit_code == 0
    for text in (recorded.accepted, recorded.refused, CUSTOMER, AGENT, "refused", "2.0 s", "TRIAL"):
        assert text in listed.stdout
    assert listed.stderr == ""


def test_export_writes_one_party(recorded: Recorded, run: Run, tmp_path: Path) -> None:
    out = tmp_path / "customer.wav"
    arguments = ("recordings", "export", recorded.accepted, "--data", recorded.directory, "--out", out, "--json")
    exported = run(*arguments, "--party", "customer")
    assert exported.exit_code == 0, exported.stderr
    told = json.loads(exported.stdout)
    assert (told["party"], told["path"], told["stored_s"]) == (recorded.customer, str(out), 2.0)
    with wave.open(str(out)) as sound:
        assert (sound.getnchannels(), sound.getsampwidth(), sound.getframerate()) == (1, 2, 8000)
        assert sound.getnframes() / 8000 == told["duration_s"]
        content = sound.readframes(sound.getnframes())
    assert content.strip(b"\0") != b""
    assert stat.S_IMODE(out.stat().st_mode) == 0o600
    by_id = run(*arguments, "--party", recorded.customer)
    assert by_id.exit_code == 0
    assert list(tmp_path.glob(".customer*")) == [], "no half-written file is left"


def test_export_to_stdout(recorded: Recorded, run: Run) -> None:
    exported = run(
        "recordings", "export", recorded.accepted, "--party", "agent", "--out", "-", "--data", recorded.directory
    )
    with wave.open(io.BytesIO(exported.stdout_bytes)) as sound:
        assert sound.getframerate() == 8000


def test_nothing_stored_is_exit_3(recorded: Recorded, run: Run, tmp_path: Path) -> None:
    out = tmp_path / "none.wav"
    arguments = (
        "recordings",
        "export",
        recorded.refused,
        "--party",
        "customer",
        "--out",
        out,
        "--data",
        recorded.directory,
    )
    plain = run(*arguments)
    assert plain.exit_code == 3
    assert plain.stderr.startswith("Nothing of this customer is stored: ")
    as_json = run(*arguments, "--json")
    assert as_json.exit_code == 3
    assert as_json.stdout == ""
    assert error(as_json)["code"] == "nothing_stored"
    assert not out.exists()


def test_a_conversation_that_does_not_exist(recorded: Recorded, run: Run, tmp_path: Path) -> None:
    for command in (("export", "--party", "customer", "--out", tmp_path / "x.wav"), ("explain",)):
        name, *options = command
        words = ("recordings", "export") if name == "export" else ("explain",)
        found = run(*words, "gone", *options, "--data", recorded.directory, "--json")
        assert found.exit_code == 1
        assert error(found)["code"] == "conversation_unknown"
        assert recorded.accepted in error(found)["message"], "what exists is named"
        assert recorded.refused in error(found)["message"]


def test_a_party_that_does_not_exist(recorded: Recorded, run: Run, tmp_path: Path) -> None:
    out = tmp_path / "x.wav"
    found = run(
        *("recordings", "export", recorded.accepted, "--party", "supervisor", "--out", out),
        *("--data", recorded.directory, "--json"),
    )
    assert found.exit_code == 1
    assert error(found)["code"] == "party_unknown"
    assert all(role in error(found)["message"] for role in ("customer", "agent", "system")), "what exists is named"


def test_a_folder_that_is_missing_is_said_before_anything_is_read(recorded: Recorded, run: Run, tmp_path: Path) -> None:
    out = tmp_path / "nowhere" / "x.wav"
    found = run(
        "recordings", "export", recorded.accepted, "--party", "agent", "--out", out, "--data", recorded.directory
    )
    assert found.exit_code == 1
    assert str(tmp_path / "nowhere") in found.stderr


def test_no_data_folder(run: Run, tmp_path: Path) -> None:
    gone = tmp_path / "gone"
    missing = run("recordings", "list", "--data", gone, "--json")
    assert (missing.exit_code, error(missing)["code"]) == (1, "no_folder")
    assert not gone.exists(), "looking makes nothing"
    empty = run("recordings", "list", "--data", tmp_path, "--json")
    assert (empty.exit_code, error(empty)["code"]) == (1, "no_folder")
    assert list(tmp_path.iterdir()) == []


def test_a_purpose_that_is_none_is_named_with_the_nearest(recorded: Recorded, run: Run, tmp_path: Path) -> None:
    out = tmp_path / "proof.wav"
    arguments = ("recordings", "export", recorded.accepted, "--party", "customer", "--out", out)
    refused = run(*arguments, "--purpose", "prof_of_consent", "--data", recorded.directory)
    assert refused.exit_code == 2
    assert "proof_of_consent" in refused.stderr
    nothing = run(*arguments, "--purpose", "marketing", "--data", recorded.directory)
    assert nothing.exit_code == 3
    assert not out.exists()


def test_for_an_agent(recorded: Recorded, run: Run, tmp_path: Path) -> None:
    """F127: their own calls in any spelling of their address, nobody else's by the settings of these calls."""
    everything = ("recordings", "list", "--data", recorded.directory, "--json")
    for own in (AGENT, '"Agent" <SIP:agent@127.0.0.1:5070;transport=tcp>'):
        assert json.loads(run(*everything, "--agent", own).stdout) == json.loads(run(*everything).stdout)
    assert json.loads(run(*everything, "--agent", "sip:other@127.0.0.1").stdout) == []
    assert "No conversation that this agent may hear" in run(*everything[:-1], "--agent", "+4570101010").stderr
    out = tmp_path / "x.wav"
    export = ("recordings", "export", recorded.accepted, "--party", "customer", "--out", out, "--data")
    refused = run(*export, recorded.directory, "--agent", "sip:other@127.0.0.1", "--json")
    assert refused.exit_code == 1
    assert error(refused)["code"] == "not_for_agent"
    assert not out.exists()
    assert run(*export, recorded.directory, "--agent", AGENT).exit_code == 0
    assert out.exists()
    nonsense = run(*export, recorded.directory, "--agent", "who?", "--json")
    assert error(nonsense)["code"] == "address_invalid"


def test_what_a_person_has_to_look_at_is_marked(run: Run, tmp_path: Path) -> None:
    directory = tmp_path / "data"
    with open_house(directory, VirtualClock(time.time_ns() // 1_000_000 - 3_600_000)) as house:
        talk = Talk(house)
        talk.ask()
        house.clock.advance(1)
        talk.join(Role.AGENT, AGENT)
        known = KnowMinor(by=OPERATOR, party=talk.customer, offset_ms=talk.runner.offset_ms())
        assert talk.runner.command(known, actor=OPERATOR) is None
        house.settle()
        talk.end()
    customer, agent = json.loads(run("recordings", "list", "--data", directory, "--json").stdout)[0]["parties"]
    assert (customer["flagged"], agent["flagged"]) == ([MINOR], [])
    listed = " ".join(run("recordings", "list", "--data", directory).stdout.split())
    assert "none, flagged" in listed
    assert f"FLAGGED customer: {MINOR}" in listed
    explained = " ".join(run("explain", talk.runner.conversation, "--data", directory).stdout.split())
    assert f"1.0 s FLAGGED customer: {MINOR}" in explained
