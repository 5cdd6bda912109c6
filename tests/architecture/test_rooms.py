"""The arrows between rooms, and what no file may hold."""

import ast
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

import pytest

from tallylight.config.schema import FileTable, ProjectTable
from tallylight.config.words import MODES_OF
from tallylight.health.alarms import ADVICE
from tests.needs import CHECKOUT

SOURCE = CHECKOUT / "src" / "tallylight"
GPL = {"av", "aiortc", "espeakng_loader"}
GPL_CHILD = SOURCE / "speech" / "espeak_child.py"

TEXT_SUFFIXES = {".py", ".toml", ".md", ".txt", ".ini", ".cfg", ".xml", ".mako", ".sql", ".json", ".sh", ""}
GENERATED = {".git", ".venv", "__pycache__", "build", "dist"}


def own_files() -> Iterator[Path]:
    """What git tracks or would track."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=CHECKOUT,
        capture_output=True,
        check=False,
    )
    if listed.returncode == 0:
        paths = [CHECKOUT / name.decode() for name in listed.stdout.split(b"\0") if name]
    else:
        paths = [path for path in CHECKOUT.rglob("*") if not GENERATED.intersection(path.relative_to(CHECKOUT).parts)]
    yield from (path for path in paths if path.is_file() and path.suffix in TEXT_SUFFIXES)


def imported(path: Path) -> set[str]:
    """The top-level packages a module imports, anywhere in it."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names.update(alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module is not None:
            names.add(node.module.partition(".")[0])
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute | ast.Name):
            called = node.func.attr if isinstance(node.func, ast.Attribute) else node.func.id
            first = node.args[0] if node.args else None
            if called in {"import_module", "__import__"} and isinstance(first, ast.Constant):
                names.add(str(first.value).partition(".")[0])
    return names


def test_arrows_between_rooms_point_one_way() -> None:
    linted = subprocess.run(
        [
            sys.executable,
            "-c",
            "from importlinter.cli import lint_imports_command; lint_imports_command()",
            "--no-cache",
        ],
        cwd=CHECKOUT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert linted.returncode == 0, linted.stdout + linted.stderr
    assert "0 broken" in linted.stdout


def test_gpl_code_is_loaded_by_its_child_process_alone() -> None:
    """Import-linter sees `import`; this sees `import_module("...")` as well."""
    guilty = {path for path in SOURCE.rglob("*.py") if imported(path) & GPL}
    assert guilty <= {GPL_CHILD}


def test_nobody_imports_the_gpl_child() -> None:
    naming = re.compile(
        r"(from|import)\s+(tallylight\.speech\.espeak_child|espeak_child)|speech import .*\bespeak_child\b"
    )
    assert [path for path in SOURCE.rglob("*.py") if naming.search(path.read_text(encoding="utf-8"))] == []


def test_every_dependency_is_listed_with_its_reason() -> None:
    project = tomllib.loads((CHECKOUT / "pyproject.toml").read_text())["project"]
    required = [
        *project["dependencies"],
        *(each for extra in project["optional-dependencies"].values() for each in extra),
    ]
    names = {re.split(r"[\[=<>~; ]", requirement)[0] for requirement in required}
    rows = re.findall(r"^\| ([a-z][a-z0-9-]*) \| ([^|]+) \|", (CHECKOUT / "docs" / "dependencies.md").read_text(), re.M)
    listed = {name for name, _ in rows if name != "package"}
    assert listed == names
    assert all(licence.strip() for _, licence in rows)


def test_every_dependency_is_pinned() -> None:
    project = tomllib.loads((CHECKOUT / "pyproject.toml").read_text())["project"]
    required = [
        *project["dependencies"],
        *(each for extra in project["optional-dependencies"].values() for each in extra),
    ]
    assert [requirement for requirement in required if "==" not in requirement] == []


# Put together here so that this file does not hold what it looks for.
FORBIDDEN = {
    "a path of one machine": re.compile(
        r"(?<![\w.])/(?:" + "|".join(("wo" + "rk", "ho" + "me", "ro" + "ot", "fa" + "rm")) + r")/\w"
    ),
    "unfinished work": re.compile(
        r"\b(?:" + "|".join(("TO" + "DO", "FIX" + "ME", "XX" + "X", "NotImplemented" + "Error")) + r")\b"
    ),
    "the address of a package registry": re.compile(r"\b(?:py" + r"pi\.org|file" + r"s\.pythonhosted\.org)\b"),
}


@pytest.mark.parametrize("what", FORBIDDEN)
def test_no_file_holds(what: str) -> None:
    found = [
        f"{path.relative_to(CHECKOUT)}:{number}: {line.strip()}"
        for path in own_files()
        for number, line in enumerate(path.read_text(encoding="utf-8", errors="replace").splitlines(), start=1)
        if FORBIDDEN[what].search(line)
    ]
    assert found == []


def test_the_patterns_find_what_they_look_for() -> None:
    samples = {
        "a path of one machine": "open('/ho" + "me/jane/x')",
        "unfinished work": "# TO" + "DO later",
        "the address of a package registry": "https://py" + "pi.org/simple",
    }
    assert all(FORBIDDEN[what].search(sample) for what, sample in samples.items())
    assert samples.keys() == FORBIDDEN.keys()


def test_every_room_says_what_it_is_for() -> None:
    """A folder's `__init__` is a few lines of prose."""
    for path in SOURCE.rglob("__init__.py"):
        text = path.read_text(encoding="utf-8")
        assert ast.get_docstring(ast.parse(text)), f"{path.relative_to(CHECKOUT)} says nothing"
        assert len(text.splitlines()) <= 20, f"{path.relative_to(CHECKOUT)} is more than a few lines"


def test_the_operators_guide_knows_every_alarm() -> None:
    guide = (CHECKOUT / "docs" / "operator.md").read_text()
    rows = dict(re.findall(r"^\| `([a-z_]+)` \| ([^|]+) \|$", guide, re.M))
    assert rows == {kind.value: advice for kind, advice in ADVICE.items()}


def test_the_operators_guide_knows_every_setting() -> None:
    guide = (CHECKOUT / "docs" / "operator.md").read_text()
    for name, field in FileTable.model_fields.items():
        assert f"`[{name}" in guide
        table = ProjectTable if name == "project" else field.annotation
        for kind in (table, *get_args(table)):
            for key in getattr(kind, "model_fields", {}):
                assert f"`{key}`" in guide, f"[{name}] {key}"


def test_the_operators_guide_knows_which_modes_a_kind_has() -> None:
    guide = (CHECKOUT / "docs" / "operator.md").read_text()
    rows = re.findall(r"^\| `([a-z_]+)` \| (yes|no) \| (yes|no) \|", guide, re.M)
    assert {mode for mode, omni, _ in rows if omni == "yes"} == set(MODES_OF["omni"])
    assert {mode for mode, _, outbound in rows if outbound == "yes"} == set(MODES_OF["outbound"])


def test_every_module_is_named_by_what_it_holds() -> None:
    names = {"utils", "util", "helpers", "helper", "manager", "managers", "common", "misc"}
    assert [path for path in SOURCE.rglob("*") if path.stem in names] == []


def test_no_module_wants_to_be_two() -> None:
    """About 400 lines are one thing; a file far beyond needs the word "and" to describe it."""
    lines = {path: len(path.read_text(encoding="utf-8").splitlines()) for path in SOURCE.rglob("*.py")}
    assert {str(path.relative_to(SOURCE)): count for path, count in lines.items() if count > 500} == {}
