"""The worked change of `docs/law.md`: a lawyer corrects a rule by changing data only, from one day on."""

from tallylight.law.overview import differences
from tallylight.law.pack import default_files, default_pack, load
from tallylight.policy.case_answer import CaseAnswer, answer
from tallylight.policy.cases import read_case

CASE = (
    '{"id": "C", "purpose": "quality", "at": "%s", "parties": ['
    '{"role": "agent", "country": "US", "region": "TX"},'
    '{"role": "customer", "country": "US", "region": "MI", "consent": null}]}'
)
SETTLED = b"""
[[rule]]
id = "US-MI.wiretap.2027"
jurisdiction = "US-MI"
layer = "wiretap"
standard = "one_party"
effective_from = "2027-03-01"
cite = "Mich. Comp. Laws 750.539c; a ruling of the Michigan Supreme Court"
source = "courts.michigan.gov"
checked_at = "2027-03-05"
checked_by = "primary_text"
confidence = "high"
explain = "Michigan: somebody who takes part in a call may record it."
"""


def corrected() -> dict[str, bytes]:
    """Michigan's file, its old rule ended and the new one added: what the lawyer's editor leaves behind."""
    files = default_files()
    ended = files["us-mi.toml"].replace(b"contested = true\n", b'contested = true\neffective_to = "2027-03-01"\n', 1)
    rules, facts, rest = ended.partition(b"\n[jurisdiction]\n")
    return {**files, "us-mi.toml": rules + SETTLED + facts + rest}


def on(day: str) -> CaseAnswer:
    pack = load(corrected())
    return answer(read_case(CASE % day, pack.places), pack)


def test_the_new_rule_counts_from_its_day_on() -> None:
    before, after = on("2027-02-28"), on("2027-03-01")
    assert (before.record_customer, "legal_review" in before.need) == (False, True)
    assert (after.record_customer, "legal_review" in after.need) == (True, False)
    assert "US-MI.wiretap.2027" in [reason.rule for reason in after.because]


def test_what_was_judged_before_stays_and_the_packs_can_be_told_apart() -> None:
    found = {each.rule: each for each in differences(default_pack(), load(corrected()))}
    assert set(found) == {"US-MI.wiretap", "US-MI.wiretap.2027"}
    assert found["US-MI.wiretap"].fields == ("effective_to",)
    assert found["US-MI.wiretap.2027"].old is None
