"""A pack: every rule that is known, under one hash."""

import functools
import hashlib
import importlib.resources
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import cast

from tallylight.law.errors import LawError
from tallylight.law.rule import Rule, parse_rule
from tallylight.law.vocabulary import Layer, Purpose, Standard

UNKNOWN_PLACE = "unknown"
"""The jurisdiction of the rules for a place nobody knows, or whose law is not in the pack."""


@dataclass(frozen=True, kw_only=True)
class Area:
    """Countries that share rules, such as the EEA."""

    code: str
    name: str
    members: frozenset[str]


@dataclass(frozen=True, kw_only=True)
class Pack:
    """Rules and areas. Two packs are the same when their hashes are."""

    hash: str
    """SHA-256 over the names and bytes of the files."""
    rules: tuple[Rule, ...] = field(compare=False, repr=False)
    areas: tuple[Area, ...] = field(compare=False, repr=False)

    def jurisdictions(self, place: str) -> frozenset[str]:
        """Whose rules hold at a place: its own, its country's, and those of the areas its country is in."""
        country = place.partition("-")[0]
        return frozenset({place, country} | {area.code for area in self.areas if country in area.members})

    def knows(self, place: str, day: str) -> bool:
        """Whether the confidentiality of speech at this place is settled on an ISO date, by more than a floor."""
        return any(
            rule.jurisdiction == place and rule.layer is Layer.WIRETAP and not rule.floor and rule.in_force(day)
            for rule in self.rules
        )


def load(files: Mapping[str, bytes]) -> Pack:
    """Read a pack from its files, name to bytes. Raises LawError naming file and rule."""
    rules: list[Rule] = []
    areas: list[Area] = []
    digest = hashlib.sha256()
    owner: dict[str, str] = {}
    for name, content in sorted(files.items()):
        for part in (name.encode(), content):
            digest.update(len(part).to_bytes(8, "big") + part)
        table = _toml(name, content)
        if "area" in table:
            areas.append(_area(name, table["area"]))
        for position, entry in enumerate(_rule_tables(name, table), start=1):
            rule = parse_rule(name, position, entry)
            if rule.id in owner:
                raise LawError(f"{name}, rule {rule.id}: this id is taken by {owner[rule.id]}; give each rule its own.")
            owner[rule.id] = name
            rules.append(rule)
    _require_strict_unknown(rules)
    return Pack(hash=digest.hexdigest(), rules=tuple(rules), areas=tuple(areas))


@functools.cache
def default_pack() -> Pack:
    """The pack that ships with Tallylight; read once from the package's own files."""
    return load(default_files())


def default_files() -> dict[str, bytes]:
    """The shipped pack's files, name to bytes: what is kept beside the conversations that were judged by it."""
    folder = importlib.resources.files("tallylight.law").joinpath("packs")
    return {file.name: file.read_bytes() for file in folder.iterdir() if file.name.endswith(".toml")}


def _toml(name: str, content: bytes) -> dict[str, object]:
    try:
        table = tomllib.loads(content.decode())
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise LawError(f"{name} is no TOML file: {error}.") from None
    unknown = table.keys() - {"area", "rule"}
    if unknown:
        raise LawError(f"{name}: a pack holds [area] and [[rule]] tables, not {', '.join(sorted(unknown))}.")
    return table


def _rule_tables(name: str, table: Mapping[str, object]) -> list[Mapping[str, object]]:
    entries = table.get("rule", [])
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise LawError(f"{name}: write each rule as a [[rule]] table.")
    return cast("list[Mapping[str, object]]", entries)


def _area(name: str, table: object) -> Area:
    if isinstance(table, dict):
        code, title, members = table.get("code"), table.get("name"), table.get("members")
        if isinstance(code, str) and isinstance(title, str) and isinstance(members, list):
            return Area(code=code, name=title, members=frozenset(str(member) for member in members))
    raise LawError(f"{name}: an [area] has a code, a name and a list of members.")


def _require_strict_unknown(rules: list[Rule]) -> None:
    """A place nobody knows must have rules of its own, always in force and the strictest there are."""
    unknown = [rule for rule in rules if rule.jurisdiction == UNKNOWN_PLACE and rule.effective_from is None]
    wiretap = [rule for rule in unknown if rule.layer is Layer.WIRETAP and rule.standard is Standard.ALL_PARTY]
    grounds = [rule for rule in unknown if rule.layer is Layer.GROUND]
    if not wiretap or not all(any(rule.covers(purpose) for rule in grounds) for purpose in Purpose):
        raise LawError(
            "The pack lacks rules for an unknown place: add undated all_party and ground rules"
            f" with jurisdiction = {UNKNOWN_PLACE!r} for every purpose."
        )
