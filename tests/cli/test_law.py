"""`tallylight law`: cases judged line by line, and the law data looked at."""

import json
from pathlib import Path

import pytest

from tallylight.law.pack import default_files, default_pack
from tests import needs
from tests.cli.conftest import OldLaw, Run, error

TEXAS = {"id": "one", "purpose": "quality", "parties": [
    {"role": "agent", "country": "US", "region": "TX"}, {"role": "customer", "country": "US", "region": "TX"}]}  # fmt: skip


@pytest.fixture
def cases(tmp_path: Path) -> Path:
    path = tmp_path / "cases.jsonl"
    lines = [
        json.dumps(TEXAS),
        "",
        "{",
        json.dumps({**TEXAS, "id": "two", "colour": "red"}),
        json.dumps({**TEXAS, "id": "three"}),
    ]
    path.write_text("\n".join(lines) + "\n")
    return path


def test_check_answers_every_line_in_order_and_nothing_else(cases: Path, run: Run) -> None:
    checked = run("law", "check", cases, "--json")
    assert (checked.exit_code, checked.stderr) == (0, "")
    answers = [json.loads(line) for line in checked.stdout.splitlines()]
    assert [each["id"] for each in answers] == ["one", None, "two", "three"]
    assert ["error" in each for each in answers] == [False, True, True, False]
    assert [each["record_customer"] for each in answers] == [True, False, False, True]
    assert set(answers[0]) == {
        "id", "record_agent", "record_customer", "record_others", "voiceprint_agent", "emotion_agent", "need",
        "retention", "because",
    }  # fmt: skip
    assert set(answers[0]["retention"]) == {"floor", "ceiling", "chosen"}
    assert set(answers[0]["because"][0]) == {"rule", "cite", "verdict", "text"}
    assert "colour" in answers[2]["error"]


def test_check_for_people_says_that_it_is_no_advice(cases: Path, run: Run) -> None:
    checked = run("law", "check", cases)
    assert checked.exit_code == 0
    assert "somebody who takes part" in checked.stdout or "part of the job" in checked.stdout
    assert "not legal advice. Law data of 2026-11-23" in checked.stderr


def test_check_of_a_file_that_is_missing(tmp_path: Path, run: Run) -> None:
    found = run("law", "check", tmp_path / "gone.jsonl")
    assert (found.exit_code, found.stdout) == (1, "")
    assert "gone.jsonl" in found.stderr


@needs.shared("law", "cases.jsonl")
def test_check_of_the_given_cases(run: Run) -> None:
    checked = run("law", "check", needs.SHARED / "law" / "cases.jsonl", "--json")
    assert checked.exit_code == 0
    answers = [json.loads(line) for line in checked.stdout.splitlines()]
    assert len(answers) == 112
    assert not any("error" in each for each in answers)


def test_list(run: Run) -> None:
    listed = json.loads(run("law", "list", "--json").stdout)
    assert listed["notice"] == "Software data with citations, not legal advice."
    assert len(listed["places"]) > 100
    plain = run("law", "list")
    assert "Washington" in plain.stdout
    assert "not legal advice" in plain.stderr


def test_show(run: Run) -> None:
    shown = json.loads(run("law", "show", "us-wa", "--json").stdout)
    assert shown["place"] == "US-WA"
    assert shown["rules"][0]["quote"] == "shall be considered obtained"
    assert shown["facts"]["penalty"]
    plain = run("law", "show", "Denmark")
    assert "DK.ground.quality" in plain.stdout
    assert "Straffeloven" in plain.stdout


def test_show_of_a_place_that_is_not_on_file(run: Run) -> None:
    found = run("law", "show", "US-WX", "--json")
    assert (found.exit_code, error(found)["code"]) == (1, "law_invalid")
    assert "US-WY (Wyoming)" in error(found)["message"]


def test_diff(tmp_path: Path, run: Run) -> None:
    for name, content in default_files().items():
        (tmp_path / name).write_bytes(content)
    same = run("law", "diff", "shipped", tmp_path)
    assert (same.exit_code, same.stdout) == (0, "")
    danish = tmp_path / "dk.toml"
    danish.write_text(danish.read_text().replace('standard = "one_party"', 'standard = "informed"'))
    found = json.loads(run("law", "diff", "shipped", tmp_path, "--json").stdout)
    assert [each["rule"] for each in found["rules"]] == ["DK.wiretap"]
    assert (found["rules"][0]["old"]["standard"], found["rules"][0]["new"]["standard"]) == ("one_party", "informed")
    assert "informed" in run("law", "diff", "shipped", tmp_path).stdout


def test_diff_of_what_is_no_pack(tmp_path: Path, run: Run) -> None:
    assert "There is no folder" in run("law", "diff", "shipped", tmp_path / "gone").stderr
    assert "holds no .toml pack" in run("law", "diff", "shipped", tmp_path).stderr
    (tmp_path / "xx.toml").write_text('[[rule]]\nid = "XX.wiretap"\n')
    assert "xx.toml, rule XX.wiretap: add" in run("law", "diff", tmp_path, "shipped").stderr


def test_diff_of_a_pack_that_conversations_have_kept(old_law: OldLaw, run: Run) -> None:
    found = json.loads(run("law", "diff", old_law.pack[:12], "shipped", "--data", old_law.directory, "--json").stdout)
    assert (found["old"], found["new"]) == (old_law.pack, default_pack().hash)
    assert [each["rule"] for each in found["rules"]] == ["DK.employee", "DK.employee.2018"]
    same = run("law", "diff", old_law.pack, old_law.pack[:8].upper(), "--data", old_law.directory)
    assert (same.exit_code, same.stdout) == (0, "")


def test_diff_of_a_hash_that_names_no_pack(old_law: OldLaw, run: Run) -> None:
    unknown = run("law", "diff", "ffffffffff", "shipped", "--data", old_law.directory, "--json")
    assert (unknown.exit_code, error(unknown)["code"]) == (1, "pack_unknown")
    assert old_law.pack in error(unknown)["message"]
    assert default_pack().hash in error(unknown)["message"]
    assert "say where with --data DIR" in run("law", "diff", old_law.pack, "shipped").stderr
    assert "`law packs --data DIR`" in run("law", "diff", "shiped", "shipped", "--data", old_law.directory).stderr


def test_packs(old_law: OldLaw, run: Run) -> None:
    listed = json.loads(run("law", "packs", "--data", old_law.directory, "--json").stdout)
    assert {(each["pack"], each["conversations"], each["shipped"]) for each in listed} == {
        (old_law.pack, 1, False),
        (default_pack().hash, 2, True),
    }
    assert all(each["first"] and each["last"] for each in listed)
    plain = run("law", "packs", "--data", old_law.directory)
    assert old_law.pack in plain.stdout
    assert "shipped" in plain.stdout


def test_sources(run: Run) -> None:
    found = json.loads(run("law", "sources", "--json").stdout)["sources"]
    assert {"source", "checked_by", "checked_at", "rules"} == set(found[0])
    assert "unverified" in run("law", "sources").stdout


def test_nothing_that_a_case_can_name_loses_the_others(run: Run, tmp_path: Path) -> None:
    good = '{"id": "good", "parties": [{"role": "agent", "country": "US", "region": "TX"}], "purpose": "quality"}'
    bad = (
        '{"id": "\\ud800", "parties": [{"role": "agent", "country": "US"}], "purpose": "quality", "\\ud801": 1}',
        good.replace("}]", "}]", 1)[:-1] + f', "event": "erasure_request", "age": "P{"9" * 5000}D"}}',
    )
    cases = tmp_path / "cases.jsonl"
    cases.write_text("\n".join((good, *bad, good)), encoding="ascii")
    checked = run("law", "check", cases, "--json")
    assert checked.exit_code == 0, checked.stderr
    answers = [json.loads(line) for line in checked.stdout.splitlines()]
    assert [("error" in answer, answer["record_agent"]) for answer in answers] == [
        (False, True),
        (True, False),
        (True, False),
        (False, True),
    ]
    assert run("law", "check", cases).exit_code == 0
