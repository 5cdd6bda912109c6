"""Reading law from data: what ships, what is refused and how it is named."""

import re
import tomllib
from collections.abc import Callable

import pytest

from tallylight.law.errors import LawError
from tallylight.law.pack import EVERYWHERE, UNKNOWN_PLACE, default_files, default_pack, load
from tallylight.law.vocabulary import Action, Channel, LawfulBasis, Layer, Reach, Standard
from tests import needs

RULE = """
[[rule]]
id = "XX.wiretap"
jurisdiction = "XX"
layer = "wiretap"
standard = "all_party"
accepts = ["digit"]
cite = "Act 1"
source = "example.com"
checked_at = "2026-11-23"
checked_by = "primary_text"
confidence = "high"
explain = "Everybody must agree."
"""


def loaded(text: str) -> None:
    load({**default_files(), "xx.toml": text.encode()})


def test_every_rule_that_ships_is_cited_sourced_dated_and_explained_in_a_sentence() -> None:
    for rule in default_pack().rules:
        assert rule.cite
        assert rule.source
        assert re.fullmatch(r"\d{4}-\d\d-\d\d", rule.checked_at)
        assert rule.explain.endswith(".")
        assert rule.id.startswith(f"{rule.jurisdiction}.")


def test_what_ships() -> None:
    pack = default_pack()
    assert len([place for place in pack.places if place.startswith("US-")]) == 56
    assert len([place for place in pack.places if "-" not in place]) == 46
    (german,) = [rule for rule in pack.by_jurisdiction["DE"] if rule.layer is Layer.WIRETAP]
    assert german.reach is Reach.OWN_WORD
    *_, illinois = [rule for rule in pack.by_jurisdiction["US-IL"] if rule.layer is Layer.WIRETAP]
    assert illinois.reach is Reach.ANY_PART
    settled = [rule for rule in pack.rules if rule.layer is Layer.WIRETAP and rule.reach is not Reach.UNSETTLED]
    assert {rule.jurisdiction for rule in settled} == {"DE", "US-IL", "US-unknown", UNKNOWN_PLACE}


def test_a_federal_floor_does_not_settle_a_state() -> None:
    pack = default_pack()
    assert pack.knows("US-TX", "2026-11-24")
    assert not pack.knows("US", "2026-11-24")
    assert not pack.knows("US-ZZ", "2026-11-24")
    assert pack.knows("DK-84", "2026-11-24")
    assert pack.jurisdictions("US-TX") == {"US-TX", "US", EVERYWHERE}
    assert pack.jurisdictions("DK") == {"DK", "EEA", EVERYWHERE}


def test_a_territory_has_two_names() -> None:
    pack = default_pack()
    assert pack.jurisdictions("PR") == pack.jurisdictions("US-PR") == {"US-PR", "US", EVERYWHERE}
    assert pack.knows("PR", "2026-11-24")


def test_what_is_settled_on_the_phone_may_not_be_face_to_face() -> None:
    pack = default_pack()
    assert pack.knows("AU", "2026-11-24", Channel.PHONE)
    assert not pack.knows("AU", "2026-11-24", Channel.IN_PERSON)
    assert (pack.unknown("AU-NSW"), pack.unknown("US"), pack.unknown("ZZ")) == ("AU-unknown", "US-unknown", "unknown")


def test_a_rule_holds_from_its_first_day_to_the_day_before_it_ends() -> None:
    dated = RULE + 'effective_from = "2020-01-01"\neffective_to = "2021-01-01"\n'
    pack = load({**default_files(), "xx.toml": dated.encode()})
    days = ("2019-12-31", "2020-01-01", "2020-12-31", "2021-01-01")
    assert [pack.knows("XX", day) for day in days] == [False, True, True, False]


def test_the_hash_is_that_of_the_content() -> None:
    files = default_files()
    pack = load(files)
    assert pack == default_pack()
    assert load(dict(reversed(files.items()))).hash == pack.hash
    assert load({**files, "dk.toml": files["dk.toml"] + b"\n# a note\n"}).hash != pack.hash
    renamed = {("xx.toml" if name == "dk.toml" else name): content for name, content in files.items()}
    assert load(renamed).hash != pack.hash


def test_the_unknown_place_accepts_no_more_than_any_place_that_is_known() -> None:
    rules = default_pack().rules
    unknown = {rule.layer: rule for rule in rules if rule.jurisdiction == UNKNOWN_PLACE}
    for rule in rules:
        if rule.standard is Standard.ALL_PARTY and rule.id != "US-CT.wiretap":
            assert unknown[Layer.WIRETAP].methods <= rule.methods
            # Connecticut asks for a form, which every answer in a call of ours has: it stands on the recording.
    assert unknown[Layer.GROUND].bases == {LawfulBasis.CONSENT}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda text: text.replace('cite = "Act 1"\n', ""), "xx.toml, rule XX.wiretap: add cite."),
        (lambda text: text.replace('"Act 1"', '" "'), "xx.toml, rule XX.wiretap: cite must be a text."),
        (lambda text: text.replace('id = "XX.wiretap"\n', ""), "xx.toml, rule number 1: add id."),
        (lambda text: text.replace("id = ", "ident = "), "xx.toml, rule number 1: add id."),
        (lambda text: text + 'colour = "red"\n', "XX.wiretap: colour is no field of a rule"),
        (
            lambda text: text.replace("all_party", "two_party"),
            "standard knows no 'two_party'; it is one of all_party, informed, one_party",
        ),
        (lambda text: text.replace('["digit"]', '["beep"]'), "accepts knows no 'beep'; it is one of announcement"),
        (lambda text: text.replace('["digit"]', "[]"), "accepts must be a list of at least one word"),
        (lambda text: text.replace('accepts = ["digit"]\n', ""), "accepts belongs to all-party"),
        (lambda text: text.replace("all_party", "one_party"), "accepts belongs to all-party"),
        (lambda text: text.replace('"wiretap"\n', '"notice"\n', 1), "a wiretap rule, and no other, has a standard"),
        (lambda text: text.replace("2026-11-23", "23.11.2026"), "checked_at must be a date such as 2026-11-23"),
        (lambda text: text.replace("2026-11-23", "20261123"), "checked_at must be a date such as 2026-11-23"),
        (lambda text: text.replace('"high"', '"certain"'), "confidence knows no 'certain'"),
        (lambda text: text + 'purposes = ["fun"]\n', "purposes knows no 'fun'"),
        (lambda text: text + 'floor = "yes"\n', "floor must be true or false"),
        (
            lambda text: text + 'effective_from = "2020-01-01"\neffective_to = "2020-01-01"\n',
            "effective_to must be after effective_from",
        ),
        (lambda text: text + RULE, "this id is taken by xx.toml"),
        (lambda text: text.replace("XX.wiretap", "DK.wiretap"), "rule DK.wiretap: this id is taken by dk.toml"),
        (lambda text: "[[rule]\n", "xx.toml is no TOML file"),
        (lambda text: "[rules]\n", "xx.toml: a pack holds [area], [[rule]] and one [jurisdiction] table, not rules"),
        (lambda text: 'rule = "one"\n', "xx.toml: write each rule as a [[rule]] table"),
        (lambda text: '[area]\ncode = "XX"\n', "xx.toml: an [area] has a code, a name and a list of members"),
    ],
)
def test_a_malformed_pack_names_file_rule_and_remedy(change: Callable[[str], str], message: str) -> None:
    with pytest.raises(LawError, match=re.escape(message)):
        loaded(change(RULE))


def test_reach_belongs_to_all_party_rules() -> None:
    with pytest.raises(LawError, match=r"reach and civil_only belong to all-party rules"):
        loaded(RULE.replace("all_party", "one_party").replace('accepts = ["digit"]', 'reach = "own_word"'))


def test_a_pack_without_rules_for_the_unknown_place_is_refused() -> None:
    with pytest.raises(LawError, match="lacks rules for an unknown place"):
        load({name: content for name, content in default_files().items() if name != "unknown.toml"})


def test_rules_for_the_unknown_place_may_not_be_lenient() -> None:
    files = dict(default_files())
    lenient = re.sub(
        rb'standard = "all_party"\nreach = .*\naccepts = .*\n', b'standard = "one_party"\n', files["unknown.toml"]
    )
    assert lenient != files["unknown.toml"]
    with pytest.raises(LawError, match=r"unknown\.wiretap: what is .* may not be ruled leniently"):
        load({**files, "unknown.toml": lenient})


def test_an_unknown_place_with_a_gap_in_its_grounds_is_refused() -> None:
    files = dict(default_files())
    ground = b'layer = "ground"\naccepts = ["consent"]\n'
    assert ground in files["unknown.toml"]
    files["unknown.toml"] = files["unknown.toml"].replace(ground, ground + b'purposes = ["training"]\n')
    with pytest.raises(LawError, match="lacks rules for an unknown place"):
        load(files)


def test_bytes_that_are_no_text_are_refused() -> None:
    with pytest.raises(LawError, match=r"xx\.toml is no TOML file"):
        load({**default_files(), "xx.toml": b"\xff\xfe"})


@needs.shared("law", "world.toml")
def test_the_closed_list_of_actions_is_the_researched_one() -> None:
    world = tomllib.loads((needs.SHARED / "law" / "world.toml").read_text())
    assert {action.value for action in Action} == world["vocab"]["actions"].keys()
