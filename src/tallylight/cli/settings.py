"""`tallylight settings`: what holds in each project and why, and having the running server read it anew."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypedDict, cast

import typer

from tallylight.cli.command import house_command, new_group
from tallylight.cli.options import Data, Json
from tallylight.cli.output import print_json, print_rich, say

if TYPE_CHECKING:
    from tallylight.catalogue.versions import KeptSettings
    from tallylight.config.configuration import Configuration, Project
    from tallylight.policy.preferences import Chosen
    from tallylight.policy.settings import Settings

settings = new_group("What is chosen for every project, for one, and which of them holds.")


_LAYOUT: Any = {"box": None, "pad_edge": False, "padding": (0, 2, 0, 0)}


class _Change(TypedDict):
    project: str
    old: str | None
    new: str | None


class _Applied(TypedDict):
    projects: list[_Change]
    restart: list[str]


@dataclass(frozen=True, kw_only=True)
class _Shown:
    settings: "Settings"
    choices: Mapping[str, "Chosen"]
    versions: tuple["KeptSettings", ...]


@house_command(settings, "show")
def show(
    data: Data,
    project: Annotated[str | None, typer.Option(metavar="NAME", help="[default: every one]")] = None,
    as_json: Json = False,
) -> None:
    """What holds in each project by its file now, who chose it, what else was considered, and the versions calls had."""
    from tallylight.app.store import choices_of, settings_of
    from tallylight.cli.folder import require_folder
    from tallylight.config.file import load

    require_folder(data)
    configuration = load(data)
    chosen = _chosen_projects(configuration, project)
    kept = _kept(data)
    shown = [
        _Shown(
            settings=settings_of(configuration, each),
            choices=choices_of(configuration, each),
            versions=tuple(version for version in kept if version.project == each.name),
        )
        for each in chosen
    ]
    if as_json:
        print_json([_as_json(each) for each in shown])
        return
    for each in shown:
        _print(each)


@house_command(settings, "apply")
def apply(data: Data, as_json: Json = False) -> None:
    """Have the running server read `tallylight.toml` again, for the calls that begin from then on."""
    from rich.table import Table

    from tallylight.cli.folder import order

    applied = cast("_Applied", order(data, "apply"))
    if as_json:
        print_json(applied)
        return
    table = Table("project", "until now", "from now on", "", **_LAYOUT)
    for each in applied["projects"]:
        old, new = each["old"], each["new"]
        change = "gone" if new is None else "new" if old is None else "unchanged" if old == new else "changed"
        table.add_row(each["project"], (old or "-")[:12], (new or "-")[:12], change)
    print_rich(table)
    if applied["restart"]:
        say(f"Changed too, and waiting for a restart: {', '.join(f'[{name}]' for name in applied['restart'])}.")


def _chosen_projects(configuration: "Configuration", name: str | None) -> tuple["Project", ...]:
    from tallylight.config.errors import ConfigError
    from tallylight.config.words import one_of

    if name is None:
        return configuration.projects
    project = configuration.project(name)
    if project is None:
        known = [each.name for each in configuration.projects]
        raise ConfigError(f"The project {one_of(name, known)}.", code="project_unknown")
    return (project,)


def _kept(data: Path) -> tuple["KeptSettings", ...]:
    from tallylight.catalogue.versions import list_settings
    from tallylight.cli.folder import has_database, opened
    from tallylight.database.engine import read_only

    if not has_database(data):
        return ()
    with opened(data) as store, read_only(store.engine) as connection:
        return list_settings(connection, store.workspace)


def _as_json(shown: _Shown) -> Mapping[str, object]:
    return {
        "project": shown.settings.project,
        "kind": shown.settings.kind.value,
        "trial": shown.settings.trial,
        "version": shown.settings.version,
        "preferences": {
            name: {
                "value": choice.value,
                "source": choice.source.value,
                "rule": choice.rule,
                "considered": [{"source": each.source.value, "value": each.value} for each in choice.chain],
            }
            for name, choice in shown.choices.items()
        },
        "versions": [
            {
                "version": each.version,
                "current": each.version == shown.settings.version,
                "conversations": each.conversations,
                "first": _instant(each.first_ms),
                "last": _instant(each.last_ms),
            }
            for each in shown.versions
        ],
    }


def _print(shown: _Shown) -> None:
    from rich.table import Table
    from rich.text import Text

    mine = shown.settings
    trial = ", TRIAL" if mine.trial else ""
    heading = Text(f"{mine.project}  {mine.kind.value}, version {mine.version}{trial}")
    heading.stylize("bold", 0, len(mine.project))
    choices = Table("setting", "holds", "project", "global", "default", "because", **_LAYOUT)
    for name, choice in shown.choices.items():
        choices.add_row(name, *_words([choice.value, *(each.value for each in choice.chain)]), choice.rule)
    versions = Table("version", "conversations", "first", "last", "", **_LAYOUT)
    for each in shown.versions:
        versions.add_row(
            each.version[:12],
            str(each.conversations),
            _instant(each.first_ms) or "",
            _instant(each.last_ms) or "",
            "as the file has it now" if each.version == mine.version else "",
        )
    print_rich(heading, choices, Text(""))
    if shown.versions:
        print_rich(versions, Text(""))


def _words(values: Iterable[object]) -> list[str]:
    return ["-" if value is None else str(value).lower() if isinstance(value, bool) else str(value) for value in values]


def _instant(wall_ms: int | None) -> str | None:
    from tallylight.law.iso8601 import iso_utc

    return None if wall_ms is None else iso_utc(wall_ms)
