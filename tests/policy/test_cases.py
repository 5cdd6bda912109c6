"""Legal cases judged by the law alone: the researched ones, and a table of our own that goes where they do not."""

import json

import pytest

from tests import needs
from tests.policy.casework import PRESSED, REFUSED, SIGNED, STAYED, Table, case, judged, party, said

GIVEN = needs.SHARED / "law" / "cases.jsonl"
TRACKS = ("record_agent", "record_customer", "record_others", "voiceprint_agent", "emotion_agent")


def given_cases() -> list[Table]:
    return [json.loads(line) for line in GIVEN.read_text().splitlines()] if GIVEN.exists() else []


@needs.shared("law", "cases.jsonl")
def test_there_are_given_cases() -> None:
    assert len(given_cases()) == 112


@pytest.mark.parametrize("given", given_cases(), ids=lambda given: str(given["id"]))
def test_the_given_cases(given: Table) -> None:
    found, expected = judged(given).as_json(), given["expected"]
    assert isinstance(expected, dict)
    need = set(found["need"])  # type: ignore[call-overload]
    for track in TRACKS:
        assert expected.get(track) in (None, found[track]), (track, need)
    assert set(expected["need"]) <= need
    assert all(need & set(each) for each in expected.get("need_any", []))
    assert need.isdisjoint(expected.get("need_not", []))


LI = {"legal_basis": "legitimate_interests"}
TOLD = {"lia": True, "art13_notice": True}
AGREED = {"agent_consent": SIGNED}
MIFID = {"purpose": "compliance", "legal_basis": "legal_obligation", "sector": "investment_services"}
THIRD = party("third_party", "US-TX", None)
NOBODY_ASKED = {"obtain_all_party_consent"}

# case, agent recorded, customer recorded (None: not asserted), actions needed, actions that may not appear
TABLE: dict[str, tuple[Table, bool | None, bool | None, set[str], set[str]]] = {
    # United States: ways of agreeing
    "IL: even the agent's side alone is part of the conversation": (
        case("US-TX", "US-IL", mode="agent_only"), False, False, {"announce_recording"}, set()),
    "IL: an open recording is not surreptitious": (
        case("US-IL", "US-IL", STAYED, mode="agent_only"), True, False, set(), set()),
    "IL: before its first statute fell": (
        case("US-TX", "US-IL", at="2014-03-19"), False, False, NOBODY_ASKED, {"treat_as_all_party"}),
    "IL: after it fell": (case("US-TX", "US-IL", at="2014-03-20"), True, True, set(), {"treat_as_all_party"}),
    "IL: the day before the next": (case("US-TX", "US-IL", at="2014-12-29"), True, True, set(), NOBODY_ASKED),
    "IL: the next": (case("US-TX", "US-IL", at="2014-12-30"), False, False, NOBODY_ASKED, set()),
    "CT: what was in a mix for a moment is no crime there": (
        case("US-CT", "US-CT", mode="agent_isolated_from_mix", facts={"lia": True}, agent_employee_posting=True),
        True, False, {"delete_customer_track_immediately"}, set()),
    "CA: what was in a mix for a moment is one": (
        case("US-CT", "US-CA", mode="agent_isolated_from_mix", facts={"lia": True}, agent_employee_posting=True),
        False, False, {"delete_customer_track_immediately"}, set()),
    "CA: a yes that came later": (case("US-TX", "US-CA", said("dtmf", prior=False)), True, False, NOBODY_ASKED, set()),
    "CA: a yes to nobody knows what": (case("US-TX", "US-CA", said("dtmf", informed=False)), True, False, NOBODY_ASKED, set()),
    "CA: a beep alone": (case("US-TX", "US-CA", said("beep", interval_s=15)), True, False, NOBODY_ASKED, set()),
    "CA: no answer": (case("US-TX", "US-CA", said("dtmf", given=None)), True, False, NOBODY_ASKED, set()),
    "CA: withdrawn": (
        case("US-TX", "US-CA", said("dtmf", withdrawn=True)), True, False,
        {"stop_recording_customer", "do_not_record_customer", "offer_unrecorded_service"}, NOBODY_ASKED),
    "WA: a key": (case("US-WA", "US-WA", PRESSED), True, True, set(), set()),
    "WA: announced on the recording": (
        case("US-TX", "US-WA", said("notice_continue", on_recording=True)), True, True, set(), set()),
    "CT: a yes on the recording": (case("US-TX", "US-CT", said("verbal_on_recording")), True, True, set(), set()),
    "CT: a yes that is on the recording": (
        case("US-TX", "US-CT", said("verbal_yes", on_recording=True)), True, True, set(), set()),
    "CT: announced on the recording": (case("US-TX", "US-CT", said("announcement_on_recording")), True, True, set(), set()),
    "CT: a tone too seldom": (case("US-TX", "US-CT", said("beep", interval_s=60)), True, False, {"sound_tone"}, set()),
    "CT: a threat": (case("US-TX", "US-CT", facts={"threat_call": True}), True, True, set(), set()),
    "CA: a threat is no exception on file": (case("US-TX", "US-CA", facts={"threat_call": True}), True, False, set(), set()),
    "MI: contested, so everybody": (case("US-MI", "US-MI"), None, False, {"legal_review", *NOBODY_ASKED}, set()),
    "MI: told and stayed": (case("US-MI", "US-MI", STAYED), True, True, {"legal_review"}, set()),
    "GU: unverified, with a yes": (case("US-TX", "US-GU", PRESSED), True, True, {"legal_review"}, {"treat_as_all_party"}),
    "PR as a country of its own": (case("US-TX", "PR"), True, False, {"legal_review"}, {"treat_as_all_party"}),
    "TX: who was asked and said no": (case("US-TX", "US-TX", REFUSED), True, False, {"offer_unrecorded_service"}, set()),
    "TX: an agent who does not know consents to nothing": (
        case("US-TX", "US-TX", agent_employee_notice=False), False, False, {"notify_employee"}, set()),
    "TX: the customer's yes is one party's": (
        case("US-TX", "US-TX", PRESSED, agent_employee_notice=False), False, True, {"notify_employee"}, set()),
    # United States: face to face
    "HI: in a private place": (
        case("US-HI", "US-HI", channel="in_person", facts={"private_place": True}), None, False, NOBODY_ASKED, set()),
    "HI: in a public one": (case("US-HI", "US-HI", channel="in_person"), True, True, set(), set()),
    "CT: face to face one party is enough": (
        case("US-TX", "US-CT", channel="in_person"), True, True, set(), set()),
    "OR: told": (case("US-OR", "US-OR", STAYED, channel="in_person"), True, True, set(), set()),
    "AU: face to face, unverified": (
        case("AU-VIC", "AU-VIC", STAYED, channel="in_person"), True, True, {"legal_review"}, set()),
    "AU: face to face, unverified and untold": (
        case("AU-VIC", "AU-VIC", channel="in_person"), True, False, {"legal_review"}, set()),
    "Quebec: staying on is no yes to sensitive data": (
        case("CA-QC", "CA-QC", STAYED, legal_basis="consent", facts={"special_category": True}), True, False,
        {"obtain_opt_in_consent"}, set()),
    "a review of a recording past its ceiling": (
        case("BE", "BE", STAYED, legal_basis="legitimate_interests", event="stored_review", age="P2M",
             facts={"lia": True, "art13_notice": True}), True, True, {"delete_recording"}, set()),
    "a review of a recording within it": (
        case("BE", "BE", STAYED, legal_basis="legitimate_interests", event="stored_review", age="P20D",
             facts={"lia": True, "art13_notice": True}), True, True, set(), {"delete_recording"}),
    "a review of what the project never recorded": (
        case("DK", "DK", purpose="training", legal_basis="contract", mode="agent_only", event="stored_review"),
        True, False, set(), {"delete_recording"}),
    "Belgium: a tone tells nothing": (
        case("BE", "BE", said("beep", interval_s=15), legal_basis="legitimate_interests", facts={"lia": True}), True, False,
        {"announce_recording"}, set()),
    "AU: on the phone": (case("AU-VIC", "AU-VIC", channel="phone"), True, False, {"announce_recording"}, set()),
    # places
    "a state nobody knows, with a key": (
        case("US-TX", "US", PRESSED, customer_location_source="number_mobile"), True, True, {"treat_as_all_party"}, set()),
    "a state nobody knows, told": (
        case("US-TX", "US-TX", STAYED, customer_location_source="number_mobile"), True, False,
        {"treat_as_all_party"}, set()),
    "a state nobody knows, told on the recording": (
        case("US-TX", "US-TX", said("announcement_on_recording"), customer_location_source="number_mobile"),
        True, True, {"treat_as_all_party"}, set()),
    "a fixed number": (
        case("US-TX", "US-OH", customer_location_source="number_fixed"), True, True, set(), {"treat_as_all_party"}),
    "a fixed number that is not certain": (
        case("US-TX", "US-OH", customer_location_source="number_fixed", customer_location_certain=False), None, False,
        {"treat_as_all_party"}, set()),
    "a Danish mobile number tells its country": (
        case("DK", "DK", PRESSED, customer_location_source="number_mobile"), True, True, set(), {"treat_as_all_party"}),
    "a toll-free number tells nothing": (
        case("US-TX", "US", STAYED, customer_location_source="toll_free"), None, False, {"treat_as_all_party"}, set()),
    "no country at all, with a key": (
        case("US-TX", None, PRESSED, legal_basis="consent"), True, True, {"treat_as_all_party"}, set()),
    "a country whose law is not on file": (
        case("DK", "TR", STAYED, **LI, facts=TOLD), True, False, {"treat_as_all_party", "obtain_opt_in_consent"}, set()),
    # Europe
    "DK: documenting without necessity": (
        case("DK", "DK", STAYED, purpose="documentation", **LI, facts=TOLD), True, False, {"document_necessity"}, set()),
    "DK: another proof exists": (
        case("DK", "DK", STAYED, purpose="documentation", **LI,
             facts={**TOLD, "necessity_documented": True, "other_proof_exists": True}),
        True, False, {"document_necessity"}, set()),
    "DK: a public body has no legitimate interests": (
        case("DK", "DK", STAYED, purpose="documentation", **LI,
             facts={**TOLD, "necessity_documented": True, "public_body": True}),
        True, False, {"obtain_opt_in_consent"}, set()),
    "DK: security with a balance of interests": (
        case("DK", "DK", STAYED, purpose="security", **LI, facts=TOLD), True, True, set(), {"obtain_opt_in_consent"}),
    "DK: marketing needs a yes": (
        case("DK", "DK", STAYED, purpose="marketing", **LI, facts=TOLD), True, False, {"obtain_opt_in_consent"}, set()),
    "DK: a yes for another purpose": (
        case("DK", "DK", said("dtmf", purposes=["documentation"])), True, False, {"obtain_opt_in_consent"}, set()),
    "DK: before the yes": (
        case("DK", "DK", PRESSED, legal_basis="consent", segment="before_consent"), True, False,
        {"obtain_opt_in_consent"}, set()),
    "TX: before the yes nobody had to be asked": (
        case("US-TX", "US-TX", PRESSED, segment="before_consent"), True, True, set(), set()),
    "DK: told of the recording and not of the rest": (
        case("DK", "DK", STAYED, purpose="documentation", **LI,
             facts={"lia": True, "necessity_documented": True, "art13_notice": False}),
        True, False, {"provide_art13_notice"}, {"announce_recording"}),
    "DK before the GDPR": (case("DK", "DK", at="2018-05-24"), True, True, set(), set()),
    "a Danish customer of a German agent": (
        case("DE", "DK", STAYED, purpose="documentation", **LI, **AGREED, facts={**TOLD, "necessity_documented": True}),
        True, False, {"obtain_opt_in_consent"}, set()),
    "DE: an agent who was told and not asked": (
        case("DE", "DE", PRESSED, legal_basis="consent"), False, True, {"obtain_agent_consent"}, set()),
    "DE: no works council agreement": (
        case("DE", "DE", PRESSED, legal_basis="consent", **AGREED, agent_works_council_agreement=False), False, True,
        {"works_council_agreement"}, set()),
    "DE: isolating the agent records the customer first": (
        case("DE", "DE", **LI, **AGREED, mode="agent_isolated_from_mix", facts={"lia": True}), False, False, set(), set()),
    "DE: isolating for a customer in Germany": (
        case("DK", "DE", **LI, mode="agent_isolated_from_mix", facts={"lia": True}), False, False, set(), set()),
    "DK: with each leg apart there is no mix": (
        case("DK", "DK", mode="agent_isolated_from_mix", facts={"per_leg": True}), True, False,
        {"basis_for_repeated_personal_data"}, {"document_lia"}),
    "IT: the balance of interests needs the agreement too": (
        case("IT", "IT", STAYED, **LI, facts=TOLD, agent_works_council_agreement=False), False, False,
        {"works_council_agreement"}, set()),
    "FR: who was told and objects is not told again": (
        case("FR", "FR", said("notice_continue", given=False), **LI, facts=TOLD), True, False,
        {"stop_recording_customer", "offer_unrecorded_service"}, {"announce_recording"}),
    "FR: every call, permanently": (
        case("FR", "FR", PRESSED, legal_basis="consent", facts={"systematic": True}), False, False,
        {"limit_to_sample"}, set()),
    "FR: a contract that can be proven otherwise": (
        case("FR", "FR", STAYED, purpose="documentation", **LI, facts={**TOLD, "other_proof_exists": True}), True, False,
        {"document_necessity"}, {"retain_max:P6M"}),
    "FR: every order, permanently": (
        case("FR", "FR", PRESSED, purpose="documentation", legal_basis="consent", facts={"systematic": True}), False, False,
        {"limit_to_sample"}, set()),
    "FR: every call, against incivility": (
        case("FR", "FR", STAYED, purpose="security", **LI, facts={**TOLD, "systematic": True}), False, False,
        {"limit_to_sample"}, set()),
    "FR: a call now and then for security": (
        case("FR", "FR", STAYED, purpose="security", **LI, facts=TOLD), True, True, set(), {"limit_to_sample"}),
    "CZ: low confidence asks for a yes and a lawyer": (
        case("CZ", "CZ", STAYED, **LI, facts=TOLD), True, False, {"legal_review", "obtain_opt_in_consent"}, set()),
    "CZ: with the yes": (case("CZ", "CZ", PRESSED, legal_basis="consent"), True, True, {"legal_review"}, set()),
    "GB: marketing is no business record": (
        case("GB", "GB", STAYED, purpose="marketing", **LI, facts=TOLD), True, False, {"obtain_all_party_consent"}, set()),
    "GB: nobody told": (case("GB", "GB", **LI, facts={"lia": True}), True, False, {"announce_recording"}, set()),
    "PT: quality with a yes": (
        case("PT", "PT", PRESSED, legal_basis="consent"), True, True, {"retain_max:P30D"}, set()),
    "SE: explicit consent is a condition of Art. 9": (
        case("SE", "SE", PRESSED, legal_basis="consent", facts={"special_category": True}), True, True,
        set(), {"art9_condition"}),
    "PL: a public office under its task": (
        case("PL", "PL", STAYED, purpose="security", legal_basis="public_task", sector="public_administration", facts=TOLD),
        True, False, {"obtain_opt_in_consent"}, set()),
    "a Texan who offers to people in the EEA": (
        case("US-TX", "US-TX", facts={"targets_eu": True}), True, False, {"obtain_opt_in_consent"}, set()),
    # elsewhere
    "CH: an order is no ground for training": (
        case("CH", "CH", purpose="training", facts={"call_content": "order"}), True, False, NOBODY_ASKED, set()),
    "CH: a reservation as evidence": (
        case("CH", "CH", purpose="dispute", facts={"call_content": "reservation"}), True, True, set(), NOBODY_ASKED),
    "JP: low confidence, told and stayed": (case("JP", "JP", STAYED), True, True, {"legal_review"}, set()),
    "IN: staying is no consent": (case("IN", "IN", STAYED), True, False, {"legal_review"}, set()),
    "CA-QC: implied consent": (case("CA-QC", "CA-QC", STAYED), True, True, {"legal_review"}, set()),
    "PH: whether staying counts is unsettled": (case("PH", "PH", STAYED), True, False, {"legal_review"}, set()),
    "MX: financial data need an express yes": (
        case("MX", "MX", STAYED, sector="payments"), True, False, {"obtain_opt_in_consent", "legal_review"}, set()),
    "MX: told and went on": (case("MX", "MX", STAYED), True, True, {"legal_review"}, {"obtain_opt_in_consent"}),
    # the consumer records
    "DE: a consumer in secret": (
        case("DE", "DE", recorder="customer", purpose="dispute"), False, True, {"obtain_all_party_consent"}, set()),
    "DK: a consumer in secret": (case("DK", "DK", recorder="customer", purpose="dispute"), True, True, set(), set()),
    "IL: a consumer's own side": (case("US-TX", "US-IL", recorder="customer"), False, False, set(), set()),
    "GB: a consumer in secret": (case("GB", "GB", recorder="customer", purpose="dispute"), True, True, set(), set()),
    "FR: a consumer in secret": (
        case("FR", "FR", recorder="customer", purpose="dispute"), False, True, {"announce_recording"}, set()),
    # employees
    "NY: told, without the forms": (
        case("US-NY", "US-TX"), False, True, {"employee_written_notice_ack", "employee_posting"}, set()),
    "NY before its statute": (case("US-NY", "US-TX", at="2022-05-06"), True, True, set(), set()),
    "DE (Delaware): a daily notice": (
        case("US-DE", "US-DE", PRESSED, agent_employee_notice_form="daily_electronic"), True, True, set(), set()),
    "CT: neither posted nor acknowledged": (case("US-CT", "US-TX"), False, False, {"employee_posting"}, set()),
    "CT: a posting is notice enough": (
        case("US-CT", "US-CT", SIGNED, agent_employee_notice=False, agent_employee_posting=True), True, True, set(), set()),
    "CT: a posting tells nobody whose place may be another": (
        case("US-CT", "US-TX", agent_employee_notice=False, agent_employee_posting=True, agent_location_certain=False),
        False, False, {"notify_employee"}, set()),
    "DE (Delaware): a daily notice is notice enough": (
        case("US-DE", "US-DE", PRESSED, agent_employee_notice=False, agent_employee_notice_form="daily_electronic"),
        True, True, set(), set()),
    "an agent whose state nobody knows": (case("US", "US-TX"), False, False, {"employee_written_notice_ack"}, set()),
    # duties
    "CMS: an appointment is none of it": (
        case("US-TX", "US-TX", sector="medicare_marketing", call_type="appointment"), True, True,
        set(), {"record_mandatory"}),
    "CMS: in its first year it was": (
        case("US-TX", "US-TX", sector="medicare_marketing", call_type="appointment", at="2023-01-10"), True, True,
        {"record_mandatory", "retain_min:P10Y"}, set()),
    "CMS: a sales call now": (
        case("US-TX", "US-TX", sector="medicare_marketing", call_type="sales"), True, True, {"retain_min:P6Y"},
        {"retain_min:P10Y"}),
    "CMS: a sales call then": (
        case("US-TX", "US-TX", sector="medicare_marketing", call_type="sales", at="2026-05-31"), True, True,
        {"retain_min:P10Y"}, {"retain_min:P6Y"}),
    "CMS: in California a duty is no consent": (
        case("US-TX", "US-CA", sector="medicare_marketing", call_type="sales"), True, False,
        {"record_mandatory", "end_call_or_move_channel", "obtain_all_party_consent"}, set()),
    "CFTC": (
        case("US-TX", "US-TX", purpose="compliance", sector="commodity_futures"), True, True,
        {"record_mandatory", "retain_min:P1Y"}, set()),
    "MiFID in Denmark": (
        case("DK", "DK", STAYED, **MIFID), True, True, {"record_mandatory", "retain_min:P5Y"}, {"obtain_opt_in_consent"}),
    "MiFID in Denmark, refused": (
        case("DK", "DK", REFUSED, **MIFID), True, False, {"end_call_or_move_channel", "offer_unrecorded_service"}, set()),
    "MiFID in Portugal is no wiretap consent": (
        case("PT", "PT", STAYED, **MIFID), True, False, {"end_call_or_move_channel", "obtain_all_party_consent"}, set()),
    "WpHG authorises both sides once everybody was told": (
        case("DE", "DE", STAYED, **MIFID), True, True, {"record_mandatory", "retain_min:P5Y"}, {"obtain_opt_in_consent"}),
    "HU: a utility that calls out": (
        case("HU", "HU", STAYED, purpose="compliance", legal_basis="legal_obligation", sector="public_utility_service",
             direction="outbound"),
        True, False, {"obtain_opt_in_consent"}, {"record_mandatory"}),
    "HU: a quality line of the same utility": (
        case("HU", "HU", STAYED, sector="public_utility_service"), True, False, {"obtain_opt_in_consent"}, set()),
    "BR: regulated consumer lines": (
        case("BR", "BR", STAYED, sector="public_utility_service"), True, True, {"retain_min:P90D", "legal_review"}, set()),
    "NY: telemarketing, told": (
        case("US-TX", "US-NY", STAYED, sector="telemarketing", direction="outbound"), True, True, {"retain_min:P5Y"}, set()),
    "NY: telemarketing out of it": (
        case("US-NY", "US-TX", sector="telemarketing", direction="outbound", agent_employee_ack=True,
             agent_employee_posting=True),
        True, True, {"retain_min:P5Y"}, {"announce_recording"}),
    # moments and settings
    "card data spoken": (
        case("US-TX", "US-TX", facts={"card_data_spoken": True}), False, False, {"pause_recording"}, set()),
    "on hold": (case("US-TX", "US-TX", segment="on_hold"), True, False, {"pause_recording"}, set()),
    "no recording": (case("US-TX", "US-TX", config={"project_mode": "none"}), False, False, set(), set()),
    "voice receipts, between two": (
        case("DK", "DK", PRESSED, legal_basis="consent", config={"project_mode": "agent_only_voice_receipts"}), True, False,
        set(), {"obtain_opt_in_consent"}),
    "voice receipts, in one": (
        case("DK", "DK", PRESSED, legal_basis="consent", config={"project_mode": "agent_only_voice_receipts"},
             segment="voice_receipt"),
        True, True, set(), set()),
    "voice receipts, in one without a yes": (
        case("DK", "DK", STAYED, legal_basis="consent", config={"project_mode": "agent_only_voice_receipts"},
             segment="voice_receipt"),
        True, False, {"obtain_opt_in_consent"}, set()),
    "a third person joins: nobody": (
        case("US-TX", "US-TX", others=[THIRD], config={"conference": "stop_on_third_party"}), False, False, set(), set()),
    # what happens to a stored recording
    "erasure": (case("DK", "DK", PRESSED, event="erasure_request", age="P1M"), True, True, {"delete_recording"}, set()),
    "erasure while a floor runs": (
        case("DK", "DK", STAYED, **MIFID, event="erasure_request", age="P4Y"), True, True, {"retain_min:P5Y"},
        {"delete_recording"}),
    "erasure after it": (
        case("DK", "DK", STAYED, **MIFID, event="erasure_request", age="P6Y"), True, True, {"delete_recording"}, set()),
    "after it nothing keeps it": (
        case("US-TX", "US-TX", sector="commodity_futures", event="erasure_request", age="P1Y"), True, True,
        {"delete_recording"}, {"retain_min:P1Y"}),
    "a day and a half old": (
        case("DK", "DK", STAYED, **MIFID, event="erasure_request", age="PT36H"), True, True, {"retain_min:P5Y"},
        {"delete_recording"}),
    "within its ceiling": (
        case("FR", "FR", PRESSED, event="retention_expired", age="P5M"), True, True, set(), {"delete_recording"}),
    "overlap": (
        case("DK", "DK", PRESSED, event="overlap_found"), True, False, {"purge_snippets_procedure"}, set()),
    "a review of what may not stay": (
        case("DK", "DK", STAYED, event="stored_review"), True, False, {"delete_recording"}, set()),
    "a new purpose that the yes covers": (
        case("DK", "DK", said("dtmf", purposes=["quality", "training"]), purpose="training", facts={"reuse": True}),
        True, True, set(), {"new_legal_basis_for_purpose"}),
}  # fmt: skip


@pytest.mark.parametrize("name", TABLE)
def test_our_own_cases(name: str) -> None:
    table, agent, customer, need, need_not = TABLE[name]
    found = judged(table)
    assert agent in (None, found.record_agent), (found.need, found.because)
    assert customer in (None, found.record_customer), (found.need, found.because)
    assert need <= set(found.need), found.need
    assert need_not.isdisjoint(found.need), found.need


@pytest.mark.parametrize(
    ("third", "config", "recorded"),
    [
        (party("third_party", "US-TX"), {}, True),
        (party("third_party", "US-CA"), {}, False),
        (party("third_party", "US-CA", STAYED), {}, True),
        (party("third_party", "US-CA", STAYED), {"conference": "agent_and_customer"}, False),
        (party("third_party", "US-TX", REFUSED), {}, False),
    ],
)
def test_each_third_person_is_judged_alone(third: Table, config: Table, recorded: bool) -> None:
    found = judged(case("US-TX", "US-TX", others=[third], config=config))
    assert (found.record_agent, found.record_others) == (True, recorded)
    untold = third["consent"] is None
    assert ("announce_to_joiner" in found.need) == (untold and not recorded)


RELEASE = {"features": ["voiceprint_agent"]}
POLICY = {"biometric_policy_public": True}


@pytest.mark.parametrize(
    ("place", "release", "facts", "day", "allowed", "need"),
    [
        ("US-IL", None, POLICY, "2026-11-23", False, {"biometric_written_release"}),
        ("US-IL", "electronic", POLICY, "2026-11-23", True, {"voiceprint_retain_max:P3Y"}),
        ("US-IL", "electronic", POLICY, "2024-08-01", False, {"biometric_written_release"}),
        ("US-IL", "written", POLICY, "2024-08-01", True, set()),
        ("US-IL", "written", {}, "2026-11-23", False, {"biometric_retention_policy"}),
        ("US-IL", "informed_consent", POLICY, "2026-11-23", False, {"biometric_written_release"}),
        ("US-TX", None, {}, "2026-11-23", False, {"obtain_agent_consent", "voiceprint_retain_max:P1Y"}),
        ("US-TX", "refused", {}, "2026-11-23", False, {"obtain_agent_consent"}),
        ("US-WA", "informed_consent", {}, "2026-11-23", True, set()),
        ("DK", "written", {"per_leg": True}, "2026-11-23", True, {"dpia"}),
        ("DK", "written", {}, "2026-11-23", False, {"dpia", "biometric_explicit_consent"}),
        ("GB", None, {}, "2026-11-23", False, {"dpia", "biometric_explicit_consent"}),
        ("US-OH", None, {}, "2026-11-23", False, {"legal_review", "biometric_written_release"}),
    ],
)
def test_voiceprints(place: str, release: str | None, facts: Table, day: str, allowed: bool, need: set[str]) -> None:
    table = case(place, "US-TX", STAYED, agent_biometric_release=release, facts=facts, at=day, **RELEASE)
    found = judged({**table, "legal_basis": "consent", "purpose": "security"})
    assert found.record_agent
    assert found.voiceprint_agent is allowed, found.need
    assert need <= set(found.need)


@pytest.mark.parametrize(
    ("place", "day", "facts", "allowed"),
    [
        ("DK", "2025-02-01", {}, True),
        ("DK", "2025-02-02", {}, False),
        ("US-TX", "2026-11-23", {}, True),
        ("US-TX", "2026-11-23", {"targets_eu": True}, False),
        ("GB", "2026-11-23", {}, True),
        ("TR", "2026-11-23", {}, False),
    ],
)
def test_emotions(place: str, day: str, facts: Table, allowed: bool) -> None:
    told = {"agent_employee_ack": True, "agent_employee_posting": True, "agent_consent": SIGNED}
    asked = {"legal_basis": "consent", "purpose": "security", "features": ["emotion_agent"]}
    found = judged(case(place, "US-TX", PRESSED, facts=facts, at=day, **told, **asked))
    assert found.record_agent
    assert found.emotion_agent is allowed
    assert ("disable_emotion_inference" in found.need) is not allowed


def test_no_feature_is_allowed_that_nobody_asked_for_nor_of_an_agent_who_is_not_recorded() -> None:
    assert not judged(case("US-TX", "US-TX")).emotion_agent
    silent = case("US-TX", "US-TX", features=["emotion_agent"], agent_employee_notice=False)
    assert not judged(silent).emotion_agent


def test_an_unlawful_aim_closes_every_track_and_cites_why() -> None:
    found = judged(case("US-TX", "US-TX", PRESSED, purpose="criminal_or_tortious"))
    assert not found.record_agent
    assert not found.record_customer
    assert "18 U.S.C. 2511(2)(d)" in found.because[0].cite


@pytest.mark.parametrize(
    ("table", "floor", "ceiling", "chosen"),
    [
        (case("US-TX", "US-TX"), None, None, "P3M"),
        (case("BE", "DK", STAYED), None, "P1M", "P1M"),
        (case("FR", "BE", STAYED), None, "P1M", "P1M"),
        (case("PT", "FR", STAYED), None, "P30D", "P30D"),
        (case("DK", "DK", STAYED, **MIFID), "P5Y", None, "P5Y"),
        (case("US-TX", "US-TX", sector="medicare_marketing", call_type="enrollment"), "P10Y", None, "P10Y"),
    ],
)
def test_retention(table: Table, floor: str | None, ceiling: str | None, chosen: str) -> None:
    found = judged(table).kept
    assert (found.floor, found.ceiling, found.chosen) == (floor, ceiling, chosen)
