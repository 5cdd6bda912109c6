"""What no pack may do, checked whenever one is read: an unsound pack is not used at all."""

import re
from collections.abc import Iterable, Mapping, Sequence
from itertools import combinations

from tallylight.law.errors import LawError
from tallylight.law.rule import Rule
from tallylight.law.vocabulary import Layer, Purpose, Recorder, Standard

_QUOTED = re.compile(r"""["“”„«»‘]|(?<!\w)'[^']+'(?!\w)""")
_TWO_SENTENCES = re.compile(r"[.!?] [A-Z]")
_STRICTNESS = {Standard.ONE_PARTY: 0, Standard.INFORMED: 1, Standard.ALL_PARTY: 2}
_UNKNOWN = "unknown"


def require_sound(rules: Sequence[Rule], owner: Mapping[str, str]) -> None:
    """Raise LawError for the first rule that breaks a rule of packs; `owner` maps an id to its file."""
    for rule in rules:
        problem = _problem(rule)
        if problem:
            raise LawError(f"{owner[rule.id]}, rule {rule.id}: {problem}")
    for one, other in _overlapping(rules):
        raise LawError(
            f"{owner[other.id]}, rule {other.id}: it speaks of the same as {one.id} on the same days;"
            " end the older one with effective_to."
        )
    _require_strict_unknown(rules)


def _problem(rule: Rule) -> str | None:
    for field, text in (("explain", rule.explain), ("cite", rule.cite), ("source", rule.source)):
        if _QUOTED.search(text):
            return f"{field} holds a quotation; the words of a statute belong into the quote field, where they are checked."
    if not rule.explain.endswith(".") or _TWO_SENTENCES.search(rule.explain):
        return "explain is one sentence that ends with a full stop."
    if rule.standard is None:
        return None
    if rule.doubtful and rule.standard is not Standard.ALL_PARTY and not rule.floor:
        return (
            "what is contested, unverified or of low confidence may not be ruled leniently:"
            " make the standard all_party and keep the lenient reading as law_view."
        )
    if rule.law_view is not None and _STRICTNESS[rule.standard] < _STRICTNESS[rule.law_view]:
        return "the standard may not be more permissive than the law_view."
    return None


def _overlapping(rules: Iterable[Rule]) -> Iterable[tuple[Rule, Rule]]:
    groups: dict[tuple[object, ...], list[Rule]] = {}
    for rule in rules:
        groups.setdefault((rule.jurisdiction, rule.layer, rule.subject, rule.floor), []).append(rule)
    for group in groups.values():
        for one, other in combinations(group, 2):
            if _at_once(one, other) and _same_matter(one, other):
                yield one, other


def _at_once(one: Rule, other: Rule) -> bool:
    return (one.effective_from or "") < (other.effective_to or "9999") and (other.effective_from or "") < (
        one.effective_to or "9999"
    )


def _same_matter(one: Rule, other: Rule) -> bool:
    """Both could speak about one and the same call. Rules add to each other, so two
    reaches of one place are no overlap, and a sector's own rule is none of the general one.
    """
    if one.reach is not other.reach or {one.recorder, other.recorder} == set(Recorder):
        return False
    if (one.sectors is None) is not (other.sectors is None):
        return False
    return all(
        first is None or second is None or first & second
        for first, second in (
            (one.purposes, other.purposes),
            (one.sectors, other.sectors),
            (one.channels, other.channels),
            (one.directions, other.directions),
            (one.call_types, other.call_types),
        )
    )


def _require_strict_unknown(rules: Iterable[Rule]) -> None:
    """A place nobody knows must have rules of its own, always in force and the strictest there are."""
    unknown = [rule for rule in rules if rule.jurisdiction == _UNKNOWN and rule.effective_from is None]
    wiretap = [rule for rule in unknown if rule.layer is Layer.WIRETAP and rule.standard is Standard.ALL_PARTY]
    grounds = [rule for rule in unknown if rule.layer is Layer.GROUND]
    if not wiretap or not all(any(rule.covers(purpose) for rule in grounds) for purpose in Purpose):
        raise LawError(
            "The pack lacks rules for an unknown place: add undated all_party and ground rules"
            f" with jurisdiction = {_UNKNOWN!r} for every purpose."
        )
