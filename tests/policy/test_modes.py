"""Every record mode against everything that can narrow it: the whole matrix."""

import dataclasses
import itertools

import pytest

from tallylight.consent.answer import ConsentState
from tallylight.ids import PartyId
from tallylight.law.vocabulary import Action, Conference, Direction, LawfulBasis, Mode, Purpose, Role
from tallylight.policy.decide import decide
from tallylight.policy.decision import Lamp, PartyRuling
from tallylight.policy.modes import wanted
from tallylight.policy.situation import ORDINARY, Circumstances, PartySituation, Segment, Situation
from tests.policy.making import AGENT, CUSTOMER, PACK, SETTINGS, YES, agent, customer, situation

GUEST = PartyId("guest")
LETTERS = {"A": AGENT, "C": CUSTOMER, "T": GUEST}

WISHES = """
both                           ACT  ACT  ACT  ACT
agent_only                     A    A    A    A
agent_only_allow_customer      A    ACT  A    ACT
voice_receipts                 A    A    ACT  ACT
voice_receipts_allow_customer  A    ACT  ACT  ACT
none                           -    -    -    -
"""
"""Whose voice a mode asks for: as the call goes, with the customer switched on, with a receipt open, with both."""

GUESTS = {
    Conference.ALL: "ACT",
    Conference.NONE: "",
    Conference.AGENT_AND_CUSTOMER: "AC",
    Conference.STOP_ON_THIRD_PARTY: "",
}
"""Who may be recorded while a third person is there."""

SWITCHES = ((False, False), (True, False), (False, True), (True, True))
WISHED = {
    (Mode(line.split()[0]), switch): set(cell.replace("-", ""))
    for line in WISHES.split("\n")[1:-1]
    for switch, cell in zip(SWITCHES, line.split()[1:], strict=True)
}

BOTH_PURPOSES = dataclasses.replace(YES, purposes=YES.purposes | {Purpose.VOICE_RECEIPT})


def guest(**changes: object) -> PartySituation:
    return dataclasses.replace(customer(BOTH_PURPOSES), party=GUEST, role=Role.THIRD_PARTY, **changes)  # type: ignore[arg-type]


def moment(
    mode: Mode,
    *people: PartySituation,
    customer_on: bool = False,
    receipt: bool = False,
    conference: Conference = Conference.ALL,
    direction: Direction = Direction.INBOUND,
    paused_by: str | None = None,
    necessity: bool = False,
) -> Situation:
    circumstances = Circumstances(
        conference=conference,
        segment=Segment.VOICE_RECEIPT if receipt else Segment.NORMAL,
        necessity_documented=necessity,
    )
    return dataclasses.replace(
        situation(*people, settings=dataclasses.replace(SETTINGS, mode=mode), paused_by=paused_by),
        direction=direction,
        customer_on=customer_on,
        purpose=Purpose.VOICE_RECEIPT if receipt else None,
        circumstances=ORDINARY if circumstances == ORDINARY else circumstances,
    )


def rulings(of: Situation) -> dict[PartyId, PartyRuling]:
    return {ruling.party: ruling for ruling in decide(of, PACK).rulings}


def test_the_table_is_whole() -> None:
    assert set(WISHED) == set(itertools.product(Mode, SWITCHES))
    assert set(GUESTS) == set(Conference)
    for (mode, (customer_on, receipt)), letters in WISHED.items():
        for role, letter in ((Role.AGENT, "A"), (Role.CUSTOMER, "C"), (Role.THIRD_PARTY, "T")):
            assert wanted(mode, role, customer_on=customer_on, receipt=receipt) is (letter in letters)
        # Our own voice says what people were told wherever anybody is recorded.
        assert wanted(mode, Role.SYSTEM, customer_on=customer_on, receipt=receipt) is bool(letters)


@pytest.mark.parametrize("state", ConsentState)
@pytest.mark.parametrize("mode", Mode)
def test_modes_consent_direction_third_party_pause_and_receipt(mode: Mode, state: ConsentState) -> None:
    answer = dataclasses.replace(BOTH_PURPOSES, state=state)
    seen = 0
    for switch, direction, pause, conference in itertools.product(
        SWITCHES, Direction, (None, AGENT, "operator", "settings"), (None, *Conference)
    ):
        people = (customer(answer), agent(), *(() if conference is None else (guest(),)))
        ruled = rulings(
            moment(
                mode,
                *people,
                customer_on=switch[0],
                receipt=switch[1],
                conference=conference or Conference.ALL,
                direction=direction,
                paused_by=pause,
            )
        )
        allowed = WISHED[mode, switch] & set("ACT" if conference is None else GUESTS[conference])
        burning = Lamp.RECORDING if pause is None else Lamp.PAUSED
        for letter, party in LETTERS.items():
            if party not in ruled:
                continue
            open_ = letter in allowed and (letter != "C" or state is ConsentState.GIVEN)
            assert ruled[party].lamp is (burning if open_ else Lamp.OFF), (switch, direction, pause, conference, party)
            seen += 1
        if state in (ConsentState.REFUSED, ConsentState.WITHDRAWN):
            # A decline overrides every setting.
            assert ruled[CUSTOMER].deciding.rule == "house.no_is_no"
            assert not ruled[CUSTOMER].wants_answer
        elif "C" not in allowed:
            assert ruled[CUSTOMER].deciding.rule in ("setting.mode", "setting.conference")
            assert not ruled[CUSTOMER].wants_answer
        elif state is not ConsentState.GIVEN:
            assert ruled[CUSTOMER].wants_answer
    assert seen == 4 * 2 * 4 * (2 + 4 * 3)


@pytest.mark.parametrize("mode", [Mode.BOTH, Mode.VOICE_RECEIPTS, Mode.VOICE_RECEIPTS_ALLOW_CUSTOMER])
def test_a_receipt_needs_a_yes_of_its_own(mode: Mode) -> None:
    ruling = rulings(moment(mode, customer(YES), agent(), receipt=True))[CUSTOMER]
    assert ruling.lamp is Lamp.OFF
    assert ruling.wants_answer
    contract = customer(YES, basis=LawfulBasis.CONTRACT)
    found = rulings(moment(mode, contract, agent(), receipt=True, necessity=True))
    assert found[CUSTOMER].lamp is Lamp.RECORDING


@pytest.mark.parametrize("receipt", [False, True])
def test_nobody_is_recorded_for_what_they_were_not_told_of(receipt: bool) -> None:
    """Also where no yes is needed: first they are told that their own voice is recorded, and what for."""
    of_talk, of_receipt = frozenset({Purpose.QUALITY_ASSURANCE}), frozenset({Purpose.VOICE_RECEIPT})
    mine, other = (of_receipt, of_talk) if receipt else (of_talk, of_receipt)
    for told_of in (frozenset[Purpose](), other):
        person = customer(BOTH_PURPOSES, basis=LawfulBasis.CONTRACT, told_of=told_of)
        ruled = rulings(moment(Mode.VOICE_RECEIPTS_ALLOW_CUSTOMER, person, agent(), customer_on=True, receipt=receipt))
        assert ruled[CUSTOMER].lamp is Lamp.OFF
        assert ruled[CUSTOMER].deciding.rule == "house.told_purpose"
        assert Action.ANNOUNCE_RECORDING in ruled[CUSTOMER].actions
        assert ruled[AGENT].lamp is Lamp.RECORDING
    for told_of in (mine, mine | other):
        person = customer(BOTH_PURPOSES, told_of=told_of)
        ruled = rulings(moment(Mode.VOICE_RECEIPTS_ALLOW_CUSTOMER, person, agent(), customer_on=True, receipt=receipt))
        assert ruled[CUSTOMER].lamp is Lamp.RECORDING


def test_what_they_were_not_told_of_matters_only_where_it_is_wanted() -> None:
    ruled = rulings(moment(Mode.AGENT_ONLY, customer(YES, told_of=frozenset()), agent()))
    assert ruled[CUSTOMER].deciding.rule == "setting.mode"
    assert {reason.rule for reason in ruled[CUSTOMER].reasons}.isdisjoint({"house.told_purpose"})
    assert ruled[AGENT].lamp is Lamp.RECORDING
