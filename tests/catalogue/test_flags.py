"""What a person has to look at is listed and explained, for as long as it stands."""

import dataclasses

from tallylight.catalogue.explanation import Explanation, explain
from tallylight.catalogue.flags import ATTESTED, MINOR
from tallylight.catalogue.queries import to_json
from tallylight.catalogue.versions import keep_settings
from tallylight.conversation.commands import OPERATOR, AttestConsent, GiveConsent, KnowMinor, RefuseConsent
from tallylight.database.engine import read_only
from tallylight.law.vocabulary import Method
from tallylight.policy.settings import Settings
from tests.catalogue.house import SETTINGS, SHIPPED, Call, House

LEAVE = dataclasses.replace(SETTINGS, attested_consent=True)
LINE = dataclasses.replace(SETTINGS, minors=True)
EVIDENCE = "attested by operator: said aloud"


def explained(house: House, call: Call, at_ms: int | None = None) -> Explanation:
    with read_only(house.engine) as connection:
        return explain(connection, workspace=house.workspace, conversation=call.id, today=SHIPPED, at_ms=at_ms)


def listed(house: House, call: Call) -> list[object]:
    parties = to_json(house.entry(call.id))["parties"]
    assert isinstance(parties, list)
    return [party["flagged"] for party in parties if isinstance(party, dict)]


def call_under(house: House, settings: Settings) -> Call:
    house.commit(lambda transaction: keep_settings(transaction.connection, house.workspace, settings))
    return Call(house, settings=settings)


def attested(house: House) -> Call:
    call = call_under(house, LEAVE).asked()
    call.do(AttestConsent(by=OPERATOR, party=call.customer, evidence="said aloud", offset_ms=call.now_ms))
    return call


def test_what_staff_attested_is_flagged(each_house: House) -> None:
    call = attested(each_house).connected()
    (customer, agent) = each_house.entry(call.id).people
    assert (customer.consent, customer.flagged, agent.flagged) == ("given", (ATTESTED,), ())
    assert listed(each_house, call) == [[ATTESTED], []]
    for at_ms in (None, 0):
        explanation = explained(each_house, call, at_ms)
        (flag,) = explanation.flags
        assert (flag.party, flag.at_ms, flag.why, flag.evidence) == (call.customer, 7000, ATTESTED, EVIDENCE)
    timeline = [segment for segment in explained(each_house, call).segments if segment.party == call.customer]
    told = timeline[-1].to_json()["consent"]
    assert isinstance(told, dict)
    assert (told["state"], told["method"], told["evidence"], told["flagged"]) == ("given", "attested", EVIDENCE, True)
    assert not timeline[0].consent.flagged
    assert explained(each_house, call).replay.agrees


def test_the_persons_own_answer_takes_its_place(each_house: House) -> None:
    for answer, consent in (
        (GiveConsent, "given"),
        (RefuseConsent, "withdrawn"),
    ):
        call = attested(each_house)
        call.do(answer(party=call.customer, method=Method.DIGIT, evidence="digit", offset_ms=call.now_ms))
        customer = each_house.entry(call.id).people[0]
        assert (customer.consent, customer.flagged) == (consent, ())
        assert explained(each_house, call).flags == ()


def test_nothing_else_is_flagged(each_house: House) -> None:
    for call in (Call(each_house).accepted(), Call(each_house).refused()):
        assert listed(each_house, call) == [[], []]
        assert explained(each_house, call).flags == ()


def test_what_is_stored_of_a_child_is_flagged_whenever_that_became_known(each_house: House) -> None:
    call = Call(each_house).accepted().speak(2000)
    known_ms = call.now_ms
    call.do(KnowMinor(by=call.agent, party=call.customer, offset_ms=known_ms))
    customer, agent = each_house.entry(call.sealed().id).people
    assert (customer.flagged, customer.stored_ms > 0, agent.flagged) == ((MINOR,), True, ())
    explanation = explained(each_house, call, at_ms=8000)
    assert explanation.to_json()["flagged"] == [
        {"party": call.customer, "at_s": known_ms / 1000, "why": MINOR, "evidence": None}
    ]
    assert explanation.replay.agrees


def test_every_customer_of_a_line_of_children_is_flagged(each_house: House) -> None:
    call = call_under(each_house, LINE).speak(1000).connected()
    assert listed(each_house, call) == [[MINOR], []]
    assert [(flag.party, flag.at_ms, flag.why) for flag in explained(each_house, call).flags] == [
        (call.customer, 0, MINOR)
    ]
