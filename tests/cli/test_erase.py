"""`tallylight erase` and `retention sweep`, without a server and beside one."""

import json
import re
import sqlite3
import time
from collections.abc import Mapping
from pathlib import Path

import pytest

from tallylight.app.store import lock
from tallylight.clock import VirtualClock
from tallylight.database.engine import FILE_NAME
from tallylight.law.vocabulary import Purpose, Sector
from tallylight.ledger.commitment import JsonValue
from tests.cli.conftest import AGENT, CUSTOMER, Recorded, Run, error
from tests.cli.server import answering
from tests.live.conftest import Talk, open_house
from tests.live.test_floors import agreed, run_by


@pytest.mark.parametrize(
    "spelling",
    [
        CUSTOMER,
        "20123456",
        "20 12 34 56",
        "0045 20123456",
        "+45 (20) 12-34.56",
        "tel:+45-20-12-34-56",
        "tel:20123456;phone-context=+45",
        "sip:20123456@10.0.0.1:5060;user=phone",
        "sips:+4520123456@sbc.example:5071;user=phone;transport=tls?subject=x",
        "sip:%2B4520123456@10.0.0.1",
        "sip:0045-20123456;isub=7@[2001:db8::1]:5070",
        '"A Customer" <sip:+4520123456@pbx.example;user=phone>;tag=77',
    ],
)
def test_any_spelling_erases_the_person(recorded: Recorded, run: Run, spelling: str) -> None:
    erased = run("erase", "--person", spelling, "--data", recorded.directory, "--json")
    assert erased.exit_code == 0, erased.stderr
    certificate = json.loads(erased.stdout)
    assert certificate["state"] == "complete"
    assert certificate["signature"]["algorithm"] == "Ed25519"
    assert {track["conversation"] for track in certificate["tracks"]} == {recorded.accepted}
    assert len(certificate["stays"]) >= 1, "the agent's own track stays, and the certificate says so"
    assert CUSTOMER.removeprefix("+") not in erased.stdout
    listed = json.loads(run("recordings", "list", "--data", recorded.directory, "--json").stdout)
    customers = [party for entry in listed for party in entry["parties"] if party["role"] == "customer"]
    assert [(customer["address"], customer["stored_s"]) for customer in customers] == [(None, 0.0)] * 2
    assert run("ledger", "verify", "--data", recorded.directory).exit_code == 0


@pytest.mark.parametrize(
    "spelling", [AGENT, "sips:agent@127.0.0.1:5061;transport=tls", '"Agent" <sip:agent@127.0.0.1:5090>;tag=1']
)
def test_an_agent_is_found_without_port_and_parameters(recorded: Recorded, run: Run, spelling: str) -> None:
    erased = json.loads(run("erase", "--person", spelling, "--data", recorded.directory, "--json").stdout)
    assert {track["conversation"] for track in erased["tracks"]} == {recorded.accepted, recorded.refused}
    listed = json.loads(run("recordings", "list", "--data", recorded.directory, "--json").stdout)
    addresses = {party["role"]: party["address"] for entry in listed for party in entry["parties"]}
    assert addresses == {"customer": CUSTOMER, "agent": None}


@pytest.mark.parametrize("stranger", ["+4620123456", "20123457", "sip:agent2@127.0.0.1", "sip:agent@127.0.0.2"])
def test_nobody_else_is_taken_for_the_person(recorded: Recorded, run: Run, stranger: str) -> None:
    erased = run("erase", "--person", stranger, "--data", recorded.directory, "--json")
    assert (erased.exit_code, json.loads(erased.stdout)["tracks"]) == (0, [])


def test_for_people(recorded: Recorded, run: Run) -> None:
    erased = run("erase", "--person", CUSTOMER, "--data", recorded.directory)
    assert erased.exit_code == 0
    for text in ("complete", "erased: quality_assurance track", "stays, another person's: agent's", "proof: "):
        assert text in erased.stdout


def test_what_a_law_has_kept_is_listed_and_printed_with_its_duty(run: Run, tmp_path: Path) -> None:
    with open_house(tmp_path, VirtualClock(time.time_ns() // 1_000_000 - 60_000)) as house:
        run_by(house, purpose=Purpose.COMPLIANCE, sector=Sector.INVESTMENT_SERVICES)
        talk = Talk(house)
        agreed(talk)
        talk.end()
    listed = run("recordings", "list", "--data", tmp_path)
    assert "kept by law until 2" in listed.stdout
    erased = run("erase", "--person", CUSTOMER, "--data", tmp_path)
    assert erased.exit_code == 0, erased.stderr
    printed = " ".join(erased.stdout.split())
    assert re.search(r"kept until 2\S+Z: compliance track \S+ of conversation \S+, and whose it is", printed)
    assert "(Art. 17(3)(b) GDPR: Directive 2014/65/EU art. 16(7);" in printed
    (entry,) = json.loads(run("recordings", "list", "--data", tmp_path, "--json").stdout)
    (customer,) = entry["parties"]
    assert (customer["address"], customer["stored_s"]) == (CUSTOMER, 2.0)
    assert all(track["kept_by_law_until"] for track in customer["tracks"])


def test_a_person_nobody_knows(recorded: Recorded, run: Run) -> None:
    erased = run("erase", "--person", "+4599999999", "--data", recorded.directory, "--json")
    assert erased.exit_code == 0
    assert "Nothing was stored of this person." in erased.stderr


def test_no_address(recorded: Recorded, run: Run) -> None:
    refused = run("erase", "--person", "?", "--data", recorded.directory, "--json")
    assert (refused.exit_code, error(refused)["code"], refused.stdout) == (1, "address_invalid", "")


def test_beside_a_server_the_server_erases(recorded: Recorded, run: Run) -> None:
    async def erase(_request: Mapping[str, JsonValue]) -> JsonValue:
        return {
            "state": "pending",
            "outcome": {"erasure": "e", "state": "pending", "remains": ["the log"]},
            "found": True,
        }

    with lock(recorded.directory), answering(recorded.directory, {"erase": erase}) as heard:
        erased = run("erase", "--person", CUSTOMER, "--data", recorded.directory, "--json")
    assert heard == [{"command": "erase", "person": CUSTOMER}]
    assert erased.exit_code == 1, "something remains"
    assert json.loads(erased.stdout) == {"erasure": "e", "state": "pending", "remains": ["the log"]}
    assert "repeat" in erased.stderr


def test_a_server_that_only_starts(recorded: Recorded, run: Run) -> None:
    """It holds the folder and has no socket yet: nothing may happen behind its back."""
    with lock(recorded.directory):
        refused = run("erase", "--person", CUSTOMER, "--data", recorded.directory, "--json")
    assert (refused.exit_code, error(refused)["code"]) == (1, "folder_in_use")


def test_what_the_server_refuses(recorded: Recorded, run: Run) -> None:
    with answering(recorded.directory, {}):
        refused = run("erase", "--person", CUSTOMER, "--data", recorded.directory, "--json")
    assert (refused.exit_code, error(refused)["code"]) == (1, "unknown_command")


def test_nothing_is_due(recorded: Recorded, run: Run) -> None:
    swept = run("retention", "sweep", "--data", recorded.directory, "--json")
    assert swept.exit_code == 0, swept.stderr
    report = json.loads(swept.stdout)
    assert (report["state"], report["due"]) == ("nothing_due", 0)
    assert report["stored"] > 0


def test_what_is_due_goes_without_a_server_too(recorded: Recorded, run: Run) -> None:
    """Everything in the folder is a quarter older than it was."""
    with sqlite3.connect(recorded.directory / FILE_NAME) as database:
        for table in ("track", "conversation"):
            database.execute(f"UPDATE {table} SET deadline_ms = deadline_ms - ?", [100 * 86_400_000])
    swept = run("retention", "sweep", "--data", recorded.directory)
    assert (swept.exit_code, swept.stderr) == (
        0,
        "4 of 4 stored tracks were due, and who took part in 2 conversations: erased.\n",
    )
    listed = json.loads(run("recordings", "list", "--data", recorded.directory, "--json").stdout)
    people = [party for entry in listed for party in entry["parties"]]
    assert [(party["address"], party["stored_s"]) for party in people] == [(None, 0.0)] * 4
    assert [party["consent"] for party in people] == ["given", "none", "refused", "none"]
    assert not [path for path in (recorded.directory / "objects").rglob("*") if path.is_file()]
    for conversation in (recorded.accepted, recorded.refused):
        told = json.loads(run("explain", conversation, "--data", recorded.directory, "--json").stdout)
        assert told["erased_payloads"] == 1, "what was answered"
        assert told["timeline"], "what was decided stays"
    assert run("ledger", "verify", "--data", recorded.directory).exit_code == 0
    again = json.loads(run("retention", "sweep", "--data", recorded.directory, "--json").stdout)
    assert (again["state"], again["stored"], again["conversations"]) == ("nothing_due", 0, 0)


def test_a_sweep_that_needs_a_look(recorded: Recorded, run: Run) -> None:
    async def sweep(request: Mapping[str, JsonValue]) -> JsonValue:
        state = "erased" if request["confirmed"] else "unconfirmed"
        return {
            "state": state,
            "due": 90,
            "stored": 100,
            "conversations": 0,
            "standing_yeses": 0,
            "reason": "90 of 100 tracks are due at once",
            "outcome": None,
        }

    with answering(recorded.directory, {"sweep": sweep}) as heard:
        unconfirmed = run("retention", "sweep", "--data", recorded.directory, "--json")
        confirmed = run("retention", "sweep", "--confirm", "--data", recorded.directory)
    assert [request["confirmed"] for request in heard] == [False, True]
    assert unconfirmed.exit_code == 1
    assert json.loads(unconfirmed.stdout)["state"] == "unconfirmed"
    assert "90 of 100 tracks are due at once" in unconfirmed.stderr
    assert "--confirm" in unconfirmed.stderr
    assert (confirmed.exit_code, confirmed.stderr) == (0, "90 of 100 stored tracks were due: erased.\n")
