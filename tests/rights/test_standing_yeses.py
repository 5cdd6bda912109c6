"""Standing yeses are given, found in any spelling, renewed and ended, and the ledger does not say whose they are."""

import json
from collections.abc import Mapping

import pytest
import sqlalchemy as sa

from tallylight.catalogue.addresses import AddressError
from tallylight.catalogue.tables import party as parties
from tallylight.catalogue.tables import standing_yes as yeses
from tallylight.consent.errors import ConsentError
from tallylight.consent.standing_yes import StandingYes
from tallylight.database.engine import read_only
from tallylight.database.events import JsonValue, read_stream
from tallylight.rights.errors import StandingYesError
from tests.catalogue.house import Call, House
from tests.retention.test_erasure import assert_ledger_holds
from tests.rights.making import DAY_MS, TEXT, give, objections, standing_yeses

PERSON = "+4531415926"
SPELLINGS = ("31 41 59 26", "0045 31415926", "tel:+45-31-41-59-26", "sip:31415926@phone.example;user=phone")


def history(house: House, standing: StandingYes) -> list[tuple[str, Mapping[str, JsonValue] | None]]:
    """The events of one: their types, and what is left of what they say."""
    with read_only(house.engine) as connection:
        return [
            (event.type, event.payload) for event in read_stream(connection, standing.id, workspace=house.workspace)
        ]


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_it_is_found_in_any_spelling_and_for_its_purpose_alone(each_house: House, spelling: str) -> None:
    of = standing_yeses(each_house)
    given = give(each_house, spelling)
    assert of.find(PERSON, "quality_assurance") == given
    assert of.find(PERSON, "training") is None
    assert of.find("+4531415927", "quality_assurance") is None
    assert (of.of(PERSON), of.all()) == ((given,), (given,))
    assert (given.given_ms, given.expires_ms) == (each_house.clock.wall_ms(), each_house.clock.wall_ms() + 100 * DAY_MS)
    ((kind, payload),) = history(each_house, given)
    assert kind == "StandingYesGiven"
    assert payload == {
        "purpose": "quality_assurance",
        "given_ms": given.given_ms,
        "expires_ms": given.expires_ms,
        "evidence": "form signed at the counter",
        "notice": given.notice,
        "text": TEXT,
        "language": "en",
    }
    assert "31415926" not in json.dumps(payload)


def test_nobody_can_tell_from_it_on_which_calls_somebody_was(each_house: House) -> None:
    Call(each_house, customer=PERSON)
    give(each_house, PERSON)
    with read_only(each_house.engine) as connection:
        blinds = set(connection.execute(sa.select(parties.c.blind)).scalars())
        assert connection.execute(sa.select(yeses.c.subject)).scalar_one() not in blinds


def test_a_later_one_to_the_same_purpose_takes_its_place(each_house: House) -> None:
    of = standing_yeses(each_house)
    first = give(each_house, PERSON)
    other = give(each_house, PERSON, "training")
    each_house.clock.advance(86_400)
    second = give(each_house, PERSON, days=200)
    assert of.of(PERSON) == (other, second)
    assert history(each_house, first) == [("StandingYesGiven", None), ("StandingYesEnded", {"why": "renewed"})]
    assert_ledger_holds(each_house)


@pytest.mark.parametrize(("purpose", "left"), [("training", ["quality_assurance"]), (None, [])])
def test_it_is_taken_back_to_one_purpose_or_to_all(each_house: House, purpose: str | None, left: list[str]) -> None:
    of = standing_yeses(each_house)
    give(each_house, PERSON)
    training = give(each_house, PERSON, "training")
    other = give(each_house, "+4531415927", "training")
    over = of.take_back("31 41 59 26", purpose, evidence="mail", actor="operator")
    assert [each.purpose for each in over] == ["quality_assurance", "training"][-len(over) :]
    assert [each.purpose for each in of.of(PERSON)] == left
    ended = ("StandingYesEnded", {"why": "removed", "evidence": "mail"})
    assert history(each_house, training) == [("StandingYesGiven", None), ended]
    assert of.find("+4531415927", "training") == other
    with pytest.raises(StandingYesError) as raised:
        of.take_back(PERSON, "training", evidence="mail", actor="operator")
    assert raised.value.code == "standing_yes_unknown"


def test_a_no_on_a_conversation_ends_all_of_them(each_house: House) -> None:
    of = standing_yeses(each_house)
    given = give(each_house, PERSON)
    give(each_house, PERSON, "training")
    other = give(each_house, "+4531415927")
    for address in ("sip:anonymous@anonymous.invalid", PERSON):
        each_house.writer.submit(lambda transaction, who=address: of.said_no(transaction, who)).result(10)  # type: ignore[misc]
    assert of.all() == (other,)
    assert history(each_house, given)[-1] == ("StandingYesEnded", {"why": "no"})


def test_an_objection_ends_all_of_them_and_refuses_a_new_one_until_it_is_lifted(each_house: House) -> None:
    of, against = standing_yeses(each_house), objections(each_house)
    given = give(each_house, PERSON)
    against.raise_objection("31415926", evidence="letter", actor="operator")
    assert of.all() == ()
    assert history(each_house, given)[-1] == ("StandingYesEnded", {"why": "objection"})
    with pytest.raises(StandingYesError) as raised:
        give(each_house, PERSON)
    assert raised.value.code == "objection_stands"
    assert of.all() == ()
    against.lift(PERSON, evidence="call", actor="operator")
    give(each_house, PERSON)


@pytest.mark.parametrize("days", [0, -1, 732])
def test_an_end_that_cannot_be(each_house: House, days: int) -> None:
    of = standing_yeses(each_house)
    with pytest.raises(ConsentError) as raised:
        give(each_house, PERSON, days=days)
    assert raised.value.code == "expiry_invalid"
    assert of.all() == ()


def test_an_address_that_is_no_persons(each_house: House) -> None:
    with pytest.raises(StandingYesError, match="a hidden caller is asked on the call"):
        give(each_house, "sip:anonymous@anonymous.invalid")
    with pytest.raises(AddressError):
        give(each_house, "?")
