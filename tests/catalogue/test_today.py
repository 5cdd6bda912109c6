"""What the law data of today say of a conversation that kept other law data."""

import json

import sqlalchemy as sa

from tallylight.catalogue.explanation import explain
from tallylight.catalogue.tables import settings_version
from tallylight.catalogue.today import Today
from tallylight.database.engine import read_only
from tallylight.database.events import empty_payload, read_stream
from tallylight.ids import PartyId
from tallylight.law.pack import Pack, default_files, load
from tallylight.policy.decision import Lamp
from tests.catalogue.house import SHIPPED, Call, House

STRICTER = ('standard = "one_party"', 'standard = "all_party"\naccepts = ["spoken_on_recording"]')
"""A Denmark in which pressing a key is no agreement to be recorded."""
RENAMED = ('"DK.employee"', '"DK.employee.2027"')


def amended(*changes: tuple[str, str]) -> Pack:
    """The shipped law after somebody has changed Denmark's."""
    danish = default_files()["dk.toml"].decode()
    for old, new in changes:
        assert old in danish
        danish = danish.replace(old, new)
    return load({**default_files(), "dk.toml": f"{danish}\n# amended\n".encode()})


def judged(house: House, call: Call, today: Pack, at_ms: int | None = None) -> Today:
    with read_only(house.engine) as connection:
        return explain(connection, workspace=house.workspace, conversation=call.id, today=today, at_ms=at_ms).today


def stretches(today: Today, party: PartyId) -> list[tuple[int, int | None]]:
    return [(each.then.from_ms, each.then.until_ms) for each in today.differences if each.then.party == party]


def test_the_same_pack_is_not_judged_again(house: House) -> None:
    call = Call(house).accepted().speak(1000).end()
    assert judged(house, call, SHIPPED) == Today(pack=SHIPPED.hash, same_pack=True)


def test_other_files_that_say_the_same_make_no_difference(house: House) -> None:
    call = Call(house).accepted().speak(1000).end()
    today = amended()
    assert judged(house, call, today) == Today(pack=today.hash, same_pack=False)


def test_a_stricter_law_names_whose_lamp_from_when_and_by_which_rule(house: House) -> None:
    call = Call(house).accepted().speak(1000).end()
    today = judged(house, call, amended(STRICTER))
    with read_only(house.engine) as connection:
        then = explain(connection, workspace=house.workspace, conversation=call.id, today=SHIPPED)
    lit = [segment for segment in then.segments if segment.party == call.customer and segment.lamp is Lamp.RECORDING]
    assert lit
    found = [each for each in today.differences if each.then.lamp is not each.today.lamp]
    assert [each.then for each in found] == lit
    for each in found:
        assert each.today.lamp is Lamp.OFF
        assert (each.today.deciding.rule, each.today.deciding.cite) == ("DK.wiretap", "Straffeloven § 263")
        assert each.today.deciding.checked_at == "2026-11-23"
    assert stretches(today, call.agent) == []


def test_the_same_lamp_by_another_rule_is_a_difference(house: House) -> None:
    call = Call(house).accepted().speak(1000).end()
    today = judged(house, call, amended(RENAMED))
    assert today.differences
    for each in today.differences:
        assert each.then.party == call.agent
        assert each.today.lamp is each.then.lamp is Lamp.RECORDING
        assert (each.then.deciding.rule, each.today.deciding.rule) == ("DK.employee", "DK.employee.2027")


def test_one_instant_is_judged_alone(house: House) -> None:
    call = Call(house).accepted().speak(1000).end()
    assert judged(house, call, amended(STRICTER), at_ms=0).differences == ()
    (difference,) = judged(house, call, amended(STRICTER), at_ms=call.now_ms - 1).differences
    assert difference.then.party == call.customer


def test_a_no_is_a_no_under_any_law(house: House) -> None:
    call = Call(house).refused().speak(1000).end()
    assert all(each.today.lamp is Lamp.OFF for each in judged(house, call, amended(STRICTER)).differences)


def test_a_pack_that_is_lost_cannot_be_replayed_and_is_judged_by_today_all_the_same(house: House) -> None:
    call = Call(house, pack=amended()).accepted().speak(1000).end()
    with read_only(house.engine) as connection:
        explanation = explain(connection, workspace=house.workspace, conversation=call.id, today=amended(STRICTER))
    assert explanation.replay.unavailable is not None
    assert "No law pack" in explanation.replay.unavailable
    assert explanation.today.unavailable is None
    assert stretches(explanation.today, call.customer)


def test_settings_that_are_lost_cannot_be_judged_again(house: House) -> None:
    call = Call(house).accepted().speak(1000).end()
    house.commit(lambda transaction: transaction.connection.execute(sa.delete(settings_version)).rowcount)
    lost = judged(house, call, amended(STRICTER))
    assert lost.differences == ()
    assert lost.unavailable is not None
    assert "No settings version" in lost.unavailable
    assert judged(house, call, SHIPPED) == Today(pack=SHIPPED.hash, same_pack=True)


def test_an_erased_act_cannot_be_judged_again(house: House) -> None:
    call = Call(house).accepted().end()
    with read_only(house.engine) as connection:
        (given,) = [event for event in read_stream(connection, call.id) if event.type == "ConsentGiven"]
    house.commit(lambda transaction: empty_payload(transaction.connection, given.leaf))
    erased = judged(house, call, amended(STRICTER))
    assert erased.differences == ()
    assert erased.unavailable is not None
    assert "were erased" in erased.unavailable


def test_the_json_holds_then_and_today_side_by_side(house: House) -> None:
    call = Call(house).accepted().speak(1000).end()
    today = amended(STRICTER)
    told = json.loads(json.dumps(judged(house, call, today).to_json()))
    assert (told["pack"], told["same_pack"], told["unavailable"]) == (today.hash, False, None)
    first = told["differences"][0]
    assert set(first) == {"from_s", "until_s", "party", "role", "decision", "then", "today"}
    rules = [difference["today"]["deciding"]["rule"] for difference in told["differences"]]
    assert "DK.wiretap" in rules
    assert all(difference["role"] == "customer" for difference in told["differences"])
