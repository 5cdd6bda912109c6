"""Rulings one by one: what is said, under which rule, and what would change it."""

import dataclasses

import pytest

from tallylight.ids import PartyId
from tallylight.law.vocabulary import Action, Confidence, EmployeeForm, LawfulBasis, Method, Mode, Purpose, Role
from tallylight.policy.decide import decide
from tallylight.policy.decision import Lamp
from tallylight.policy.profile import Profile
from tallylight.policy.situation import Circumstances, Consent, ConsentState, PlaceEvidence
from tests.policy.making import (
    AGENT,
    AT_MS,
    CUSTOMER,
    PACK,
    SETTINGS,
    SYSTEM,
    SYSTEM_PARTY,
    UNKNOWN,
    YES,
    agent,
    at,
    customer,
    lamps,
    ruling,
    situation,
)

ASK = {Action.OBTAIN_OPT_IN_CONSENT}
TEXAN = dataclasses.replace(
    SETTINGS, country="US-TX", customer_basis=LawfulBasis.LEGITIMATE_INTERESTS, purpose=Purpose.QUALITY_ASSURANCE
)


def test_a_key_press_opens_the_callers_gate() -> None:
    given = ruling(situation())
    assert given.lamp is Lamp.RECORDING
    assert given.deciding.text == "The customer agreed by pressing a key."
    assert given.deciding.rule == "EEA.consent"
    assert [reason.rule for reason in given.reasons] == [
        "EEA.consent",
        "DK.ground.quality",
        "DK.wiretap",
        "house.told_first",
        "setting.mode",
    ]
    assert given.actions == ()


@pytest.mark.parametrize(
    ("state", "text"),
    [
        (ConsentState.NONE, "The customer has not been asked yet."),
        (ConsentState.REQUESTED, "The customer is being asked."),
        (ConsentState.UNKNOWN, "The customer was asked and did not answer; silence is not a yes."),
    ],
)
def test_without_an_answer_the_gate_is_dark_and_a_yes_would_help(state: ConsentState, text: str) -> None:
    none = ruling(situation(customer(Consent(state=state)), agent()))
    assert (none.lamp, none.deciding.text) == (Lamp.OFF, text)
    assert set(none.actions) == ASK
    assert none.wants_answer


@pytest.mark.parametrize(
    ("state", "text"),
    [
        (ConsentState.REFUSED, "The customer said no and is not recorded."),
        (ConsentState.WITHDRAWN, "The customer took back their yes and is not recorded any more."),
    ],
)
def test_a_no_closes_one_gate_and_asks_for_nothing_more(state: ConsentState, text: str) -> None:
    now = situation(SYSTEM_PARTY, customer(dataclasses.replace(YES, state=state)), agent())
    refused = ruling(now)
    assert (refused.lamp, refused.deciding.text, refused.deciding.rule) == (Lamp.OFF, text, "house.no_is_no")
    assert refused.actions == (
        Action.STOP_RECORDING_CUSTOMER,
        Action.DO_NOT_RECORD_CUSTOMER,
        Action.OFFER_UNRECORDED_SERVICE,
    )
    assert not refused.wants_answer
    assert lamps(now)[AGENT] is lamps(now)[SYSTEM] is Lamp.RECORDING


def test_a_no_is_said_even_where_the_project_would_not_record() -> None:
    settings = dataclasses.replace(SETTINGS, mode=Mode.AGENT_ONLY)
    refused = ruling(
        situation(customer(dataclasses.replace(YES, state=ConsentState.REFUSED)), agent(), settings=settings)
    )
    assert refused.deciding.rule == "house.no_is_no"


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"question_heard": False}, "the question had not been heard to its end"),
        ({"method": Method.CONTINUED_AFTER_NOTICE}, "it was not a clear act"),
        ({"purposes": frozenset({Purpose.MARKETING})}, "it was not given for this purpose"),
        ({"notice": None}, "the person had not been told what for"),
        ({"evidence": None}, "nothing proves it"),
        ({"conditional": True}, "it was not free"),
        ({"at_ms": AT_MS + 1}, "it came later"),
    ],
)
def test_a_yes_that_does_not_count_says_why(change: dict[str, object], why: str) -> None:
    consent = dataclasses.replace(YES, **change)  # type: ignore[arg-type]
    invalid = ruling(situation(customer(consent), agent()))
    assert (invalid.lamp, invalid.deciding.text) == (Lamp.OFF, f"The customer's yes does not count: {why}.")
    assert set(invalid.actions) - {Action.OFFER_UNRECORDED_SERVICE} == ASK
    assert (Action.OFFER_UNRECORDED_SERVICE in invalid.actions) == ("conditional" in change)


def test_nobody_in_the_dark() -> None:
    now = situation(SYSTEM_PARTY, customer(notice_heard=False), agent())
    for party in (CUSTOMER, AGENT):
        dark = ruling(now, party)
        assert (dark.lamp, dark.deciding.rule) == (Lamp.OFF, "house.told_first")
        assert (
            dark.deciding.text == "The customer has not been told yet that the call is recorded, so nobody is recorded."
        )
        assert Action.ANNOUNCE_RECORDING in dark.actions
        assert Action.PROVIDE_ART13_NOTICE in dark.actions
    assert ruling(now, SYSTEM).lamp is Lamp.RECORDING


def test_an_agent_who_was_not_told_darkens_everybody_in_the_house_and_themselves_in_law() -> None:
    now = situation(customer(), agent(employee_notice=False))
    assert set(lamps(now).values()) == {Lamp.OFF}
    assert Action.NOTIFY_EMPLOYEE in ruling(now, AGENT).actions
    assert lamps(now, Profile.LAW) == {CUSTOMER: Lamp.RECORDING, AGENT: Lamp.OFF}


def test_the_form_of_one_place_of_work_tells_nobody_under_the_law_of_another() -> None:
    """Connecticut is content with a posted notice; where the law names no form, only having been told counts."""
    posted = frozenset({EmployeeForm.POSTED})

    def lamp(*codes: str) -> Lamp:
        places = tuple(place for code in codes for place in at(code))
        party = agent(places=places, employee_notice=False, employee_forms=posted)
        house = dataclasses.replace(SETTINGS, country="US-CT")
        return lamps(situation(customer(), party, settings=house), Profile.LAW)[AGENT]

    assert lamp("US-CT") is Lamp.RECORDING
    assert lamp("US-CT", "JP") is Lamp.OFF


def test_whoever_left_is_off_and_no_longer_keeps_others_in_the_dark() -> None:
    gone = customer(Consent(), notice_heard=False, present=False)
    now = situation(gone, customer(party=PartyId("other")), agent())
    assert lamps(now) == {CUSTOMER: Lamp.OFF, PartyId("other"): Lamp.RECORDING, AGENT: Lamp.RECORDING}
    assert ruling(now).deciding.text == "The customer has left the conversation."


def test_without_a_responsible_controller_nothing_is_recorded() -> None:
    now = situation(
        SYSTEM_PARTY, customer(), agent(), settings=dataclasses.replace(SETTINGS, terms_acknowledged_by=None)
    )
    assert set(lamps(now).values()) == {Lamp.OFF}
    assert ruling(now, SYSTEM).deciding.cite == "setting: terms_acknowledged_by"


def test_mode_agent_only_asks_nobody() -> None:
    now = situation(customer(Consent()), agent(), settings=dataclasses.replace(SETTINGS, mode=Mode.AGENT_ONLY))
    off = ruling(now)
    assert off.deciding.text == "The customer is not recorded: this project records the employee only."
    assert not off.wants_answer
    assert lamps(now)[AGENT] is Lamp.RECORDING


def test_a_pause_names_who_paused() -> None:
    assert ruling(situation(paused_by=AGENT)).deciding.text == "The employee paused the recording."
    assert ruling(situation(paused_by="operator")).deciding.text == "The operator paused the recording."
    assert ruling(situation(on_hold=True)).actions == (Action.PAUSE_RECORDING,)


def test_the_trial_is_marked_in_every_sentence() -> None:
    decision = decide(
        situation(SYSTEM_PARTY, customer(), agent(), settings=dataclasses.replace(SETTINGS, trial=True)), PACK
    )
    assert all(reason.text.startswith("TRIAL: ") for each in decision.rulings for reason in each.reasons)


def test_denmark_accepts_no_other_ground_than_consent_for_quality() -> None:
    settings = dataclasses.replace(SETTINGS, customer_basis=LawfulBasis.LEGITIMATE_INTERESTS)
    silent = customer(Consent(), basis=LawfulBasis.LEGITIMATE_INTERESTS)
    assert lamps(situation(silent, agent(), settings=settings))[CUSTOMER] is Lamp.OFF
    documented = dataclasses.replace(settings, purpose=Purpose.DOCUMENTATION)
    spoken_only = situation(silent, agent(), settings=documented)
    assert ruling(spoken_only).lamp is Lamp.OFF, "nothing is on file"
    on_file = Circumstances(balancing_test=True, necessity_documented=True)
    told = ruling(dataclasses.replace(spoken_only, circumstances=on_file))
    assert (told.lamp, told.deciding.text) == (Lamp.RECORDING, "The customer has not objected.")
    assert not told.wants_answer


@pytest.mark.parametrize("state", [ConsentState.REQUESTED, ConsentState.UNKNOWN])
def test_who_is_asked_is_waited_for_even_where_no_law_asks(state: ConsentState) -> None:
    party = customer(Consent(state=state), places=at("US-TX"), basis=LawfulBasis.LEGITIMATE_INTERESTS)
    now = situation(party, agent(places=at("US-TX")), settings=TEXAN)
    assert ruling(now).deciding.rule == "house.silence_is_no"
    assert ruling(now, profile=Profile.LAW).lamp is Lamp.RECORDING


def test_texas_and_new_york_are_told_and_need_not_agree() -> None:
    for place in ("US-TX", "US-NY"):
        told = customer(Consent(), places=at(place), basis=LawfulBasis.LEGITIMATE_INTERESTS)
        now = situation(told, agent(places=at("US-TX")), settings=TEXAN)
        assert lamps(now) == {CUSTOMER: Lamp.RECORDING, AGENT: Lamp.RECORDING}
        untold = situation(dataclasses.replace(told, notice_heard=False), agent(places=at("US-TX")), settings=TEXAN)
        assert set(lamps(untold).values()) == {Lamp.OFF}
        assert lamps(untold, Profile.LAW)[CUSTOMER] is Lamp.RECORDING


@pytest.mark.parametrize("place", ["US-CA", "US-WA"])
def test_one_all_party_place_is_enough(place: str) -> None:
    silent = customer(Consent(), places=(*at("US-TX"), *at(place)), basis=LawfulBasis.LEGITIMATE_INTERESTS)
    now = situation(silent, agent(places=at("US-TX")), settings=TEXAN)
    closed = ruling(now)
    assert (closed.lamp, closed.deciding.rule) == (Lamp.OFF, f"{place}.wiretap")
    assert Action.OBTAIN_ALL_PARTY_CONSENT in closed.actions
    assert lamps(now)[AGENT] is Lamp.RECORDING
    agreed = dataclasses.replace(silent, consent=YES)
    assert lamps(situation(agreed, agent(places=at("US-TX")), settings=TEXAN))[CUSTOMER] is Lamp.RECORDING


def test_staying_on_the_line_is_consent_in_california_and_not_in_washington() -> None:
    stayed = dataclasses.replace(YES, method=Method.CONTINUED_AFTER_NOTICE)
    for place, lamp in (("US-CA", Lamp.RECORDING), ("US-WA", Lamp.OFF)):
        party = customer(stayed, places=at(place), basis=LawfulBasis.LEGITIMATE_INTERESTS)
        assert lamps(situation(party, agent(places=at("US-TX")), settings=TEXAN))[CUSTOMER] is lamp


def test_in_germany_the_agents_own_word_needs_the_agents_own_yes() -> None:
    settings = dataclasses.replace(SETTINGS, country="DE")
    german = agent(places=at("DE", PlaceEvidence.SITE))
    now = situation(customer(places=at("DE")), german, settings=settings)
    assert lamps(now) == {CUSTOMER: Lamp.RECORDING, AGENT: Lamp.OFF}
    assert Action.OBTAIN_AGENT_CONSENT in ruling(now, AGENT).actions
    written = dataclasses.replace(
        german, consent=Consent(state=ConsentState.GIVEN, method=Method.WRITTEN, evidence="e")
    )
    assert lamps(situation(customer(places=at("DE")), written, settings=settings))[AGENT] is Lamp.RECORDING
    abroad = situation(customer(Consent(), places=at("DE")), agent())
    assert lamps(abroad) == {CUSTOMER: Lamp.OFF, AGENT: Lamp.RECORDING}


def test_an_unknown_place_is_strict_and_says_so() -> None:
    for places in (
        (),
        (UNKNOWN,),
        at("TR"),
        at("US"),
        at("US-ZZ"),
        at("US-TX", PlaceEvidence.MOBILE_NUMBER),
        at("US-TX", PlaceEvidence.UNKNOWN),
    ):
        party = customer(Consent(), places=places, basis=LawfulBasis.LEGITIMATE_INTERESTS)
        strict = ruling(situation(party, agent(places=at("US-TX")), settings=TEXAN))
        assert strict.lamp is Lamp.OFF
        assert {Action.OBTAIN_OPT_IN_CONSENT, Action.OBTAIN_ALL_PARTY_CONSENT, Action.TREAT_AS_ALL_PARTY} <= set(
            strict.actions
        )
        assert strict.confidence is Confidence.LOW
        agreed = dataclasses.replace(party, consent=YES)
        assert ruling(situation(agreed, agent(places=at("US-TX")), settings=TEXAN)).lamp is Lamp.RECORDING


def test_the_law_of_the_controllers_establishment_counts_wherever_people_are() -> None:
    texans = customer(Consent(), places=at("US-TX"), basis=LawfulBasis.LEGITIMATE_INTERESTS), agent(places=at("US-TX"))
    assert ruling(situation(*texans, settings=TEXAN)).lamp is Lamp.RECORDING
    danish = ruling(situation(*texans, settings=dataclasses.replace(TEXAN, country="DK")))
    assert danish.lamp is Lamp.OFF
    assert "DK.ground.quality" in [reason.rule for reason in danish.reasons]
    nowhere = ruling(situation(*texans, settings=dataclasses.replace(TEXAN, country="ZZ")))
    assert Action.TREAT_AS_ALL_PARTY in nowhere.actions


def test_the_withheld_number_of_the_trial_leaves_the_agent_recorded() -> None:
    """A caller of whom nothing is known refuses or says nothing: the employee's own word is recorded, and is said to be."""
    for state in (ConsentState.REFUSED, ConsentState.UNKNOWN):
        now = situation(customer(Consent(state=state), places=()), agent())
        assert lamps(now) == {CUSTOMER: Lamp.OFF, AGENT: Lamp.RECORDING}


def test_an_employees_consent_is_presumed_not_free() -> None:
    unfree = ruling(situation(customer(), agent(basis=LawfulBasis.CONSENT)), AGENT)
    assert (unfree.lamp, unfree.deciding.rule) == (Lamp.OFF, "setting.agent_basis")


def test_third_person_and_supervisor_are_judged_on_their_own() -> None:
    third = customer(Consent(), party=PartyId("third"), role=Role.THIRD_PARTY)
    supervisor = agent(party=PartyId("supervisor"), role=Role.SUPERVISOR)
    found = lamps(situation(customer(), third, agent(), supervisor))
    assert found[PartyId("third")] is Lamp.OFF
    assert found[PartyId("supervisor")] is found[CUSTOMER] is Lamp.RECORDING
    only = dataclasses.replace(SETTINGS, mode=Mode.AGENT_ONLY)
    assert lamps(situation(customer(), agent(), supervisor, settings=only))[PartyId("supervisor")] is Lamp.OFF


def test_any_part_reaches_the_agents_side_and_the_other_callers() -> None:
    """Illinois: what recording even one side needs."""
    first = customer(places=at("US-IL"), basis=LawfulBasis.LEGITIMATE_INTERESTS)
    second = dataclasses.replace(first, party=PartyId("second"), role=Role.THIRD_PARTY, consent=Consent())
    texan = agent(places=at("US-TX"))
    agreed = decide(situation(first, texan, settings=TEXAN), PACK)
    assert {each.lamp for each in agreed.rulings} == {Lamp.RECORDING}
    one_silent = decide(situation(first, second, texan, settings=TEXAN), PACK)
    assert {each.lamp for each in one_silent.rulings} == {Lamp.OFF}
    assert "US-IL.wiretap" in [reason.rule for reason in one_silent.rulings[2].reasons]


def test_a_rule_counts_from_its_day_on() -> None:
    before_gdpr = 1_527_206_399_999  # 2018-05-24T23:59:59.999Z
    now = situation(customer(dataclasses.replace(YES, at_ms=before_gdpr)), agent(), at_ms=before_gdpr)
    assert "EEA.consent" not in [reason.rule for reason in ruling(now).reasons]
    later = dataclasses.replace(now, at_ms=before_gdpr + 1)
    assert "EEA.consent" in [reason.rule for reason in ruling(later).reasons]


def test_hashes_name_pack_settings_and_situation() -> None:
    decision = decide(situation(), PACK)
    assert (decision.pack, decision.settings, decision.profile) == (PACK.hash, SETTINGS.version, "house")
    assert len(decision.situation) == 64
    assert decision.situation != decide(situation(on_hold=True), PACK).situation


@pytest.mark.parametrize(
    ("consents", "lamp"),
    [((YES, YES), Lamp.RECORDING), ((YES, Consent()), Lamp.RECORDING), ((Consent(), YES), Lamp.OFF)],
)
def test_who_was_told_and_stays_silent_closes_their_own_track_alone(
    consents: tuple[Consent, Consent], lamp: Lamp
) -> None:
    first, second = (
        customer(consent, party=PartyId(name), role=role)
        for consent, name, role in zip(consents, ("one", "two"), (Role.CUSTOMER, Role.THIRD_PARTY), strict=True)
    )
    found = lamps(situation(first, second, agent()))
    assert (found[PartyId("one")], found[AGENT]) == (lamp, Lamp.RECORDING)


@pytest.mark.parametrize("place", ["AU-NSW", "CA-ON"])
def test_staying_on_the_line_is_a_yes_where_every_law_on_the_call_says_so(place: str) -> None:
    abroad = dataclasses.replace(SETTINGS, country=place)
    stayed = dataclasses.replace(YES, method=Method.CONTINUED_AFTER_NOTICE)
    here = [customer(stayed, places=at(place)), agent(places=at(place))]
    assert lamps(situation(*here, settings=abroad))[CUSTOMER] is Lamp.RECORDING
    texan = customer(YES, party=PartyId("joiner"), places=at("US-TX"))
    joined = ruling(situation(*here, texan, settings=abroad))
    assert (joined.lamp, joined.deciding.rule) == (Lamp.OFF, "setting.customer_basis")
    assert Action.OBTAIN_OPT_IN_CONSENT in joined.actions


def test_who_was_asked_though_no_law_does_is_waited_for_and_may_still_say_yes() -> None:
    asked = customer(Consent(state=ConsentState.UNKNOWN), basis=LawfulBasis.LEGITIMATE_INTERESTS, places=at("US-TX"))
    silent = ruling(situation(asked, agent(places=at("US-TX")), settings=TEXAN))
    assert (silent.lamp, silent.deciding.rule) == (Lamp.OFF, "house.silence_is_no")
    assert silent.wants_answer


def test_an_agent_who_objects_closes_the_other_agents_gate_also_where_nobody_knows_the_place() -> None:
    no = Consent(state=ConsentState.REFUSED, at_ms=AT_MS - 1)
    for place in (at("US-TX"), (UNKNOWN,)):
        two = [agent(places=place, consent=no), agent(party=PartyId("other"), places=place)]
        assert lamps(situation(*two, settings=TEXAN), Profile.LAW)[PartyId("other")] is Lamp.OFF
