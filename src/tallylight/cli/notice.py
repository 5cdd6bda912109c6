"""`tallylight notice`: what people are told, word for word, and what is wrong with a wording."""

from pathlib import Path
from typing import Annotated

import typer

from tallylight.cli.command import FAILED, house_command, new_group
from tallylight.cli.options import Json
from tallylight.cli.output import print_bytes, print_json, say

notice = new_group("What people are told before a recording, word for word.")


@house_command(notice, "render")
def render(
    project: Annotated[str, typer.Option(metavar="NAME", help="A project of `tallylight.toml`; `trial` without one.")],
    lang: Annotated[str | None, typer.Option(metavar="CODE", help="[default: the project's language]")] = None,
    variant: Annotated[
        str,
        typer.Option(metavar="VARIANT", help="inbound, outbound, video, employee, agent_script, companion, continued"),
    ] = "inbound",
    data: Annotated[
        Path | None,
        typer.Option("--data", envvar="TALLYLIGHT_DATA", metavar="DIR", help="[default: the trial profile]"),
    ] = None,
    as_json: Json = False,
) -> None:
    """The exact text, with the SHA-256 that a conversation's events name it by."""
    from tallylight.app.store import settings_of
    from tallylight.app.wordings import own_wordings
    from tallylight.config.file import load
    from tallylight.config.trial import trial
    from tallylight.config.words import one_of
    from tallylight.consent.errors import NoticeError
    from tallylight.consent.notices import script
    from tallylight.consent.wording.form import Variant

    configuration = trial() if data is None else load(data)
    chosen = configuration.project(project)
    if chosen is None:
        names = [each.name for each in configuration.projects]
        raise NoticeError(f"The project {one_of(project, names)}.", code="project_unknown")
    if variant not in tuple(Variant):
        raise NoticeError(f"The variant {one_of(variant, tuple(Variant))}.", code="variant_unknown")
    settings = settings_of(configuration, chosen)
    language = settings.language if lang is None else lang
    parts = script(
        Variant(variant),
        language,
        settings,
        withdraw_code=configuration.flow.withdraw_code,
        words=own_wordings(configuration).get(language),
    )
    if as_json:
        print_json(
            {
                "project": project,
                "variant": variant,
                "language": parts[0].language,
                "version": parts[0].version,
                "parts": [{"kind": part.kind.value, "text": part.text, "hash": part.sha256} for part in parts],
            }
        )
        return
    for part in parts:
        print_bytes(part.text.encode() + b"\n")
        say(f"{part.kind.value}, {part.language}, version {part.version}, SHA-256 {part.sha256}")


@house_command(notice, "lint")
def lint(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="A wording as TOML, in the form of the shipped ones; or a call flow.")
    ],
    as_json: Json = False,
) -> None:
    """What a wording leaves out, and what it must not say; what a no costs in a flow. Exit 1 with anything found."""
    from tallylight.consent.flow import is_flow, lint_flow, parse_flow
    from tallylight.consent.lint import lint_wording
    from tallylight.consent.wording.form import parse_wording

    text = text_of(file)
    head: dict[str, str] = {}
    if is_flow(text):
        costs = lint_flow(parse_flow(text, source=str(file)))
        found = [{"branch": each.branch, "element": each.element.value, "message": each.message} for each in costs]
        lines, clean = [each.message for each in costs], "a no costs nothing."
    else:
        words = parse_wording(text, source=str(file))
        head = {"language": words.language, "version": words.version}
        missing = lint_wording(words)
        found = [{"text": each.text, "element": each.element.value, "message": each.message} for each in missing]
        lines, clean = (
            [f"{each.text}: {each.element.value}: {each.message}" for each in missing],
            "nothing is left out.",
        )
    if as_json:
        print_json({**head, "findings": found})
    else:
        for line in lines:
            print_bytes(f"{line}\n".encode())
        say(f"{file}: {len(found)} found." if found else f"{file}: {clean}")
    if found:
        raise typer.Exit(FAILED)


@house_command(notice, "wording")
def wording(lang: Annotated[str, typer.Argument(metavar="CODE", help="en, da, de, fr, es")]) -> None:
    """A shipped wording as TOML, to begin one's own with."""
    import importlib.resources

    from tallylight.consent.notices import wording as known

    language = known(lang).language
    print_bytes(importlib.resources.files("tallylight.consent.wording").joinpath(f"{language}.toml").read_bytes())


def text_of(file: Path) -> str:
    """What a file says, to the letter. Raises OSError, NoticeError (`wording_invalid`) where it is not in UTF-8."""
    from tallylight.consent.errors import NoticeError

    try:
        return file.read_bytes().decode()
    except UnicodeDecodeError:
        raise NoticeError(f"{file} is not in UTF-8: save it in that encoding.", code="wording_invalid") from None
