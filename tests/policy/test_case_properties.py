"""What must hold of every case the closed form can write, judged by the law alone."""

from hypothesis import given, settings
from hypothesis import strategies as st

from tallylight.law.vocabulary import Action
from tallylight.policy.case_answer import CaseAnswer
from tests.policy.casework import PACK, Table, judged, party
from tests.policy.making import Digits, numbers

THOROUGH = settings(max_examples=1_000)
PLACES = (*PACK.places, "US", "DK-84", "CA-ON", "TR", None)
STRICTER_THAN_UNKNOWN = {"US-IL", "US-CT"}
"""Illinois reaches a told other side, and Connecticut asks for a form on the recording: see `test_properties`."""
METHODS = ("written", "verbal_yes", "verbal_on_recording", "dtmf", "web_form", "notice_continue",
           "announcement_on_recording", "beep", "none")  # fmt: skip
PURPOSES = ("quality", "training", "documentation", "compliance", "dispute", "security", "marketing")
SECTORS = (None, None, "card_payment", "commodity_futures", "healthcare", "investment_services", "medicare_marketing",
           "public_administration", "public_utility_service", "telemarketing")  # fmt: skip
BASES = (None, "consent", "contract", "legal_obligation", "public_task", "legitimate_interests")
FACTS = ("art13_notice", "lia", "necessity_documented", "other_proof_exists", "per_leg", "public_body", "reuse", "sampled",
         "special_category", "systematic", "targets_eu", "threat_call", "private_place")  # fmt: skip
FINAL = {"setting.mode", "setting.conference", "setting.agent_basis", "house.no_is_no", "everywhere.unlawful_aim"}
"""What no action changes: a choice of the project, a no, an unlawful aim."""

DAYS = ("2026-11-23", "2026-11-23", "2026-11-23", "2026-05-31", "2024-08-01", "2022-05-06", "2018-05-24", "2014-06-15")
"""Today, and days on which something was not yet law, or still was."""


def make_consent(digits: Digits) -> Table | None:
    if digits.choose((True, False)):
        return None
    return {
        "method": digits.choose(METHODS),
        "given": digits.mostly(True, False, None),
        "prior": digits.mostly(True, False),
        "informed": digits.mostly(True, False),
        "conditional": digits.mostly(False, True),
        "withdrawn": digits.mostly(False, True),
        "interval_s": digits.choose((10, 15, 60)),
        **digits.choose(({}, {"on_recording": True}, {"on_recording": False})),
    }


def make_person(number: int, role: str) -> Table:
    digits = Digits(number)
    made = party(
        role,
        digits.choose(PLACES),
        make_consent(digits),
        location_source=digits.mostly("declared", "number_mobile", "unknown"),
    )
    if role == "agent":
        for name in ("employee_notice", "employee_ack", "employee_posting", "works_council_agreement"):
            made[name] = digits.mostly(True, False)
    return made


def people(role: str) -> st.SearchStrategy[Table]:
    return numbers.map(lambda number: make_person(number, role))


@st.composite
def cases(draw: st.DrawFn) -> Table:
    others = [draw(people("third_party"))] if draw(st.booleans()) else []
    several = [draw(people("agent")), draw(people("customer")), *others]
    digits = Digits(draw(numbers))
    return {
        "id": "C",
        "parties": several,
        "purpose": digits.choose(PURPOSES),
        "legal_basis": digits.choose(BASES),
        "sector": digits.choose(SECTORS),
        "call_type": digits.mostly(None, "enrollment", "sales"),
        "channel": digits.choose(("phone", "video", "in_person")),
        "direction": digits.choose(("inbound", "outbound")),
        "mode": digits.mostly("both", "agent_only", "agent_isolated_from_mix"),
        "recorder": digits.mostly("employer", "customer"),
        "segment": digits.mostly("normal", "on_hold", "voice_receipt", "before_consent"),
        "config": {"conference": digits.mostly("all", "none", "agent_and_customer", "stop_on_third_party")},
        "at": digits.choose(DAYS),
        "facts": {name: True for name in FACTS if digits.mostly(False, True)},
        "features": ["voiceprint_agent", "emotion_agent"],
    }


def no_more_open(before: CaseAnswer, after: CaseAnswer, *, others: bool = True) -> None:
    for track in ("record_agent", "record_customer", "voiceprint_agent", "emotion_agent"):
        assert getattr(before, track) >= getattr(after, track), (track, before, after)
    if others:
        assert before.record_others >= after.record_others, (before, after)


def changed(table: Table, index: int, **fields: object) -> Table:
    several = list(table["parties"])  # type: ignore[call-overload]
    several[index] = {**several[index], **fields}
    return {**table, "parties": several}


@THOROUGH
@given(cases(), people("third_party"))
def test_another_party_never_opens_a_track(table: Table, joiner: Table) -> None:
    several = table["parties"]
    assert isinstance(several, list)
    # Where nobody was there to be recorded, somebody may now be.
    no_more_open(judged(table), judged({**table, "parties": [*several, joiner]}), others=len(several) > 2)


@THOROUGH
@given(cases(), st.integers(0, 1))
def test_another_candidate_place_never_opens_a_track(table: Table, index: int) -> None:
    no_more_open(judged(table), judged(changed(table, index, location_certain=False)))


@THOROUGH
@given(cases(), st.integers(0, 1), st.sampled_from((None, False, "withdrawn")))
def test_taking_a_consent_away_never_opens_a_track(table: Table, index: int, way: bool | str | None) -> None:
    several = table["parties"]
    assert isinstance(several, list)
    consent = several[index]["consent"]
    if consent is None:
        return
    given_consent = {**consent, "given": True, "withdrawn": False}
    ways = {None: None, False: {**consent, "given": False}, "withdrawn": {**given_consent, "withdrawn": True}}
    facts = table["facts"]
    assert isinstance(facts, dict)
    # Whether people were told is a matter of its own.
    told = {**table, "facts": {"art13_notice": False, **facts}}
    before = judged(changed(told, index, consent=given_consent))
    no_more_open(before, judged(changed(told, index, consent=ways[way])))


@THOROUGH
@given(cases(), st.integers(0, 1), st.sampled_from(PACK.places))
def test_an_unknown_place_is_as_strict_as_every_known_one(table: Table, index: int, place: str) -> None:
    country, _, region = place.partition("-")
    if place in STRICTER_THAN_UNKNOWN:
        return
    here = changed(table, index, country=country, region=region or None, location_source="declared")
    nowhere = changed(table, index, country=None, region=None, location_source="declared")
    no_more_open(judged(here), judged(nowhere))


@THOROUGH
@given(cases())
def test_every_answer_is_founded_and_every_closed_track_says_what_would_open_it(table: Table) -> None:
    found = judged(table)
    cites = {rule.id: rule.cite for rule in PACK.rules}
    for reason in found.because:
        assert reason.cite
        assert cites.get(reason.rule, reason.cite) == reason.cite
        assert reason.text.endswith(".")
    assert {action.partition(":")[0] for action in found.need} <= {str(action) for action in Action}
    assert len(set(found.need)) == len(found.need)
    if not (found.record_agent and found.record_customer):
        closing = {reason.rule for reason in found.because if reason.verdict != "allows"}
        assert found.need or closing & FINAL
