"""What no pack may do, and the one thing a lawyer may: change the law by changing data."""

import re
from collections.abc import Callable

import pytest

from tallylight.law.errors import LawError
from tallylight.law.pack import default_files, load

TAIL = """
cite = "Act 1"
source = "example.com"
checked_at = "2026-11-23"
checked_by = "primary_text"
confidence = "high"
explain = "Everybody must agree."
"""
RULE = '[[rule]]\nid = "XX.wiretap"\njurisdiction = "XX"\nlayer = "wiretap"\nstandard = "one_party"' + TAIL
ALL = RULE.replace('"one_party"', '"all_party"\naccepts = ["digit"]')


def loaded(text: str) -> None:
    load({**default_files(), "xx.toml": text.encode()})


def test_the_rules_of_these_tests_are_sound() -> None:
    loaded(RULE)
    loaded(ALL)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (RULE.replace('"high"', '"low"'), "XX.wiretap: what is contested, unverified or of low confidence may not be"),
        (RULE.replace('"primary_text"', '"unverified"'), "may not be ruled leniently"),
        (RULE + "contested = true\n", "make the standard all_party and keep the lenient reading as law_view"),
        (RULE.replace('"one_party"', '"informed"') + "contested = true\n", "may not be ruled leniently"),
        (RULE + 'law_view = "all_party"\n', "the standard may not be more permissive than the law_view"),
        (RULE.replace("Everybody must agree.", "All 'must agree' to it."), "explain holds a quotation"),
        (RULE.replace("Everybody must agree.", "All “must agree” to it."), "explain holds a quotation"),
        (RULE.replace("Act 1", "Act 1 'the parties'"), "cite holds a quotation"),
        (RULE.replace("Everybody must agree.", "Everybody. They must agree."), "explain is one sentence"),
        (RULE.replace("agree.", "agree"), "explain is one sentence"),
        (RULE.replace('checked_at = "2026-11-23"\n', ""), "add checked_at"),
        (RULE + RULE.replace("XX.wiretap", "XX.other"), "XX.other: it speaks of the same as XX.wiretap on the same days"),
        (RULE + 'effective_to = "2020-01-01"\n' + RULE.replace("XX.wiretap", "XX.2") + 'effective_from = "2019-12-31"\n',
         "end the older one with effective_to"),
        (RULE.replace("accepts", "acepts").replace("explain", "explian"), "add explain"),
        (RULE + 'retain_maximum = "P6M"\n', "did you mean retain_max?"),
        (RULE + 'retain_max = "P6M"\n', "retain_max does not belong to the wiretap layer"),
        (RULE.replace("wiretap", "retention").replace('standard = "one_party"', 'retain_max = "6 months"'),
         "retain_max must be an ISO 8601 duration such as P6M"),
        (RULE.replace("wiretap", "retention").replace('standard = "one_party"\n', ""), "a retention rule needs retain_max"),
        (RULE.replace("wiretap", "employee").replace('standard = "one_party"', 'forms = ["posted"]'),
         "forms must be a list of lists"),
        (ALL + "tone_interval_s = 0\n", "tone_interval_s must be a number of seconds"),
        (RULE + "\n[jurisdiction]\n" + RULE, "the [jurisdiction] table stands last"),
    ],
)  # fmt: skip
def test_an_unsound_pack_names_file_rule_and_remedy(text: str, message: str) -> None:
    with pytest.raises(LawError, match=re.escape(message)) as raised:
        loaded(text)
    assert raised.value.message.startswith("xx.toml")


@pytest.mark.parametrize(
    "apart",
    [
        lambda text: text + 'effective_to = "2020-01-01"\n',
        lambda text: text + 'purposes = ["training"]\n',
        lambda text: text + 'channels = ["in_person"]\n',
        lambda text: text + 'sectors = ["payments"]\n',
    ],
)
def test_rules_about_different_days_or_matters_do_not_overlap(apart: Callable[[str], str]) -> None:
    other = RULE.replace("XX.wiretap", "XX.other")
    dated = 'effective_from = "2020-01-01"\npurposes = ["marketing"]\nchannels = ["phone"]\n'
    loaded(apart(RULE) + other + dated)
