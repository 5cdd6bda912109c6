"""What must hold of every case the closed form can write, judged by the law alone."""

from hypothesis import given, settings
from hypothesis import strategies as st

from tallylight.law.vocabulary import Action
from tallylight.policy.case_answer import CaseAnswer
from tests.policy.casework import PACK, Table, judged, party

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

usually = st.sampled_from((True, True, False))
consents = st.none() | st.fixed_dictionaries(
    {"method": st.sampled_from(METHODS)},
    optional={
        "given": st.sampled_from((True, True, False, None)),
        "prior": usually,
        "informed": usually,
        "conditional": st.booleans(),
        "withdrawn": st.sampled_from((False, False, True)),
        "on_recording": st.booleans(),
        "interval_s": st.sampled_from((10, 15, 60)),
    },
)


@st.composite
def people(draw: st.DrawFn, role: str) -> Table:
    made = party(
        role,
        draw(st.sampled_from(PLACES)),
        draw(consents),
        location_source=draw(st.sampled_from(("declared", "declared", "number_mobile", "unknown"))),
    )
    if role == "agent":
        for name in ("employee_notice", "employee_ack", "employee_posting", "works_council_agreement"):
            made[name] = draw(usually)
    return made


@st.composite
def cases(draw: st.DrawFn) -> Table:
    others = draw(st.lists(people("third_party"), max_size=1))
    return {
        "id": "C",
        "parties": [draw(people("agent")), draw(people("customer")), *others],
        "purpose": draw(st.sampled_from(PURPOSES)),
        "legal_basis": draw(st.sampled_from(BASES)),
        "sector": draw(st.sampled_from(SECTORS)),
        "channel": draw(st.sampled_from(("phone", "video", "in_person"))),
        "mode": draw(st.sampled_from(("both", "both", "agent_only", "agent_isolated_from_mix"))),
        "recorder": draw(st.sampled_from(("employer", "employer", "employer", "customer"))),
        "facts": draw(st.dictionaries(st.sampled_from(FACTS), st.booleans(), max_size=4)),
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
