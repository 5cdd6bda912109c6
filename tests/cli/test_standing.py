"""`tallylight consent standing`: kept with its text until its end, and refused where the text is no consent to what is done."""

import datetime
import hashlib
import json
from collections.abc import Mapping
from pathlib import Path

import pytest

from tallylight.app.store import lock
from tallylight.database.engine import FILE_NAME
from tallylight.ledger.commitment import JsonValue
from tallylight.policy.standing_yes import LONGEST_MONTHS
from tests.cli.conftest import CUSTOMER, Recorded, Run, error
from tests.cli.server import answering

UNTIL = (datetime.datetime.now(datetime.UTC).date() + datetime.timedelta(days=300)).isoformat()
TEXT = f"""\
Example Ltd (trial) records and stores my calls for quality assurance, for three months each, until {UNTIL}.
Our service is the same without it. To withdraw: *2 during the call, afterwards at example.com/privacy.
"""
EVIDENCE = ("--evidence", "form signed at the counter")


@pytest.fixture
def wording(tmp_path: Path) -> Path:
    file = tmp_path / "agreed.txt"
    file.write_text(TEXT)
    return file


def add(recorded: Recorded, wording: Path, person: str = CUSTOMER, **changes: object) -> tuple[object, ...]:
    options = {"purpose": "quality_assurance", "until": UNTIL, "wording": wording, **changes}
    return (
        *("consent", "standing", "add", "--data", recorded.directory, "--person", person, *EVIDENCE, "--json"),
        *(part for name, value in options.items() for part in (f"--{name}", value)),
    )


def listed(recorded: Recorded, run: Run, *options: object) -> list[dict[str, object]]:
    shown = run("consent", "standing", "list", "--data", recorded.directory, "--json", *options)
    found: list[dict[str, object]] = json.loads(shown.stdout)
    return found


def test_given_once_found_in_any_spelling_and_removed(recorded: Recorded, run: Run, wording: Path) -> None:
    added = run(*add(recorded, wording))
    assert added.exit_code == 0, added.stderr
    given = json.loads(added.stdout)
    assert given["state"] == "stands"
    assert given["expires"] == f"{UNTIL}T00:00:00.000Z"
    assert (given["text"], given["notice"]) == (TEXT, hashlib.sha256(wording.read_bytes()).hexdigest())
    assert given["evidence"] == "form signed at the counter"
    for spelling in ("20123456", "0045 20 12 34 56", "sip:+4520123456@other.example"):
        assert listed(recorded, run, "--person", spelling) == [
            {name: value for name, value in given.items() if name != "state"}
        ]
    assert listed(recorded, run, "--person", "+4520123457") == []
    shown = run("consent", "standing", "list", "--data", recorded.directory).stdout
    assert given["standing_yes"] in shown
    assert f"until {UNTIL}" in shown
    removed = run(
        *("consent", "standing", "remove", "--person", "20123456", "--purpose", "quality_assurance"),
        *("--evidence", "mail", "--data", recorded.directory, "--json"),
    )
    assert [(each["standing_yes"], each["state"]) for each in json.loads(removed.stdout)] == [
        (given["standing_yes"], "removed")
    ]
    assert listed(recorded, run) == []
    assert run("ledger", "verify", "--data", recorded.directory).exit_code == 0


def test_it_does_not_say_whose_it_is_and_goes_with_an_erasure(recorded: Recorded, run: Run, wording: Path) -> None:
    run(*add(recorded, wording, "+4531415926"))
    for file in recorded.directory.glob(f"{FILE_NAME}*"):
        assert b"31415926" not in file.read_bytes()
    assert "31415926" not in run("ledger", "export", "--data", recorded.directory).stdout
    (given,) = listed(recorded, run)
    erased = run("erase", "--person", "31 41 59 26", "--data", recorded.directory)
    assert erased.exit_code == 0
    assert f"erased: standing yes {given['standing_yes']}" in erased.stdout
    assert "Nothing was stored" not in erased.stderr
    assert listed(recorded, run) == []


@pytest.mark.parametrize(
    ("changes", "code", "says"),
    [
        ({"person": "?"}, "address_invalid", "no address"),
        ({"person": "sip:anonymous@anonymous.invalid"}, "standing_yes_invalid", "asked on the call"),
        ({"purpose": "quality_asurance"}, "purpose_unused", "did you mean quality_assurance?"),
        ({"purpose": "training"}, "purpose_unused", "none of quality_assurance"),
        ({"until": "2020-01-01"}, "wording_invalid", "expiry: Say until when the yes stands: 2020-01-01."),
        ({"until": "tomorrow"}, "expiry_invalid", "write YYYY-MM-DD"),
        ({"language": "dk"}, "language_unknown", "is none of en, da"),
        ({"language": "de"}, "wording_invalid", "purposes: Say what for: zur Qualitätssicherung."),
        ({"wording": "missing.txt"}, "os", "missing.txt"),
    ],
)
def test_what_cannot_be(
    recorded: Recorded, run: Run, wording: Path, changes: dict[str, object], code: str, says: str
) -> None:
    refused = run(*add(recorded, **{"wording": wording, **changes}))  # type: ignore[arg-type]
    assert (refused.exit_code, error(refused)["code"]) == (1, code)
    assert says in error(refused)["message"]
    assert listed(recorded, run) == []


def test_a_text_that_is_no_consent_is_refused_with_everything_wrong(
    recorded: Recorded, run: Run, wording: Path
) -> None:
    wording.write_text(TEXT.replace("and stores", "").replace("three months", "a while") + "You must agree.")
    refused = run(*add(recorded, wording))
    assert (refused.exit_code, error(refused)["code"]) == (1, "wording_invalid")
    assert [line.partition(":")[0] for line in error(refused)["message"].splitlines()[1:]] == [
        "stored",
        "retention",
        "free",
    ]
    wording.write_bytes(b"\xff")
    assert error(run(*add(recorded, wording)))["code"] == "wording_invalid"


@pytest.mark.parametrize("days", [-1, 0, 31 * LONGEST_MONTHS])
def test_it_ends_within_two_years_from_now(recorded: Recorded, run: Run, wording: Path, days: int) -> None:
    until = (datetime.datetime.now(datetime.UTC).date() + datetime.timedelta(days=days)).isoformat()
    wording.write_text(TEXT.replace(UNTIL, until))
    refused = run(*add(recorded, wording, until=until))
    assert (refused.exit_code, error(refused)["code"]) == (1, "expiry_invalid")


def test_an_objection_refuses_it(recorded: Recorded, run: Run, wording: Path) -> None:
    run("objection", "add", "--person", CUSTOMER, "--evidence", "letter", "--data", recorded.directory)
    refused = run(*add(recorded, wording))
    assert (refused.exit_code, error(refused)["code"]) == (1, "objection_stands")


def test_nothing_to_remove_and_nothing_to_list(recorded: Recorded, run: Run) -> None:
    data = ("--data", recorded.directory)
    refused = run("consent", "standing", "remove", "--person", CUSTOMER, "--evidence", "mail", *data, "--json")
    assert (refused.exit_code, error(refused)["code"]) == (1, "standing_yes_unknown")
    for options, said in (((), "Nobody has"), (("--person", CUSTOMER), "This person has no")):
        shown = run("consent", "standing", "list", *data, *options)
        assert (shown.stdout, shown.stderr.startswith(said)) == ("", True)


def test_beside_a_server_the_server_does_it(recorded: Recorded, run: Run, wording: Path) -> None:
    given: dict[str, JsonValue] = {"standing_yes": "01a2", "purpose": "quality_assurance", "expires": "2027"}

    async def agree(_request: Mapping[str, JsonValue]) -> JsonValue:
        return given

    async def take_back(_request: Mapping[str, JsonValue]) -> JsonValue:
        return [given]

    data = ("--data", recorded.directory)
    with lock(recorded.directory), answering(recorded.directory, {"agree": agree, "take_back": take_back}) as heard:
        added = run(*add(recorded, wording))
        removed = run("consent", "standing", "remove", "--person", CUSTOMER, "--evidence", "mail", *data)
    assert json.loads(added.stdout) == {**given, "state": "stands"}
    assert removed.stderr == "Standing yes 01a2 to quality_assurance: removed.\n"
    assert heard[0] == {
        "command": "agree",
        "person": CUSTOMER,
        "purpose": "quality_assurance",
        "until": UNTIL,
        "text": TEXT,
        "language": "en",
        "evidence": "form signed at the counter",
    }
    assert heard[1] == {"command": "take_back", "person": CUSTOMER, "purpose": None, "evidence": "mail"}
