"""No fact of the research is lost on its way into the packs: compared entry by entry, field by field."""

import re
import tomllib
from collections.abc import Iterator, Mapping
from typing import Any, cast

import pytest

from tallylight.law.pack import default_pack, read_facts
from tallylight.law.vocabulary import Action, LawfulBasis, Layer, Method, Purpose, Standard
from tests import needs

Table = Mapping[str, object]

PACK = default_pack()
FACTS = read_facts(PACK)
REWRITTEN = {"rule", "territorial_rule", "territorial_reach", "privacy_element", "what_changed", "seed_2014_claim"}
"""Prose that the packs say in their own words; every number in it must be there."""
ELSEWHERE = {"nuances", "regions", "applies_to", "ai_act"}
METHODS = {
    "written": Method.WRITTEN,
    "verbal_yes": Method.SPOKEN,
    "verbal_on_recording": Method.SPOKEN_ON_RECORDING,
    "dtmf": Method.DIGIT,
    "web_form": Method.WEB_FORM,
    "notice_continue": Method.CONTINUED_AFTER_NOTICE,
    "announcement_on_recording": Method.ANNOUNCEMENT_ON_RECORDING,
    "beep": Method.TONE,
}


def shared(name: str) -> dict[str, Table]:
    path = needs.SHARED / "law" / name
    return tomllib.loads(path.read_text()) if path.exists() else {}


US, WORLD = shared("us.toml"), shared("world.toml")


def entries() -> Iterator[tuple[str, Table]]:
    """Every entry of the research and the code under which the packs keep it."""
    if not US or not WORLD:
        return
    yield "US", US["federal"]
    yield from cast("Mapping[str, Table]", US["jurisdictions"]).items()
    for country, entry in cast("Mapping[str, Table]", WORLD["countries"]).items():
        yield country, entry
        for region, part in cast("Mapping[str, Table]", entry.get("regions", {})).items():
            yield f"{country}-{region}", part
    yield "EEA", WORLD["gdpr"]
    yield "emotions", cast("Table", WORLD["gdpr"]["ai_act"])
    for ours, theirs in (
        ("duties", "duties"), ("employees", "employment"), ("voiceprints", "biometrics"), ("minors", "minors"),
    ):  # fmt: skip
        yield ours, WORLD[theirs]


def unquoted(value: object) -> object:
    """Without marks of quotation, which packs keep to one checked field."""
    if isinstance(value, str):
        return re.sub(r"[\"“”‘’']", "", value)
    if isinstance(value, list):
        return [unquoted(each) for each in value]
    if isinstance(value, dict):
        return {name: unquoted(each) for name, each in value.items()}
    return value


def numbers(value: object) -> set[str]:
    return set(re.findall(r"\d+", str(value)))


@needs.shared("law", "us.toml")
@needs.shared("law", "world.toml")
def test_every_entry_is_there() -> None:
    assert len(list(entries())) == 1 + 56 + 45 + 3 + 8 + 6


@pytest.mark.parametrize(("code", "entry"), list(entries()), ids=lambda value: value if isinstance(value, str) else "")
def test_an_entry_is_whole(code: str, entry: Table) -> None:
    kept = FACTS[code]
    for name, value in entry.items():
        if name in ELSEWHERE:
            continue
        if name in REWRITTEN:
            assert numbers(value) <= numbers(kept[name]), name
        else:
            assert unquoted(kept[name]) == unquoted(value), name
    nuances, notes = cast("list[str]", entry.get("nuances", [])), cast("list[str]", kept.get("notes", []))
    assert len(nuances) == len(notes)
    for nuance, note in zip(nuances, notes, strict=True):
        assert numbers(nuance) <= numbers(note), (nuance, note)


@needs.shared("law", "us.toml")
def test_the_history_and_the_research_sources_are_kept() -> None:
    kept = FACTS["US"]
    history = cast("dict[str, object]", kept["history"])
    for name, value in US["history"].items():
        assert numbers(value) <= numbers(history[name]) if name in REWRITTEN else history[name] == value
    assert unquoted(kept["research_sources"]) == unquoted(US["sources"])
    assert kept["as_of"] == US["as_of"]


@needs.shared("law", "us.toml")
def test_the_american_rules_follow_the_researched_engine_view() -> None:
    day = str(US["as_of"])
    for code, state in cast("Mapping[str, dict[str, Any]]", US["jurisdictions"]).items():
        rules = [rule for rule in PACK.by_jurisdiction[code] if rule.layer is Layer.WIRETAP and rule.in_force(day)]
        (phone,) = [rule for rule in rules if rule.channels is None or "phone" in rule.channels]
        assert phone.standard == state["engine_phone_rule"], code
        if state["accepted"]:
            assert phone.methods == {METHODS[method] for method in state["accepted"]}, code
        assert (phone.confidence, phone.contested) == (state["confidence"], state["contested"])
        assert phone.effective_from == state.get("effective_from")
        assert phone.civil_only == (phone.standard is Standard.ALL_PARTY and state["liability"] == ["civil"]), code
        if phone.law_view is not None:
            assert phone.law_view == state.get("law_view", state["phone_rule"]), code
        (face,) = [rule for rule in rules if rule.channels is None or "in_person" in rule.channels]
        if state["in_person_rule"] == "all_party":
            assert face.standard is not Standard.ONE_PARTY, code


RESEARCHED = {
    Purpose.QUALITY_ASSURANCE: "basis_quality",
    Purpose.SERVICE_IMPROVEMENT: "basis_quality",
    Purpose.TRAINING: "basis_training",
    Purpose.DOCUMENTATION: "basis_documentation",
    Purpose.VOICE_RECEIPT: "basis_documentation",
    Purpose.DISPUTE_EVIDENCE: "basis_documentation",
    Purpose.COMPLIANCE: "basis_compliance",
}


@needs.shared("law", "world.toml")
def test_the_grounds_of_every_country_are_the_researched_ones() -> None:
    (eea,) = PACK.areas
    assert eea.members == set(cast("list[str]", WORLD["gdpr"]["applies_to"]))
    for code, country in cast("Mapping[str, dict[str, list[str]]]", WORLD["countries"]).items():
        grounds = [r for r in PACK.by_jurisdiction[code] if r.layer is Layer.GROUND and not r.floor and not r.sectors]
        for purpose, field in RESEARCHED.items():
            (rule,) = [rule for rule in grounds if rule.covers(purpose)]
            known = {str(basis) for basis in LawfulBasis}
            # `legitimate_uses` (IN) and `exemption_179quinquies` (CH) are no bases of Art. 6: the facts keep them.
            assert rule.bases == {basis for basis in country[field] if basis in known}, (code, purpose)


@needs.shared("law", "world.toml")
def test_the_closed_list_of_actions_is_the_researched_one() -> None:
    assert {action.value for action in Action} == cast("Table", WORLD["vocab"]["actions"]).keys()


@needs.shared("law", "us.toml")
def test_every_quotation_stands_in_the_research() -> None:
    text = "\n".join(str(entry) for _, entry in entries())
    quotes = [rule.quote for rule in PACK.rules if rule.quote]
    assert quotes
    for quote in quotes:
        assert quote in text
