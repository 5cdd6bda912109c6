"""A pack as people look at it: its places, one place whole, what two packs differ in, what it was read from."""

import dataclasses
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from tallylight.errors import near
from tallylight.law.errors import LawError
from tallylight.law.pack import EVERYWHERE, UNKNOWN_PLACE, Pack, read_facts
from tallylight.law.rule import Rule
from tallylight.law.vocabulary import Channel, Layer, Standard

NOT_ADVICE = "Software data with citations, not legal advice."


@dataclass(frozen=True, kw_only=True)
class PlaceLine:
    """One place in a list."""

    place: str
    name: str
    phone: Standard | None
    """The strictest standard its own rules, or its country's, ask of a telephone call; None: nothing is settled."""
    in_person: Standard | None
    confidence: str
    doubtful: bool


@dataclass(frozen=True, kw_only=True)
class Difference:
    """What one rule is in two packs: None where it is not."""

    rule: str
    old: Mapping[str, object] | None
    new: Mapping[str, object] | None

    @property
    def fields(self) -> tuple[str, ...]:
        """The fields that differ, where both have the rule."""
        if self.old is None or self.new is None:
            return ()
        old, new = self.old, self.new
        return tuple(sorted(name for name in old.keys() | new.keys() if old.get(name) != new.get(name)))


def date_of(pack: Pack) -> str:
    """The day on which the newest rule of a pack was checked."""
    return max(rule.checked_at for rule in pack.rules)


def place_lines(pack: Pack) -> tuple[PlaceLine, ...]:
    """Every place that has rules of its own."""
    facts = read_facts(pack)
    return tuple(_line(place, pack, facts) for place in pack.places)


def _line(place: str, pack: Pack, facts: Mapping[str, Mapping[str, object]]) -> PlaceLine:
    rules = [rule for rule in rules_at(pack, place) if rule.layer is Layer.WIRETAP and not rule.floor]
    return PlaceLine(
        place=place,
        name=str(facts.get(place, {}).get("name", place)),
        phone=_strictest(rules, Channel.PHONE),
        in_person=_strictest(rules, Channel.IN_PERSON),
        confidence=min((rule.confidence for rule in rules), key=("low", "medium", "high").index, default="low"),
        doubtful=any(rule.doubtful for rule in pack.by_jurisdiction[place]),
    )


def _strictest(rules: Iterable[Rule], channel: Channel) -> Standard | None:
    standards = [rule.standard for rule in rules if rule.channels is None or channel in rule.channels]
    return max((each for each in standards if each), key=list(Standard).index, default=None)


def rules_at(pack: Pack, place: str) -> tuple[Rule, ...]:
    """Every rule that holds at a place: its own first, then its country's, its areas' and everywhere's."""
    order = sorted(
        pack.jurisdictions(place), key=lambda name: (name == EVERYWHERE, "-" not in name, name != place, name)
    )
    return tuple(rule for name in order for rule in pack.by_jurisdiction.get(name, ()))


def find_place(pack: Pack, word: str) -> str:
    """The code of a place by its code or name, in any case. Raises LawError that names the nearest ones."""
    facts = read_facts(pack)
    known = {code.upper(): code for code in (*pack.by_jurisdiction, *facts)}
    known |= {str(table["name"]).upper(): code for code, table in facts.items() if "name" in table}
    wanted = word.strip().upper().replace("_", "-")
    if wanted in known:
        return known[wanted]
    names = ", ".join(dict.fromkeys(f"{known[each]} ({_name(facts, known[each])})" for each in near(wanted, known, 3)))
    hint = f"The nearest are {names}." if names else "`tallylight law list` names every place."
    raise LawError(f"There is no law of {word!r} on file, so it is ruled as a place nobody knows, strictly. {hint}")


def _name(facts: Mapping[str, Mapping[str, object]], code: str) -> str:
    return str(facts.get(code, {}).get("name", code))


def as_table(rule: Rule) -> dict[str, object]:
    """A rule as JSON holds it, without the fields that say nothing."""
    table: dict[str, object] = {}
    for field in dataclasses.fields(rule):
        value = getattr(rule, field.name)
        if field.default is not dataclasses.MISSING and value == field.default:
            continue
        if isinstance(value, frozenset):
            value = sorted(value)
        elif isinstance(value, tuple):
            value = [sorted(each) for each in value]
        table[field.name] = value
    return table


def differences(old: Pack, new: Pack) -> tuple[Difference, ...]:
    """Every rule that was added, removed or changed, by id."""
    before = {rule.id: as_table(rule) for rule in old.rules}
    after = {rule.id: as_table(rule) for rule in new.rules}
    return tuple(
        Difference(rule=name, old=before.get(name), new=after.get(name))
        for name in sorted(before.keys() | after.keys())
        if before.get(name) != after.get(name)
    )


def sources(pack: Pack) -> tuple[tuple[str, str, str, tuple[str, ...]], ...]:
    """Each source with how and when it was read, and the rules that rest on it."""
    resting: dict[tuple[str, str, str], list[str]] = {}
    for rule in pack.rules:
        if not rule.jurisdiction.endswith(UNKNOWN_PLACE):
            resting.setdefault((rule.source, rule.checked_by, rule.checked_at), []).append(rule.id)
    return tuple((*key, tuple(rules)) for key, rules in sorted(resting.items()))
