"""What must hold of every decision, whatever the situation (promises 1 to 4)."""

import dataclasses

from hypothesis import given, settings
from hypothesis import strategies as st

from tallylight.ids import PartyId
from tallylight.law.vocabulary import Action, Role
from tallylight.policy.decide import decide
from tallylight.policy.decision import Decision, Lamp, PartyRuling, Reason, Verdict
from tallylight.policy.explain import considered
from tallylight.policy.profile import Profile
from tallylight.policy.situation import Consent, ConsentState, PartySituation, Place, PlaceEvidence, Situation
from tests.policy.making import KNOWN, OPENNESS, PACK, UNKNOWN, parties, situations

THOROUGH = settings(max_examples=1_000)

NOTHING_WOULD_OPEN = {
    "setting.terms_acknowledged_by",
    "setting.mode",
    "setting.conference",
    "setting.agent_basis",
    "house.present",
    "everywhere.unlawful_aim",
}
"""A setting, a departure or an aim: no action of the closed list changes it."""


def never_opens(before: Situation, after: Situation) -> None:
    """In neither profile is a lamp more open in the second situation than in the first."""
    for profile in Profile:
        no_more_open(decide(before, PACK, profile), decide(after, PACK, profile))


def no_more_open(before: Decision, after: Decision) -> None:
    for ruling in before.rulings:
        assert OPENNESS[after.lamp(ruling.party)] <= OPENNESS[ruling.lamp], (ruling, after.ruling(ruling.party))


def changed(situation: Situation, index: int, party: PartySituation) -> Situation:
    several = list(situation.parties)
    several[index] = party
    return dataclasses.replace(situation, parties=tuple(several))


@THOROUGH
@given(situations(), parties("joiner"))
def test_another_party_never_opens_a_gate(situation: Situation, joiner: PartySituation) -> None:
    more = dataclasses.replace(situation, parties=(*situation.parties, joiner))
    never_opens(situation, more)


@THOROUGH
@given(situations(), st.data())
def test_another_candidate_place_never_opens_a_gate(situation: Situation, data: st.DataObject) -> None:
    index = data.draw(st.integers(0, len(situation.parties) - 1))
    party = situation.parties[index]
    place = Place(code=data.draw(st.sampled_from([*KNOWN, "FR", None])), evidence=PlaceEvidence.DECLARED)
    # No candidate at all is the unknown place; it stays one of them.
    widened = dataclasses.replace(party, places=(*(party.places or (UNKNOWN,)), place))
    never_opens(situation, changed(situation, index, widened))


@THOROUGH
@given(situations(), st.data())
def test_taking_a_consent_away_never_opens_a_gate(situation: Situation, data: st.DataObject) -> None:
    index = data.draw(st.integers(0, len(situation.parties) - 1))
    party = situation.parties[index]
    state = data.draw(st.sampled_from([state for state in ConsentState if state is not ConsentState.GIVEN]))
    given_consent = dataclasses.replace(party.consent, state=ConsentState.GIVEN)
    before = changed(situation, index, dataclasses.replace(party, consent=given_consent))
    after = changed(situation, index, dataclasses.replace(party, consent=Consent(state=state)))
    never_opens(before, after)


@THOROUGH
@given(situations(), st.data())
def test_an_unknown_place_is_as_strict_as_every_known_one(situation: Situation, data: st.DataObject) -> None:
    index = data.draw(st.integers(0, len(situation.parties) - 1))
    # Illinois alone closes the other side's tracks although they were told; for a place nobody knows that would silence
    # every employee whose caller withholds a number, so there it is only what is recorded in secret. Connecticut alone
    # wants the yes itself on the recording, where every call of ours has it.
    settled = [place for place in KNOWN if place not in ("US-IL", "US-CT")]
    known = Place(code=data.draw(st.sampled_from(settled)), evidence=PlaceEvidence.DECLARED)
    here = changed(situation, index, dataclasses.replace(situation.parties[index], places=(known,)))
    nowhere = changed(situation, index, dataclasses.replace(situation.parties[index], places=(UNKNOWN,)))
    never_opens(here, nowhere)


@THOROUGH
@given(situations(), st.sampled_from(Profile))
def test_every_reason_is_founded_and_every_closed_gate_explained(situation: Situation, profile: Profile) -> None:
    decision = decide(situation, PACK, profile)
    assert [ruling.party for ruling in decision.rulings] == [party.party for party in situation.parties]
    for ruling, party in zip(decision.rulings, situation.parties, strict=True):
        assert ruling.reasons
        assert all(founded(reason) and reason.text.endswith(".") for reason in ruling.reasons)
        assert all(reason.text.startswith("TRIAL: ") == situation.settings.trial for reason in ruling.reasons)
        assert {action.partition(":")[0] for action in ruling.actions} <= set(Action)
        assert (
            ruling.deciding.verdict
            is {
                Lamp.OFF: Verdict.CLOSES,
                Lamp.PAUSED: Verdict.PAUSES,
                Lamp.RECORDING: Verdict.ALLOWS,
            }[ruling.lamp]
        )
        if ruling.lamp is Lamp.OFF:
            assert ruling.actions or nothing_would_open(ruling, party)


def founded(reason: Reason) -> bool:
    """A rule of the pack with its citation, or the name of a setting or house rule."""
    cited = {rule.id: rule.cite for rule in PACK.rules}
    return cited.get(reason.rule) == reason.cite or reason.cite.startswith(("setting: ", "house rule: "))


def nothing_would_open(ruling: PartyRuling, party: PartySituation) -> bool:
    employed_no = party.role in (Role.AGENT, Role.SUPERVISOR) and ruling.deciding.rule == "house.no_is_no"
    return employed_no or ruling.deciding.rule in NOTHING_WOULD_OPEN


@THOROUGH
@given(situations(), st.sampled_from([ConsentState.REFUSED, ConsentState.WITHDRAWN]), st.data())
def test_a_no_overrides_everything(situation: Situation, state: ConsentState, data: st.DataObject) -> None:
    index = data.draw(st.integers(0, len(situation.parties) - 1))
    party = situation.parties[index]
    if party.role is Role.SYSTEM:
        party = dataclasses.replace(party, role=Role.CUSTOMER)
    refusing = changed(
        situation, index, dataclasses.replace(party, consent=dataclasses.replace(party.consent, state=state))
    )
    for profile in Profile:
        assert decide(refusing, PACK, profile).lamp(party.party) is Lamp.OFF


@THOROUGH
@given(situations(), st.sampled_from(["operator", "party 0"]), st.sampled_from(Profile))
def test_a_pause_closes_all_and_opens_nothing(situation: Situation, by: str, profile: Profile) -> None:
    running = dataclasses.replace(situation, paused_by=None)
    before = decide(running, PACK, profile)
    after = decide(dataclasses.replace(situation, paused_by=by), PACK, profile)
    assert Lamp.RECORDING not in {ruling.lamp for ruling in after.rulings}
    for ruling in before.rulings:
        assert (after.lamp(ruling.party) is Lamp.OFF) == (ruling.lamp is Lamp.OFF)


@THOROUGH
@given(situations())
def test_the_house_is_never_more_open_than_the_law(situation: Situation) -> None:
    no_more_open(decide(situation, PACK, Profile.LAW), decide(situation, PACK, Profile.HOUSE))


@THOROUGH
@given(situations())
def test_nobody_is_recorded_while_somebody_present_is_in_the_dark(situation: Situation) -> None:
    decision = decide(situation, PACK)
    for party in situation.parties:
        employed = party.role in (Role.AGENT, Role.SUPERVISOR)
        told = party.employee_notice if employed else party.notice_heard
        if party.present and party.role is not Role.SYSTEM and not told:
            people = [other.party for other in situation.parties if other.role is not Role.SYSTEM]
            assert Lamp.RECORDING not in {decision.lamp(person) for person in people}


@THOROUGH
@given(situations())
def test_a_decision_is_a_function_of_its_situation(situation: Situation) -> None:
    again = dataclasses.replace(situation, settings=dataclasses.replace(situation.settings))
    assert decide(situation, PACK) == decide(again, PACK)
    later = dataclasses.replace(situation, at_ms=situation.at_ms + 1)
    assert decide(later, PACK).situation != decide(situation, PACK).situation


@THOROUGH
@given(situations())
def test_what_was_considered_contains_what_decided(situation: Situation) -> None:
    decision = decide(situation, PACK)
    every = {each.party: each.reasons for each in considered(situation, PACK)}
    for ruling in decision.rulings:
        assert every[ruling.party][0] == ruling.deciding
        assert set(ruling.reasons) <= set(every[ruling.party])


def test_an_absent_party_is_off() -> None:
    assert Decision(rulings=(), pack="", settings="", situation="", profile="house").lamp(PartyId("x")) is Lamp.OFF
