"""A pack as people look at it."""

import re

import pytest

from tallylight.law.errors import LawError
from tallylight.law.iso8601 import is_duration, longest, seconds, shortest
from tallylight.law.overview import as_table, date_of, differences, find_place, place_lines, rules_at, sources
from tallylight.law.pack import default_files, default_pack, load, read_facts

PACK = default_pack()


@pytest.mark.parametrize(
    ("word", "code"),
    [
        ("US-WA", "US-WA"), ("us-wa", "US-WA"), ("US_WA", "US-WA"), (" Washington ", "US-WA"), ("denmark", "DK"),
        ("EEA", "EEA"), ("duties", "duties"),
    ],
)  # fmt: skip
def test_a_place_is_found_by_code_or_name(word: str, code: str) -> None:
    assert find_place(PACK, word) == code


@pytest.mark.parametrize(
    ("word", "near"), [("US-WX", "US-WY (Wyoming)"), ("Denmrk", "DK (Denmark)"), ("qqqq", "`tallylight law list`")]
)
def test_an_unknown_place_names_the_nearest_and_stays_strict(word: str, near: str) -> None:
    with pytest.raises(LawError, match=re.escape(near)) as raised:
        find_place(PACK, word)
    assert "ruled as a place nobody knows, strictly" in raised.value.message


def test_every_place_has_a_line_and_a_name() -> None:
    lines = {line.place: line for line in place_lines(PACK)}
    assert set(lines) == set(PACK.places)
    assert (lines["US-NV"].phone, lines["US-NV"].in_person) == ("all_party", "one_party")
    assert (lines["AU"].phone, lines["AU"].in_person) == ("informed", None)
    assert lines["US-MI"].doubtful
    assert not lines["US-TX"].doubtful
    assert all(line.name != line.place for line in lines.values())


def test_a_places_own_rules_come_first() -> None:
    rules = [rule.jurisdiction for rule in rules_at(PACK, "US-WA")]
    assert list(dict.fromkeys(rules)) == ["US-WA", "US", "everywhere"]
    assert [rule.jurisdiction for rule in rules_at(PACK, "DK")][-1] == "everywhere"


def test_a_rule_as_a_table_says_what_the_file_says() -> None:
    (rule,) = [rule for rule in PACK.rules if rule.id == "US-CT.wiretap"]
    table = as_table(rule)
    assert table["methods"] == ["announcement_on_recording", "spoken_on_recording", "tone", "written"]
    assert table["tone_interval_s"] == 15
    assert "retain_max" not in table


def test_a_pack_does_not_differ_from_itself() -> None:
    assert differences(PACK, load(default_files())) == ()


def test_the_date_of_the_data_is_that_of_its_newest_check() -> None:
    assert date_of(PACK) == "2026-11-23"


def test_every_rule_rests_on_a_source() -> None:
    resting = {rule for *_, rules in sources(PACK) for rule in rules}
    assert {rule.id for rule in PACK.rules if not rule.jurisdiction.endswith("unknown")} == resting


def test_facts_beside_the_rules_are_read_on_demand_and_named_when_broken() -> None:
    assert read_facts(PACK)["US-CA"]["name"] == "California"
    broken = load({**default_files(), "xx.toml": b"# nothing\n[jurisdiction]\nname = \n"})
    with pytest.raises(LawError, match=r"xx\.toml is no TOML file"):
        read_facts(broken)
    nameless = load({**default_files(), "xx.toml": b'# nothing\n[jurisdiction]\nname = "X"\n'})
    with pytest.raises(LawError, match=r"xx\.toml: the \[jurisdiction\] table has a code"):
        read_facts(nameless)


@pytest.mark.parametrize("text", ["P5Y", "P6M", "P30D", "P2W", "P1Y6M", "PT36H", "P1DT12H", "PT1S"])
def test_durations(text: str) -> None:
    assert is_duration(text)
    assert seconds(text) > 0


@pytest.mark.parametrize("text", ["", "P", "5Y", "PT", "P1DT", "PT5", "P1H", "P5", "P-1Y"])
def test_no_durations(text: str) -> None:
    assert not is_duration(text)
    with pytest.raises(ValueError, match="no duration"):
        seconds(text)


def test_longest_and_shortest() -> None:
    assert (longest(["P1Y", "P5Y", "P90D"]), shortest(["P1M", "P30D", "P6M"])) == ("P5Y", "P1M")
    assert (longest(["P1D", "PT36H"]), shortest(["P1DT12H", "P2D", "PT35H59M"])) == ("PT36H", "PT35H59M")
    assert (longest([]), shortest([])) == (None, None)
