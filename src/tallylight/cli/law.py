"""`tallylight law`: what the law data says, what differs between two of them, and cases judged by it."""

import json
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tallylight.cli.command import house_command, new_group
from tallylight.cli.options import Data, Json
from tallylight.cli.output import print_bytes, print_json, print_rich, say

if TYPE_CHECKING:
    from rich.table import Table

    from tallylight.law.pack import Pack

law = new_group("The law as data: dated rules with citations. Not legal advice.")

SHIPPED = "shipped"
Law = Annotated[str, typer.Argument(help="A folder of packs, `shipped`, or with --data the SHA-256 of a kept pack.")]


@house_command(law, "check")
def check(
    cases: Annotated[Path, typer.Argument(metavar="CASES.jsonl", help="One case a line; `-` is stdin.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON Lines: one answer a case, in order.")] = False,
) -> None:
    """Judge legal cases by the law (not by the house rules): who may be recorded, what is needed, and why.

    Not legal advice.
    """
    import sys

    from tallylight.law.pack import default_pack
    from tallylight.policy.case_answer import answer, unread_answer
    from tallylight.policy.cases import case_id, read_case
    from tallylight.policy.fields import CaseError

    content = sys.stdin.buffer.read() if str(cases) == "-" else cases.read_bytes()
    pack = default_pack()
    answers = []
    for line in content.removeprefix(b"\xef\xbb\xbf").split(b"\n"):
        if not line.strip():
            continue
        try:
            answers.append(answer(read_case(line, pack.places), pack).as_json())
        except CaseError as error:
            answers.append(unread_answer(case_id(line), error.message))
    if as_json:
        print_bytes(b"".join(_line(each) for each in answers))
        return
    table = _table("case", "agent", "customer", "others", "needed", "because")
    for each in answers:
        because = each["because"]
        reasons = because if isinstance(because, list) else []
        first = next((reason for reason in reasons if reason["verdict"] == "closes"), reasons[0] if reasons else None)
        table.add_row(
            _printable(str(each["id"])),
            *(_yes(each[f"record_{who}"]) for who in ("agent", "customer", "others")),
            _listed(each["need"]),
            _printable(str(each.get("error") or (f"{first['text']} ({first['cite']})" if first else ""))),
        )
    print_rich(table)
    _not_advice(pack)


def _printable(text: str) -> str:
    return text.encode(errors="backslashreplace").decode()


def _line(answered: Mapping[str, object]) -> bytes:
    """One line of JSON. Half a surrogate pair, which a case may name, is escaped again as it came."""
    return json.dumps(answered, ensure_ascii=False).encode(errors="backslashreplace") + b"\n"


@house_command(law, "list")
def list_places(as_json: Json = False) -> None:
    """Every place whose law is on file."""
    from tallylight.law.overview import date_of, place_lines
    from tallylight.law.pack import default_pack

    pack = default_pack()
    lines = place_lines(pack)
    if as_json:
        print_json(
            {
                **_heading(pack),
                "places": [
                    {
                        "place": line.place,
                        "name": line.name,
                        "phone": line.phone,
                        "in_person": line.in_person,
                        "confidence": line.confidence,
                        "legal_review": line.doubtful,
                    }
                    for line in lines
                ],
            }
        )
        return
    table = _table("place", "name", "telephone", "in person", "confidence", "")
    for line in lines:
        review = "to be reviewed by a lawyer" if line.doubtful else ""
        table.add_row(line.place, line.name, line.phone or "?", line.in_person or "?", line.confidence, review)
    print_rich(
        table, f"{len(lines)} places, law data of {date_of(pack)}. Any other place is ruled as unknown: strictly."
    )
    _not_advice(pack)


@house_command(law, "show")
def show(
    place: Annotated[str, typer.Argument(help="A place such as US-WA, DK or Denmark, or a pack such as duties.")],
    as_json: Json = False,
) -> None:
    """Everything that is known of one place: its rules, those of its country and area, and the facts beside them."""
    from tallylight.law.overview import as_table, find_place, rules_at
    from tallylight.law.pack import default_pack, read_facts

    pack = default_pack()
    code = find_place(pack, place)
    rules, facts = rules_at(pack, code), read_facts(pack).get(code, {})
    if as_json:
        print_json({**_heading(pack), "place": code, "rules": [as_table(rule) for rule in rules], "facts": dict(facts)})
        return
    table = _table("rule", "says", "cite", "since", "checked", "confidence")
    for rule in rules:
        since = f"{rule.effective_from or ''}{f' to {rule.effective_to}' if rule.effective_to else ''}"
        table.add_row(rule.id, rule.explain, rule.cite, since, f"{rule.checked_at} {rule.checked_by}", rule.confidence)
    beside = _table("fact", "")
    for name, value in facts.items():
        beside.add_row(name, "\n".join(map(str, value)) if isinstance(value, list) else str(value))
    print_rich(table, beside)
    _not_advice(pack)


@house_command(law, "packs")
def packs(data: Data, as_json: Json = False) -> None:
    """Every pack that the conversations of a data folder were judged by."""
    from tallylight.catalogue.versions import list_packs
    from tallylight.cli.folder import opened
    from tallylight.database.engine import read_only
    from tallylight.law.iso8601 import iso_utc
    from tallylight.law.pack import default_pack

    with opened(data) as store, read_only(store.engine) as connection:
        kept = list_packs(connection, store.workspace)
    lines = [
        {
            "pack": each.hash,
            "shipped": each.hash == default_pack().hash,
            "conversations": each.conversations,
            "first": None if each.first_ms is None else iso_utc(each.first_ms),
            "last": None if each.last_ms is None else iso_utc(each.last_ms),
        }
        for each in kept
    ]
    if as_json:
        print_json(lines)
        return
    table = _table("pack", "conversations", "first", "last", "")
    for line in lines:
        shipped = "shipped" if line["shipped"] else ""
        table.add_row(*(_words(line[name]) for name in ("pack", "conversations", "first", "last")), shipped)
    print_rich(table)


@house_command(law, "diff")
def diff(
    old: Law,
    new: Law,
    data: Annotated[
        Path | None,
        typer.Option("--data", envvar="TALLYLIGHT_DATA", metavar="DIR", help="The data folder that keeps the packs."),
    ] = None,
    as_json: Json = False,
) -> None:
    """What differs between two packs, rule by rule. A kept pack is named by 8 or more hex digits of its SHA-256."""
    from tallylight.law.overview import differences

    before, after = _pack(old, data), _pack(new, data)
    found = differences(before, after)
    if as_json:
        print_json(
            {
                "old": before.hash,
                "new": after.hash,
                "rules": [{"rule": each.rule, "old": each.old, "new": each.new} for each in found],
            }
        )
        return
    table = _table("rule", "field", "old", "new")
    for each in found:
        if each.old is None or each.new is None:
            there, gone = ("", "added") if each.old is None else ("removed", "")
            table.add_row(each.rule, "", there, gone)
        for name in each.fields:
            before_field, after_field = (each.old or {}).get(name), (each.new or {}).get(name)
            table.add_row(each.rule, name, _words(before_field), _words(after_field))
    print_rich(table) if found else say("The rules of both packs are the same.")
    _not_advice(after)


@house_command(law, "sources")
def list_sources(as_json: Json = False) -> None:
    """What the rules were read from, how and when."""
    from tallylight.law.overview import sources
    from tallylight.law.pack import default_pack

    pack = default_pack()
    found = sources(pack)
    if as_json:
        names = ("source", "checked_by", "checked_at", "rules")
        print_json({**_heading(pack), "sources": [dict(zip(names, each, strict=True)) for each in found]})
        return
    table = _table("checked", "read as", "source", "rules")
    for source, checked_by, checked_at, rules in found:
        table.add_row(checked_at, checked_by, source, ", ".join(rules))
    print_rich(table)
    _not_advice(pack)


def _pack(word: str, data: Path | None) -> "Pack":
    """The packs of a folder, those that ship, or those that conversations of a data folder have kept."""
    from tallylight.law.errors import LawError
    from tallylight.law.pack import default_pack, load

    if word == SHIPPED:
        return default_pack()
    folder = Path(word)
    if folder.is_dir():
        files = {path.name: path.read_bytes() for path in folder.glob("*.toml")}
        if not files:
            raise LawError(f"{word} holds no .toml pack.")
        return load(files)
    if not re.fullmatch("[0-9a-fA-F]+", word):
        raise LawError(
            f"There is no folder {word}: name a folder of .toml packs, `{SHIPPED}`, or a hash from `law packs --data DIR`."
        )
    if data is None:
        raise LawError(f"There is no folder {word}; if it is the hash of a kept pack, say where with --data DIR.")
    return _kept_pack(word, data)


def _kept_pack(prefix: str, data: Path) -> "Pack":
    from tallylight.catalogue.versions import find_pack
    from tallylight.cli.folder import opened
    from tallylight.database.engine import read_only

    with opened(data) as store, read_only(store.engine) as connection:
        return find_pack(connection, store.workspace, prefix)


def _heading(pack: "Pack") -> dict[str, object]:
    from tallylight.law.overview import NOT_ADVICE, date_of

    return {"notice": NOT_ADVICE, "as_of": date_of(pack), "pack": pack.hash}


def _not_advice(pack: "Pack") -> None:
    from tallylight.law.overview import NOT_ADVICE, date_of

    say(f"{NOT_ADVICE} Law data of {date_of(pack)}, pack {pack.hash[:12]}.")


def _table(*columns: str) -> "Table":
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="bold")
    for number, column in enumerate(columns):
        table.add_column(column, no_wrap=number == 0)
    return table


def _yes(value: object) -> str:
    return "yes" if value else "no"


def _listed(value: object) -> str:
    return ", ".join(str(each) for each in value) if isinstance(value, Iterable) else ""


def _words(value: object) -> str:
    return "" if value is None else _listed(value) if isinstance(value, list) else str(value)
