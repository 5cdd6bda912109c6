"""A pack: every rule that is known, under one hash."""

import functools
import hashlib
import importlib.resources
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import cast

from tallylight.law.errors import LawError
from tallylight.law.lint import require_sound
from tallylight.law.reading import parse_rule
from tallylight.law.rule import Rule
from tallylight.law.vocabulary import Channel, Layer

UNKNOWN_PLACE = "unknown"
"""The jurisdiction of the rules for a place nobody knows, or whose law is not in the pack."""
EVERYWHERE = "everywhere"
"""The jurisdiction of rules that no place escapes."""
_FACTS = b"\n[jurisdiction]\n"
_TERRITORIES = {territory: f"US-{territory}" for territory in ("AS", "GU", "MP", "PR", "VI")}
"""Territories that have a country code of their own beside their place in the United States (ISO 3166)."""


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
    facts: Mapping[str, bytes] = field(compare=False, repr=False)
    """File name to its `[jurisdiction]` table, unread: what is known besides the rules (`read_facts`)."""

    @functools.cached_property
    def by_jurisdiction(self) -> Mapping[str, tuple[Rule, ...]]:
        found: dict[str, list[Rule]] = {}
        for rule in self.rules:
            found.setdefault(rule.jurisdiction, []).append(rule)
        return {name: tuple(rules) for name, rules in found.items()}

    def jurisdictions(self, place: str) -> frozenset[str]:
        """Whose rules hold at a place: its own, its country's, those of the areas its country is in, and everywhere's."""
        place = _TERRITORIES.get(place, place)
        country = place.partition("-")[0]
        areas = {area.code for area in self.areas if country in area.members}
        return frozenset({place, country, EVERYWHERE} | areas)

    def knows(self, place: str, day: str, channel: Channel = Channel.PHONE) -> bool:
        """Whether the confidentiality of speech at this place is settled on an ISO date, by more than a floor."""
        place = _TERRITORIES.get(place, place)
        return any(
            rule.layer is Layer.WIRETAP
            and not rule.floor
            and rule.in_force(day)
            and (rule.channels is None or channel in rule.channels)
            for name in {place, place.partition("-")[0]}
            for rule in self.by_jurisdiction.get(name, ())
        )

    def unknown(self, place: str) -> str:
        """Whose rules stand in where a place is not settled: `US-unknown` for a state nobody knows, else `unknown`."""
        within = f"{place.partition('-')[0]}-{UNKNOWN_PLACE}"
        return within if within in self.by_jurisdiction else UNKNOWN_PLACE

    @functools.cached_property
    def places(self) -> tuple[str, ...]:
        """Every country and region with a rule of its own."""
        other = {area.code for area in self.areas} | {EVERYWHERE, UNKNOWN_PLACE}
        return tuple(
            sorted(name for name in self.by_jurisdiction if name not in other and not name.endswith(UNKNOWN_PLACE))
        )


def load(files: Mapping[str, bytes]) -> Pack:
    """Read a pack from its files, name to bytes. Raises LawError naming file and rule."""
    rules: list[Rule] = []
    areas: list[Area] = []
    facts: dict[str, bytes] = {}
    digest = hashlib.sha256()
    owner: dict[str, str] = {}
    for name, content in sorted(files.items()):
        for part in (name.encode(), content):
            digest.update(len(part).to_bytes(8, "big") + part)
        # What is known besides the rules is half of the text and no part of any decision: it is read when asked for.
        head, found, tail = content.partition(_FACTS)
        if found:
            facts[name] = found + tail
            if b"\n[[rule]]" in facts[name]:
                raise LawError(f"{name}: the [jurisdiction] table stands last, after every [[rule]].")
        table = _toml(name, head)
        if "area" in table:
            areas.append(_area(name, table["area"]))
        for position, entry in enumerate(_rule_tables(name, table), start=1):
            rule = parse_rule(name, position, entry)
            if rule.id in owner:
                raise LawError(f"{name}, rule {rule.id}: this id is taken by {owner[rule.id]}; give each rule its own.")
            owner[rule.id] = name
            rules.append(rule)
    require_sound(rules, owner)
    return Pack(hash=digest.hexdigest(), rules=tuple(rules), areas=tuple(areas), facts=facts)


def read_facts(pack: Pack) -> dict[str, Mapping[str, object]]:
    """What is known besides the rules (penalties, notes, how it was checked), by jurisdiction. Raises LawError."""
    read: dict[str, Mapping[str, object]] = {}
    for name, content in pack.facts.items():
        table = _toml(name, content, holds="jurisdiction")["jurisdiction"]
        code = table.get("code") if isinstance(table, dict) else None
        if not isinstance(code, str):
            raise LawError(f"{name}: the [jurisdiction] table has a code.")
        read[code] = cast("Mapping[str, object]", table)
    return read


@functools.cache
def default_pack() -> Pack:
    """The pack that ships with Tallylight; read once from the package's own files."""
    return load(default_files())


def default_files() -> dict[str, bytes]:
    """The shipped pack's files, name to bytes: what is kept beside the conversations that were judged by it."""
    folder = importlib.resources.files("tallylight.law").joinpath("packs")
    return {file.name: file.read_bytes() for file in folder.iterdir() if file.name.endswith(".toml")}


def _toml(name: str, content: bytes, holds: str = "area rule") -> dict[str, object]:
    try:
        table = tomllib.loads(content.decode())
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise LawError(f"{name} is no TOML file: {error}.") from None
    unknown = table.keys() - set(holds.split())
    if unknown:
        raise LawError(
            f"{name}: a pack holds [area], [[rule]] and one [jurisdiction] table, not {', '.join(sorted(unknown))}."
        )
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
