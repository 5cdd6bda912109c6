"""`tallylight notice`: the exact text and its hash, and what a wording leaves out."""

import hashlib
import json
from pathlib import Path

import pytest

from tallylight.consent.notices import LANGUAGES
from tallylight.consent.wording.form import Variant
from tests.cli.conftest import Run, error

CONFIGURATION = """
[controller]
name = "Fjord A/S"
country = "DK"
policy_address = "fjord.example/p"
terms_acknowledged_by = "Jane Doe"
[agents]
country = "DK"
employee_notice = true
[project.sales]
language = "da"
mode = "both"
necessity = "tests"
purpose = "training"
basis = "consent"
retention_months = 2
[project.silent]
language = "en"
mode = "none"
purpose = "training"
basis = "consent"
retention_months = 2
numbers = ["silent"]
[flow]
withdraw_code = "*7"
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    file = tmp_path / "tallylight.toml"
    file.write_text(CONFIGURATION)
    file.chmod(0o600)
    return tmp_path


def test_for_people(run: Run) -> None:
    rendered = run("notice", "render", "--project", "trial", "--lang", "da")
    assert rendered.exit_code == 0, rendered.stderr
    first, question = rendered.stdout.splitlines()
    assert "optager og gemmer denne samtale til kvalitetssikring" in first
    assert question == "Må vi optage din stemme? Tryk 1 for ja, 2 for nej eller 9 for at høre mere."
    assert hashlib.sha256(first.encode()).hexdigest() in rendered.stderr


@pytest.mark.parametrize("variant", Variant)
@pytest.mark.parametrize("lang", LANGUAGES)
def test_every_variant(folder: Path, run: Run, variant: str, lang: str) -> None:
    rendered = run(
        "notice", "render", "--project", "sales", "--lang", lang, "--variant", variant, "--data", folder, "--json"
    )
    told = json.loads(rendered.stdout)
    assert (told["project"], told["variant"], told["language"], told["version"]) == ("sales", variant, lang, "3")
    for part in told["parts"]:
        assert part["hash"] == hashlib.sha256(part["text"].encode()).hexdigest()
    assert "Fjord A/S" in told["parts"][0]["text"]


def test_the_project_decides_what_is_not_said(folder: Path, run: Run) -> None:
    told = run("notice", "render", "--project", "sales", "--data", folder).stdout
    assert "til oplæring af vores medarbejdere i to måneder" in told
    assert "stjerne syv" in told
    silent = run("notice", "render", "--project", "silent", "--data", folder)
    assert silent.stdout == "Welcome to Fjord A/S. This call is not recorded.\n"
    employee = run("notice", "render", "--project", "silent", "--variant", "employee", "--data", folder, "--json")
    assert (employee.exit_code, error(employee)["code"]) == (1, "notice_invalid")


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (("--project", "sale"), "project_unknown", "'sale' is none of sales, silent; did you mean sales"),
        (("--project", "sales", "--lang", "sv"), "language_unknown", "choose one of en, da, de, fr, es"),
        (("--project", "sales", "--variant", "vidio"), "variant_unknown", "did you mean video"),
    ],
)
def test_what_there_is_not(folder: Path, run: Run, arguments: tuple[str, ...], code: str, message: str) -> None:
    refused = run("notice", "render", *arguments, "--data", folder, "--json")
    assert (refused.exit_code, refused.stdout, error(refused)["code"]) == (1, "", code)
    assert message in error(refused)["message"]


def test_a_shipped_wording_has_nothing_wrong(run: Run, tmp_path: Path) -> None:
    for language in LANGUAGES:
        file = tmp_path / f"{language}.toml"
        file.write_bytes(run("notice", "wording", language).stdout_bytes)
        linted = run("notice", "lint", file, "--json")
        assert (linted.exit_code, json.loads(linted.stdout)["findings"]) == (0, [])


def test_what_is_found_is_named(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "own.toml"
    text = run("notice", "wording", "en").stdout
    file.write_text(
        text.replace(
            "This is {controller}. We record and store this call {purpose}, for {months};",
            "This call may be recorded {purpose};",
        )
    )
    linted = run("notice", "lint", file)
    assert linted.exit_code == 1
    elements = [line.split(": ")[:2] for line in linted.stdout.splitlines()]
    assert elements == [["variants.outbound", element] for element in ("controller", "stored", "retention", "certain")]
    assert linted.stderr == f"{file}: 4 found.\n"
    found = json.loads(run("notice", "lint", file, "--json").stdout)["findings"]
    assert found[0] == {
        "text": "variants.outbound",
        "element": "controller",
        "message": "Say who records: {controller}.",
    }


@pytest.mark.parametrize("content", [b"language = 1", b"[", b"\xff"])
def test_what_is_no_wording(run: Run, tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "own.toml"
    file.write_bytes(content)
    refused = run("notice", "lint", file, "--json")
    assert (refused.exit_code, error(refused)["code"]) == (1, "wording_invalid")
    assert str(file) in error(refused)["message"]


def test_a_file_that_is_not_there(run: Run, tmp_path: Path) -> None:
    refused = run("notice", "lint", tmp_path / "gone.toml", "--json")
    assert (refused.exit_code, error(refused)["code"]) == (1, "os")


def test_lint_judges_a_call_flow(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "flow.toml"
    file.write_text(
        'granted = [{ verb = "dial", target = "support" }]\nrefused = [{ verb = "hangup" }]\nunanswered = []\n'
    )
    judged = run("notice", "lint", file, "--json")
    assert judged.exit_code == 1
    assert [(each["branch"], each["element"]) for each in json.loads(judged.stdout)["findings"]] == [
        ("refused", "ends"),
        ("unanswered", "not_connected"),
    ]
    shown = run("notice", "lint", file)
    assert "After a no: the call is ended" in shown.stdout
    dial = '[{ verb = "dial", target = "support" }]'
    file.write_text(f"granted = {dial}\nrefused = {dial}\nunanswered = {dial}\n")
    fair = run("notice", "lint", file)
    assert fair.exit_code == 0
    assert "a no costs nothing" in fair.stderr
