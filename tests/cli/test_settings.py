"""`tallylight settings`: what holds in each project, who chose it, and the versions that calls had."""

import json
from collections.abc import Mapping
from pathlib import Path

from tallylight.config.trial import trial
from tallylight.ledger.commitment import JsonValue
from tests.cli.conftest import Recorded, Run, error
from tests.cli.server import answering

FILE = """\
[controller]
name = "Nordic Widgets"
country = "DK"
policy_address = "widgets.example/privacy"
[agents]
country = "DK"
[recording]
mode = "both"
retention_months = 6
[project.service]
language = "da"
purpose = "training"
basis = "consent"
necessity = "orders are only ever spoken"
numbers = ["+4570101010"]
[project.sales]
kind = "outbound"
language = "da"
purpose = "training"
basis = "consent"
mode = "none"
several_receipts = true
"""


def test_show_names_every_level_and_the_rule_that_won(run: Run, tmp_path: Path) -> None:
    """F110: a folder with nothing but a file."""
    (tmp_path / "tallylight.toml").write_text(FILE)
    shown = run("settings", "show", "--data", tmp_path, "--json")
    assert shown.exit_code == 0, shown.stderr
    service, sales = json.loads(shown.stdout)
    assert (service["project"], service["kind"], sales["project"], sales["kind"]) == (
        *("service", "omni"),
        *("sales", "outbound"),
    )
    assert len(service["version"]) == 64
    assert service["version"] != sales["version"]
    assert (service["trial"], service["versions"], sales["versions"]) == (False, [], [])
    assert service["preferences"]["mode"] == {
        "value": "both",
        "source": "global",
        "rule": "the project uses the global setting",
        "considered": [
            {"source": "project", "value": None},
            {"source": "global", "value": "both"},
            {"source": "default", "value": "none"},
        ],
    }
    holds = {name: (choice["value"], choice["source"]) for name, choice in sales["preferences"].items()}
    assert holds == {
        "mode": ("none", "project"),
        "conference": ("all", "default"),
        "start_paused": (False, "default"),
        "agents_hear_others": (False, "default"),
        "several_receipts": (True, "project"),
        "attested_consent": (False, "default"),
        "retention_months": (6, "global"),
        "receipt_months": (None, "default"),
    }
    assert not (tmp_path / "tallylight.db").exists(), "looking makes nothing"


def test_show_one_project(run: Run, tmp_path: Path) -> None:
    (tmp_path / "tallylight.toml").write_text(FILE)
    only = run("settings", "show", "--project", "sales", "--data", tmp_path, "--json")
    assert [each["project"] for each in json.loads(only.stdout)] == ["sales"]
    misspelt = run("settings", "show", "--project", "sale", "--data", tmp_path, "--json")
    assert misspelt.exit_code == 1
    assert error(misspelt)["code"] == "project_unknown"
    assert "service, sales" in error(misspelt)["message"]


def test_show_counts_the_conversations_of_each_version(recorded: Recorded, run: Run) -> None:
    shown = run("settings", "show", "--data", recorded.directory, "--json")
    (project,) = json.loads(shown.stdout)
    assert (project["project"], project["trial"]) == (trial().projects[0].name, True)
    assert sum(version["conversations"] for version in project["versions"]) == 2
    newest = project["versions"][0]
    listed = json.loads(run("recordings", "list", "--data", recorded.directory, "--json").stdout)
    assert (newest["first"], newest["last"]) == (listed[0]["started"], listed[-1]["started"])
    assert newest["current"] == (newest["version"] == project["version"])


def test_show_for_people(recorded: Recorded, run: Run) -> None:
    shown = run("settings", "show", "--data", recorded.directory)
    assert shown.exit_code == 0
    for text in ("trial", "TRIAL", "agents_hear_others", "nobody has chosen", "conversations"):
        assert text in shown.stdout


def test_no_folder(run: Run, tmp_path: Path) -> None:
    missing = run("settings", "show", "--data", tmp_path / "gone", "--json")
    assert missing.exit_code == 1
    assert error(missing)["code"] == "no_folder"


def test_apply_says_what_changed_and_what_waits(run: Run, tmp_path: Path) -> None:
    answer: JsonValue = {
        "projects": [
            {"project": "gone", "old": "a" * 64, "new": None},
            {"project": "main", "old": "a" * 64, "new": "b" * 64},
            {"project": "same", "old": "c" * 64, "new": "c" * 64},
            {"project": "young", "old": None, "new": "d" * 64},
        ],
        "restart": ["flow", "sip"],
    }

    async def apply(request: Mapping[str, JsonValue]) -> JsonValue:
        return answer

    with answering(tmp_path, {"apply": apply}):
        told = run("settings", "apply", "--data", tmp_path)
        as_json = run("settings", "apply", "--data", tmp_path, "--json")
    rows = [line.split() for line in told.stdout.splitlines()[1:]]
    assert rows == [
        ["gone", "a" * 12, "-", "gone"],
        ["main", "a" * 12, "b" * 12, "changed"],
        ["same", "c" * 12, "c" * 12, "unchanged"],
        ["young", "-", "d" * 12, "new"],
    ]
    assert told.stderr == "Changed too, and waiting for a restart: [flow], [sip].\n"
    assert json.loads(as_json.stdout) == answer


def test_apply_where_no_server_runs(run: Run, tmp_path: Path) -> None:
    refused = run("settings", "apply", "--data", tmp_path, "--json")
    assert refused.exit_code == 1
    assert error(refused)["code"] == "no_server"
